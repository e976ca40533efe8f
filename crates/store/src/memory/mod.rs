//! The store in memory: plain maps, for tests and for the simulation.
//!
//! A transaction works on a copy of the state and puts it in the place of the old one at the
//! commit; dropping it undoes everything. Records are kept as they are, without the codec.

mod branch;
mod collections;
mod files;
mod history;
mod keep;
mod moving;
mod passages;
mod prompt;
mod read;
mod rows;
mod search;
mod state;
mod turn;
mod vectors;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{Store, StoreError};
use state::State;

/// A state that outlives those who opened it, as a data folder does. Clones are handles of the
/// same state.
#[derive(Clone, Default)]
pub struct Memory {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// What is committed.
    state: Arc<State>,
    /// The run that owns the state: the last one that opened it.
    run: u128,
    /// Commits are refused, as a full disk does.
    refuses: bool,
    /// Told when the next commit was applied; that commit is never answered.
    dies: Option<oneshot::Sender<()>>,
}

impl Memory {
    /// Takes the state into use. Who had it before loses it, as a data folder is lost.
    pub fn open(&self) -> (Store, crate::Writer) {
        let mut shared = self.lock();
        shared.run += 1;
        shared.dies = None;
        let writer = Writer { memory: self.clone(), run: shared.run };
        (Store::Memory(self.clone()), crate::Writer::Memory(writer))
    }

    /// From now on commits are refused, or taken again: a disk that is full for a while.
    pub fn refuse(&self, refuses: bool) {
        self.lock().refuses = refuses;
    }

    /// The next commit is applied and never answered, as when the process dies in between. The
    /// receiver is told when that has happened; dropping it before changes nothing.
    pub fn die_after_commit(&self) -> oneshot::Receiver<()> {
        let (told, died) = oneshot::channel();
        self.lock().dies = Some(told);
        died
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // The state is replaced as a whole: a panic elsewhere leaves it whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.lock().state)
    }
}

/// The one that changes the state, until the next one opens it.
pub struct Writer {
    memory: Memory,
    run: u128,
}

impl Writer {
    pub(crate) fn run(&self) -> [u8; 16] {
        self.run.to_be_bytes()
    }

    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        let shared = self.memory.lock();
        if shared.run != self.run {
            return Err(StoreError::OwnerLost);
        }
        let state = Arc::clone(&shared.state);
        drop(shared);
        Ok(Transaction { writer: self, state })
    }
}

/// Changes to a copy of the state.
pub struct Transaction<'a> {
    writer: &'a mut Writer,
    state: Arc<State>,
}

impl Transaction<'_> {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let dies = {
            let mut shared = self.writer.memory.lock();
            if shared.run != self.writer.run {
                return Err(StoreError::OwnerLost);
            }
            if shared.refuses {
                return Err(StoreError::Full);
            }
            shared.state = self.state;
            shared.dies.take()
        };
        if dies.is_some_and(|told| told.send(()).is_ok()) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn state(&mut self) -> &mut State {
        Arc::make_mut(&mut self.state)
    }
}
