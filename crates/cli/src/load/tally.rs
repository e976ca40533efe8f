//! What all readers of a load saw together. They run in one thread, so nothing here is locked.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::count::Harm;

/// More would repeat themselves.
const MOST_ERRORS: usize = 5;

pub(super) struct Tally {
    /// How many readings of answers there will be, and how many tokens in all of them.
    pub(super) readings: u64,
    pub(super) planned_tokens: u64,
    /// Readers that are connected, or failed to.
    pub(super) ready: Cell<u64>,
    pub(super) asked: Cell<u64>,
    /// Readings whose first token came.
    pub(super) speaking: Cell<u64>,
    pub(super) ended: Cell<u64>,
    pub(super) completed: Cell<u64>,
    pub(super) tokens: Cell<u64>,
    pub(super) events: Cell<u64>,
    pub(super) bytes: Cell<u64>,
    /// Events that do not begin where the one before ended.
    pub(super) gaps: Cell<u64>,
    /// Ends whose whole text is not what it should be.
    pub(super) wrong_ends: Cell<u64>,
    pub(super) harm: Cell<Harm>,
    pub(super) errors: RefCell<Vec<String>>,
    pub(super) times: RefCell<Times>,
    changed: Notify,
}

/// Durations in nanoseconds.
pub(super) struct Times {
    /// From the moment that was planned for asking to the asking: what this tool is late.
    pub(super) late: Histogram<u64>,
    /// From asking to the id.
    pub(super) start: Histogram<u64>,
    /// From asking to the first token.
    pub(super) first: Histogram<u64>,
    /// From the model's write to the reader's read.
    pub(super) token: Histogram<u64>,
    /// From a cut to the next event on a new connection.
    pub(super) resume: Histogram<u64>,
}

impl Tally {
    pub(super) fn new(readings: u64, tokens_each: u64) -> Self {
        Self {
            readings,
            planned_tokens: readings.saturating_mul(tokens_each),
            ready: Cell::default(),
            asked: Cell::default(),
            speaking: Cell::default(),
            ended: Cell::default(),
            completed: Cell::default(),
            tokens: Cell::default(),
            events: Cell::default(),
            bytes: Cell::default(),
            gaps: Cell::default(),
            wrong_ends: Cell::default(),
            harm: Cell::default(),
            errors: RefCell::default(),
            times: RefCell::new(Times {
                late: histogram(),
                start: histogram(),
                first: histogram(),
                token: histogram(),
                resume: histogram(),
            }),
            changed: Notify::new(),
        }
    }

    /// Counts a step that somebody may wait for.
    pub(super) fn step(&self, counter: &Cell<u64>) {
        add(counter, 1);
        self.changed.notify_waiters();
    }

    /// Counts a token; whoever waits for the middle of it all is told.
    pub(super) fn token(&self) {
        add(&self.tokens, 1);
        if self.tokens.get() == self.planned_tokens / 2 {
            self.changed.notify_waiters();
        }
    }

    /// It is asked now what was to be asked then.
    pub(super) fn late(&self, turn: Option<Instant>) {
        let late = turn.map_or(Duration::ZERO, |turn| turn.elapsed());
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        record(&mut self.times.borrow_mut().late, nanos);
    }

    pub(super) fn error(&self, error: &str) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < MOST_ERRORS && !errors.iter().any(|known| known == error) {
            errors.push(error.to_owned());
        }
    }

    pub(super) fn harmed(&self, harm: Harm) {
        let mut sum = self.harm.get();
        sum.add(harm);
        self.harm.set(sum);
    }

    /// Returns once this holds.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.get() >= self.readings
    }

    pub(super) fn is_half_way(&self) -> bool {
        self.tokens.get() >= self.planned_tokens / 2
    }
}

pub(super) fn add(counter: &Cell<u64>, count: u64) {
    counter.set(counter.get() + count);
}

pub(super) fn record(times: &mut Histogram<u64>, nanos: u64) {
    times.saturating_record(nanos);
}

/// From a microsecond to an hour; what is beyond counts as that.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 3_600_000_000_000, 3).expect("these bounds are possible")
}
