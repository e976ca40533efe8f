//! Reading: conversations and their messages.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _};
use unbroken_protocol::{ConversationId, MessageId, PrincipalId};

use super::{Sqlite, row};
use crate::{
    Conversation, ConversationCursor, ConversationRow, History, HistoryMessage, Message, Shelf,
    StoreError,
};

impl Sqlite {
    pub(crate) async fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        let query = format!(
            "SELECT {}, {RUNNING} FROM conversations c \
             WHERE c.conversation_id = ? AND c.principal_id = ? AND c.deleted_at IS NULL",
            row::CONVERSATION
        );
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(id.as_bytes().as_slice())
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        found.as_ref().map(conversation_row).transpose()
    }

    pub(crate) async fn conversations(
        &self,
        principal: PrincipalId,
        list: Shelf,
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
            "SELECT {}, {RUNNING} FROM conversations c WHERE c.principal_id = ?1 AND {} \
             AND (c.updated_at, c.conversation_id) < (?2, ?3) \
             ORDER BY c.updated_at DESC, c.conversation_id DESC LIMIT ?4",
            row::CONVERSATION,
            condition(list)
        );
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .bind(at)
            .bind(id)
            .bind(limit)
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(conversation_row).collect()
    }

    pub(crate) async fn conversation_count(
        &self,
        principal: PrincipalId,
        list: Shelf,
    ) -> Result<u64, StoreError> {
        if list == Shelf::Listed {
            return self.count("conversations", principal).await;
        }
        let query = format!(
            "SELECT count(*) AS n FROM conversations c WHERE c.principal_id = ? AND {}",
            condition(list)
        );
        let row = sqlx::query(AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .fetch_one(&mut *self.reader().await?)
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
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        // The way up begins with `before` itself, which is not part of the page.
        let first = match before {
            Some(before) => self.message(before).await?.and_then(|message| message.parent_id),
            None => Some(leaf),
        };
        let query = format!(
            "{BRANCH} SELECT {}, m.message_id, m.parent_id, m.role, m.content, m.created_at, m.sources, \
               (SELECT group_concat(hex(s.message_id) ORDER BY s.rowid) FROM messages s \
                WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id) \
               AS siblings \
             FROM branch b CROSS JOIN messages m ON m.rowid = b.id \
             LEFT JOIN generations g ON g.message_id = m.message_id \
             LEFT JOIN conversations c ON c.conversation_id = g.conversation_id ORDER BY b.step",
            row::GENERATION
        );
        let mut messages = self.upwards(first, limit, query, history_message).await?;
        messages.reverse();
        Ok(Some(History { messages, total }))
    }

    /// How many messages a branch has; `None` when `on` is not one of them.
    async fn branch_length(
        &self,
        leaf: MessageId,
        on: Option<MessageId>,
    ) -> Result<Option<u64>, StoreError> {
        // No further up than to the message that is looked for.
        let found = sqlx::query(
            "WITH RECURSIVE branch (message_id, parent_id, depth) AS ( \
               SELECT message_id, parent_id, depth FROM messages WHERE message_id = ?1 \
               UNION ALL \
               SELECT m.message_id, m.parent_id, m.depth \
               FROM branch b CROSS JOIN messages m ON m.message_id = b.parent_id \
               WHERE m.depth >= (SELECT depth FROM messages WHERE message_id = ?2)) \
             SELECT coalesce(max(depth), 0) AS n, \
               ?2 IS NULL OR coalesce(max(message_id = ?2), 0) AS is_on FROM branch",
        )
        .bind(leaf.as_bytes().as_slice())
        .bind(on.map(|id| id.as_bytes().to_vec()))
        .fetch_one(&mut *self.reader().await?)
        .await?;
        let is_on: bool = found.try_get("is_on")?;
        is_on.then(|| row::count(&found, "n")).transpose()
    }

    /// Up to `limit` messages from `first` on up to the first of its conversation, as `query` reads
    /// a piece of them; no piece takes long.
    async fn upwards<T>(
        &self,
        mut first: Option<MessageId>,
        limit: usize,
        query: String,
        read: fn(&SqliteRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let query = AssertSqlSafe(query).into_sql_str();
        let mut all: Vec<T> = Vec::new();
        while let Some(id) = first.filter(|_| all.len() < limit) {
            let rows = sqlx::query(query.clone())
                .bind(id.as_bytes().as_slice())
                .bind(row::signed((limit - all.len()).min(PIECE) as u64))
                .fetch_all(&mut *self.reader().await?)
                .await?;
            for found in &rows {
                all.push(read(found)?);
            }
            let last: Option<&[u8]> = match rows.last() {
                Some(last) => last.try_get("parent_id")?,
                None => None,
            };
            first = last.map(row::id_bytes).transpose()?.map(MessageId::from_bytes);
        }
        Ok(all)
    }

    pub(crate) async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let found = sqlx::query(
            "SELECT message_id, parent_id, role, content, created_at, sources FROM messages \
             WHERE message_id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        found.as_ref().map(row::message).transpose()
    }

    pub(crate) async fn is_in(
        &self,
        message: MessageId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        let found =
            sqlx::query("SELECT 1 FROM messages WHERE message_id = ? AND conversation_id = ?")
                .bind(message.as_bytes().as_slice())
                .bind(conversation.as_bytes().as_slice())
                .fetch_optional(&mut *self.reader().await?)
                .await?;
        Ok(found.is_some())
    }

    pub(crate) async fn branch(&self, leaf: MessageId) -> Result<Vec<Message>, StoreError> {
        let query = format!(
            "{BRANCH} SELECT m.message_id, m.parent_id, m.role, m.content, m.created_at, m.sources \
             FROM branch b CROSS JOIN messages m ON m.rowid = b.id ORDER BY b.step"
        );
        let mut messages = self.upwards(Some(leaf), usize::MAX, query, row::message).await?;
        messages.reverse();
        Ok(messages)
    }
}

/// Which conversations are in a list, as its index says it.
fn condition(list: Shelf) -> &'static str {
    match list {
        Shelf::Listed => "c.shelf = 0",
        Shelf::Kept => "c.shelf = 0 AND (c.pinned = 1 OR c.folder IS NOT NULL)",
        Shelf::Archived => "c.shelf = 1",
    }
}

