//! Writing: new turns.

use sqlx::Row as _;
use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationState, MessageId, PrincipalId, Timestamp, limits,
};

use super::{Transaction, row};
use crate::{NewTurn, Place, SecretHash, StoreError, Turn, TurnOutcome};

impl Transaction<'_> {
    pub(crate) async fn create_turn(&mut self, turn: &NewTurn) -> Result<TurnOutcome, StoreError> {
        if let Some((key, body)) = turn.client_message
            && let Some(outcome) = self.repeated(turn.principal_id, key, body).await?
        {
            return Ok(outcome);
        }
        let Some((conversation_id, parent_id)) = self.place(turn).await? else {
            return Ok(TurnOutcome::NotFound);
        };
        let waiting_behind = self.unsettled(conversation_id).await?;
        // Another answer to an old message does not wait: what is on the screen would change later.
        let most = if matches!(turn.place, Place::Again) { 0 } else { limits::QUEUED_TURNS as u64 };
        if waiting_behind > most {
            return Ok(TurnOutcome::Busy);
        }
        let state = match waiting_behind {
            0 => GenerationState::Running,
            _ => GenerationState::Queued,
        };
        let mut messages = 1;
        if let Some(content) = &turn.content {
            let message = (turn.user_message_id, parent_id, "user", content.as_str());
            self.insert_message(conversation_id, message, turn.at).await?;
            messages += 1;
        }
        let answer = (turn.message_id, Some(turn.user_message_id), "assistant", "");
        self.insert_message(conversation_id, answer, turn.at).await?;
        self.insert_generation(turn, conversation_id, state).await?;
        if let Some(record) = &turn.begins_with {
            self.pack(turn.generation_id, std::slice::from_ref(record)).await?;
        }
        sqlx::query(
            "UPDATE conversations SET selected_message_id = ?, model = ?, \
             updated_at = max(updated_at, ?), message_count = message_count + ? \
             WHERE conversation_id = ?",
        )
        .bind(turn.message_id.as_bytes().as_slice())
        .bind(&turn.model)
        .bind(turn.at.as_millis())
        .bind(messages)
        .bind(conversation_id.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        if let Some((key, body)) = turn.client_message {
            sqlx::query(
                "INSERT INTO client_messages \
                 (principal_id, client_message_id, body_hash, generation_id) VALUES (?, ?, ?, ?)",
            )
            .bind(turn.principal_id.as_bytes().as_slice())
            .bind(key.as_bytes().as_slice())
            .bind(body.as_bytes())
            .bind(turn.generation_id.as_bytes().as_slice())
            .execute(&mut *self.inner)
            .await?;
        }
        Ok(TurnOutcome::Created(Turn {
            conversation_id,
            user_message_id: turn.user_message_id,
            generation_id: turn.generation_id,
            message_id: turn.message_id,
            state,
            epoch: 1,
            model: turn.model.clone(),
            model_name: turn.model_name.clone(),
            routing: turn.routing.clone(),
            waiting_behind,
        }))
    }

    /// What an earlier use of a client's key made, if there was one.
    async fn repeated(
        &mut self,
        principal: PrincipalId,
        key: ClientMessageId,
        body: SecretHash,
    ) -> Result<Option<TurnOutcome>, StoreError> {
        let found = sqlx::query(
            "SELECT body_hash, generation_id FROM client_messages \
             WHERE principal_id = ? AND client_message_id = ?",
        )
        .bind(principal.as_bytes().as_slice())
        .bind(key.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(found) = found else { return Ok(None) };
        if found.try_get::<&[u8], _>("body_hash")? != body.as_bytes() {
            return Ok(Some(TurnOutcome::Conflict));
        }
        let query = format!(
            "SELECT {}, a.parent_id FROM generations g \
             JOIN conversations c USING (conversation_id) \
             JOIN messages a ON a.message_id = g.message_id WHERE g.generation_id = ?",
            row::GENERATION
        );
        let turn = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(found.try_get::<Vec<u8>, _>("generation_id")?)
            .fetch_optional(&mut *self.inner)
            .await?;
        // The key is used for ever, also when its conversation was deleted since.
        let Some(turn) = turn else { return Ok(Some(TurnOutcome::NotFound)) };
        let generation = row::generation(&turn)?;
        Ok(Some(TurnOutcome::Repeated(Turn {
            conversation_id: generation.conversation_id,
            user_message_id: MessageId::from_bytes(row::bytes(&turn, "parent_id")?),
            generation_id: generation.generation_id,
            message_id: generation.message_id,
            state: generation.state,
            epoch: generation.epoch,
            model: generation.model,
            model_name: generation.model_name,
            routing: generation.routing,
            waiting_behind: 0,
        })))
    }

    /// The conversation and the parent of a turn; `None` when they are not the principal's.
    async fn place(
        &mut self,
        turn: &NewTurn,
    ) -> Result<Option<(ConversationId, Option<MessageId>)>, StoreError> {
        let owned = match &turn.place {
            Place::New { conversation_id, title } => {
                self.insert_conversation(turn, *conversation_id, title).await?;
                return Ok(Some((*conversation_id, None)));
            }
            Place::Again => self.conversation_of(turn.user_message_id, turn.principal_id).await?,
            Place::Next(id) | Place::After(id, _) | Place::Root(id) => {
                self.selected(*id, turn.principal_id).await?.map(|selected| (*id, selected))
            }
        };
        let Some((id, selected)) = owned else { return Ok(None) };
        match turn.place {
            Place::After(_, parent) if !self.is_answer_in(parent, id).await? => Ok(None),
            Place::After(_, parent) => Ok(Some((id, Some(parent)))),
            Place::Next(_) => Ok(Some((id, Some(selected)))),
            Place::New { .. } | Place::Root(_) | Place::Again => Ok(Some((id, None))),
        }
    }

    async fn insert_conversation(
        &mut self,
        turn: &NewTurn,
        id: ConversationId,
        title: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO conversations (conversation_id, principal_id, title, model, created_at, \
             updated_at, selected_message_id, message_count, total_tokens) \
             VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
        )
        .bind(id.as_bytes().as_slice())
        .bind(turn.principal_id.as_bytes().as_slice())
        .bind(title)
        .bind(&turn.model)
        .bind(turn.at.as_millis())
        .bind(turn.at.as_millis())
        .bind(turn.message_id.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        self.index(id, None, title).await
    }

    /// The selected leaf of a principal's conversation.
    async fn selected(
        &mut self,
        conversation: ConversationId,
        principal: PrincipalId,
    ) -> Result<Option<MessageId>, StoreError> {
        let found = sqlx::query(
            "SELECT selected_message_id FROM conversations \
             WHERE conversation_id = ? AND principal_id = ?",
        )
        .bind(conversation.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        found
            .map(|row| Ok(MessageId::from_bytes(row::bytes(&row, "selected_message_id")?)))
            .transpose()
    }

    /// The conversation of a person's own message, and its selected leaf.
    async fn conversation_of(
        &mut self,
        message: MessageId,
        principal: PrincipalId,
    ) -> Result<Option<(ConversationId, MessageId)>, StoreError> {
        let found = sqlx::query(
            "SELECT c.conversation_id, c.selected_message_id FROM messages m \
             JOIN conversations c USING (conversation_id) \
             WHERE m.message_id = ? AND m.role = 'user' AND c.principal_id = ?",
        )
        .bind(message.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        found
            .map(|row| {
                let conversation = ConversationId::from_bytes(row::bytes(&row, "conversation_id")?);
                let selected = MessageId::from_bytes(row::bytes(&row, "selected_message_id")?);
                Ok((conversation, selected))
            })
            .transpose()
    }

    async fn is_answer_in(
        &mut self,
        message: MessageId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        let found = sqlx::query(
            "SELECT 1 FROM messages WHERE message_id = ? AND conversation_id = ? \
             AND role = 'assistant'",
        )
        .bind(message.as_bytes().as_slice())
        .bind(conversation.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// How many turns of a conversation run or wait.
    async fn unsettled(&mut self, conversation: ConversationId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS n FROM generations \
             WHERE state IN ('queued', 'running') AND conversation_id = ?",
        )
        .bind(conversation.as_bytes().as_slice())
        .fetch_one(&mut *self.inner)
        .await?;
        row::count(&row, "n")
    }

    async fn insert_message(
        &mut self,
        conversation: ConversationId,
        (id, parent, role, content): (MessageId, Option<MessageId>, &str, &str),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO messages \
             (message_id, conversation_id, parent_id, role, content, created_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_bytes().as_slice())
        .bind(conversation.as_bytes().as_slice())
        .bind(parent.map(|parent| parent.as_bytes().to_vec()))
        .bind(role)
        .bind(content)
        .bind(at.as_millis())
        .execute(&mut *self.inner)
        .await?;
        self.index(conversation, Some(id), content).await
    }

    async fn insert_generation(
        &mut self,
        turn: &NewTurn,
        conversation: ConversationId,
        state: GenerationState,
    ) -> Result<(), StoreError> {
        let json = |value| serde_json::to_string(value).expect("options are plain data");
        let routing = turn
            .routing
            .as_ref()
            .map(|routing| serde_json::to_string(routing).expect("routing is plain data"));
        sqlx::query(
            "INSERT INTO generations (generation_id, message_id, conversation_id, state, epoch, \
             head_seq, model, model_name, routing, options, created_at) \
             VALUES (?, ?, ?, ?, 1, 0, ?, ?, ?, ?, ?)",
        )
        .bind(turn.generation_id.as_bytes().as_slice())
        .bind(turn.message_id.as_bytes().as_slice())
        .bind(conversation.as_bytes().as_slice())
        .bind(state.as_str())
        .bind(&turn.model)
        .bind(&turn.model_name)
        .bind(routing)
        .bind(json(&turn.options))
        .bind(turn.at.as_millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
