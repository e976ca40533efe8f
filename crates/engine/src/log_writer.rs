//! The log writer: one task that makes the records of all live generations durable, many in one
//! commit, and shows them afterwards.
//!
//! It commits at once when it is idle or a person waits, and gathers for a few milliseconds when it
//! is busy. Nothing else in the system batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use unbroken_protocol::{Epoch, GenerationId, Seq};
use unbroken_store::{Body, Durability, Indexed, Record, Sealed, Store, StoreError, Writer};

use crate::bell::Bell;
use crate::command::Command;
use crate::error::Refusal;
use crate::indexing::Indexing;
use crate::journal::Journal;
use crate::log::Log;
use crate::settling;

/// Commits begin at least this far apart while there is always something to write.
const GATHER: Duration = Duration::from_millis(5);
/// Tokens that are only with the operating system are on the disk after this long.
const SYNC_WITHIN: Duration = Duration::from_secs(1);
/// After this long they are brought there beside other commits. Only what has not arrived by
/// [`SYNC_WITHIN`] holds one up.
const SYNC_BESIDE: Duration = Duration::from_millis(500);
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

/// A generation goes to another run: the last record of the run before, which broke off.
pub(crate) struct TakeOver {
    pub(crate) log: Arc<Log>,
    /// `None` when the log says already that it broke off.
    pub(crate) record: Option<Record>,
}

enum Operation {
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
            store,
            power,
            lost,
            waiting: Vec::new(),
            journal: Journal::default(),
            unsynced_since: None,
            syncing: None,
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
    /// What the next commit holds, in the order of arrival.
    waiting: Vec<Operation>,
    journal: Journal,
    unsynced_since: Option<Instant>,
    /// What was committed before that is being brought to the disk.
    syncing: Option<(Instant, tokio::task::JoinHandle<Result<(), StoreError>>)>,
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
                self.sync_beside().await;
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
        if self.waiting.is_empty() && !self.is_failing() {
            let idle = self.indexing.pause().unwrap_or_else(|| {
                let unsynced = self.unsynced_since.map_or(Duration::ZERO, |since| since.elapsed());
                SYNC_WITHIN.saturating_sub(unsynced)
            });
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
        if self.next_commit > Instant::now() {
            tokio::select! {
                () = sleep_until(self.next_commit) => {}
                () = self.urgent.rung() => {}
            }
        }
        if !self.mailbox.is_empty() {
            self.mailbox.recv_many(&mut self.waiting, MAILBOX).await;
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
        let began = Instant::now();
        match self.commit().await {
            Ok(()) => {
                if self.failing.send_replace(false) {
                    tracing::info!("the store writes again");
                }
                self.next_commit = began + GATHER;
            }
            Err(error) => self.fail(&error),
        }
    }

    /// What models wrote waits, and followers are told. No command waits: a commit takes them out.
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
        for operation in &self.waiting {
            match operation {
                Operation::Append(append) => append.log.storage_fails(),
                Operation::Settle(settle, _) => settle.log.storage_fails(),
                Operation::TakeOver(take_over, _) => take_over.log.storage_fails(),
                Operation::Command(_) => {}
            }
        }
        self.next_commit = Instant::now() + RETRY;
    }

    /// Writes everything that waits in one transaction. After an error it waits still, but for
    /// commands: they are never tried twice, their callers are told.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let mut ends = Ends(HashMap::with_capacity(self.waiting.len()));
        self.waiting.retain(|operation| match operation {
            Operation::Append(append) => ends.take_append(append),
            // Its caller is told that it is stale.
            Operation::Settle(settle, _) => ends.take_settle(settle),
            Operation::TakeOver(..) | Operation::Command(_) => true,
        });
        let commands = self.take_commands();
        let tokens_only = commands.iter().all(Command::can_wait)
            && self.waiting.iter().all(|operation| matches!(operation, Operation::Append(_)));
        let durability = if tokens_only && !self.power && !self.is_overdue() {
            Durability::Process
        } else {
            Durability::Power
        };

