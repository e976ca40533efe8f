//! What a person's connections hear without asking: conversations, queues and new turns, on every
//! tab and device at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use unbroken_protocol::{Event, PrincipalId};

/// Notices that a connection may be behind before it has to start over.
const BEHIND: usize = 256;

/// Notices by principal. Nobody listens for most principals at most times.
#[derive(Default)]
pub(crate) struct Notices {
    senders: Mutex<HashMap<PrincipalId, broadcast::Sender<Arc<Event>>>>,
}

impl Notices {
    pub(crate) fn subscribe(&self, principal: PrincipalId) -> broadcast::Receiver<Arc<Event>> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.retain(|_, sender| sender.receiver_count() > 0);
        senders.entry(principal).or_insert_with(|| broadcast::channel(BEHIND).0).subscribe()
    }

    pub(crate) fn has_listeners(&self, principal: PrincipalId) -> bool {
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.get(&principal).is_some_and(|sender| sender.receiver_count() > 0)
    }

    pub(crate) fn send(&self, principal: PrincipalId, event: Event) {
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = senders.get(&principal) {
            let _ = sender.send(Arc::new(event));
        }
    }
}
