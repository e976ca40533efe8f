//! Writing: new turns.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationState, MessageId, PrincipalId, Source, Timestamp,
    limits,
};

use super::script::Script;
use super::{Sqlite, Transaction, row};
use crate::{NewTurn, Place, SecretHash, StoreError, Turn, TurnOutcome};

/// Turns that are written together. Each number of them is a script of its own, which is prepared
/// first and kept.
const TURNS_AT_ONCE: usize = 4;

impl Transaction<'_> {
    pub(crate) async fn create_turn(&mut self, turn: &NewTurn) -> Result<TurnOutcome, StoreError> {
        if let Some(outcome) = self.repeated(turn).await? {
            return Ok(outcome);
        }
        let Some((conversation_id, parent_id)) = self.place(turn).await? else {
            return Ok(TurnOutcome::NotFound);
        };
        let waiting_behind = match turn.place {
            Place::New { .. } => 0,
            _ => self.unsettled(conversation_id).await?,
        };
        // Another answer to an old message does not wait: what is on the screen would change later.
        let (waiting_behind, most) = match turn.place {
            Place::Again => (waiting_behind, 0),
            Place::Beside => (self.in_the_way(conversation_id, turn.user_message_id).await?, 0),
            _ => (waiting_behind, limits::QUEUED_TURNS as u64),
        };
        if waiting_behind > most {
            return Ok(TurnOutcome::Busy);
        }
        let state = match waiting_behind {
            0 => GenerationState::Running,
            _ => GenerationState::Queued,
        };
        if self.turns == TURNS_AT_ONCE {
            self.now().await?;
        }
        self.turns += 1;
        let script = self.later();
        if let Some((key, body)) = turn.client_message {
            script.key(turn, key, body);
        }
        match &turn.place {
            Place::New { title, temporary, .. } => {
                script.conversation(turn, conversation_id, title, *temporary);
            }
            _ => script.turn_in(conversation_id, turn),
        }
        if let Some(content) = &turn.content {
            let message = (turn.user_message_id, parent_id, "user", content.as_str());
            script.message(conversation_id, message, turn.at, &turn.sources);
            script.due(conversation_id, Some(turn.user_message_id));
        }
        let answer = (turn.message_id, Some(turn.user_message_id), "assistant", "");
        script.message(conversation_id, answer, turn.at, &[]);
        script.generation(turn, conversation_id, state);
        script.pack(turn.generation_id, &turn.begins_with);
        script.counted(conversation_id, turn);
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

    /// Looks the clients' keys of these turns up, all in one trip: [`Self::create_turn`] does not
    /// for those that are new.
    pub(crate) async fn look_up_keys(
        &mut self,
        turns: impl Iterator<Item = &NewTurn>,
    ) -> Result<(), StoreError> {
        let key = |turn: &NewTurn| Some((turn.principal_id, turn.client_message?.0));
        let keys: HashSet<_> = turns.filter_map(key).collect();
        if keys.len() < 2 {
            return Ok(());
        }
        self.later()
            .step(
                "SELECT c.principal_id, c.client_message_id FROM json_each(?) e \
                 CROSS JOIN client_messages c ON c.principal_id = unhex(e.value ->> 0, '-') \
                 AND c.client_message_id = unhex(e.value ->> 1, '-')",
            )
            .bind(serde_json::to_string(&keys).expect("ids are plain data"));
        let used = self.rows().await?;
        self.new_keys = keys;
        for used in used {
            let principal = PrincipalId::from_bytes(row::bytes(&used, "principal_id")?);
            let key = ClientMessageId::from_bytes(row::bytes(&used, "client_message_id")?);
            self.new_keys.remove(&(principal, key));
        }
        Ok(())
    }

    async fn repeated(&mut self, turn: &NewTurn) -> Result<Option<TurnOutcome>, StoreError> {
        let Some((key, body)) = turn.client_message else { return Ok(None) };
        // The next turn with the same key finds this one.
        if self.new_keys.remove(&(turn.principal_id, key)) {
            return Ok(None);
        }
        self.later().used(turn.principal_id, key);
        let Some(used) = self.rows().await?.pop() else { return Ok(None) };
        repeated(self.now().await?, &used, body).await.map(Some)
    }

    /// The conversation and the parent of a turn; `None` when they are not the principal's.
    async fn place(
        &mut self,
        turn: &NewTurn,
    ) -> Result<Option<(ConversationId, Option<MessageId>)>, StoreError> {
        let owned = match &turn.place {
            Place::New { conversation_id, .. } => return Ok(Some((*conversation_id, None))),
            Place::Again | Place::Beside => {
                self.conversation_of(turn.user_message_id, turn.principal_id).await?
            }
            Place::Next(id) | Place::After(id, _) | Place::Root(id) => {
                self.selected(*id, turn.principal_id).await?.map(|selected| (*id, selected))
            }
        };
        let Some((id, selected)) = owned else { return Ok(None) };
        match turn.place {
            Place::After(_, parent) if !self.is_answer_in(parent, id).await? => Ok(None),
            Place::After(_, parent) => Ok(Some((id, Some(parent)))),
            Place::Next(_) => Ok(Some((id, Some(selected)))),
            Place::New { .. } | Place::Root(_) | Place::Again | Place::Beside => {
                Ok(Some((id, None)))
            }
        }
    }

    /// The selected leaf of a principal's conversation.
    async fn selected(
        &mut self,
        conversation: ConversationId,
        principal: PrincipalId,
    ) -> Result<Option<MessageId>, StoreError> {
        let found = sqlx::query(
            "SELECT selected_message_id FROM conversations \
             WHERE conversation_id = ? AND principal_id = ? AND deleted_at IS NULL",
        )
        .bind(conversation.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
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
             WHERE m.message_id = ? AND m.role = 'user' AND c.principal_id = ? \
             AND c.deleted_at IS NULL",
        )
        .bind(message.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
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
        .fetch_optional(self.now().await?)
        .await?;
        Ok(found.is_some())
    }

    /// How many turns come before a new one: those that wait, and what runs. The states are those
    /// of the index of the few that are not sealed.
    async fn unsettled(&mut self, conversation: ConversationId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(sum(state = 'queued') + max(state = 'running'), 0) AS n \
             FROM generations WHERE conversation_id = ? \
             AND state IN ('queued', 'running', 'interrupted') AND state <> 'interrupted'",
        )
        .bind(conversation.as_bytes().as_slice())
        .fetch_one(self.now().await?)
        .await?;
        row::count(&row, "n")
    }
}

