//! How long to wait before the next attempt: full jitter, growing to a limit, without an end.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(20);

/// `rand(0, min(LIMIT, FIRST · 2ⁿ))`, where n counts the attempts since the last success.
#[derive(Debug)]
pub(crate) struct Backoff {
    attempt: u32,
    /// State of a SplitMix64: jitter needs no better randomness, and tests need the same one twice.
    random: u64,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { attempt: 0, random: seed }
    }

    pub(crate) fn next_delay(&mut self) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.attempt.min(10)).min(LIMIT);
        self.attempt = self.attempt.saturating_add(1);
        ceiling.mul_f64(self.fraction())
    }

    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }

    /// A number in 0..1.
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        f64::from((z >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_stays_under_a_ceiling_that_doubles_up_to_the_limit() {
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            for ceiling in [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000] {
                assert!(backoff.next_delay() < Duration::from_millis(ceiling));
            }
            backoff.reset();
            assert!(backoff.next_delay() < FIRST);
        }
    }

    #[test]
    fn delays_spread_over_the_whole_range() {
        let mut backoff = Backoff::new(7);
        let delays: Vec<_> = (0..1000).map(|_| backoff.next_delay()).skip(10).collect();
        assert!(delays.iter().any(|delay| *delay < LIMIT / 10));
        assert!(delays.iter().any(|delay| *delay > LIMIT * 9 / 10));
    }
}
