//! What a person's connections hear without asking: conversations, queues and new turns, on every
//! tab and device at once.
//!
//! Each principal has a ring of recent notices, and each listener a place in it and no queue. So
//! who comes back soon misses nothing, and who comes back late is told that it did.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use unbroken_protocol::{Epoch, Event, Position, PrincipalId, Seq};

use crate::Engine;

/// Notices that a ring keeps.
const NOTICES: usize = 256;
/// About how many bytes of notices a ring keeps; a single notice may be larger.
const BYTES: usize = 256 * 1024;
/// How long a ring is kept after its last listener has left.
const KEPT: Duration = Duration::from_mins(5);
/// Rings without a listener that are kept; above that they all go.
const IDLE_RINGS: usize = 1024;

/// Rings by principal. Nobody listens for most principals at most times, and they have none.
#[derive(Default)]
pub(crate) struct Notices {
    rings: Mutex<HashMap<PrincipalId, Arc<Ring>>>,
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Notice(Arc<Event>),
    /// Some before this are gone: the lists have to be read again.
    Missed,
}

/// One reader of one ring, and how far it came.
pub struct Listener {
    ring: Arc<Ring>,
    head: watch::Receiver<Seq>,
    /// Ready when the ring has grown since it was made.
    grown: Pin<Box<OwnedNotified>>,
    held: Seq,
    missed: bool,
}

/// The recent notices of one principal, numbered from 1.
struct Ring {
    /// Another number for every ring: a place in one that is gone is known as such.
    epoch: Epoch,
    kept: Mutex<Kept>,
    head: watch::Sender<Seq>,
    /// Wakes listeners in the order in which they came; `watch` would wake them in a random one.
    grown: Arc<Notify>,
    /// Held from reading the store until what was read is sent: so what is sent last is newest.
    order: tokio::sync::Mutex<()>,
}

struct Kept {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Notices up to this one may be gone.
    lost: Seq,
    /// When the last listener left.
    left: Instant,
}

struct Entry {
    seq: Seq,
    bytes: usize,
    event: Arc<Event>,
}

impl Notices {
    fn lock(&self) -> MutexGuard<'_, HashMap<PrincipalId, Arc<Ring>>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens from a place, or from now on.
    pub(crate) fn listen(&self, principal: PrincipalId, after: Option<Position>) -> Listener {
        let mut rings = self.lock();
        rings.retain(|_, ring| ring.is_wanted());
        if rings.values().filter(|ring| ring.is_idle()).count() > IDLE_RINGS {
            rings.retain(|_, ring| !ring.is_idle());
        }
        let ring = Arc::clone(rings.entry(principal).or_insert_with(|| Arc::new(Ring::new())));
        // While the lock is held: nobody sweeps the ring out before somebody listens.
        Listener::new(ring, after)
    }

    /// Tells a principal's connections what `read` finds. What is told last was read last.
    async fn tell(&self, principal: PrincipalId, read: impl Future<Output = Option<Event>>) {
        let Some(ring) = self.ring(principal) else { return };
        let order = ring.order.lock().await;
        if let Some(event) = read.await {
            ring.send(event);
        }
        drop(order);
    }

    /// Says to a principal's connections that they missed something: they read their lists again.
    pub(crate) fn lose(&self, principal: PrincipalId) {
        if let Some(ring) = self.ring(principal) {
            ring.lose();
        }
    }

    fn ring(&self, principal: PrincipalId) -> Option<Arc<Ring>> {
        self.lock().get(&principal).filter(|ring| ring.is_wanted()).cloned()
    }
}

impl Ring {
    fn new() -> Self {
        let epoch = getrandom::u32().unwrap_or_default().max(1);
        let kept = Kept { entries: VecDeque::new(), bytes: 0, lost: 0, left: Instant::now() };
        let head = watch::Sender::new(0);
        let (grown, order) = (Arc::default(), tokio::sync::Mutex::default());
        Self { epoch, kept: Mutex::new(kept), head, grown, order }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        self.head.receiver_count() == 0
    }

    fn is_wanted(&self) -> bool {
        !self.is_idle() || self.lock().left.elapsed() < KEPT
    }

    /// Ready when it grows from now on.
    fn grows(&self) -> Pin<Box<OwnedNotified>> {
        let mut grown = Box::pin(Arc::clone(&self.grown).notified_owned());
        grown.as_mut().enable();
        grown
    }

    /// Drops all that is kept, and one notice more than there were.
    fn lose(&self) {
        let mut kept = self.lock();
        let seq = *self.head.borrow() + 1;
        kept.entries.clear();
        kept.bytes = 0;
        kept.lost = seq;
        self.head.send_replace(seq);
        self.grown.notify_waiters();
    }