        if self.only_appends() && commands.is_empty() {
            let row = self.writer.append(durability, &appended(&self.waiting)).await?;
            self.committed(durability);
            self.show(Some(row), Vec::new(), Vec::new());
            return Ok(());
        }
        let erases = commands
            .iter()
            .any(|command| matches!(command, Command::Erase(..) | Command::EraseDue(..)));
        let mut changes_texts = commands.iter().any(Command::changes_texts);
        let mut transaction = self.writer.begin(durability).await?;
        let sealed = settling::settle(&mut transaction, settles(&self.waiting)).await?;
        let mut taken = Vec::new();
        let mut packed = Vec::new();
        for operation in &self.waiting {
            if let Operation::TakeOver(take_over, _) = operation {
                taken.push(settling::take_over(&mut transaction, take_over).await?);
            }
        }
        for log in self.journal.overlong() {
            // One that ends now is packed already.
            if !leaves(&self.waiting, &[], log.identity.generation_id) {
                packed.push(settling::pack(&mut transaction, log));
            }
        }
        let mut trim = None;
        let mut row = None;
        let records = appended(&self.waiting);
        // What is erased may stand there still; an empty row lets all before it go.
        if !records.is_empty() || erases {
            let newest = transaction.append(&records);
            trim = self.journal.trim_to(newest, |id| leaves(&self.waiting, &packed, *id));
            row = Some(newest);
        }
        if let Some(trim) = trim {
            transaction.trim_journal(trim);
        }
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            replies.push(command.apply(&mut transaction).await?);
        }
        transaction.commit().await?;

        changes_texts |= !sealed.is_empty();
        for (log, upto) in packed {
            log.set_packed(upto);
            self.journal.leave(log.identity.generation_id);
        }
        if let Some(trim) = trim {
            self.journal.trimmed(trim);
        }
        self.committed(durability);
        if changes_texts {
            self.indexing.texts_changed();
        }
        self.show(row, sealed, taken);
        for reply in replies {
            reply();
        }
        Ok(())
    }

    /// Whether records come to the journal and nothing else is to be written, as mostly.
    fn only_appends(&self) -> bool {
        let is_append = |operation| matches!(operation, &Operation::Append(_));
        !self.waiting.is_empty() && self.waiting.iter().all(is_append) && self.journal.is_tidy()
    }

    /// Tokens have to come to the disk now.
    fn is_overdue(&self) -> bool {
        self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_WITHIN)
    }

    fn committed(&mut self, durability: Durability) {
        self.unsynced_since = match durability {
            Durability::Process => self.unsynced_since.or_else(|| Some(Instant::now())),
            Durability::Power => None,
        };
    }

    /// Brings tokens to the disk beside other commits.
    async fn sync_beside(&mut self) {
        if let Some((began, done)) = self.syncing.take_if(|(_, done)| done.is_finished()) {
            self.unsynced_since = match done.await {
                Ok(Ok(())) => self.unsynced_since.map(|since| since.max(began)),
                // The next commit syncs, and says what is wrong.
                _ => Instant::now().checked_sub(SYNC_WITHIN).or(self.unsynced_since),
            };
        }
        let is_due = self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_BESIDE);
        if is_due && self.syncing.is_none() && !self.is_overdue() {
            let store = self.store.clone();
            let done = tokio::spawn(async move { store.sync_wal().await });
            self.syncing = Some((Instant::now(), done));
        }
    }

    fn take_commands(&mut self) -> Vec<Command> {
        let is_command = |operation: &mut Operation| matches!(operation, Operation::Command(_));
        let taken = self.waiting.extract_if(.., is_command);
        let commands = taken.filter_map(|operation| match operation {
            Operation::Command(command) => Some(command),
            _ => None,
        });
        commands.collect()
    }

    /// After the commit: everybody sees what waited.
    fn show(&mut self, row: Option<i64>, sealed: Vec<Sealed>, taken: Vec<Option<Epoch>>) {
        let mut sealed = sealed.into_iter();
        let mut taken = taken.into_iter();
        // Put back when it is empty, as the next commit will need the same room.
        let mut waiting = std::mem::take(&mut self.waiting);
        for operation in waiting.drain(..) {
            match operation {
                Operation::Append(Append { log, record }) => {
                    let row = row.expect("an append is in the journal");
                    self.journal.grow(size(&record));
                    if log.publish(record) {
                        self.journal.enter(&log, row);
                    }
                }
                Operation::Settle(settle, reply) => {
                    let sealed = sealed.next().expect("one outcome per settlement");
                    self.journal.leave(settle.log.identity.generation_id);
                    if sealed != Sealed::Stale {
                        settle.log.publish(settle.record);
                        settle.log.set_packed(settle.log.head());
                    }
                    let _ = reply.send(sealed);
                }
                Operation::TakeOver(TakeOver { log, record }, reply) => {
                    let epoch = taken.next().expect("one outcome per takeover");
                    if let Some(epoch) = epoch {
                        self.journal.leave(log.identity.generation_id);
                        if let Some(record) = record {
                            log.publish(record);
                        }
                        log.set_packed(log.head());
                        log.run(epoch);
                    }
                    let _ = reply.send(epoch);
                }
                Operation::Command(_) => unreachable!("commands were taken out"),
            }
        }
        self.waiting = waiting;
    }

    /// Nothing to do: put texts into the search index; bring tokens to the disk; after a second
    /// without any, give the room of a long write-ahead log back.
    async fn rest(&mut self) {
        if self.indexing.pause().is_some() && !self.is_overdue() {
            let indexed = self.indexing.step(&mut self.writer, Duration::ZERO).await;
            self.stop_when_lost(indexed);
        } else if self.unsynced_since.is_some() {
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
        if self.unsynced_since.is_some() {
            self.writer.begin(Durability::Power).await?.commit().await?;
            self.unsynced_since = None;
        }
        Ok(())
    }
}

