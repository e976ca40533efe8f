//! The log writer: one task that makes the records of all live generations durable, many in one
//! commit, and shows them afterwards.
//!
//! It commits at once when it is idle or a person waits, and gathers for a few milliseconds when it
//! is busy. Nothing else in the system batches.
//!
//! Records have commits of their own, and a few ends and commands at a time come after them: each
//! costs as much as a hundred records.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use unbroken_protocol::{Epoch, GenerationId};
use unbroken_store::{Body, Durability, Indexed, Record, Sealed, Store, StoreError, Writer};

use crate::bell::Bell;
use crate::command::Command;
use crate::error::Refusal;
use crate::indexing::Indexing;
use crate::journal::Journal;
use crate::log::Log;
use crate::settling;
use crate::syncing::{Outcome, Syncing};
use crate::waiting::{Ends, Waiting};

/// Commits begin at least this far apart while there is always something to write.
const GATHER: Duration = Duration::from_millis(5);
/// How often a store that refuses is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// The write-ahead log begins anew above this size, in bytes.
const WAL_LIMIT: u64 = 64 << 20;
/// Operations that may wait for the writer before senders wait too.
const MAILBOX: usize = 4096;

/// A handle of the log writer. Clones are cheap.
#[derive(Clone)]
pub(crate) struct LogWriter {
    operations: mpsc::Sender<Operation>,
    /// Somebody waits for a command.
    urgent: Arc<Bell>,
    /// Whether the store refuses to write.
    refuses: watch::Receiver<bool>,
    /// Whether texts may be missing in the search index.
    unindexed: watch::Receiver<bool>,
}

/// The next record of a generation.
pub(crate) struct Append {
    pub(crate) log: Arc<Log>,
    pub(crate) record: Record,
}

/// The end of a run: its last record, which seals or interrupts the log.
pub(crate) struct Settle {
    pub(crate) log: Arc<Log>,
    pub(crate) record: Record,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// A generation goes to another run.
pub(crate) struct TakeOver {
    pub(crate) log: Arc<Log>,
    /// The run before, which broke off. A generation that another run has got is not taken.
    pub(crate) epoch: Epoch,
    /// Its last record. `None` when the log says already that it broke off.
    pub(crate) record: Option<Record>,
}

pub(crate) enum Operation {
    Append(Append),
    Settle(Settle, oneshot::Sender<Sealed>),
    TakeOver(TakeOver, oneshot::Sender<Option<Epoch>>),
    Command(Command),
}

impl LogWriter {
    /// Starts the writer on `writer`; `wal` is what the write-ahead log holds, in bytes, as of each
    /// checkpoint. When another process takes the folder over, `lost` is
    /// cancelled and nothing more is written.
    pub(crate) fn spawn(
        writer: Writer,
        store: Store,
        power: bool,
        wal: Arc<AtomicU64>,
        lost: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (operations, mailbox) = mpsc::channel(MAILBOX);
        let (failing, refuses) = watch::channel(false);
        let (indexing, unindexed) = Indexing::new();
        let urgent = Arc::new(Bell::default());
        let task = Task {
            mailbox,
            urgent: Arc::clone(&urgent),
            writer,
            syncing: Syncing::spawn(store.clone()),
            store,
            power,
            lost,
            arrived: Vec::new(),
            waiting: Waiting::default(),
            journal: Journal::default(),
            next_commit: Instant::now(),
            failing,
            indexing,
            wal,
            told_wal: false,
        };
        (Self { operations, urgent, refuses, unindexed }, tokio::spawn(task.run()))
    }

    /// Appends a record; it is shown after its commit.
    pub(crate) async fn append(&self, append: Append) {
        // The writer is gone only when the process ends.
        if let Err(TrySendError::Full(append)) = self.operations.try_send(Operation::Append(append))
        {
            let _ = self.operations.send(append).await;
        }
    }

    /// Seals or interrupts a log, durably. Waits as long as the store refuses.
    pub(crate) async fn settle(&self, settle: Settle) -> Sealed {
        let (reply, settled) = oneshot::channel();
        let _ = self.operations.send(Operation::Settle(settle, reply)).await;
        settled.await.unwrap_or(Sealed::Stale)
    }