/// Messages that are read at once.
const PIECE: usize = 500;

/// So many messages from one on upwards, as their rowids.
const BRANCH: &str = "WITH RECURSIVE branch (id, parent_id, step) AS ( \
       SELECT rowid, parent_id, 0 FROM messages WHERE message_id = ? \
       UNION ALL \
       SELECT m.rowid, m.parent_id, b.step + 1 \
       FROM branch b CROSS JOIN messages m ON m.message_id = b.parent_id LIMIT ?)";

/// Of a conversation: whether a turn of it runs or waits. The states are those of the index of the
/// few that are not sealed.
const RUNNING: &str = "EXISTS (SELECT 1 FROM generations g \
     WHERE g.conversation_id = c.conversation_id \
     AND g.state IN ('queued', 'running', 'interrupted') AND g.state <> 'interrupted') AS running";

/// A message with what a page of history says of it. Both tables have a `message_id`; it is the
/// same where a generation is.
fn history_message(found: &SqliteRow) -> Result<HistoryMessage, StoreError> {
    let siblings: &str = found.try_get("siblings")?;
    let unreadable = |_| StoreError::Damaged("an id is not 16 bytes long");
    let sibling_ids = siblings.split(',').map(|id| id.parse().map_err(unreadable));
    let answered: Option<&[u8]> = found.try_get("generation_id")?;
    let generation = answered.map(|_| row::generation(found)).transpose()?;
    let sibling_ids = sibling_ids.collect::<Result<_, _>>()?;
    Ok(HistoryMessage { message: row::message(found)?, sibling_ids, generation })
}

fn conversation_row(found: &SqliteRow) -> Result<ConversationRow, StoreError> {
    Ok(ConversationRow {
        conversation: row::conversation(found)?,
        running: found.try_get("running")?,
    })
}