    fn send(&self, event: Event) {
        let mut kept = self.lock();
        let seq = *self.head.borrow() + 1;
        kept.push(Entry { seq, bytes: weight(&event), event: Arc::new(event) });
        // Before the lock is free: the head never goes back.
        self.head.send_replace(seq);
        self.grown.notify_waiters();
    }
}

impl Kept {
    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        self.entries.push_back(entry);
        if self.is_full() {
            self.drop_what_is_outdated();
        }
        while self.is_full()
            && let Some(entry) = self.entries.pop_front()
        {
            self.bytes -= entry.bytes;
            self.lost = entry.seq;
        }
    }

    fn is_full(&self) -> bool {
        self.entries.len() > NOTICES || (self.bytes > BYTES && self.entries.len() > 1)
    }

    /// How something stood before is of no interest once a later notice says how it stands.
    fn drop_what_is_outdated(&mut self) {
        let mut later = HashSet::new();
        let mut kept = VecDeque::with_capacity(self.entries.len());
        while let Some(entry) = self.entries.pop_back() {
            if subject(&entry.event).is_none_or(|subject| later.insert(subject)) {
                kept.push_front(entry);
            } else {
                self.bytes -= entry.bytes;
            }
        }
        self.entries = kept;
    }
}

/// What a notice is about, when the next one about it replaces it.
fn subject(event: &Event) -> Option<(&'static str, [u8; 16])> {
    match event {
        Event::Conversation(event) => {
            Some(("conversation", *event.conversation.conversation_id.as_bytes()))
        }
        Event::Queue(event) => Some(("queue", *event.conversation_id.as_bytes())),
        Event::Prompt(event) => Some(("prompt", *event.prompt_id.as_bytes())),
        Event::File(event) => Some(("file", *event.file_id.as_bytes())),
        Event::Collection(event) => Some(("collection", *event.collection_id.as_bytes())),
        _ => None,
    }
}

/// About how many bytes a notice takes.
fn weight(event: &Event) -> usize {
    let texts: usize = match event {
        Event::Conversation(event) => event.conversation.title.len(),
        Event::Queue(event) => event.items.iter().map(|item| 100 + item.message.len()).sum(),
        Event::Prompt(event) => event.prompt.as_ref().map_or(0, |p| p.name.len() + p.text.len()),
        Event::File(event) => event.file.as_ref().map_or(0, |file| file.name.len() + 200),
        Event::Collection(event) => {
            event.collection.as_ref().map_or(0, |c| c.name.len() + 40 * c.file_ids.len())
        }
        _ => 0,
    };
    400 + texts
}

impl Listener {
    fn new(ring: Arc<Ring>, after: Option<Position>) -> Self {
        let head = ring.head.subscribe();
        let newest = *head.borrow();
        let known = after.filter(|after| after.epoch == ring.epoch && after.seq <= newest);
        let missed = after.is_some() && known.is_none();
        let grown = ring.grows();
        Self { ring, head, grown, held: known.map_or(newest, |after| after.seq), missed }
    }

    /// The place up to which everything was heard.
    pub fn held(&self) -> Position {
        Position::new(self.ring.epoch, self.held)
    }

    /// What comes next. Cancel safe.
    pub async fn next(&mut self) -> Heard {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The same for one poll.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        loop {
            if let Some(heard) = self.try_next() {
                return Poll::Ready(heard);
            }
            ready!(self.grown.as_mut().poll(context));
            self.grown = self.ring.grows();
        }
    }

