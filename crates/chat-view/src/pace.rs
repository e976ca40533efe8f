//! When the page shows again what has arrived: so seldom that showing takes about a sixteenth of
//! its time, however long the text has become. All times are milliseconds of one clock.

use std::time::Duration;

/// Reading does not notice a commit that comes later by this; layout
/// is what costs.
pub const SHORTEST: Duration = Duration::from_millis(75);
/// A page that takes longer than a sixteenth of this is slow, and shows its text all the same.
const LONGEST: f64 = 400.0;
/// For each millisecond that a commit costs, so many lie between it and the next.
const APART: f64 = 16.0;
/// Of commits that cost so little that it changes nothing, every so many is measured.
const MEASURED: u8 = 4;

/// The times of the commits of one page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    committed_at: f64,
    cost: f64,
    last_cost: f64,
    last_frame: f64,
    unmeasured: u8,
    is_urgent: bool,
}

impl Pace {
    /// The next commit waits for nothing: a first word, an end, an answer to what the person did.
    pub fn hurry(&mut self) {
        self.is_urgent = true;
    }

    /// Whether the next commit waits for nothing.
    pub fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// How long the next commit has to wait.
    pub fn wait(&self, now: f64) -> f64 {
        if self.is_urgent {
            return 0.0;
        }
        let shortest = SHORTEST.as_secs_f64() * 1000.0;
        let apart = (self.cost * APART).clamp(shortest, LONGEST);
        // A clock that was set back must not stop the page.
        (self.committed_at + apart - now).clamp(0.0, LONGEST)
    }

    /// A commit begins. Says whether [`Self::shown`] is wanted after it.
    pub fn begin(&mut self, now: f64) -> bool {
        self.committed_at = now;
        self.is_urgent = false;
        let is_cheap = self.last_cost.max(self.cost) * APART < SHORTEST.as_secs_f64() * 1000.0;
        self.unmeasured = if is_cheap { (self.unmeasured + 1) % MEASURED } else { 0 };
        self.unmeasured == 0
    }

    /// A commit that is measured is on the screen: what it took to parse the text, and to show it
    /// with style, layout and paint. One that had bad luck counts half.
    pub fn shown(&mut self, parsing: f64, showing: f64) {
        // A clock may be set back.
        let (parsing, showing) = (parsing.max(0.0), showing.max(0.0));
        self.last_frame = showing;
        self.last_cost = parsing + showing;
        self.cost = f64::midpoint(self.cost, self.last_cost);
    }

    /// What the last measured commit's frame took: all but parsing, which is a task before it.
    pub fn last_frame(&self) -> Duration {
        Duration::from_secs_f64(self.last_frame / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page whose commits cost that much, after many of them at time 0.
    fn page(cost: f64) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..50 {
            pace.begin(0.0);
            pace.shown(0.0, cost);
        }
        pace
    }

    #[test]
    fn commits_lie_sixteen_times_their_cost_apart_between_75_and_400_milliseconds() {
        for (cost, apart) in [(0.0, 75.0), (3.0, 75.0), (10.0, 160.0), (90.0, 400.0)] {
            let wait = page(cost).wait(0.0);
            assert!((wait - apart).abs() < 0.1, "{cost} ms: waits {wait}, not {apart}");
        }
        assert!((page(10.0).wait(140.0) - 20.0).abs() < 0.1, "what has passed counts");
        assert!(page(10.0).wait(500.0) <= 0.0, "text after a pause is shown at once");
    }

    #[test]
    fn what_is_urgent_waits_for_nothing_once() {
        let mut pace = page(90.0);
        pace.hurry();
        assert!(pace.wait(0.0) <= 0.0);
        pace.begin(1.0);
        assert!(pace.wait(1.0) > 390.0);
    }

    #[test]
    fn one_commit_that_had_bad_luck_is_soon_forgotten() {
        let mut pace = page(2.0);
        let mut now = 0.0;
        for cost in [300.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0] {
            now += pace.wait(now);
            pace.begin(now);
            pace.shown(cost / 2.0, cost / 2.0);
        }
        assert!(pace.wait(now) < 100.0, "waits {}", pace.wait(now));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_page() {
        let mut pace = Pace::default();
        pace.begin(1e12);
        assert!(pace.wait(0.0) <= LONGEST);
        pace.shown(-1e12, -1e12);
        assert!(pace.wait(1e12) <= 75.0);
    }

    #[test]
    fn of_cheap_commits_some_are_measured_and_of_dear_ones_all() {
        let mut cheap = page(2.0);
        let measured = (0..40).filter(|_| cheap.begin(0.0)).count();
        assert_eq!(measured, 10);
        cheap.shown(30.0, 20.0);
        assert!(cheap.begin(0.0) && cheap.begin(0.0));
    }
}
