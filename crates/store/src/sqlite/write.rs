//! Writing: the owner's connection, the journal, and the ends of runs.

use std::collections::HashMap;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _};
use unbroken_protocol::{ConversationId, Epoch, GenerationId, Seq};

use super::BUSY;
use super::row::{self, signed, to_word};
use super::script::Script;
use crate::codec::{encode_journal, encode_pack};
use crate::{Durability, Record, Sealed, Settled, StoreError};

/// Ends of runs that are written together. Each number of them is a script of its own, which is
/// prepared once.
const SETTLED_AT_ONCE: usize = 8;

/// The one connection that changes a data folder.
pub struct Writer {
    connection: SqliteConnection,
    /// The name of this process in the table `owner`.
    run: [u8; 16],
    synchronous: Option<Durability>,
    /// A transaction was begun and not committed.
    open: bool,
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
        Ok(Self { connection, run, synchronous: None, open: false })
    }

    /// The name of this run of the process, new at every start.
    pub(crate) fn run(&self) -> [u8; 16] {
        self.run
    }

    /// Begins a transaction; what is dropped is undone before the next.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] when another run took the folder over: stop at once.
    pub(crate) async fn begin(
        &mut self,
        durability: Durability,
    ) -> Result<Transaction<'_>, StoreError> {
        self.roll_back().await;
        let mut script = Script::default();
        if self.synchronous != Some(durability) {
            // It cannot be changed inside a transaction.
            script.step(synchronous(durability));
        }
        script
            .step("BEGIN")
            .step("UPDATE owner SET beat = beat + 1 WHERE run = ? RETURNING 1")
            .id(&self.run);
        self.open = true;
        // Not known until it is done.
        self.synchronous = None;
        let owned = script.row(&mut self.connection).await?;
        self.synchronous = Some(durability);
        if owned.is_none() {
            // At once: the new owner waits for the lock that this transaction holds.
            self.roll_back().await;
            return Err(StoreError::OwnerLost);
        }
        Ok(Transaction { inner: &mut self.connection, open: &mut self.open })
    }

    /// A whole transaction that appends records to the journal, in one trip. See
    /// [`Transaction::append`].
    pub(crate) async fn append(
        &mut self,
        durability: Durability,
        records: &[(GenerationId, &Record)],
    ) -> Result<i64, StoreError> {
        self.roll_back().await;
        if self.synchronous != Some(durability) {
            self.synchronous = None;
            sqlx::query(synchronous(durability)).execute(&mut self.connection).await?;
            self.synchronous = Some(durability);
        }
        // One statement is a transaction: it has the lock before it asks whose the folder is.
        let done = sqlx::query(
            "INSERT INTO journal (records) \
             SELECT ? WHERE EXISTS (SELECT 1 FROM owner WHERE run = ?)",
        )
        .bind(encode_journal(records))
        .bind(self.run.to_vec())
        .execute(&mut self.connection)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::OwnerLost);
        }
        Ok(done.last_insert_rowid())
    }

    /// Undoes what was begun and not committed.
    ///
    /// Not with sqlx's own transactions: a COMMIT that fails on a full disk has undone itself, and
    /// sqlx, whose ROLLBACK is refused then, takes the connection for nested from there on.
    async fn roll_back(&mut self) {
        if std::mem::replace(&mut self.open, false) {
            // If one is open still, BEGIN says so.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        }
    }

    /// Empties the write-ahead log. Waits for readers, so only for an idle moment.
    pub(crate) async fn restart_wal(&mut self) -> Result<(), StoreError> {
        let restart = "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(RESTART)";
        let done = sqlx::raw_sql(restart).execute(&mut self.connection).await;
        let patient = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
        sqlx::raw_sql(sqlx::AssertSqlSafe(patient)).execute(&mut self.connection).await?;
        done?;
        Ok(())
    }

    pub(crate) async fn truncate_wal(&mut self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Closes the connection after what it still has to do.
    pub(crate) async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await?;
        Ok(())
    }
}

fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Process => "PRAGMA synchronous = NORMAL",
        Durability::Power => "PRAGMA synchronous = FULL",
    }
}

/// Changes that become durable together, or not at all.
pub struct Transaction<'a> {
    pub(super) inner: &'a mut SqliteConnection,
    open: &'a mut bool,
}