impl Sqlite {
    pub(crate) async fn repeated(
        &self,
        principal: PrincipalId,
        key: ClientMessageId,
        body: SecretHash,
    ) -> Result<Option<TurnOutcome>, StoreError> {
        let mut reader = self.reader().await?;
        let mut script = Script::default();
        script.used(principal, key);
        let Some(used) = script.row(&mut reader).await? else { return Ok(None) };
        repeated(&mut reader, &used, body).await.map(Some)
    }
}

/// What the earlier use of a client's key made.
async fn repeated(
    connection: &mut SqliteConnection,
    used: &SqliteRow,
    body: SecretHash,
) -> Result<TurnOutcome, StoreError> {
    if used.try_get::<&[u8], _>("body_hash")? != body.as_bytes() {
        return Ok(TurnOutcome::Conflict);
    }
    let query = format!(
        "SELECT {}, a.parent_id FROM generations g \
         JOIN conversations c USING (conversation_id) \
         JOIN messages a ON a.message_id = g.message_id \
         WHERE g.generation_id = ? AND c.deleted_at IS NULL",
        row::GENERATION
    );
    let turn = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(used.try_get::<Vec<u8>, _>("generation_id")?)
        .fetch_optional(&mut *connection)
        .await?;
    // The key is used for ever, also when its conversation was deleted since.
    let Some(turn) = turn else { return Ok(TurnOutcome::NotFound) };
    let generation = row::generation(&turn)?;
    Ok(TurnOutcome::Repeated(Turn {
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
    }))
}

impl Transaction<'_> {
    /// How many turns keep another answer to that message from running beside the one that may run:
    /// those that wait, those of other messages, and a second one.
    async fn in_the_way(
        &mut self,
        conversation: ConversationId,
        asked: MessageId,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT max(0, count(*) - coalesce(max(g.state = 'running' AND a.parent_id = ?), 0)) \
             AS n FROM generations g JOIN messages a ON a.message_id = g.message_id \
             WHERE g.conversation_id = ? \
             AND g.state IN ('queued', 'running', 'interrupted') AND g.state <> 'interrupted'",
        )
        .bind(asked.as_bytes().as_slice())
        .bind(conversation.as_bytes().as_slice())
        .fetch_one(self.now().await?)
        .await?;
        row::count(&row, "n")
    }
}