/// Where the logs of one commit end when what was taken so far is in it.
///
/// Refused is what does not continue its log: it was sealed meanwhile, also by this very commit, or
/// a later run owns it (PROTOCOL B8.1, B8.5, B8.6).
struct Ends(HashMap<GenerationId, End>);

/// Where a log ends, and which run may write it; `None` when none may.
#[derive(Clone, Copy)]
struct End {
    epoch: Option<Epoch>,
    seq: Seq,
}

impl Ends {
    fn take_append(&mut self, append: &Append) -> bool {
        let end = self.end(&append.log);
        let fits = end.is_continued_by(&append.record);
        if fits {
            end.seq = append.record.seq;
        }
        fits
    }

    fn take_settle(&mut self, settle: &Settle) -> bool {
        let end = self.end(&settle.log);
        let fits = end.is_continued_by(&settle.record);
        if fits {
            end.epoch = None;
        }
        fits
    }

    fn end(&mut self, log: &Log) -> &mut End {
        self.0.entry(log.identity.generation_id).or_insert_with(|| {
            let inner = log.lock();
            End { epoch: inner.takes(), seq: inner.head() }
        })
    }
}

impl End {
    fn is_continued_by(self, record: &Record) -> bool {
        self.epoch == Some(record.epoch) && self.seq + 1 == record.seq
    }
}

/// What goes into the journal: a settlement's record does not, but into the pack, in the same
/// transaction.
fn appended(operations: &[Operation]) -> Vec<(GenerationId, &Record)> {
    let appended = operations.iter().filter_map(|operation| match operation {
        Operation::Append(Append { log, record }) => Some((log.identity.generation_id, record)),
        _ => None,
    });
    appended.collect()
}

fn settles(operations: &[Operation]) -> impl Iterator<Item = &Settle> {
    operations.iter().filter_map(|operation| match operation {
        Operation::Settle(settle, _) => Some(settle),
        _ => None,
    })
}

fn size(record: &Record) -> u64 {
    match &record.body {
        Body::Content(text) | Body::Reasoning(text) => text.len() as u64 + 16,
        Body::Tool(step) => step.bytes() as u64 + 256,
        _ => 256,
    }
}

/// Whether a generation's records leave the journal with this commit.
fn leaves(operations: &[Operation], packed: &[(Arc<Log>, Seq)], id: GenerationId) -> bool {
    let leaves = operations.iter().any(|operation| match operation {
        Operation::Settle(settle, _) => settle.log.identity.generation_id == id,
        Operation::TakeOver(take_over, _) => take_over.log.identity.generation_id == id,
        Operation::Append(_) | Operation::Command(_) => false,
    });
    leaves || packed.iter().any(|(log, _)| log.identity.generation_id == id)
}
