//! Conversations as a whole: titles, what is kept and put away, deleting and taking back.

use unbroken_protocol::{ConversationId, PrincipalId, Timestamp};

use super::script::Script;
use super::{Sqlite, Transaction, row};
use crate::{Arrangement, Due, StoreError};

impl Sqlite {
    pub(crate) async fn deleted(&self) -> Result<Vec<ConversationId>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation_id FROM conversations \
             WHERE deleted_at IS NOT NULL ORDER BY conversation_id",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let id = |found| Ok(ConversationId::from_bytes(row::bytes(found, "conversation_id")?));
        rows.iter().map(id).collect()
    }

    pub(crate) async fn anything_due(&self, due: &Due) -> Result<bool, StoreError> {
        let found = sqlx::query(DUE)
            .bind(due.deleted_until.as_millis())
            .bind(due.idle_since.as_millis())
            .bind(1)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(found.is_some())
    }
}

/// What has to be erased: deleted until, idle since, how many. The states are those of the index
/// of the few that are not sealed.
const DUE: &str = "SELECT conversation_id FROM conversations \
     WHERE deleted_at IS NOT NULL AND deleted_at <= ? \
     UNION SELECT c.conversation_id FROM conversations c \
     WHERE c.temporary = 1 AND c.updated_at <= ? \
     AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.conversation_id = c.conversation_id \
       AND g.state IN ('queued', 'running', 'interrupted') AND g.state <> 'interrupted') \
     ORDER BY 1 LIMIT ?";

impl Transaction<'_> {
    pub(crate) async fn rename(
        &mut self,
        conversation: ConversationId,
        title: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE conversations SET title = ? WHERE conversation_id = ?")
            .bind(title)
            .bind(conversation.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let mut script = Script::default();
        script.due(conversation, None);
        script.run(self.now().await?).await?;
        Ok(true)
    }

    pub(crate) async fn arrange(
        &mut self,
        conversation: ConversationId,
        change: &Arrangement,
    ) -> Result<bool, StoreError> {
        let mut script = Script::default();
        script
            .uncount(conversation)
            .step(
                "UPDATE conversations SET pinned = coalesce(?, pinned), \
                 archived = coalesce(?, archived), \
                 folder = CASE ? WHEN 1 THEN ? ELSE folder END WHERE conversation_id = ?",
            )
            .bind(change.pinned)
            .bind(change.archived)
            .bind(change.folder.is_some())
            .bind(change.folder.clone().flatten())
            .id(conversation.as_bytes())
            .count(conversation)
            .step("SELECT 1 FROM conversations WHERE conversation_id = ?")
            .id(conversation.as_bytes());
        Ok(script.row(self.now().await?).await?.is_some())
    }

    pub(crate) async fn delete(
        &mut self,
        conversation: ConversationId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut script = Script::default();
        script
            .uncount(conversation)
            .step(
                "UPDATE conversations SET deleted_at = ? \
                 WHERE conversation_id = ? AND deleted_at IS NULL RETURNING 1",
            )
            .bind(at.as_millis())
            .id(conversation.as_bytes());
        Ok(script.row(self.now().await?).await?.is_some())
    }

    pub(crate) async fn restore(
        &mut self,
        principal: PrincipalId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE conversations SET deleted_at = NULL \
             WHERE conversation_id = ? AND principal_id = ? AND deleted_at IS NOT NULL",
        )
        .bind(conversation.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let mut script = Script::default();
        script.count(conversation);
        script.run(self.now().await?).await?;
        Ok(true)
    }

    pub(crate) async fn erase(&mut self, conversation: ConversationId) -> Result<bool, StoreError> {
        let mut script = Script::default();
        script.unindex_conversation(conversation).uncount(conversation);
        for sql in [
            "DELETE FROM packs WHERE generation_id IN \
             (SELECT generation_id FROM generations WHERE conversation_id = ?)",
            "DELETE FROM deliveries WHERE generation_id IN \
             (SELECT generation_id FROM generations WHERE conversation_id = ?)",
            "UPDATE counts SET answers = answers - g.n \
             FROM conversations c, (SELECT count(*) AS n FROM generations WHERE conversation_id = ?) g \
             WHERE c.conversation_id = ? AND c.temporary = 0 \
             AND counts.principal_id = c.principal_id",
            "DELETE FROM generations WHERE conversation_id = ?",
            "DELETE FROM messages WHERE conversation_id = ?",
            "DELETE FROM shares WHERE conversation_id = ? AND NOT keep",
            "DELETE FROM conversations WHERE conversation_id = ? RETURNING 1",
        ] {
            script.step(sql);
            for _ in sql.matches('?') {
                script.id(conversation.as_bytes());
            }
        }
        Ok(script.row(self.now().await?).await?.is_some())
    }

    pub(crate) async fn erase_due(&mut self, due: &Due) -> Result<Vec<ConversationId>, StoreError> {
        let rows = sqlx::query(DUE)
            .bind(due.deleted_until.as_millis())
            .bind(due.idle_since.as_millis())
            .bind(row::signed(Due::AT_ONCE as u64))
            .fetch_all(self.now().await?)
            .await?;
        let mut erased = Vec::with_capacity(rows.len());
        for found in &rows {
            let id = ConversationId::from_bytes(row::bytes(found, "conversation_id")?);
            self.erase(id).await?;
            erased.push(id);
        }
        Ok(erased)
    }
}

impl Script {
    /// Takes a conversation out of what its owner has in the list, before it changes.
    fn uncount(&mut self, conversation: ConversationId) -> &mut Self {
        self.step(
            "UPDATE counts SET conversations = conversations - (c.shelf = 0) FROM conversations c \
             WHERE c.conversation_id = ? AND counts.principal_id = c.principal_id",
        )
        .id(conversation.as_bytes())
    }

    /// Puts it there as it is now.
    pub(super) fn count(&mut self, conversation: ConversationId) -> &mut Self {
        self.step(
            "UPDATE counts SET conversations = conversations + (c.shelf = 0) FROM conversations c \
             WHERE c.conversation_id = ? AND counts.principal_id = c.principal_id",
        )
        .id(conversation.as_bytes())
    }
}
