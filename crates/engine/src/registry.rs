//! What is in memory: at most one [`Log`] per generation, and the runs that are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use unbroken_protocol::{ConversationId, GenerationId};
use unbroken_store::{Generation, Record, Store, StoreError};

use crate::log::{Identity, Log};

/// Forgotten logs are swept out when this many slots are there.
const SWEEP_ABOVE: usize = 1024;

/// The logs in memory. Whoever needs one gets the same one, so that what is appended reaches all.
#[derive(Default)]
pub(crate) struct Logs {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_id: HashMap<GenerationId, Slot>,
    sweep_at: usize,
}

/// Locked while the log is being read from the store: nobody reads an older one meanwhile.
type Slot = Arc<tokio::sync::Mutex<Weak<Log>>>;

impl Logs {
    /// The log of a generation, from memory or else from the store. `None` when it is not there.
    pub(crate) async fn get(
        &self,
        id: GenerationId,
        store: &Store,
    ) -> Result<Option<Arc<Log>>, StoreError> {
        let slot = self.slot(id);
        let mut place = slot.lock().await;
        if let Some(log) = place.upgrade() {
            return Ok(Some(log));
        }
        let Some(generation) = store.generation(id).await? else { return Ok(None) };
        let log = read(&generation, store).await?;
        *place = Arc::downgrade(&log);
        Ok(Some(log))
    }

    /// The log of a generation that is new: it is not read, unless somebody did meanwhile.
    pub(crate) async fn begin(&self, generation: &Generation, records: Vec<Record>) -> Arc<Log> {
        let slot = self.slot(generation.generation_id);
        let mut place = slot.lock().await;
        place.upgrade().unwrap_or_else(|| {
            let log = log(generation, records);
            *place = Arc::downgrade(&log);
            log
        })
    }

    /// Puts a log there that was rebuilt from the journal.
    pub(crate) async fn put(&self, log: &Arc<Log>) {
        let slot = self.slot(log.identity.generation_id);
        *slot.lock().await = Arc::downgrade(log);
    }

    fn slot(&self, id: GenerationId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.by_id.len() >= slots.sweep_at.max(SWEEP_ABOVE) {
            // A slot that somebody holds, or whose log lives, stays.
            slots.by_id.retain(|_, slot| {
                Arc::strong_count(slot) > 1
                    || slot.try_lock().is_ok_and(|log| log.strong_count() > 0)
            });
            slots.sweep_at = slots.by_id.len() * 2;
        }
        Arc::clone(slots.by_id.entry(id).or_default())
    }
}

async fn read(generation: &Generation, store: &Store) -> Result<Arc<Log>, StoreError> {
    Ok(log(generation, store.packed_records(generation.generation_id).await?))
}

/// A log of which the journal holds nothing.
fn log(generation: &Generation, records: Vec<Record>) -> Arc<Log> {
    let Generation { state, epoch, .. } = *generation;
    let packed = records.len() as u64;
    Arc::new(Log::new(Identity::from(generation), state, epoch, packed, records))
}

/// The runs that are under way, each with its stop.
#[derive(Default)]
pub(crate) struct Runs {
    running: Mutex<HashMap<GenerationId, Running>>,
    ended: Notify,
}

#[derive(Clone)]
struct Running {
    conversation: ConversationId,
    stop: CancellationToken,
}

impl Runs {
    /// Notes a run and returns its stop.
    pub(crate) fn begin(
        &self,
        id: GenerationId,
        conversation: ConversationId,
    ) -> CancellationToken {
        let stop = CancellationToken::new();
        let running = Running { conversation, stop: stop.clone() };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id, running);
        stop
    }

    pub(crate) fn end(&self, id: GenerationId) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.ended.notify_waiters();
    }

    /// Asks a run to stop. `false` when none is under way.
    pub(crate) fn stop(&self, id: GenerationId) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(&id).inspect(|running| running.stop.cancel()).is_some()
    }

    /// The generations of a conversation that run.
    pub(crate) fn of(&self, conversation: ConversationId) -> Vec<GenerationId> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let here = running.iter().filter(|(_, run)| run.conversation == conversation);
        let mut here: Vec<_> = here.map(|(id, _)| *id).collect();
        // A map has no order of its own.
        here.sort();
        here
    }

    pub(crate) fn count(&self) -> usize {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Waits until no run is under way.
    pub(crate) async fn idle(&self) {
        self.until(HashMap::is_empty).await;
    }

    /// Waits until a run has ended, and what it wrote last is committed.
    pub(crate) async fn ended(&self, id: GenerationId) {
        self.until(|running| !running.contains_key(&id)).await;
    }

    async fn until(&self, done: impl Fn(&HashMap<GenerationId, Running>) -> bool) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if done(&self.running.lock().unwrap_or_else(PoisonError::into_inner)) {
                return;
            }
            ended.await;
        }
    }
}
