//! Colours for code that has settled: found on a thread of its own, within limits, and kept for
//! whoever opens the same conversation next.

mod kept;
mod lines;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use unbroken_protocol::{Code, Spans};

use kept::{Kept, Key};

/// What takes longer stays without colours.
const LONGEST: Duration = Duration::from_millis(500);
/// How many calls are worked on at once; others wait, but not longer than [`LONGEST`].
const AT_ONCE: usize = 2;

#[derive(Debug)]
pub(crate) struct Highlighter {
    permits: Arc<Semaphore>,
    kept: Arc<Mutex<Kept>>,
}

impl Default for Highlighter {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), kept: Arc::default() }
    }
}

impl Highlighter {
    /// The colours of every block, in order. Costs at most [`LONGEST`]; what is not done by then
    /// has none, and is not kept.
    pub(crate) async fn colour(&self, blocks: Vec<Code>) -> Vec<Spans> {
        let keys: Vec<Key> = blocks.iter().map(kept::key).collect();
        let mut found: Vec<Option<Spans>> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            keys.iter().map(|key| kept.get(key)).collect()
        };
        let end = Instant::now() + LONGEST;
        if found.iter().any(Option::is_none)
            && let Ok(Ok(permit)) =
                timeout_at(end.into(), Arc::clone(&self.permits).acquire_owned()).await
        {
            let cache = Arc::clone(&self.kept);
            let work = tokio::task::spawn_blocking(move || {
                // Held to the end of the work, also when nobody waits for it any more.
                let _permit = permit;
                for ((block, key), spans) in blocks.iter().zip(keys).zip(&mut found) {
                    if spans.is_none()
                        && let Some(new) = lines::colour(block, end)
                    {
                        *spans = Some(new.clone());
                        cache.lock().unwrap_or_else(PoisonError::into_inner).keep(key, new);
                    }
                }
                found
            });
            let Ok(done) = work.await else { return Vec::new() };
            found = done;
        }
        found.into_iter().map(Option::unwrap_or_default).collect()
    }
}
