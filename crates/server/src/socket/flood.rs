//! How many frames a socket may send.

use tokio::time::Instant;

use crate::patience::Frames;

/// Fills up again with time.
pub(super) struct Allowance {
    frames: Frames,
    left: f64,
    at: Instant,
}

impl Allowance {
    pub(super) fn new(frames: Frames) -> Self {
        Self { frames, left: frames.at_once.into(), at: Instant::now() }
    }

    /// Whether one more is allowed.
    pub(super) fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = (now - self.at).as_secs_f64() * f64::from(self.frames.per_second);
        self.left = (self.left + earned).min(self.frames.at_once.into()) - 1.0;
        self.at = now;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_so_many_more_each_second() {
        let mut allowance = Allowance::new(Frames { at_once: 3, per_second: 2 });
        let mut taken = || std::iter::from_fn(|| allowance.take().then_some(())).take(9).count();
        assert_eq!(taken(), 3);
        tokio::time::advance(Duration::from_secs(2)).await;
        // One was asked for that it had not.
        assert_eq!(taken(), 3);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(taken(), 3);
    }
}
