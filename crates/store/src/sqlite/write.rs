//! Writing: the owner's connection, the journal, and the ends of runs.

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Connection as _, Row as _};
use unbroken_protocol::{
    ClientMessageId, ConversationId, DeviceId, Epoch, GenerationId, PrincipalId, Seq,
};

use super::BUSY;
use super::row::{self, signed, to_word};
use super::script::Script;
use crate::codec::{encode_journal, encode_pack};
use crate::{Durability, Record, Sealed, Settled, StoreError};

/// Ends of runs that are written together. Each number of them is a script of its own, which is
/// prepared once.
const SETTLED_AT_ONCE: usize = 4;

/// Scripts that stay prepared: an end more or less in a commit makes another one.
const SCRIPTS: usize = 256;

/// The one connection that changes a data folder.
pub struct Writer {
    connection: SqliteConnection,
    /// The name of this process in the table `owner`.
    run: [u8; 16],
    synchronous: Option<Durability>,
    /// A transaction was begun and not committed.
    open: bool,
    /// The newest row of the journal. A number that was given out is not given out again.
    row: i64,
}

impl Writer {
    pub(crate) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let options = options.clone().statement_cache_capacity(SCRIPTS);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::migrate!("./migrations").run(&mut connection).await?;
        let run = *GenerationId::new().as_bytes();
        sqlx::query(
            "INSERT INTO owner (id, run, beat) VALUES (1, ?1, 0) \
             ON CONFLICT (id) DO UPDATE SET run = ?1",
        )
        .bind(run.as_slice())
        .execute(&mut connection)
        .await?;
        // From here on no other process adds rows.
        let row = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM journal")
            .fetch_one(&mut connection)
            .await?;
        Ok(Self { connection, run, synchronous: None, open: false, row })
    }

    /// The name of this run of the process, new at every start.
    pub(crate) fn run(&self) -> [u8; 16] {
        self.run
    }

    /// Begins a transaction; what is dropped is undone before the next.
    pub(crate) async fn begin(&mut self, durability: Durability) -> Transaction<'_> {
        self.roll_back().await;
        let mut script = self.synchronized(durability);
        script
            .step("BEGIN")
            .step("UPDATE owner SET beat = beat + 1 WHERE run = ?")
            .id(&self.run)
            .step("SELECT 1 AS owned WHERE changes() = 1");
        Transaction {
            writer: self,
            script,
            began: false,
            turns: 0,
            new_keys: HashSet::new(),
            deliveries: Vec::new(),
            durability,
        }
    }

    /// A whole transaction that appends records to the journal, in one trip. See
    /// [`Transaction::append`].
    pub(crate) async fn append(
        &mut self,
        durability: Durability,
        records: &[(GenerationId, &Record)],
    ) -> Result<i64, StoreError> {
        self.roll_back().await;
        let mut script = self.synchronized(durability);
        self.row += 1;
        // One statement is a transaction: it has the lock before it asks whose the folder is.
        script
            .step(
                "INSERT INTO journal (id, records) \
                 SELECT ?, ? WHERE EXISTS (SELECT 1 FROM owner WHERE run = ?)",
            )
            .bind(self.row)
            .bind(encode_journal(records))
            .id(&self.run)
            .step("SELECT 1 WHERE changes() = 1");
        let added = script.rows(&mut self.connection).await?;
        self.synchronous = Some(durability);
        if added.is_empty() {
            return Err(StoreError::OwnerLost);
        }
        Ok(self.row)
    }

    /// A script that makes the connection as durable as that before it does anything else: it
    /// cannot be changed inside a transaction.
    fn synchronized(&mut self, durability: Durability) -> Script {
        let mut script = Script::default();
        if self.synchronous != Some(durability) {
            script.step(match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Power => "PRAGMA synchronous = FULL",
            });
        }
        // Not known until it is done.
        self.synchronous = None;
        script
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

/// Changes that become durable together, or not at all.
///
/// What nobody waits for goes to the database with what somebody does, at the latest with the end:
/// a commit of a few ends and new turns takes three trips.
pub struct Transaction<'a> {
    writer: &'a mut Writer,
    /// What goes with the next trip. It returns no rows, but for its last statements when they are
    /// waited for.
    script: Script,
    /// In the database too.
    began: bool,
    /// How many turns the script makes.
    pub(super) turns: usize,
    /// Clients' keys of which it is known that they were not used before.
    pub(super) new_keys: HashSet<(PrincipalId, ClientMessageId)>,
    /// Ends that were sent, and to which devices: written with the end.
    deliveries: Vec<(GenerationId, DeviceId)>,
    durability: Durability,
}

