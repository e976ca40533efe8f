//! Reading: conversations and their messages.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{ConversationId, MessageId, PrincipalId};

use super::{Sqlite, row};
use crate::{
    Conversation, ConversationCursor, ConversationRow, History, HistoryMessage, Message, StoreError,
};

impl Sqlite {
    pub(crate) async fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        let query = format!(
            "SELECT {}, {RUNNING} FROM conversations c \
             WHERE c.conversation_id = ? AND c.principal_id = ?",
            row::CONVERSATION
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_bytes().as_slice())
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(conversation_row).transpose()
    }

    pub(crate) async fn conversations(
        &self,
        principal: PrincipalId,
        limit: u32,
        after: Option<ConversationCursor>,
    ) -> Result<Vec<ConversationRow>, StoreError> {
        // Nothing comes before the greatest place. A condition that could be off would keep SQLite
        // from beginning there: it would pass by all that is newer.
        let first = (i64::MAX, vec![u8::MAX; 16]);
        let (at, id) = after.map_or(first, |cursor| {
            (cursor.updated_at.as_millis(), cursor.conversation_id.as_bytes().to_vec())
        });
        let query = format!(
            "SELECT {}, {RUNNING} FROM conversations c WHERE c.principal_id = ?1 \
             AND (c.updated_at, c.conversation_id) < (?2, ?3) \
             ORDER BY c.updated_at DESC, c.conversation_id DESC LIMIT ?4",
            row::CONVERSATION
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .bind(at)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(conversation_row).collect()
    }

    pub(crate) async fn conversation_count(
        &self,
        principal: PrincipalId,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) AS n FROM conversations WHERE principal_id = ?")
            .bind(principal.as_bytes().as_slice())
            .fetch_one(&self.pool)
            .await?;
        row::count(&row, "n")
    }

    pub(crate) async fn history(
        &self,
        conversation: &Conversation,
        limit: Option<u32>,
        before: Option<MessageId>,
    ) -> Result<Option<History>, StoreError> {
        let leaf = conversation.selected_message_id;
        let Some(total) = self.branch_length(leaf, before).await? else { return Ok(None) };
        // The way up begins with `before` itself, which is not part of the page.
        let skipped = usize::from(before.is_some());
        let limit = limit.map(|limit| i64::from(limit) + i64::from(before.is_some()));
        let ids = self.branch_ids(before.unwrap_or(leaf), limit).await?;
        let mut messages = Vec::new();
        for id in ids.into_iter().skip(skipped) {
            messages.extend(self.history_message(id).await?);
        }
        messages.reverse();
        Ok(Some(History { messages, total }))
    }

    /// How many messages a branch has; `None` when `on` is not one of them.
    async fn branch_length(
        &self,
        leaf: MessageId,
        on: Option<MessageId>,
    ) -> Result<Option<u64>, StoreError> {
        let found = sqlx::query(
            "WITH RECURSIVE branch (message_id, parent_id) AS ( \
               SELECT message_id, parent_id FROM messages WHERE message_id = ?1 \
               UNION ALL \
               SELECT m.message_id, m.parent_id \
               FROM messages m JOIN branch b ON m.message_id = b.parent_id) \
             SELECT count(*) AS n, \
               ?2 IS NULL OR coalesce(max(message_id = ?2), 0) AS is_on FROM branch",
        )
        .bind(leaf.as_bytes().as_slice())
        .bind(on.map(|id| id.as_bytes().to_vec()))
        .fetch_one(&self.pool)
        .await?;
        let is_on: bool = found.try_get("is_on")?;
        is_on.then(|| row::count(&found, "n")).transpose()
    }

    /// The ids from a message up to the first of its conversation, or the first `limit` of them.
    async fn branch_ids(
        &self,
        leaf: MessageId,
        limit: Option<i64>,
    ) -> Result<Vec<MessageId>, StoreError> {
        let rows = sqlx::query(
            "WITH RECURSIVE branch (message_id, parent_id, depth) AS ( \
               SELECT message_id, parent_id, 0 FROM messages WHERE message_id = ? \
               UNION ALL \
               SELECT m.message_id, m.parent_id, b.depth + 1 \
               FROM messages m JOIN branch b ON m.message_id = b.parent_id LIMIT ?) \
             SELECT message_id FROM branch ORDER BY depth",
        )
        .bind(leaf.as_bytes().as_slice())
        // All of them.
        .bind(limit.unwrap_or(-1))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(MessageId::from_bytes(row::bytes(row, "message_id")?))).collect()
    }

    async fn history_message(&self, id: MessageId) -> Result<Option<HistoryMessage>, StoreError> {
        // Before the message: the text of an answer that is sealed here is in the row read after it.
        let generation = self.generation_where("g.message_id = ?", id.as_bytes()).await?;
        let Some(message) = self.message(id).await? else { return Ok(None) };
        let siblings = sqlx::query(
            "SELECT s.message_id FROM messages m JOIN messages s \
             ON s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id \
             WHERE m.message_id = ? ORDER BY s.rowid",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_all(&self.pool)
        .await?;
        let sibling_ids = siblings
            .iter()
            .map(|row| Ok(MessageId::from_bytes(row::bytes(row, "message_id")?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Some(HistoryMessage { message, sibling_ids, generation }))
    }

    pub(crate) async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let found = sqlx::query(
            "SELECT message_id, parent_id, role, content, created_at FROM messages \
             WHERE message_id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(row::message).transpose()
    }

    pub(crate) async fn branch(&self, leaf: MessageId) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        for id in self.branch_ids(leaf, None).await?.into_iter().rev() {
            messages.extend(self.message(id).await?);
        }
        Ok(messages)
    }
}

const RUNNING: &str = "EXISTS (SELECT 1 FROM generations g WHERE g.conversation_id = c.conversation_id \
     AND g.state IN ('queued', 'running')) AS running";

fn conversation_row(found: &SqliteRow) -> Result<ConversationRow, StoreError> {
    Ok(ConversationRow {
        conversation: row::conversation(found)?,
        running: found.try_get("running")?,
    })
}
