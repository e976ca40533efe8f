//! Rows as the rest of the program sees them.

use std::str::FromStr;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{
    Citation, ConversationId, Epoch, ErrorCode, FinishReason, GenerationId, GenerationState,
    MessageId, Options, PrincipalId, Role, Routing, Seq, Timestamp,
};

use crate::StoreError;

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    pub conversation_id: ConversationId,
    pub principal_id: PrincipalId,
    pub title: String,
    /// The model of the newest answer.
    pub model: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The leaf of the branch that is shown.
    pub selected_message_id: MessageId,
    pub message_count: u64,
    pub total_tokens: u64,
}

/// One line of the list of conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRow {
    pub conversation: Conversation,
    /// Whether an answer runs or waits there.
    pub running: bool,
}

/// Where a page of the list begins: after this conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationCursor {
    pub updated_at: Timestamp,
    pub conversation_id: ConversationId,
}

/// One message of a conversation's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub message_id: MessageId,
    pub parent_id: Option<MessageId>,
    pub role: Role,
    /// Of an answer that runs: empty, its log holds the text.
    pub content: String,
    pub created_at: Timestamp,
}

/// A generation, as far as the store knows it; a live one's head is in its log.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    /// The assistant message that it writes.
    pub message_id: MessageId,
    pub principal_id: PrincipalId,
    pub state: GenerationState,
    pub epoch: Epoch,
    pub head_seq: Seq,
    /// The model's id as the catalogue knew it when the person asked.
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    pub options: Options,
    pub created_at: Timestamp,
    pub finish_reason: Option<FinishReason>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub citations: Vec<Citation>,
    pub reasoning: String,
    pub error_code: Option<ErrorCode>,
    pub error: Option<String>,
}

/// A message with what history shows around it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryMessage {
    pub message: Message,
    /// Messages with the same parent, this one among them, oldest first.
    pub sibling_ids: Vec<MessageId>,
    /// Of an answer.
    pub generation: Option<Generation>,
}

/// A stretch of a conversation's selected branch, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub messages: Vec<HistoryMessage>,
    /// Messages of the whole branch.
    pub total: u64,
}

pub(crate) const CONVERSATION: &str = "c.conversation_id, c.principal_id, c.title, c.model, c.created_at, c.updated_at, \
     c.selected_message_id, c.message_count, c.total_tokens";

pub(crate) fn conversation(row: &SqliteRow) -> Result<Conversation, StoreError> {
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
    })
}

pub(crate) fn message(row: &SqliteRow) -> Result<Message, StoreError> {
    let parent: Option<Vec<u8>> = row.try_get("parent_id")?;
    Ok(Message {
        message_id: MessageId::from_bytes(bytes(row, "message_id")?),
        parent_id: parent.map(|id| id_bytes(&id).map(MessageId::from_bytes)).transpose()?,
        role: role(row.try_get("role")?)?,
        content: row.try_get("content")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

pub(crate) const GENERATION: &str = "g.generation_id, g.conversation_id, g.message_id, g.state, g.epoch, g.head_seq, g.model, \
     g.model_name, g.routing, g.options, g.created_at AS g_created_at, g.finish_reason, \
     g.input_tokens, g.output_tokens, g.citations, g.reasoning, g.error_code, g.error, \
     c.principal_id";

/// A generation from a row that selects [`GENERATION`] from `generations g` and `conversations c`.
pub(crate) fn generation(row: &SqliteRow) -> Result<Generation, StoreError> {
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
        error_code: row.try_get::<Option<&str>, _>("error_code")?.map(word).transpose()?,
        error: row.try_get("error")?,
    })
}

pub(crate) fn bytes(row: &SqliteRow, column: &str) -> Result<[u8; 16], StoreError> {
    id_bytes(row.try_get::<&[u8], _>(column)?)
}

pub(crate) fn id_bytes(id: &[u8]) -> Result<[u8; 16], StoreError> {
    id.try_into().map_err(|_| StoreError::Damaged("an id is not 16 bytes long"))
}

pub(crate) fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| StoreError::Damaged("a count is negative"))
}

/// SQLite's integers are signed; counts and positions stay far below.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An enum from the word that serde writes for it.
pub(crate) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_value(text.into()).map_err(|_| StoreError::Damaged("a state is unknown"))
}

/// The word that serde writes for an enum.
pub(crate) fn to_word<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("an enum of words serializes as a text, not {other:?}"),
    }
}

fn json<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    let parsed = text.map(serde_json::from_str).transpose();
    parsed.map_err(|_| StoreError::Damaged("a JSON column cannot be read"))
}

fn role(text: &str) -> Result<Role, StoreError> {
    word(text)
}

impl ConversationCursor {
    /// The cursor as an opaque text for clients.
    pub fn encode(&self) -> String {
        format!("{}.{}", self.updated_at.as_millis(), self.conversation_id)
    }
}

impl FromStr for ConversationCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = "the cursor is not one that this server gave out";
        let (at, id) = text.split_once('.').ok_or(unreadable)?;
        Ok(Self {
            updated_at: Timestamp::from_millis(at.parse().map_err(|_| unreadable)?),
            conversation_id: id.parse().map_err(|_| unreadable)?,
        })
    }
}