impl Transaction<'_> {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut *self.inner).await?;
        *self.open = false;
        Ok(())
    }

    pub(crate) async fn append(
        &mut self,
        records: &[(GenerationId, &Record)],
    ) -> Result<i64, StoreError> {
        let done = sqlx::query("INSERT INTO journal (records) VALUES (?)")
            .bind(encode_journal(records))
            .execute(&mut *self.inner)
            .await?;
        Ok(done.last_insert_rowid())
    }

    pub(crate) async fn trim_journal(&mut self, id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM journal WHERE id < ?").bind(id).execute(&mut *self.inner).await?;
        Ok(())
    }

    pub(crate) async fn pack(
        &mut self,
        generation: GenerationId,
        records: &[Record],
    ) -> Result<(), StoreError> {
        let mut script = Script::default();
        script.pack(generation, records);
        script.run(&mut *self.inner).await
    }

    pub(crate) async fn settle(
        &mut self,
        settled: &[Settled<'_>],
    ) -> Result<Vec<Sealed>, StoreError> {
        let mut sealed = Vec::with_capacity(settled.len());
        for some in settled.chunks(SETTLED_AT_ONCE) {
            sealed.extend(self.settle_some(some).await?);
        }
        Ok(sealed)
    }

    /// The same in two trips.
    async fn settle_some(&mut self, settled: &[Settled<'_>]) -> Result<Vec<Sealed>, StoreError> {
        let mut script = Script::default();
        for settled in settled {
            script.end(settled);
        }
        let ended = ids(&script.rows(&mut *self.inner).await?, "generation_id")?;
        let is_done = |settled: &&Settled<'_>| ended.contains(settled.generation_id.as_bytes());

        let mut script = Script::default();
        for settled in settled.iter().filter(is_done) {
            script.pack(settled.generation_id, settled.records);
            script.answer(settled);
            script.run_next(settled.conversation_id);
        }
        let rows = script.rows(&mut *self.inner).await?;
        let mut next: HashMap<_, _> = ids(&rows, "conversation_id")?
            .into_iter()
            .zip(ids(&rows, "generation_id")?.into_iter().map(GenerationId::from_bytes))
            .collect();
        let mut sealed = Vec::with_capacity(settled.len());
        for settled in settled {
            sealed.push(if is_done(&settled) {
                Sealed::Done { next: next.remove(settled.conversation_id.as_bytes()) }
            } else {
                Sealed::Stale
            });
        }
        Ok(sealed)
    }

    pub(crate) async fn take_over(
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

    pub(crate) async fn run_next(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<GenerationId>, StoreError> {
        let mut script = Script::default();
        script.run_next(conversation);
        script.generation_id(&mut *self.inner).await
    }
}

fn ids(rows: &[SqliteRow], column: &str) -> Result<Vec<[u8; 16]>, StoreError> {
    rows.iter().map(|row| row::bytes(row, column)).collect()
}

impl Script {
    /// Returns the generation, unless it was sealed or is another run's.
    fn end(&mut self, settled: &Settled<'_>) {
        let citations = (!settled.citations.is_empty())
            .then(|| serde_json::to_string(settled.citations).expect("citations are plain data"));
        self.step(
            "UPDATE generations SET state = ?, head_seq = ?, ended_at = ?, finish_reason = ?, \
             input_tokens = ?, output_tokens = ?, citations = ?, reasoning = ?, reasoning_ms = ?, \
             tool_events = ?, error_code = ?, error = ? WHERE generation_id = ? AND epoch = ? \
             AND state IN ('queued', 'running', 'interrupted') RETURNING generation_id",
        )
        .bind(settled.state.as_str())
        .bind(signed(settled.head_seq))
        .bind(settled.state.is_sealed().then_some(settled.at.as_millis()))
        .bind(settled.finish_reason.map(to_word))
        .bind(signed(settled.input_tokens))
        .bind(signed(settled.output_tokens))
        .bind(citations)
        .bind(settled.reasoning.to_owned())
        .bind(settled.reasoning_ms.map(signed))
        .bind(
            (!settled.tool_events.is_empty())
                .then(|| serde_json::to_string(settled.tool_events).expect("steps are plain data")),
        )
        .bind(settled.error.map(|(code, _)| code.as_str()))
        .bind(settled.error.map(|(_, message)| message.to_owned()))
        .id(settled.generation_id.as_bytes())
        .bind(settled.epoch);
    }

    pub(super) fn pack(&mut self, generation: GenerationId, records: &[Record]) {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return };
        self.step(
            "INSERT INTO packs (generation_id, first_seq, last_seq, records) VALUES (?, ?, ?, ?)",
        )
        .id(generation.as_bytes())
        .bind(signed(first.seq))
        .bind(signed(last.seq))
        .bind(encode_pack(records));
    }

    /// What the end of a run changes in its message and its conversation.
    fn answer(&mut self, settled: &Settled<'_>) {
        let tokens = if settled.state.is_sealed() {
            settled.input_tokens + settled.output_tokens
        } else {
            0
        };
        self.step("UPDATE messages SET content = ? WHERE message_id = ?")
            .bind(settled.content.to_owned())
            .id(settled.message_id.as_bytes())
            .due(settled.conversation_id, Some(settled.message_id))
            .step(
                "UPDATE conversations SET updated_at = max(updated_at, ?), \
                 total_tokens = total_tokens + ? WHERE conversation_id = ?",
            )
            .bind(settled.at.as_millis())
            .bind(signed(tokens))
            .id(settled.conversation_id.as_bytes());
    }

    /// Returns the generation that runs now, if one had waited. The states are those of the index
    /// of the few that are not sealed.
    fn run_next(&mut self, conversation: ConversationId) {
        self.step(
            "UPDATE generations SET state = 'running' WHERE generation_id = ( \
               SELECT generation_id FROM generations WHERE conversation_id = ? \
               AND state IN ('queued', 'running', 'interrupted') AND state = 'queued' \
               ORDER BY rowid LIMIT 1) \
             AND NOT EXISTS (SELECT 1 FROM generations WHERE conversation_id = ? \
               AND state IN ('queued', 'running', 'interrupted') AND state = 'running') \
             RETURNING conversation_id, generation_id",
        )
        .id(conversation.as_bytes())
        .id(conversation.as_bytes());
    }

    async fn generation_id(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<GenerationId>, StoreError> {
        let row = self.row(connection).await?;
        row.map(|row| Ok(GenerationId::from_bytes(row::bytes(&row, "generation_id")?))).transpose()
    }
}
