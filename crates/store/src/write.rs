//! Writing: one writer, explicit transactions, and the rule that only the owner of the folder
//! writes.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _, Sqlite};
use unbroken_protocol::{
    Citation, ClientMessageId, ConversationId, DeviceId, Epoch, ErrorCode, FinishReason,
    GenerationId, GenerationState, MessageId, Options, PrincipalId, Routing, Seq, Timestamp,
    limits,
};

use crate::codec::{encode_journal, encode_pack};
use crate::row::{self, signed, to_word};
use crate::{JournalEntry, Record, SecretHash, Session, StoreError};

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// With the operating system: survives the death of the process.
    Process,
    /// On the disk: survives a power cut.
    Power,
}

/// The one connection that changes a data folder.
pub struct Writer {
    connection: SqliteConnection,
    /// The name of this process in the table `owner`.
    run: [u8; 16],
    synchronous: Option<Durability>,
}

impl Writer {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut connection = SqliteConnection::connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&mut connection).await?;
        let run = *GenerationId::new().as_bytes();
        sqlx::query(
            "INSERT INTO owner (id, run, beat) VALUES (1, ?1, 0) \
             ON CONFLICT (id) DO UPDATE SET run = ?1",
        )
        .bind(run.as_slice())
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, run, synchronous: None })
    }

    /// The name of this run of the process, new at every start.
    pub fn run(&self) -> [u8; 16] {
        self.run
    }

    /// Begins a transaction; dropping it undoes everything.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] when another run took the folder over: stop at once.
    pub async fn begin(&mut self, durability: Durability) -> Result<Transaction<'_>, StoreError> {
        if self.synchronous != Some(durability) {
            // It cannot be changed inside a transaction.
            let pragma = match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Power => "PRAGMA synchronous = FULL",
            };
            sqlx::query(pragma).execute(&mut self.connection).await?;
            self.synchronous = Some(durability);
        }
        let mut inner = self.connection.begin().await?;
        let owned = sqlx::query("UPDATE owner SET beat = beat + 1 WHERE run = ?")
            .bind(self.run.as_slice())
            .execute(&mut *inner)
            .await?;
        if owned.rows_affected() == 0 {
            return Err(StoreError::OwnerLost);
        }
        Ok(Transaction { inner })
    }

    /// Empties the write-ahead log. Waits for readers, so only for an idle moment.
    pub async fn truncate_wal(&mut self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Closes the connection after what it still has to do.
    pub async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await?;
        Ok(())
    }
}

/// Changes that become durable together, or not at all.
pub struct Transaction<'a> {
    inner: sqlx::Transaction<'a, Sqlite>,
}

/// A person's message and the generation that answers it.
#[derive(Clone, Debug)]
pub struct NewTurn {
    pub principal_id: PrincipalId,
    pub place: Place,
    pub user_message_id: MessageId,
    /// What the person says; `None` answers `user_message_id` once more.
    pub content: Option<String>,
    /// Text that the answer begins with: another answer that is to go on.
    pub begins_with: Option<Record>,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    pub options: Options,
    /// The client's key, and a hash of what it asked for.
    pub client_message: Option<(ClientMessageId, SecretHash)>,
    pub at: Timestamp,
}

/// Where a turn goes.
#[derive(Clone, Debug)]
pub enum Place {
    New {
        conversation_id: ConversationId,
        title: String,
    },
    /// After the leaf of the selected branch.
    Next(ConversationId),
    /// After this answer: another branch, unless nothing follows it yet.
    After(ConversationId, MessageId),
    /// Beside the first message.
    Root(ConversationId),
    /// Beside the answers that the person's message `user_message_id` has.
    Again,
}

/// What became of a [`NewTurn`].
#[derive(Clone, Debug, PartialEq)]
pub enum TurnOutcome {
    Created(Turn),
    /// The client's key was used before with the same body: this is that turn.
    Repeated(Turn),
    /// The client's key was used before with another body.
    Conflict,
    /// No such conversation or parent for this principal.
    NotFound,
    /// Too many turns run or wait already.
    Busy,
}

/// A turn as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub conversation_id: ConversationId,
    pub user_message_id: MessageId,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
    pub state: GenerationState,
    pub epoch: Epoch,
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    /// How many turns of the conversation come before it; 0 when it runs.
    pub waiting_behind: u64,
}

/// How a log stands when it is sealed or interrupted.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: Epoch,
    pub state: GenerationState,
    pub head_seq: Seq,
    pub content: &'a str,
    pub reasoning: &'a str,
    pub citations: &'a [Citation],
    pub finish_reason: Option<FinishReason>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub error: Option<(ErrorCode, &'a str)>,
    /// The records that have not been packed yet.
    pub records: &'a [Record],
    pub at: Timestamp,
}

/// What became of a [`Settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Done; this generation of the conversation, which waited, runs now.
    Done { next: Option<GenerationId> },
    /// Refused: the log was sealed before, another epoch owns it, or it was deleted.
    Stale,
}