/// How many messages a turn adds.
fn messages_of(turn: &NewTurn) -> i64 {
    1 + i64::from(turn.content.is_some())
}

impl Script {
    fn conversation(&mut self, turn: &NewTurn, id: ConversationId, title: &str, temporary: bool) {
        self.step(
            "INSERT INTO conversations (conversation_id, principal_id, title, model, created_at, \
             updated_at, selected_message_id, temporary, message_count, total_tokens) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        )
        .id(id.as_bytes())
        .id(turn.principal_id.as_bytes())
        .bind(title.to_owned())
        .bind(turn.model.clone())
        .bind(turn.at.as_millis())
        .bind(turn.at.as_millis())
        .id(turn.message_id.as_bytes())
        .bind(temporary)
        .bind(messages_of(turn))
        .due(id, None);
    }

    fn message(
        &mut self,
        conversation: ConversationId,
        (id, parent, role, content): (MessageId, Option<MessageId>, &'static str, &str),
        at: Timestamp,
        sources: &[Source],
    ) {
        let parent = parent.map(|parent| parent.as_bytes().to_vec());
        self.step(
            "INSERT INTO messages \
             (message_id, conversation_id, parent_id, role, content, created_at, sources, depth) \
             VALUES (?, ?, ?, ?, ?, ?, ?, \
               1 + coalesce((SELECT depth FROM messages WHERE message_id = ?), 0))",
        )
        .id(id.as_bytes())
        .id(conversation.as_bytes())
        .bind(parent.clone())
        .bind(role)
        .bind(content.to_owned())
        .bind(at.as_millis())
        .bind(row::sources(sources))
        .bind(parent);
    }

    fn generation(&mut self, turn: &NewTurn, of: ConversationId, state: GenerationState) {
        let routing = turn
            .routing
            .as_ref()
            .map(|routing| serde_json::to_string(routing).expect("routing is plain data"));
        let options = serde_json::to_string(&turn.options).expect("options are plain data");
        self.step(
            "INSERT INTO generations (generation_id, message_id, conversation_id, state, epoch, \
             head_seq, model, model_name, routing, options, created_at) \
             VALUES (?, ?, ?, ?, 1, 0, ?, ?, ?, ?, ?)",
        )
        .id(turn.generation_id.as_bytes())
        .id(turn.message_id.as_bytes())
        .id(of.as_bytes())
        .bind(state.as_str())
        .bind(turn.model.clone())
        .bind(turn.model_name.clone())
        .bind(routing)
        .bind(options)
        .bind(turn.at.as_millis());
    }

    /// What a new turn changes in a conversation that is there.
    fn turn_in(&mut self, conversation: ConversationId, turn: &NewTurn) {
        self.step(
            "UPDATE conversations SET selected_message_id = ?, model = ?, \
             updated_at = max(updated_at, ?), message_count = message_count + ? \
             WHERE conversation_id = ?",
        )
        .id(turn.message_id.as_bytes())
        .bind(turn.model.clone())
        .bind(turn.at.as_millis())
        .bind(messages_of(turn))
        .id(conversation.as_bytes());
    }

    /// What it adds to what its owner has.
    fn counted(&mut self, conversation: ConversationId, turn: &NewTurn) {
        self.step(
            "INSERT INTO counts (principal_id, conversations, answers) \
             SELECT principal_id, ?, 1 FROM conversations \
             WHERE conversation_id = ? AND temporary = 0 \
             ON CONFLICT (principal_id) DO UPDATE SET answers = answers + 1, \
             conversations = conversations + excluded.conversations",
        )
        .bind(i64::from(matches!(turn.place, Place::New { .. })))
        .id(conversation.as_bytes());
    }

    /// Returns the use of a client's key, if there was one.
    fn used(&mut self, principal: PrincipalId, key: ClientMessageId) {
        self.step(
            "SELECT body_hash, generation_id FROM client_messages \
             WHERE principal_id = ? AND client_message_id = ?",
        )
        .id(principal.as_bytes())
        .id(key.as_bytes());
    }

    fn key(&mut self, turn: &NewTurn, key: ClientMessageId, body: SecretHash) {
        self.step(
            "INSERT INTO client_messages \
             (principal_id, client_message_id, body_hash, generation_id) VALUES (?, ?, ?, ?)",
        )
        .id(turn.principal_id.as_bytes())
        .id(key.as_bytes())
        .bind(body.as_bytes().to_vec())
        .id(turn.generation_id.as_bytes());
    }
}
