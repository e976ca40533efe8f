//! When commits come to the disk: beside further commits, which would wait for it otherwise.
//!
//! What a person waits for is told, and an end is shown, when it is there.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use unbroken_store::{Durability, Store};

/// Tokens that are only with the operating system are on the disk after this long.
const WITHIN: Duration = Duration::from_secs(1);
/// After this long they are brought there. Only what has not arrived by [`WITHIN`] holds a commit
/// up.
const BESIDE: Duration = Duration::from_millis(500);

/// Tells somebody what came of a commit.
pub(crate) type Reply = Box<dyn FnOnce() + Send>;

/// What is told of a commit when it is on the disk.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Ends of runs: told anyhow, as there is nobody to try again.
    pub(crate) ends: Vec<Reply>,
    /// Commands: not told when the disk fails, which refuses them.
    pub(crate) commands: Vec<Reply>,
}

impl Outcome {
    pub(crate) fn tell(self) {
        self.ends.into_iter().chain(self.commands).for_each(|reply| reply());
    }
}

pub(crate) struct Syncing {
    asked: mpsc::UnboundedSender<Outcome>,
    done: Arc<Mutex<Done>>,
    /// The oldest commit that may not be on the disk, and the newest.
    unsynced: Option<(Instant, Instant)>,
    /// When tokens are brought to the disk, if nothing else is before.
    next: Instant,
}

/// What came of syncs since it was looked at.
#[derive(Default)]
struct Done {
    /// When the last one began: what was committed before is on the disk.
    began: Option<Instant>,
    failed: bool,
}

impl Syncing {
    pub(crate) fn spawn(store: Store) -> Self {
        let (asked, mut outcomes) = mpsc::unbounded_channel::<Outcome>();
        let done = Arc::<Mutex<Done>>::default();
        let syncing = Self { asked, done: Arc::clone(&done), unsynced: None, next: Instant::now() };
        tokio::spawn(async move {
            let mut some = Vec::new();
            // One sync for all who asked during the one before.
            while outcomes.recv_many(&mut some, usize::MAX).await > 0 {
                let began = Instant::now();
                let synced = store.sync_wal().await;
                {
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    match &synced {
                        Ok(()) => done.began = Some(began),
                        Err(_) => done.failed = true,
                    }
                }
                for mut outcome in some.drain(..) {
                    if synced.is_err() {
                        outcome.commands.clear();
                    }
                    outcome.tell();
                }
            }
        });
        syncing
    }

    /// A commit is done.
    pub(crate) fn committed(&mut self, durability: Durability) {
        let now = Instant::now();
        self.unsynced = match durability {
            Durability::Power => None,
            Durability::Process => Some((self.unsynced.map_or(now, |(oldest, _)| oldest), now)),
        };
    }

    /// Tells what came of it when it is on the disk.
    pub(crate) fn tell(&self, outcome: Outcome) {
        // The receiver is gone only when the process ends.
        let _ = self.asked.send(outcome);
    }

    /// Looks what came of syncs.
    pub(crate) fn look(&mut self) {
        let done = mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        if let (Some(began), Some((oldest, newest))) = (done.began, self.unsynced) {
            self.unsynced = (newest >= began).then_some((oldest.max(began), newest));
        }
        if done.failed {
            // The next commit syncs, and says what is wrong.
            let now = Instant::now();
            self.unsynced = now.checked_sub(WITHIN).map(|oldest| (oldest, now)).or(self.unsynced);
        }
    }

    /// Asks for a sync if tokens wait for one.
    pub(crate) fn beside(&mut self) {
        self.look();
        let now = Instant::now();
        if self.unsynced_for() >= BESIDE && self.next <= now && !self.is_overdue() {
            self.next = now + BESIDE;
            self.tell(Outcome::default());
        }
    }

    /// How long something waits for the disk.
    fn unsynced_for(&self) -> Duration {
        self.unsynced.map_or(Duration::ZERO, |(oldest, _)| oldest.elapsed())
    }

    /// Something may not be on the disk.
    pub(crate) fn is_needed(&self) -> bool {
        self.unsynced.is_some()
    }

    /// The next commit has to bring all before it to the disk.
    pub(crate) fn is_overdue(&self) -> bool {
        self.unsynced_for() >= WITHIN
    }

    /// How long until that.
    pub(crate) fn left(&self) -> Duration {
        WITHIN.saturating_sub(self.unsynced_for())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// An outcome of an end and a command, and what is told of each.
    fn outcome() -> (Outcome, oneshot::Receiver<()>, oneshot::Receiver<()>) {
        let (end, ended) = oneshot::channel();
        let (command, done) = oneshot::channel();
        let tell = |reply: oneshot::Sender<()>| -> Reply { Box::new(|| reply.send(()).unwrap()) };
        (Outcome { ends: vec![tell(end)], commands: vec![tell(command)] }, ended, done)
    }

    #[tokio::test]
    async fn what_is_on_the_disk_is_told_and_needs_no_further_sync() {
        let folder = tempfile::TempDir::new().unwrap();
        let (store, _writer) = Store::open(folder.path()).await.unwrap();
        let mut syncing = Syncing::spawn(store);
        syncing.committed(Durability::Process);
        assert!(syncing.is_needed());
        let (outcome, ended, done) = outcome();
        syncing.tell(outcome);
        ended.await.unwrap();
        done.await.unwrap();
        syncing.look();
        assert!(!syncing.is_needed());
    }

    #[tokio::test]
    async fn a_disk_that_fails_refuses_commands_and_holds_the_next_commit_up() {
        let folder = tempfile::TempDir::new().unwrap();
        let (store, _writer) = Store::open(folder.path()).await.unwrap();
        let log = folder.path().join("unbroken.db-wal");
        std::fs::remove_file(&log).unwrap();
        // No file can be brought to the disk there: EINVAL.
        std::os::unix::fs::symlink("/dev/null", log).unwrap();
        let mut syncing = Syncing::spawn(store);
        syncing.committed(Durability::Process);
        let (outcome, ended, done) = outcome();
        syncing.tell(outcome);
        ended.await.unwrap();
        done.await.expect_err("nobody is told that it is done");
        syncing.look();
        assert!(syncing.is_overdue());
        syncing.committed(Durability::Power);
        assert!(!syncing.is_needed());
    }
}