impl Transaction<'_> {
    /// Adds to what goes with the next trip.
    pub(super) fn later(&mut self) -> &mut Script {
        &mut self.script
    }

    /// The connection, when all that comes before is carried out.
    pub(super) async fn now(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if !self.script.is_empty() {
            self.rows().await?;
        }
        Ok(&mut self.writer.connection)
    }

    /// Carries out what was to come later, and returns its rows.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] when another run took the folder over: stop at once.
    pub(super) async fn rows(&mut self) -> Result<Vec<SqliteRow>, StoreError> {
        let script = std::mem::take(&mut self.script);
        self.turns = 0;
        self.writer.open = true;
        let mut rows = script.rows(&mut self.writer.connection).await?;
        if !self.began {
            self.writer.synchronous = Some(self.durability);
            if rows.first().is_none_or(|row| row.try_get::<i64, _>("owned").is_err()) {
                // At once: the new owner waits for the lock that this transaction holds.
                self.writer.roll_back().await;
                return Err(StoreError::OwnerLost);
            }
            self.began = true;
            rows.remove(0);
        }
        Ok(rows)
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if !self.began {
            // Not in one trip with the end: the folder may be another's.
            self.rows().await?;
        }
        self.put_deliveries();
        self.later().step("COMMIT");
        self.rows().await?;
        self.writer.open = false;
        Ok(())
    }

    pub(crate) fn deliver(&mut self, generation: GenerationId, device: &DeviceId) {
        self.deliveries.push((generation, device.clone()));
    }

    /// One statement for however many there are: another script would have to be prepared first.
    fn put_deliveries(&mut self) {
        let deliveries = std::mem::take(&mut self.deliveries);
        if deliveries.is_empty() {
            return;
        }
        self.later()
            .step(
                "INSERT OR IGNORE INTO deliveries (generation_id, device_id) \
                 SELECT g.generation_id, d.value ->> 1 FROM json_each(?) d \
                 JOIN generations g ON g.generation_id = unhex(d.value ->> 0, '-')",
            )
            .bind(serde_json::to_string(&deliveries).expect("ids are plain data"));
    }

    pub(crate) fn append(&mut self, records: &[(GenerationId, &Record)]) -> i64 {
        self.writer.row += 1;
        let row = self.writer.row;
        self.later()
            .step("INSERT INTO journal (id, records) VALUES (?, ?)")
            .bind(row)
            .bind(encode_journal(records));
        row
    }

    pub(crate) fn trim_journal(&mut self, id: i64) {
        self.later().step("DELETE FROM journal WHERE id < ?").bind(id);
    }

    pub(crate) fn pack(&mut self, generation: GenerationId, records: &[Record]) {
        self.later().pack(generation, records);
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

    /// The same in one trip.
    async fn settle_some(&mut self, settled: &[Settled<'_>]) -> Result<Vec<Sealed>, StoreError> {
        for settled in settled {
            self.later().end(settled);
        }
        let mut ended = HashSet::new();
        let mut waiting = HashMap::new();
        for row in self.rows().await? {
            ended.insert(row::bytes(&row, "ended")?);
            // The last end of a conversation knows best: what waited then may have ended too.
            waiting.insert(row::bytes(&row, "conversation_id")?, next(&row)?);
        }
        let mut sealed = Vec::with_capacity(settled.len());
        for settled in settled {
            if ended.contains(settled.generation_id.as_bytes()) {
                let script = self.later();
                script.pack(settled.generation_id, settled.records).answer(settled);
                let next = waiting.remove(settled.conversation_id.as_bytes()).flatten();
                if let Some(next) = next {
                    script.runs(next);
                }
                sealed.push(Sealed::Done { next });
            } else {
                sealed.push(Sealed::Stale);
            }
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
        .fetch_optional(self.now().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        self.pack(generation, records);
        Ok(Some(row.try_get("epoch")?))
    }

    pub(crate) async fn run_next(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<GenerationId>, StoreError> {
        self.later().next(conversation, None);
        let found = self.rows().await?;
        let next = found.first().map(next).transpose()?.flatten();
        if let Some(next) = next {
            self.later().runs(next);
        }
        Ok(next)
    }
}

/// See [`Script::next`].
fn next(found: &SqliteRow) -> Result<Option<GenerationId>, StoreError> {
    let id = found.try_get::<Option<&[u8]>, _>("next")?;
    id.map(|_| row::bytes(found, "next").map(GenerationId::from_bytes)).transpose()
}

impl Script {
    /// Returns the generation, unless it was sealed or is another run's, and what can run next.
    ///
    /// Not with RETURNING, which costs as much as the rest: it makes a table for what it returns.
    fn end(&mut self, settled: &Settled<'_>) {
        let citations = (!settled.citations.is_empty())
            .then(|| serde_json::to_string(settled.citations).expect("citations are plain data"));
        self.step(
            "UPDATE generations SET state = ?, head_seq = ?, ended_at = ?, finish_reason = ?, \
             input_tokens = ?, output_tokens = ?, citations = ?, reasoning = ?, reasoning_ms = ?, \
             tool_events = ?, error_code = ?, error = ? WHERE generation_id = ? AND epoch = ? \
             AND state IN ('queued', 'running', 'interrupted')",
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
        .bind(settled.epoch)
        .next(settled.conversation_id, Some(settled.generation_id));
    }

    pub(super) fn pack(&mut self, generation: GenerationId, records: &[Record]) -> &mut Self {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return self };
        self.step(
            "INSERT INTO packs (generation_id, first_seq, last_seq, records) VALUES (?, ?, ?, ?)",
        )
        .id(generation.as_bytes())
        .bind(signed(first.seq))
        .bind(signed(last.seq))
        .bind(encode_pack(records))
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

    /// Returns the turn that waits first in a conversation, unless one runs; after an end nothing if
    /// there was none. The states are those of the index of the few that are not sealed.
    fn next(&mut self, conversation: ConversationId, after: Option<GenerationId>) {
        self.step(
            "SELECT ? AS ended, ? AS conversation_id, ( \
               SELECT generation_id FROM generations WHERE conversation_id = ? \
               AND state IN ('queued', 'running', 'interrupted') AND state = 'queued' \
               AND NOT EXISTS (SELECT 1 FROM generations WHERE conversation_id = ? \
                 AND state IN ('queued', 'running', 'interrupted') AND state = 'running') \
               ORDER BY rowid LIMIT 1) AS next \
             WHERE ? OR changes() = 1",
        )
        .bind(after.map(|after| after.as_bytes().to_vec()))
        .id(conversation.as_bytes())
        .id(conversation.as_bytes())
        .id(conversation.as_bytes())
        .bind(after.is_none());
    }

    fn runs(&mut self, generation: GenerationId) {
        self.step("UPDATE generations SET state = 'running' WHERE generation_id = ?")
            .id(generation.as_bytes());
    }
}
