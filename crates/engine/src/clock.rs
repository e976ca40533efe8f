//! Time of day and chance: the system's, or in a simulation what its seed says.
//!
//! Waiting is not in here: that is tokio's clock, which a simulation pauses.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use unbroken_protocol::{MessageId, Timestamp};

/// Where time of day, random numbers and ids come from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Simulated(Arc<Simulated>),
}

impl Clock {
    /// A clock that begins at `wall` and goes with tokio's; the same seed makes the same numbers.
    pub fn simulated(wall: Timestamp, seed: u64) -> Self {
        let state =
            State { wall: wall.as_millis(), since: Instant::now(), random: seed, newest: 0 };
        Self::Simulated(Arc::new(Simulated(Mutex::new(state))))
    }

    /// The time of day. It may go back.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Simulated(simulated) => Timestamp::from_millis(simulated.lock().now()),
        }
    }

    /// A number in 0..=1.
    pub(crate) fn jitter(&self) -> f64 {
        let number = match self {
            Self::System => getrandom::u32().unwrap_or_default(),
            Self::Simulated(simulated) => (simulated.lock().next() >> 32) as u32,
        };
        f64::from(number) / f64::from(u32::MAX)
    }

    /// A new id, later in order than every id that this process made before.
    pub(crate) fn id<T>(&self, from_bytes: fn([u8; 16]) -> T) -> T {
        from_bytes(match self {
            Self::System => *MessageId::new().as_bytes(),
            Self::Simulated(simulated) => simulated.lock().id(),
        })
    }
}

/// The clock of one simulated process.
#[derive(Debug)]
pub struct Simulated(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The time of day at `since`.
    wall: i64,
    since: Instant,
    /// State of a SplitMix64.
    random: u64,
    /// The time in the newest id: in one process ids rise also when the clock goes back.
    newest: i64,
}

impl Simulated {
    /// The time of day becomes another one by so many milliseconds.
    pub fn jump(&self, millis: i64) {
        self.lock().wall += millis;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now(&self) -> i64 {
        let since = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.wall.saturating_add(since)
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A UUIDv7: 48 bits of milliseconds, then what keeps ids apart.
    fn id(&mut self) -> [u8; 16] {
        // Two ids never share a millisecond, so no counter is needed for their order.
        self.newest = self.now().max(self.newest + 1);
        let mut id = [0; 16];
        id[..6].copy_from_slice(&self.newest.to_be_bytes()[2..]);
        id[8..].copy_from_slice(&self.next().to_be_bytes());
        id[6] = 0x70;
        id[8] = id[8] & 0x3f | 0x80;
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_simulated_clock_goes_with_the_runtime_and_jumps_when_it_is_told() {
        let clock = Clock::simulated(Timestamp::from_millis(1_000_000), 1);
        let Clock::Simulated(simulated) = &clock else { panic!("it is simulated") };
        tokio::time::advance(std::time::Duration::from_millis(250)).await;
        assert_eq!(clock.now(), Timestamp::from_millis(1_000_250));
        simulated.jump(-500_000);
        assert_eq!(clock.now(), Timestamp::from_millis(500_250));
    }

    #[tokio::test(start_paused = true)]
    async fn ids_of_one_process_rise_also_when_the_clock_goes_back() {
        let clock = Clock::simulated(Timestamp::from_millis(1_000_000), 1);
        let Clock::Simulated(simulated) = &clock else { panic!("it is simulated") };
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(clock.id(MessageId::from_bytes));
            simulated.jump(-1_000);
        }
        assert!(ids.is_sorted());
        let again = Clock::simulated(Timestamp::from_millis(1_000_000), 1);
        assert_eq!(again.id(MessageId::from_bytes), ids[0]);
    }
}