    /// Gives a generation to another run, durably, and returns that run's epoch. `None` when it is
    /// sealed or another run was faster. Waits as long as the store refuses.
    pub(crate) async fn take_over(&self, take_over: TakeOver) -> Option<Epoch> {
        let (reply, taken) = oneshot::channel();
        let _ = self.operations.send(Operation::TakeOver(take_over, reply)).await;
        taken.await.unwrap_or(None)
    }

    /// Waits until the store refuses to write.
    pub(crate) async fn refuses(&self) {
        if self.refuses.clone().wait_for(|refuses| *refuses).await.is_err() {
            // The writer is gone only when the process ends.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until all that was committed before can be found, unless the store refuses to write.
    pub(crate) async fn indexed(&self) {
        if !*self.unindexed.borrow() {
            return;
        }
        let Ok(Indexed { mut left, .. }) = self.command(Command::Index).await else { return };
        // No more than was left then: an import may go on as fast as its texts are put in.
        while left > 0
            && let Ok(next) = self.command(Command::Index).await
            && next.taken > 0
        {
            left = left.saturating_sub(next.taken);
        }
    }

    /// For what takes several steps: whether the first could be written.
    ///
    /// # Errors
    /// [`Refusal::Storage`] while the store refuses to write.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if *self.refuses.borrow() { Err(Refusal::Storage) } else { Ok(()) }
    }

    /// Carries a command out, durably.
    ///
    /// # Errors
    /// [`Refusal::Storage`] while the store refuses to write; nothing has changed then.
    pub(crate) async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, done) = oneshot::channel();
        let command = command(reply);
        let is_urgent = !command.can_wait();
        self.operations.send(Operation::Command(command)).await.map_err(|_| Refusal::Storage)?;
        if is_urgent {
            self.urgent.ring();
        }
        done.await.map_err(|_| Refusal::Storage)
    }
}

struct Task {
    mailbox: mpsc::Receiver<Operation>,
    urgent: Arc<Bell>,
    writer: Writer,
    store: Store,
    /// Every commit waits for the disk (`store.durability = "power"`).
    power: bool,
    lost: CancellationToken,
    /// Empty but while it is sorted: its room is used again.
    arrived: Vec<Operation>,
    waiting: Waiting,
    journal: Journal,
    syncing: Syncing,
    next_commit: Instant,
    /// The store refuses; commands are refused too, until a commit succeeds.
    failing: watch::Sender<bool>,
    indexing: Indexing,
    /// What the write-ahead log held at the last checkpoint, in bytes, until it is looked at.
    wal: Arc<AtomicU64>,
    /// It was logged that the write-ahead log cannot be emptied.
    told_wal: bool,
}

impl Task {
    async fn run(mut self) {
        loop {
            let open = self.gather().await;
            if self.lost.is_cancelled() {
                return;
            }
            // A store that refuses is tried also when nothing waits: commands do not wait for it.
            if !self.waiting.is_empty() || open && self.is_failing() {
                self.commit_waiting().await;
                self.syncing.beside();
                self.restart_wal().await;
                let indexed = self.indexing.beside(&mut self.writer).await;
                self.stop_when_lost(indexed);
            } else if open {
                self.rest().await;
            } else {
                break;
            }
        }
        // Tokens of the last second reach the disk before the process ends.
        let _ = self.sync().await;
        let _ = self.writer.close().await;
    }

