//! A connection inside the process: it delays, and at its hour it breaks or swallows everything.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use unbroken_protocol::{Event, Incoming};

use crate::chance::Chance;
use crate::world::World;

/// What is going to happen to a connection.
struct Fate {
    world: Arc<World>,
    /// Both ends learn that it broke.
    breaks: Option<Instant>,
    /// From then on everything gets lost, and nobody is told.
    swallows: Option<Instant>,
    /// The longest delay, in milliseconds.
    slow: u64,
}

impl Fate {
    fn draw(world: &Arc<World>, chance: &mut Chance) -> Self {
        let at = |chance: &mut Chance, percent| {
            let after = chance.millis(50, 12_000);
            (!world.is_calm() && chance.percent(percent)).then(|| Instant::now() + after)
        };
        let (breaks, swallows) = (at(chance, 40), at(chance, 12));
        let slow = if chance.percent(15) { 1_500 } else { 60 };
        Self { world: Arc::clone(world), breaks, swallows, slow }
    }

    fn swallows(&self) -> bool {
        let began = |at: &Instant| *at <= Instant::now() && self.world.was_wild_at(*at);
        self.swallows.as_ref().is_some_and(began)
    }

    async fn broken(&self) {
        match self.breaks {
            Some(at) if self.world.was_wild_at(at) => sleep_until(at).await,
            _ => pending().await,
        }
        if !self.breaks.is_some_and(|at| self.world.was_wild_at(at)) {
            pending::<()>().await;
        }
    }
}

/// The sending half of one direction.
pub(crate) struct Tx<T> {
    out: mpsc::UnboundedSender<(Instant, T)>,
    fate: Arc<Fate>,
    chance: Chance,
    last: Instant,
}

impl<T> Tx<T> {
    /// Sends; what is sent into a hole is lost. `false` when the other end is gone.
    pub(crate) fn send(&mut self, item: T) -> bool {
        if self.fate.swallows() {
            return true;
        }
        // In order: nothing overtakes.
        self.last = self.last.max(Instant::now() + self.chance.millis(0, self.fate.slow));
        self.out.send((self.last, item)).is_ok()
    }
}

/// The receiving half of one direction.
pub(crate) struct Rx<T> {
    arriving: mpsc::UnboundedReceiver<(Instant, T)>,
    /// It arrives at its time.
    next: Option<(Instant, T)>,
    fate: Arc<Fate>,
}

impl<T> Rx<T> {
    /// What arrives next; `None` when the connection broke. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        let fate = Arc::clone(&self.fate);
        tokio::select! {
            biased;
            () = fate.broken() => None,
            item = self.arrive() => item,
        }
    }

    async fn arrive(&mut self) -> Option<T> {
        if self.next.is_none() {
            self.next = self.arriving.recv().await;
        }
        let Some((at, _)) = self.next else {
            if self.fate.swallows() {
                // That the other end is gone does not come through either.
                pending::<()>().await;
            }
            return None;
        };
        sleep_until(at).await;
        if self.fate.swallows() {
            pending::<()>().await;
        }
        self.next.take().map(|(_, item)| item)
    }
}

/// One end.
pub(crate) struct End<Out, In> {
    pub(crate) tx: Tx<Out>,
    pub(crate) rx: Rx<In>,
}

/// Both ends of a new connection: the client's and the server's.
pub(crate) fn connect(
    world: &Arc<World>,
    chance: &mut Chance,
) -> (End<Incoming, Event>, End<Event, Incoming>) {
    let fate = Arc::new(Fate::draw(world, chance));
    let (up, down) = (direction(&fate, chance), direction(&fate, chance));
    (End { tx: up.0, rx: down.1 }, End { tx: down.0, rx: up.1 })
}

fn direction<T>(fate: &Arc<Fate>, chance: &mut Chance) -> (Tx<T>, Rx<T>) {
    let (out, arriving) = mpsc::unbounded_channel();
    let tx = Tx { out, fate: Arc::clone(fate), chance: chance.fork(), last: Instant::now() };
    (tx, Rx { arriving, next: None, fate: Arc::clone(fate) })
}
