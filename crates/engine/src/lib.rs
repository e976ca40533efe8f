//! Generations and their logs: starting, writing, following, stopping, and recovery after a crash.
//!
//! The engine knows no HTTP and no SQL: the server gives it commands and reads followers, the
//! store keeps what it commits, providers give it text.

mod bell;
mod checking;
mod clock;
mod collections;
mod command;
mod embedding;
mod error;
mod export;
mod file_command;
mod files;
mod follow;
mod generation;
mod going_on;
mod history;
mod import;
mod indexing;
mod journal;
mod keep;
mod log;
mod log_writer;
mod notice;
mod preference;
mod prompt;
mod reading;
mod recover;
mod registry;
mod reranking;
mod retrieval;
mod run;
mod search;
mod session;
mod settling;
mod share;
mod sources;
mod syncing;
mod turn;
mod uploads;
mod waiting;
mod web;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use unbroken_protocol::{GenerationId, limits};
use unbroken_providers::Catalogue;
use unbroken_sources::embed::Embedder;
use unbroken_sources::rerank::Reranker;
use unbroken_store::{Store, Writer};

pub use bell::{Bell, Seldom};
pub use clock::{Clock, Simulated};
pub use error::Refusal;
pub use files::{Stored, Upload};
pub use follow::{Follower, Frame, LEFT_OUT, LeftOut, Text, View};
pub use history::Page;
pub use import::NewImport;
pub use keep::Delete;
pub use log::{Identity, Interruption, Log, Summary};
pub use notice::{Heard, Listener};
pub use session::Speaker;
pub use sources::Files;
pub use turn::{Ask, Chatted, Started};
pub use uploads::{Going, Piece};
pub use web::Web;

use command::Command;
use keep::Hidden;
use log_writer::LogWriter;
use notice::Notices;
use preference::Preferences;
use registry::{Logs, Runs};
use session::Remembered;
use sources::AtWork;

/// How often the write-ahead log is copied into the database.
const CHECKPOINT: Duration = Duration::from_secs(1);
/// Below this a checkpoint is not worth its work, in bytes.
const CHECKPOINT_ABOVE: u64 = 4 << 20;

/// What an operator decides about the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Every commit waits for the disk (`store.durability = "power"`).
    pub power_durability: bool,
    /// The longest message that a person may send, in bytes.
    pub message_bytes: usize,
    pub clock: Clock,
    /// The folder of files that are being imported; none takes no files.
    pub imports: Option<PathBuf>,
    /// How files are kept and read that people bring; none takes no files.
    pub files: Option<Files>,
    /// How the web is searched and its pages are fetched; none fetches nothing.
    pub web: Option<Web>,
    /// What makes vectors of passages and questions; none leaves it to full text.
    pub embedder: Option<Embedder>,
    /// What orders the passages that were found; none leaves them as they were found.
    pub reranker: Option<Reranker>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            power_durability: false,
            message_bytes: limits::MESSAGE_BYTES,
            clock: Clock::System,
            imports: None,
            files: None,
            web: None,
            embedder: None,
            reranker: None,
        }
    }
}

/// Everything that is alive. Clones are cheap handles of the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    writer: LogWriter,
    catalogue: Arc<Catalogue>,
    settings: Settings,
    logs: Logs,
    runs: Runs,
    notices: Notices,
    remembered: Remembered,
    preferences: Preferences,
    /// Whose import runs.
    importing: Semaphore,
    /// The files that this process works on.
    at_work: AtWork,
    hidden: Hidden,
    tasks: TaskTracker,
    /// Runs leave their generations to the next process.
    abandon: CancellationToken,
    /// Another process took the data folder over.
    lost: CancellationToken,
}