impl Transaction<'_> {
    /// Makes the changes durable, as [`Writer::begin`] was told.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }

    /// Appends one row to the journal and returns its id. Ids rise.
    pub async fn append(&mut self, entries: &[JournalEntry]) -> Result<i64, StoreError> {
        let done = sqlx::query("INSERT INTO journal (records) VALUES (?)")
            .bind(encode_journal(entries))
            .execute(&mut *self.inner)
            .await?;
        Ok(done.last_insert_rowid())
    }

    /// Deletes the rows of the journal before `id`: nobody needs them any more.
    pub async fn trim_journal(&mut self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM journal WHERE id < ?").bind(id).execute(&mut *self.inner).await?;
        Ok(())
    }

    /// Moves a stretch of a log from the journal into a pack.
    pub async fn pack(
        &mut self,
        generation: GenerationId,
        records: &[Record],
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(()) };
        sqlx::query(
            "INSERT INTO packs (generation_id, first_seq, last_seq, records) VALUES (?, ?, ?, ?)",
        )
        .bind(generation.as_bytes().as_slice())
        .bind(signed(first.seq))
        .bind(signed(last.seq))
        .bind(encode_pack(records))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Seals or interrupts a generation: its records are packed, its message gets the text, and
    /// the next turn that waits becomes the running one.
    pub async fn settle(&mut self, settled: &Settled<'_>) -> Result<Sealed, StoreError> {
        let citations = (!settled.citations.is_empty())
            .then(|| serde_json::to_string(settled.citations).expect("citations are plain data"));
        let done = sqlx::query(
            "UPDATE generations SET state = ?, head_seq = ?, ended_at = ?, finish_reason = ?, \
             input_tokens = ?, output_tokens = ?, citations = ?, reasoning = ?, error_code = ?, \
             error = ? WHERE generation_id = ? AND epoch = ? \
             AND state IN ('queued', 'running', 'interrupted')",
        )
        .bind(settled.state.as_str())
        .bind(signed(settled.head_seq))
        .bind(settled.state.is_sealed().then_some(settled.at.as_millis()))
        .bind(settled.finish_reason.map(to_word))
        .bind(signed(settled.input_tokens))
        .bind(signed(settled.output_tokens))
        .bind(citations)
        .bind(settled.reasoning)
        .bind(settled.error.map(|(code, _)| code.as_str()))
        .bind(settled.error.map(|(_, message)| message))
        .bind(settled.generation_id.as_bytes().as_slice())
        .bind(settled.epoch)
        .execute(&mut *self.inner)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(Sealed::Stale);
        }
        self.pack(settled.generation_id, settled.records).await?;
        sqlx::query("UPDATE messages SET content = ? WHERE message_id = ?")
            .bind(settled.content)
            .bind(settled.message_id.as_bytes().as_slice())
            .execute(&mut *self.inner)
            .await?;
        let tokens = if settled.state.is_sealed() {
            settled.input_tokens + settled.output_tokens
        } else {
            0
        };
        sqlx::query(
            "UPDATE conversations SET updated_at = max(updated_at, ?), \
             total_tokens = total_tokens + ? WHERE conversation_id = ?",
        )
        .bind(settled.at.as_millis())
        .bind(signed(tokens))
        .bind(settled.conversation_id.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        let next = self.run_next(settled.conversation_id).await?;
        Ok(Sealed::Done { next })
    }

    /// Gives a generation to another run: its epoch rises by one, and what it has in the journal is
    /// packed. `None` when it is sealed, or another run was faster (PROTOCOL B8.7).
    pub async fn take_over(
        &mut self,
        generation: GenerationId,
        epoch: Epoch,
        head_seq: Seq,
        records: &[Record],
    ) -> Result<Option<Epoch>, StoreError> {
        let row = sqlx::query(
            "UPDATE generations SET state = 'running', epoch = epoch + 1, head_seq = ?, \
             error_code = NULL, error = NULL \
             WHERE generation_id = ? AND epoch = ? AND state IN ('running', 'interrupted') \
             RETURNING epoch",
        )
        .bind(signed(head_seq))
        .bind(generation.as_bytes().as_slice())
        .bind(epoch)
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(row) = row else { return Ok(None) };
        self.pack(generation, records).await?;
        Ok(Some(row.try_get("epoch")?))
    }

    /// Lets the oldest turn that waits in a conversation run, unless one runs already.
    pub async fn run_next(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<GenerationId>, StoreError> {
        let row = sqlx::query(
            "UPDATE generations SET state = 'running' WHERE generation_id = ( \
               SELECT generation_id FROM generations WHERE conversation_id = ?1 \
               AND state = 'queued' ORDER BY generation_id LIMIT 1) \
             AND NOT EXISTS (SELECT 1 FROM generations WHERE conversation_id = ?1 \
               AND state = 'running') \
             RETURNING generation_id",
        )
        .bind(conversation.as_bytes().as_slice())
        .fetch_optional(&mut *self.inner)
        .await?;
        row.map(|row| Ok(GenerationId::from_bytes(row::bytes(&row, "generation_id")?))).transpose()
    }

    /// Stores a person's message and the generation that answers it.
    pub async fn create_turn(&mut self, turn: &NewTurn) -> Result<TurnOutcome, StoreError> {
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
        Ok(())
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
        Ok(())
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

    /// Changes the text of a turn that waits. `false` when it does not wait (any more).
    pub async fn edit_queued(
        &mut self,
        generation: GenerationId,
        content: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE messages SET content = ? WHERE message_id = ( \
               SELECT a.parent_id FROM generations g JOIN messages a USING (message_id) \
               WHERE g.generation_id = ? AND g.state = 'queued')",
        )
        .bind(content)
        .bind(generation.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a turn that waits out of its conversation; what hangs on it hangs on what was before
    /// it. `false` when it does not wait (any more).
    pub async fn remove_queued(&mut self, generation: GenerationId) -> Result<bool, StoreError> {
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
             CASE selected_message_id WHEN ?1 THEN coalesce(?2, ?1) ELSE selected_message_id END \
             WHERE conversation_id = ?3",
        )
        .bind(&answer)
        .bind(&before)
        .bind(&conversation)
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

    /// Shows the branch that goes through a message: down to its newest leaf. `false` when the
    /// conversation has no such message.
    pub async fn select_branch(
        &mut self,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH RECURSIVE down (message_id, depth) AS ( \
               SELECT message_id, 0 FROM messages WHERE message_id = ?1 AND conversation_id = ?2 \
               UNION ALL \
               SELECT (SELECT max(m.message_id) FROM messages m WHERE m.parent_id = d.message_id \
                 AND m.conversation_id = ?2), d.depth + 1 \
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

    /// Deletes a conversation with everything in it. `false` when it is not there.
    pub async fn delete_conversation(
        &mut self,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
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

    /// Gives a conversation another title. `false` when it is not there.
    pub async fn rename(
        &mut self,
        conversation: ConversationId,
        title: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE conversations SET title = ? WHERE conversation_id = ?")
            .bind(title)
            .bind(conversation.as_bytes().as_slice())
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Remembers that a device was sent the end of a generation.
    pub async fn deliver(
        &mut self,
        generation: GenerationId,
        device: &DeviceId,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT OR IGNORE INTO deliveries (generation_id, device_id) VALUES (?, ?)")
            .bind(generation.as_bytes().as_slice())
            .bind(&device.0)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Stores a session, or moves the end of one that is there.
    pub async fn put_session(
        &mut self,
        secret: SecretHash,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO device_sessions \
             (secret_hash, device_id, principal_id, created_at, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (secret_hash) DO UPDATE SET expires_at = ?5",
        )
        .bind(secret.as_bytes())
        .bind(&session.device_id.0)
        .bind(session.principal_id.as_bytes().as_slice())
        .bind(now.as_millis())
        .bind(session.expires_at.as_millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Stores a one-time code by which another device joins a principal.
    pub async fn put_link_code(
        &mut self,
        code: SecretHash,
        principal: PrincipalId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO link_codes (code_hash, principal_id, expires_at) VALUES (?, ?, ?)",
        )
        .bind(code.as_bytes())
        .bind(principal.as_bytes().as_slice())
        .bind(expires_at.as_millis())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Uses a code up: whose it was, if it is known and has not expired. Forgets expired ones.
    pub async fn take_link_code(
        &mut self,
        code: SecretHash,
        now: Timestamp,
    ) -> Result<Option<PrincipalId>, StoreError> {
        sqlx::query("DELETE FROM link_codes WHERE expires_at <= ?")
            .bind(now.as_millis())
            .execute(&mut *self.inner)
            .await?;
        let row = sqlx::query("DELETE FROM link_codes WHERE code_hash = ? RETURNING principal_id")
            .bind(code.as_bytes())
            .fetch_optional(&mut *self.inner)
            .await?;
        row.map(|row| Ok(PrincipalId::from_bytes(row::bytes(&row, "principal_id")?))).transpose()
    }

    /// Sets or, with `None`, clears the model that a person wants for all answers.
    pub async fn set_preference(
        &mut self,
        principal: PrincipalId,
        model: Option<&str>,
    ) -> Result<(), StoreError> {
        let principal = principal.as_bytes().as_slice();
        match model {
            Some(model) => {
                sqlx::query(
                    "INSERT INTO preferences (principal_id, model_id) VALUES (?1, ?2) \
                     ON CONFLICT (principal_id) DO UPDATE SET model_id = ?2",
                )
                .bind(principal)
                .bind(model)
                .execute(&mut *self.inner)
                .await?
            }
            None => {
                sqlx::query("DELETE FROM preferences WHERE principal_id = ?")
                    .bind(principal)
                    .execute(&mut *self.inner)
                    .await?
            }
        };
        Ok(())
    }
}
