//! Writing: what people change in a conversation that is there.

use sqlx::Row as _;
use unbroken_protocol::{ConversationId, GenerationId, MessageId};

use super::script::Script;
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
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(false) };
        let conversation = ConversationId::from_bytes(row::bytes(&found, "conversation_id")?);
        let message = MessageId::from_bytes(row::bytes(&found, "message_id")?);
        let mut script = Script::default();
        script.due(conversation, Some(message));
        script.run(self.now().await?).await?;
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
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(false) };
        let conversation = ConversationId::from_bytes(row::bytes(&found, "conversation_id")?);
        let answer = MessageId::from_bytes(row::bytes(&found, "message_id")?);
        let user = MessageId::from_bytes(row::bytes(&found, "user_id")?);
        let before: Option<Vec<u8>> = found.try_get("parent_id")?;
        let mut script = Script::default();
        script.unindex(conversation, answer).unindex(conversation, user);
        script.lift(conversation, answer, before.clone());
        script
            .step(
                "UPDATE conversations SET message_count = message_count - 2, \
                 selected_message_id = CASE selected_message_id WHEN ? THEN coalesce(?, \
                   (SELECT message_id FROM messages WHERE conversation_id = ? \
                    AND message_id NOT IN (?, ?) ORDER BY rowid DESC LIMIT 1)) \
                 ELSE selected_message_id END WHERE conversation_id = ?",
            )
            .id(answer.as_bytes())
            .bind(before)
            .id(conversation.as_bytes())
            .id(answer.as_bytes())
            .id(user.as_bytes())
            .id(conversation.as_bytes())
            .step(
                "UPDATE counts SET answers = answers - 1 WHERE principal_id = \
                 (SELECT principal_id FROM conversations \
                  WHERE conversation_id = ? AND temporary = 0)",
            )
            .id(conversation.as_bytes())
            .step("DELETE FROM generations WHERE generation_id = ?")
            .id(generation.as_bytes())
            .step("DELETE FROM messages WHERE message_id IN (?, ?)")
            .id(answer.as_bytes())
            .id(user.as_bytes());
        script.run(self.now().await?).await?;
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
        .execute(self.now().await?)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

impl Script {
    /// Hangs what comes after an answer on what was before its question.
    fn lift(&mut self, conversation: ConversationId, answer: MessageId, to: Option<Vec<u8>>) {
        self.step(
            "WITH RECURSIVE below (message_id) AS ( \
               SELECT message_id FROM messages WHERE conversation_id = ? AND parent_id = ? \
               UNION ALL \
               SELECT m.message_id FROM below b CROSS JOIN messages m \
                 ON m.conversation_id = ? AND m.parent_id = b.message_id) \
             UPDATE messages SET depth = depth - 2 WHERE message_id IN \
               (SELECT message_id FROM below)",
        )
        .id(conversation.as_bytes())
        .id(answer.as_bytes())
        .id(conversation.as_bytes())
        .step("UPDATE messages SET parent_id = ? WHERE conversation_id = ? AND parent_id = ?")
        .bind(to)
        .id(conversation.as_bytes())
        .id(answer.as_bytes());
    }
}