impl Engine {
    /// Takes a data folder into use: recovers what a dead process left, then lets turns that wait
    /// run.
    ///
    /// # Errors
    /// When the journal cannot be read or recovery cannot be written.
    pub async fn open(
        store: Store,
        writer: Writer,
        catalogue: Arc<Catalogue>,
        settings: Settings,
    ) -> Result<Self, Refusal> {
        let lost = CancellationToken::new();
        let tasks = TaskTracker::new();
        let wal = Arc::new(AtomicU64::new(0));
        let power = settings.power_durability;
        let (writer, task) =
            LogWriter::spawn(writer, store.clone(), power, Arc::clone(&wal), lost.clone());
        tasks.spawn(task);
        let engine = Self {
            inner: Arc::new(Inner {
                store,
                writer,
                catalogue,
                settings,
                logs: Logs::default(),
                runs: Runs::default(),
                notices: Notices::default(),
                remembered: Remembered::default(),
                preferences: Preferences::default(),
                importing: Semaphore::new(1),
                at_work: AtWork::default(),
                hidden: Hidden::default(),
                tasks,
                abandon: CancellationToken::new(),
                lost,
            }),
        };
        engine.recover().await?;
        engine.resume_imports().await?;
        engine.resume_files().await?;
        engine.spawn_embedding();
        let checkpoints = engine.clone().checkpoints(wal);
        engine.inner.tasks.spawn(checkpoints);
        engine.inner.tasks.spawn(engine.clone().sweep());
        Ok(engine)
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.inner.catalogue
    }

    /// Cancelled when another process took the data folder over: this one must end at once.
    pub fn lost(&self) -> &CancellationToken {
        &self.inner.lost
    }

    /// How many answers are being written.
    pub fn running(&self) -> usize {
        self.inner.runs.count()
    }

    /// Whether the store takes what is written, as of the last attempt.
    pub fn can_write(&self) -> bool {
        self.inner.writer.check().is_ok()
    }

    /// Waits until no answer is being written.
    pub async fn idle(&self) {
        self.inner.runs.idle().await;
    }

    /// Ends all runs where they are, brings everything to the disk and closes the store. What was
    /// running is taken over by the next start.
    pub async fn close(self) {
        self.inner.abandon.cancel();
        self.inner.runs.idle().await;
        let tasks = self.inner.tasks.clone();
        let store = self.inner.store.clone();
        tasks.close();
        // The log writer ends when the last handle is gone.
        drop(self);
        tasks.wait().await;
        store.close().await;
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.settings.clock
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn remembered(&self) -> &Remembered {
        &self.inner.remembered
    }

    pub(crate) async fn command<T: Send + 'static>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Refusal> {
        self.inner.writer.command(command).await
    }

    /// Runs `work` to its end even when the caller goes away in the middle: a request that was
    /// half carried out would be neither there nor not there.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.inner.tasks.spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "failed to carry a command out");
            Err(Refusal::Internal)
        })
    }

    /// As [`Self::carry_out`], for work that waits as long as the store refuses to write: its
    /// caller does not.
    ///
    /// # Errors
    /// `storage_unavailable` as soon as the store refuses. What was begun goes on, and is durable
    /// only when the store writes again.
    pub(crate) async fn carry_out_while_storing<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            done = self.carry_out(work) => done,
            () = self.inner.writer.refuses() => Err(Refusal::Storage),
        }
    }

    /// Remembers that a device was sent the end of a generation (PROTOCOL A3, rule 3).
    pub async fn deliver(&self, generation: GenerationId, speaker: &Speaker) {
        let device = speaker.device.clone();
        // Not remembered means at worst that an end is sent again.
        let _ = self.command(|reply| Command::Deliver(generation, device, reply)).await;
    }

    async fn checkpoints(self, wal: Arc<AtomicU64>) {
        let abandon = self.inner.abandon.clone();
        let store = self.inner.store.clone();
        // No handle of the engine stays here: the writer ends with the last one.
        drop(self);
        // A disk that stays full is told of once.
        let mut failing = false;
        loop {
            tokio::select! {
                biased;
                () = abandon.cancelled() => return,
                () = tokio::time::sleep(CHECKPOINT) => {}
            }
            if store.wal_bytes() > CHECKPOINT_ABOVE {
                let copied = store.checkpoint().await;
                let told = std::mem::replace(&mut failing, copied.is_err());
                match copied {
                    Ok(bytes) => wal.store(bytes, Ordering::Relaxed),
                    Err(error) if !told => {
                        tracing::warn!(error = %error, "failed to checkpoint the store");
                    }
                    Err(_) => {}
                }
            }
        }
    }
}
