//! Writing: what people change in a conversation that is there.

use sqlx::Row as _;
use unbroken_protocol::{ConversationId, GenerationId, MessageId};

use super::{Transaction, row};
use crate::StoreError;

impl Transaction<'_> {
    pub(crate) async fn edit_queued(
        &mut self,
        generation: GenerationId,
        content: &str,
    ) -> Result<bool, StoreError> {
        let found = sqlx::query(
            "UPDATE messages SET content = ? WHERE message_id = ( \
               SELECT a.parent_id FROM generations g JOIN messages a USING (message_id) \
               WHERE g.generation_id = ? AND g.state = 'queued') \
             RETURNING conversation_id, message_id",
        )
        .bind(content)
        .bind(generation.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(found) = found else { return Ok(false) };
        let conversation = ConversationId::from_bytes(row::bytes(&found, "conversation_id")?);
        let message = MessageId::from_bytes(row::bytes(&found, "message_id")?);
        self.index(conversation, Some(message), content).await?;
        Ok(true)
    }

    pub(crate) async fn remove_queued(
        &mut self,
        generation: GenerationId,
    ) -> Result<bool, StoreError> {
        let found = sqlx::query(
            "SELECT g.conversation_id, a.message_id, u.message_id AS user_id, u.parent_id \
             FROM generations g JOIN messages a ON a.message_id = g.message_id \
             JOIN messages u ON u.message_id = a.parent_id \
             WHERE g.generation_id = ? AND g.state = 'queued'",
        )
        .bind(generation.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(found) = found else { return Ok(false) };
        for column in ["message_id", "user_id"] {
            let conversation = ConversationId::from_bytes(row::bytes(&found, "conversation_id")?);
            let message = MessageId::from_bytes(row::bytes(&found, column)?);
            self.unindex(conversation, Some(message)).await?;
        }
        let [conversation, answer, user] = ["conversation_id", "message_id", "user_id"]
            .map(|column| row::bytes(&found, column).map(|id| id.to_vec()));
        let (conversation, answer, user) = (conversation?, answer?, user?);
        let before: Option<Vec<u8>> = found.try_get("parent_id")?;
        sqlx::query("UPDATE messages SET parent_id = ? WHERE parent_id = ?")
            .bind(&before)
            .bind(&answer)
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "UPDATE conversations SET message_count = message_count - 2, selected_message_id = \
             CASE selected_message_id WHEN ?1 THEN coalesce(?2, (SELECT message_id \
               FROM messages WHERE conversation_id = ?3 AND message_id NOT IN (?1, ?4) \
               ORDER BY rowid DESC LIMIT 1)) \
             ELSE selected_message_id END WHERE conversation_id = ?3",
        )
        .bind(&answer)
        .bind(&before)
        .bind(&conversation)
        .bind(&user)
        .execute(&mut *self.inner)
        .await?;
        for (table, column, id) in [
            ("generations", "generation_id", generation.as_bytes().to_vec()),
            ("messages", "message_id", answer),
            ("messages", "message_id", user),
        ] {
            let query = format!("DELETE FROM {table} WHERE {column} = ?");
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).execute(&mut *self.inner).await?;
        }
        Ok(true)
    }

    pub(crate) async fn select_branch(
        &mut self,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH RECURSIVE down (message_id, depth) AS ( \
               SELECT message_id, 0 FROM messages WHERE message_id = ?1 AND conversation_id = ?2 \
               UNION ALL \
               SELECT (SELECT m.message_id FROM messages m WHERE m.parent_id = d.message_id \
                 AND m.conversation_id = ?2 ORDER BY m.rowid DESC LIMIT 1), d.depth + 1 \
               FROM down d WHERE d.message_id IS NOT NULL) \
             UPDATE conversations SET selected_message_id = ( \
               SELECT message_id FROM down WHERE message_id IS NOT NULL \
               ORDER BY depth DESC LIMIT 1) \
             WHERE conversation_id = ?2 AND EXISTS (SELECT 1 FROM down)",
        )
        .bind(message.as_bytes().as_slice())
        .bind(conversation.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn delete_conversation(
        &mut self,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        self.unindex_conversation(conversation).await?;
        let id = conversation.as_bytes().as_slice();
        for table in ["packs", "deliveries"] {
            let query = format!(
                "DELETE FROM {table} WHERE generation_id IN \
                 (SELECT generation_id FROM generations WHERE conversation_id = ?)"
            );
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).execute(&mut *self.inner).await?;
        }
        for table in ["generations", "messages", "conversations"] {
            let query = format!("DELETE FROM {table} WHERE conversation_id = ?");
            let done =
                sqlx::query(sqlx::AssertSqlSafe(query)).bind(id).execute(&mut *self.inner).await?;
            if table == "conversations" {
                return Ok(done.rows_affected() > 0);
            }
        }
        unreachable!("the last table returns")
    }

    pub(crate) async fn rename(
        &mut self,
        conversation: ConversationId,
        title: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE conversations SET title = ? WHERE conversation_id = ?")
            .bind(title)
            .bind(conversation.as_bytes().as_slice())
            .execute(&mut *self.inner)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        self.index(conversation, None, title).await?;
        Ok(true)
    }
}