    /// What there is already.
    pub fn try_next(&mut self) -> Option<Heard> {
        self.head.mark_unchanged();
        let kept = self.ring.lock();
        if std::mem::take(&mut self.missed) {
            return Some(Heard::Missed);
        }
        if self.held < kept.lost {
            self.held = kept.lost;
            return Some(Heard::Missed);
        }
        let next = kept.entries.partition_point(|entry| entry.seq <= self.held);
        let entry = kept.entries.get(next)?;
        self.held = entry.seq;
        Some(Heard::Notice(Arc::clone(&entry.event)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ring.lock().left = Instant::now();
    }
}

impl Engine {
    /// Notices of a principal: `conversation`, `queue`, `generation_started`. From now on, or
    /// everything after a place up to which another listener heard them.
    pub fn notices(&self, principal: PrincipalId, after: Option<Position>) -> Listener {
        self.inner.notices.listen(principal, after)
    }

    /// See [`Notices::tell`].
    pub(crate) async fn tell(
        &self,
        principal: PrincipalId,
        read: impl Future<Output = Option<Event>>,
    ) {
        self.inner.notices.tell(principal, read).await;
    }
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{
        ConversationId, GenerationId, GenerationStarted, MessageId, QueueEvent, QueueItem,
    };

    use super::*;

    fn queue(id: ConversationId, message: &str) -> Event {
        let item = QueueItem {
            queue_id: GenerationId::new(),
            position: 1,
            message: message.into(),
            message_id: MessageId::new(),
        };
        Event::Queue(QueueEvent { conversation_id: id, items: vec![item] })
    }

    fn started() -> Event {
        Event::GenerationStarted(GenerationStarted {
            conversation_id: ConversationId::new(),
            generation_id: GenerationId::new(),
            message_id: MessageId::new(),
            client_message_id: None,
        })
    }

    fn all(listener: &mut Listener) -> Vec<Heard> {
        std::iter::from_fn(|| listener.try_next()).collect()
    }

    #[tokio::test]
    async fn who_comes_back_to_its_place_hears_what_it_missed_once() {
        let (notices, me) = (Notices::default(), PrincipalId::new());
        let place = notices.listen(me, None).held();
        let ring = notices.ring(me).unwrap();
        let events = [started(), started()];
        for event in &events {
            ring.send(event.clone());
        }
        let mut listener = notices.listen(me, Some(place));
        let heard = all(&mut listener);
        assert_eq!(heard, events.map(|event| Heard::Notice(Arc::new(event))));
        assert_eq!(all(&mut notices.listen(me, Some(listener.held()))), []);
        assert_eq!(all(&mut notices.listen(me, None)), []);
    }

    #[tokio::test]
    async fn what_is_told_last_was_read_last() {
        let (notices, me) = (Notices::default(), PrincipalId::new());
        let mut listener = notices.listen(me, None);
        let id = ConversationId::new();
        let (before, now) = (queue(id, "before"), queue(id, "now"));
        let (told, slow) = tokio::sync::oneshot::channel();
        // The first one has read how it stood, and is slow to say so.
        let first = notices.tell(me, async { slow.await.ok() });
        let second = notices.tell(me, async { Some(now.clone()) });
        tokio::join!(first, second, async { told.send(before.clone()).unwrap() });
        let expected = [before, now].map(|event| Heard::Notice(Arc::new(event)));
        assert_eq!(all(&mut listener), expected);
    }

    #[tokio::test]
    async fn a_place_that_is_gone_is_told_so_first() {
        let (notices, me) = (Notices::default(), PrincipalId::new());
        let first = notices.listen(me, None);
        let ring = notices.ring(me).unwrap();
        for _ in 0..=NOTICES {
            ring.send(started());
        }
        let heard = all(&mut notices.listen(me, Some(first.held())));
        assert_eq!((&heard[0], heard.len()), (&Heard::Missed, 1 + NOTICES));
        for (epoch, seq) in [(ring.epoch ^ 1, 3), (ring.epoch, 4711)] {
            let mut listener = notices.listen(me, Some(Position::new(epoch, seq)));
            assert_eq!(all(&mut listener), [Heard::Missed]);
        }
    }

    #[tokio::test]
    async fn a_ring_is_bounded_in_number_and_bytes_and_keeps_how_things_stand() {
        let (notices, me) = (Notices::default(), PrincipalId::new());
        let place = notices.listen(me, None).held();
        let ring = notices.ring(me).unwrap();
        let id = ConversationId::new();
        let last = started();
        ring.send(last.clone());
        for n in 0..10 * NOTICES {
            ring.send(queue(id, &n.to_string()));
        }
        let heard = all(&mut notices.listen(me, Some(place)));
        assert_eq!(heard[0], Heard::Notice(Arc::new(last)), "what is outdated goes first");
        assert!(heard.len() <= NOTICES);
        let long = "x".repeat(BYTES / 4);
        for _ in 0..20 {
            ring.send(queue(ConversationId::new(), &long));
            assert!(ring.lock().bytes <= BYTES);
        }
        ring.send(queue(id, &"x".repeat(2 * BYTES)));
        assert_eq!(ring.lock().entries.len(), 1, "the newest is there, however long");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_that_nobody_comes_back_to_is_forgotten() {
        let (notices, me, other) = (Notices::default(), PrincipalId::new(), PrincipalId::new());
        let listener = notices.listen(me, None);
        tokio::time::advance(KEPT * 2).await;
        assert!(notices.ring(me).is_some(), "somebody listens");
        let place = listener.held();
        drop(listener);
        tokio::time::advance(KEPT / 2).await;
        assert!(notices.ring(me).is_some(), "somebody may come back");
        tokio::time::advance(KEPT).await;
        assert!(notices.ring(me).is_none());
        notices.listen(other, None);
        assert_eq!(notices.lock().len(), 1, "swept out");
        assert_eq!(all(&mut notices.listen(me, Some(place))), [Heard::Missed]);
    }
}
