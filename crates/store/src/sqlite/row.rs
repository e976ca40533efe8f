//! Rows of the tables, as the rest of the program sees them.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{
    ConversationId, GenerationId, MessageId, PrincipalId, Role, Source, Timestamp,
};

use crate::{Conversation, Generation, Message, StoreError};

pub(super) const CONVERSATION: &str = "c.conversation_id, c.principal_id, c.title, c.model, c.created_at, c.updated_at, \
     c.selected_message_id, c.message_count, c.total_tokens, c.pinned, c.archived, c.folder, \
     c.temporary";

pub(super) fn conversation(row: &SqliteRow) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        conversation_id: ConversationId::from_bytes(bytes(row, "conversation_id")?),
        principal_id: PrincipalId::from_bytes(bytes(row, "principal_id")?),
        title: row.try_get("title")?,
        model: row.try_get("model")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
        selected_message_id: MessageId::from_bytes(bytes(row, "selected_message_id")?),
        message_count: count(row, "message_count")?,
        total_tokens: count(row, "total_tokens")?,
        pinned: row.try_get("pinned")?,
        archived: row.try_get("archived")?,
        folder: row.try_get("folder")?,
        temporary: row.try_get("temporary")?,
    })
}

pub(super) fn message(row: &SqliteRow) -> Result<Message, StoreError> {
    let parent: Option<Vec<u8>> = row.try_get("parent_id")?;
    Ok(Message {
        message_id: MessageId::from_bytes(bytes(row, "message_id")?),
        parent_id: parent.map(|id| id_bytes(&id).map(MessageId::from_bytes)).transpose()?,
        role: role(row.try_get("role")?)?,
        content: row.try_get("content")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        sources: json(row.try_get("sources")?)?.unwrap_or_default(),
    })
}

pub(super) const GENERATION: &str = "g.generation_id, g.conversation_id, g.message_id, g.state, g.epoch, g.head_seq, g.model, \
     g.model_name, g.routing, g.options, g.created_at AS g_created_at, g.finish_reason, \
     g.input_tokens, g.output_tokens, g.citations, g.reasoning, g.reasoning_ms, g.tool_events, \
     g.error_code, g.error, c.principal_id";

/// A generation from a row that selects [`GENERATION`] from `generations g` and `conversations c`.
pub(super) fn generation(row: &SqliteRow) -> Result<Generation, StoreError> {
    Ok(Generation {
        generation_id: GenerationId::from_bytes(bytes(row, "generation_id")?),
        conversation_id: ConversationId::from_bytes(bytes(row, "conversation_id")?),
        message_id: MessageId::from_bytes(bytes(row, "message_id")?),
        principal_id: PrincipalId::from_bytes(bytes(row, "principal_id")?),
        state: word(row.try_get("state")?)?,
        epoch: row.try_get::<u32, _>("epoch")?,
        head_seq: count(row, "head_seq")?,
        model: row.try_get("model")?,
        model_name: row.try_get("model_name")?,
        routing: json(row.try_get("routing")?)?,
        options: json(row.try_get("options")?)?.unwrap_or_default(),
        created_at: Timestamp::from_millis(row.try_get("g_created_at")?),
        finish_reason: row.try_get::<Option<&str>, _>("finish_reason")?.map(word).transpose()?,
        input_tokens: count(row, "input_tokens")?,
        output_tokens: count(row, "output_tokens")?,
        citations: json(row.try_get("citations")?)?.unwrap_or_default(),
        reasoning: row.try_get("reasoning")?,
        reasoning_ms: row
            .try_get::<Option<i64>, _>("reasoning_ms")?
            .map(|millis| u64::try_from(millis).unwrap_or(0)),
        tool_events: json(row.try_get("tool_events")?)?.unwrap_or_default(),
        error_code: row.try_get::<Option<&str>, _>("error_code")?.map(word).transpose()?,
        error: row.try_get("error")?,
    })
}

pub(super) fn bytes(row: &SqliteRow, column: &str) -> Result<[u8; 16], StoreError> {
    id_bytes(row.try_get::<&[u8], _>(column)?)
}

pub(super) fn id_bytes(id: &[u8]) -> Result<[u8; 16], StoreError> {
    id.try_into().map_err(|_| StoreError::Damaged("an id is not 16 bytes long"))
}

pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| StoreError::Damaged("a count is negative"))
}

/// SQLite's integers are signed; counts and positions stay far below.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An enum from the word that serde writes for it.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_value(text.into()).map_err(|_| StoreError::Damaged("a state is unknown"))
}

/// The word that serde writes for an enum.
pub(super) fn to_word<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("an enum of words serializes as a text, not {other:?}"),
    }
}

/// Sources as they are stored; nothing for none, as nearly all messages have.
pub(super) fn sources(sources: &[Source]) -> Option<String> {
    let written = || serde_json::to_string(sources).expect("sources are plain data");
    (!sources.is_empty()).then(written)
}

fn json<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    let parsed = text.map(serde_json::from_str).transpose();
    parsed.map_err(|_| StoreError::Damaged("a JSON column cannot be read"))
}

fn role(text: &str) -> Result<Role, StoreError> {
    word(text)
}