    /// Waits for work. `false` when there will be no more.
    async fn gather(&mut self) -> bool {
        let goes_on = !self.waiting.commands.is_empty();
        if self.waiting.is_empty() && !self.is_failing() {
            let idle = self.indexing.pause().unwrap_or_else(|| self.syncing.left());
            match tokio::time::timeout(idle, self.mailbox.recv()).await {
                Ok(Some(operation)) => self.waiting.push(operation),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
        if self.is_failing() {
            return self.gather_while_failing().await;
        }
        // No token wakes the writer meanwhile: most of its work would be waking up.
        if self.next_commit > Instant::now() && !goes_on {
            tokio::select! {
                () = sleep_until(self.next_commit) => {}
                () = self.urgent.rung() => {}
            }
        }
        if !self.mailbox.is_empty() {
            self.mailbox.recv_many(&mut self.arrived, MAILBOX).await;
            self.arrived.drain(..).for_each(|operation| self.waiting.push(operation));
        }
        true
    }

    /// The same, and refuses commands as they come.
    async fn gather_while_failing(&mut self) -> bool {
        let commit_at = sleep_until(self.next_commit);
        tokio::pin!(commit_at);
        loop {
            tokio::select! {
                biased;
                () = &mut commit_at => return true,
                operation = self.mailbox.recv() => {
                    let Some(operation) = operation else {
                        commit_at.await;
                        return !self.waiting.is_empty();
                    };
                    if !matches!(operation, Operation::Command(_)) {
                        self.waiting.push(operation);
                    }
                }
            }
        }
    }

    fn is_failing(&self) -> bool {
        *self.failing.borrow()
    }

    async fn commit_waiting(&mut self) {
        match self.commit().await {
            Ok(()) => {
                if self.failing.send_replace(false) {
                    tracing::info!("the store writes again");
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    /// What models wrote waits, and followers are told. No command waits.
    fn fail(&mut self, error: &StoreError) {
        if matches!(error, StoreError::OwnerLost) {
            tracing::error!("another process took the data folder over; stopping");
            self.lost.cancel();
            return;
        }
        if !self.failing.send_replace(true) {
            tracing::error!(
                error = %error,
                "failed to write to the store; messages are refused and answers wait until it \
                 writes again, which is tried every second"
            );
        }
        self.waiting.commands.clear();
        self.waiting.logs().for_each(|log| log.storage_fails());
        self.next_commit = Instant::now() + RETRY;
    }

    /// Writes what waits. After an error it waits still, but for commands: they are never tried
    /// twice, their callers are told.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        // Somebody rang otherwise, and waits for a command.
        let is_due = self.next_commit <= began;
        if is_due {
            self.append().await?;
            self.next_commit = began + GATHER;
        }
        // A run ends after its records.
        let ends = if is_due { self.waiting.ends() } else { Ends::default() };
        let commands = self.waiting.take_commands();
        let is_needed = ends != Ends::default() || !commands.is_empty() || !self.journal.is_tidy();
        if is_needed || self.is_failing() {
            self.change(ends, commands).await?;
        }
        Ok(())
    }

    /// Commits the records that wait, and shows them.
    async fn append(&mut self) -> Result<(), StoreError> {
        let durability = self.durability();
        let records = appended(self.waiting.records());
        if records.is_empty() {
            return Ok(());
        }
        let row = self.writer.append(durability, &records).await?;
        self.syncing.committed(durability);
        for Append { log, record } in self.waiting.appends.drain(..) {
            self.journal.grow(row, size(&record));
            if log.publish(record) {
                self.journal.enter(&log, row);
            }
        }
        Ok(())
    }

    /// Commits ends of runs, commands, and what the journal asks for. They are shown and told when
    /// they are on the disk.
    async fn change(&mut self, ends: Ends, commands: Vec<Command>) -> Result<(), StoreError> {
        let can_wait = ends == Ends::default() && commands.iter().all(Command::can_wait);
        let durability = self.durability();
        let changes_texts = ends.settles > 0 || commands.iter().any(Command::changes_texts);
        let erases = commands
            .iter()
            .any(|command| matches!(command, Command::Erase(..) | Command::EraseDue(..)));
        let settles = self.waiting.settles.iter().take(ends.settles).map(|(settle, _)| settle);
        let take_overs = self.waiting.take_overs.iter().take(ends.take_overs);
        let mut leaving: HashSet<_> = settles
            .clone()
            .map(|settle| &settle.log)
            .chain(take_overs.clone().map(|(take_over, _)| &take_over.log))
            .map(|log| log.identity.generation_id)
            .collect();

        let mut transaction = self.writer.begin(durability).await?;
        let sealed = settling::settle(&mut transaction, settles).await?;
        let mut taken = Vec::with_capacity(ends.take_overs);
        for (take_over, _) in take_overs {
            taken.push(settling::take_over(&mut transaction, take_over).await?);
        }
        let mut packed = Vec::new();
        for log in self.journal.overlong() {
            // One that ends now is packed already.
            if leaving.insert(log.identity.generation_id) {
                packed.push(settling::pack(&mut transaction, log));
            }
        }
        if erases {
            // What is erased may stand in the newest row: an empty one lets it go.
            self.journal.grow(transaction.append(&[]), 0);
        }
        let trim = self.journal.trim(|id| leaving.contains(id));
        if let Some(trim) = trim {
            transaction.trim_journal(trim);
        }
        transaction.look_up_keys(commands.iter().filter_map(Command::new_turn)).await?;
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            replies.push(command.apply(&mut transaction).await?);
        }
        transaction.commit().await?;

        for (log, upto) in packed {
            log.set_packed(upto);
            self.journal.leave(log.identity.generation_id);
        }
        if let Some(trim) = trim {
            self.journal.trimmed(trim);
        }
        if changes_texts {
            self.indexing.texts_changed();
        }
        let mut outcome = Outcome { ends: Vec::new(), commands: replies };
        for ((settle, reply), sealed) in self.waiting.settles.drain(..ends.settles).zip(sealed) {
            self.journal.leave(settle.log.identity.generation_id);
            if sealed != Sealed::Stale {
                settle.log.ends_with(&settle.record);
            }
            outcome.ends.push(Box::new(move || {
                if sealed != Sealed::Stale {
                    settle.log.publish(settle.record);
                }
                let _ = reply.send(sealed);
            }));
        }
        let take_overs = self.waiting.take_overs.drain(..ends.take_overs);
        for ((TakeOver { log, record, .. }, reply), epoch) in take_overs.zip(taken) {
            if let Some(epoch) = epoch {
                self.journal.leave(log.identity.generation_id);
                if let Some(record) = record {
                    log.publish(record);
                }
                log.set_packed(log.head());
                log.run(epoch);
            }
            outcome.ends.push(Box::new(move || {
                let _ = reply.send(epoch);
            }));
        }
        self.syncing.committed(durability);
        if can_wait || durability == Durability::Power {
            outcome.tell();
        } else {
            self.syncing.tell(outcome);
        }
        Ok(())
    }

    /// No commit waits for the disk itself, unless it has to.
    fn durability(&self) -> Durability {
        if self.power || self.syncing.is_overdue() {
            Durability::Power
        } else {
            Durability::Process
        }
    }

    /// Nothing to do: put texts into the search index; bring tokens to the disk; after a second
    /// without any, give the room of a long write-ahead log back.
    async fn rest(&mut self) {
        self.syncing.look();
        if self.indexing.pause().is_some() && !self.syncing.is_overdue() {
            let indexed = self.indexing.step(&mut self.writer).await;
            self.stop_when_lost(indexed);
        } else if self.syncing.is_needed() {
            if let Err(error) = self.sync().await {
                self.fail(&error);
            }
        } else if self.store.wal_bytes() > WAL_LIMIT {
            let emptied = self.writer.truncate_wal().await;
            self.tell_wal(emptied);
        }
    }

    fn stop_when_lost(&mut self, indexed: Result<(), StoreError>) {
        if let Err(error) = indexed {
            self.fail(&error);
        }
    }

    /// Lets the write-ahead log begin anew before it grows without end: right after a checkpoint,
    /// when hardly anything is left to copy. Cutting its file takes much longer.
    async fn restart_wal(&mut self) {
        if self.wal.swap(0, Ordering::Relaxed) > WAL_LIMIT {
            let restarted = self.writer.restart_wal().await;
            self.tell_wal(restarted);
        }
    }

    /// A disk that stays full is told of once.
    fn tell_wal(&mut self, emptied: Result<(), StoreError>) {
        let told = std::mem::replace(&mut self.told_wal, emptied.is_err());
        if let Err(error) = emptied
            && !told
        {
            tracing::warn!(error = %error, "failed to empty the write-ahead log");
        }
    }

    async fn sync(&mut self) -> Result<(), StoreError> {
        if self.syncing.is_needed() {
            self.writer.begin(Durability::Power).await?.commit().await?;
            self.syncing.committed(Durability::Power);
        }
        Ok(())
    }
}

/// What goes into the journal: a settlement's record does not, but into the pack, in the same
/// transaction.
fn appended(appends: &[Append]) -> Vec<(GenerationId, &Record)> {
    let appended = appends.iter();
    appended.map(|Append { log, record }| (log.identity.generation_id, record)).collect()
}

fn size(record: &Record) -> u64 {
    match &record.body {
        Body::Content(text) | Body::Reasoning(text) => text.len() as u64 + 16,
        Body::Tool(step) => step.bytes() as u64 + 256,
        _ => 256,
    }
}
