//! Writing: new turns.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationId, GenerationState, MessageId, PrincipalId, limits,
};

use super::script::Script;
use super::{Sqlite, Transaction, row};
use crate::{NewTurn, Place, SecretHash, StoreError, Turn, TurnOutcome};

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
        if !matches!(turn.place, Place::New { .. }) {
            self.later().turn_in(conversation_id, turn);
        }
        self.turns.add(turn, conversation_id, parent_id, state);
        if !turn.begins_with.is_empty() {
            self.pack(turn.generation_id, &turn.begins_with);
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
        // It is used from here on.
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
fn messages_of(turn: &NewTurn) -> u8 {
    1 + u8::from(turn.content.is_some())
}

impl Script {
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

    /// Returns the use of a client's key, if there was one.
    fn used(&mut self, principal: PrincipalId, key: ClientMessageId) {
        self.step(
            "SELECT body_hash, generation_id FROM client_messages \
             WHERE principal_id = ? AND client_message_id = ?",
        )
        .id(principal.as_bytes())
        .id(key.as_bytes());
    }

    /// Inserts turns, however many with the same statements: each number of them would be another
    /// script, which takes longer to prepare than to run.
    pub(super) fn turns(&mut self, turns: Turns) {
        let Turns { turns, messages } = turns;
        if turns.is_empty() {
            return;
        }
        let (turns, messages) = (turns + "]", messages + "]");
        for sql in [
            "INSERT INTO client_messages \
             (principal_id, client_message_id, body_hash, generation_id) \
             SELECT unhex(value ->> 'principal', '-'), unhex(value ->> 'key', '-'), \
             unhex(value ->> 'body'), unhex(value ->> 'generation', '-') \
             FROM json_each(?) WHERE value ->> 'key' IS NOT NULL",
            "INSERT INTO conversations (conversation_id, principal_id, title, model, created_at, \
             updated_at, selected_message_id, temporary, message_count, total_tokens) \
             SELECT unhex(value ->> 'conversation', '-'), unhex(value ->> 'principal', '-'), \
             value ->> 'title', value ->> 'model', value ->> 'at', value ->> 'at', \
             unhex(value ->> 'answer', '-'), value ->> 'temporary', value ->> 'messages', 0 \
             FROM json_each(?) WHERE value ->> 'title' IS NOT NULL",
            "INSERT INTO search_due (conversation_id) \
             SELECT unhex(value ->> 'conversation', '-') \
             FROM json_each(?) WHERE value ->> 'title' IS NOT NULL",
            "INSERT INTO search_due (conversation_id, message_id) \
             SELECT unhex(value ->> 'conversation', '-'), unhex(value ->> 'asked', '-') \
             FROM json_each(?) WHERE value ->> 'asked' IS NOT NULL",
            "INSERT INTO generations (generation_id, message_id, conversation_id, state, epoch, \
             head_seq, model, model_name, routing, options, created_at) \
             SELECT unhex(value ->> 'generation', '-'), unhex(value ->> 'answer', '-'), \
             unhex(value ->> 'conversation', '-'), value ->> 'state', 1, 0, value ->> 'model', \
             value ->> 'model_name', value ->> 'routing', value ->> 'options', value ->> 'at' \
             FROM json_each(?)",
            // What it adds to what its owner has.
            "INSERT INTO counts (principal_id, conversations, answers) \
             SELECT c.principal_id, sum(e.value ->> 'title' IS NOT NULL), count(*) \
             FROM json_each(?) e CROSS JOIN conversations c \
             ON c.conversation_id = unhex(e.value ->> 'conversation', '-') \
             WHERE c.temporary = 0 GROUP BY c.principal_id \
             ON CONFLICT (principal_id) DO UPDATE SET answers = answers + excluded.answers, \
             conversations = conversations + excluded.conversations",
        ] {
            self.step(sql).bind(turns.clone());
        }
        self.step(
            "INSERT INTO messages \
             (message_id, conversation_id, parent_id, role, content, created_at, sources, depth) \
             SELECT unhex(value ->> 'id', '-'), unhex(value ->> 'conversation', '-'), \
             unhex(value ->> 'parent', '-'), value ->> 'role', value ->> 'content', \
             value ->> 'at', value ->> 'sources', value ->> 'below' + coalesce( \
               (SELECT depth FROM messages WHERE message_id = unhex(value ->> 'above', '-')), 0) \
             FROM json_each(?)",
        )
        .bind(messages);
    }
}

/// New turns that were not written yet, as two lists in JSON without their last bracket.
#[derive(Default)]
pub(super) struct Turns {
    turns: String,
    messages: String,
}

#[derive(Serialize)]
struct TurnRow<'a> {
    conversation: ConversationId,
    principal: PrincipalId,
    generation: GenerationId,
    answer: MessageId,
    /// The person's message, if it is new too.
    asked: Option<MessageId>,
    /// Of a conversation that is new.
    title: Option<&'a str>,
    temporary: bool,
    messages: u8,
    key: Option<ClientMessageId>,
    /// In hexadecimal digits.
    body: Option<String>,
    model: &'a str,
    model_name: &'a str,
    routing: Option<String>,
    options: String,
    state: &'a str,
    /// Milliseconds since 1970.
    at: i64,
}

#[derive(Serialize)]
struct MessageRow<'a> {
    id: MessageId,
    conversation: ConversationId,
    parent: Option<MessageId>,
    role: &'a str,
    content: &'a str,
    sources: Option<String>,
    /// Milliseconds since 1970.
    at: i64,
    /// A message that is there, and how many levels this one is below it.
    above: Option<MessageId>,
    below: u8,
}

impl Turns {
    fn add(
        &mut self,
        turn: &NewTurn,
        conversation: ConversationId,
        parent: Option<MessageId>,
        state: GenerationState,
    ) {
        let (title, temporary) = match &turn.place {
            Place::New { title, temporary, .. } => (Some(title.as_str()), *temporary),
            _ => (None, false),
        };
        let (key, body) = turn.client_message.unzip();
        let routing = turn.routing.as_ref();
        let at = turn.at.as_millis();
        push(
            &mut self.turns,
            &TurnRow {
                conversation,
                principal: turn.principal_id,
                generation: turn.generation_id,
                answer: turn.message_id,
                asked: turn.content.is_some().then_some(turn.user_message_id),
                title,
                temporary,
                messages: messages_of(turn),
                key,
                body: body.map(|body| body.to_string()),
                model: &turn.model,
                model_name: &turn.model_name,
                routing: routing
                    .map(|routing| serde_json::to_string(routing).expect("routing is plain data")),
                options: serde_json::to_string(&turn.options).expect("options are plain data"),
                state: state.as_str(),
                at,
            },
        );
        let asked = turn.user_message_id;
        if let Some(content) = &turn.content {
            push(
                &mut self.messages,
                &MessageRow {
                    id: asked,
                    conversation,
                    parent,
                    role: "user",
                    content,
                    sources: row::sources(&turn.sources),
                    at,
                    above: parent,
                    below: 1,
                },
            );
        }
        let (above, below) = if turn.content.is_some() { (parent, 2) } else { (Some(asked), 1) };
        push(
            &mut self.messages,
            &MessageRow {
                id: turn.message_id,
                conversation,
                parent: Some(asked),
                role: "assistant",
                content: "",
                sources: None,
                at,
                above,
                below,
            },
        );
    }
}

/// Adds a row to a list.
fn push(list: &mut String, row: &impl Serialize) {
    list.push(if list.is_empty() { '[' } else { ',' });
    list.push_str(&serde_json::to_string(row).expect("a row is plain data"));
}
