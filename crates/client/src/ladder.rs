//! Which transport to use: the best that works, from the socket down to the long poll and back up.
//!
//! Does no input or output: whoever drives a machine tells what became of each attempt, and asks
//! what to open.

use std::time::Duration;

use crate::io::Hint;

/// How often a better transport is tried while a worse one works.
const CLIMB: Duration = Duration::from_mins(1);
/// How many attempts in a row may fail although the server can be reached.
const TRIES: u32 = 2;

/// How events come (PROTOCOL A3, B4). The order is from the last resort to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    LongPoll,
    Sse,
    Socket,
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It could not be opened.
    Refused,
    /// It opened, or seemed to, and shows nothing: somebody between holds everything back.
    Silent,
}

#[derive(Debug)]
pub(crate) struct Ladder {
    rung: Transport,
    /// Attempts in a row that came to nothing.
    failures: u32,
    /// When to try a better one; `None` on the highest rung, and while one is tried.
    climb_at: Option<Duration>,
}

impl Ladder {
    pub(crate) fn new() -> Self {
        Self { rung: Transport::Socket, failures: 0, climb_at: None }
    }

    /// What to open when a connection is wanted.
    pub(crate) fn rung(&self) -> Transport {
        self.rung
    }

    /// The server was heard on this rung.
    pub(crate) fn works(&mut self) {
        self.failures = 0;
    }

    /// An attempt on this rung came to nothing. Whether the server can be reached at all is to be
    /// found out, and told by [`Self::answered`].
    pub(crate) fn failed(&mut self, fault: Fault) {
        self.failures += match fault {
            Fault::Refused => 1,
            Fault::Silent => TRIES,
        };
    }

    /// A plain request was answered, or was not: without an answer nothing is wrong with this rung.
    pub(crate) fn answered(&mut self, reachable: bool, now: Duration) {
        if !reachable {
            self.failures = 0;
        }
        if self.failures < TRIES {
            return;
        }
        self.failures = 0;
        self.rung = match self.rung {
            Transport::Socket => Transport::Sse,
            Transport::Sse | Transport::LongPoll => Transport::LongPoll,
        };
        self.climb_at = Some(now.saturating_add(CLIMB));
    }

    /// The network has changed, or somebody looks: a better one may work now.
    pub(crate) fn hint(&mut self, hint: Hint, now: Duration) {
        if matches!(hint, Hint::Online | Hint::Visible | Hint::Restored) && self.climb_at.is_some()
        {
            self.climb_at = Some(now);
        }
    }

    /// When to ask [`Self::climb`] next.
    pub(crate) fn next_wake(&self) -> Option<Duration> {
        self.climb_at
    }

    /// Whether to try the rungs above now, from the highest down. Tell by [`Self::climbed`] what
    /// became of it.
    pub(crate) fn climb(&mut self, now: Duration) -> bool {
        self.climb_at.take_if(|at| *at <= now).is_some()
    }

    /// A better one works, or none does.
    pub(crate) fn climbed(&mut self, to: Option<Transport>, now: Duration) {
        if let Some(to) = to {
            self.rung = to;
            self.failures = 0;
        }
        self.climb_at = (self.rung < Transport::Socket).then(|| now.saturating_add(CLIMB));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn fallen(times: u32) -> Ladder {
        let mut ladder = Ladder::new();
        for _ in 0..times {
            ladder.failed(Fault::Silent);
            ladder.answered(true, NOW);
        }
        ladder
    }

    #[test]
    fn two_refusals_in_a_row_lead_down_if_the_server_answers() {
        let mut ladder = Ladder::new();
        ladder.failed(Fault::Refused);
        ladder.answered(true, NOW);
        assert_eq!(ladder.rung(), Transport::Socket, "once may be chance");
        ladder.works();
        ladder.failed(Fault::Refused);
        ladder.answered(true, NOW);
        assert_eq!(ladder.rung(), Transport::Socket, "not in a row");
        ladder.failed(Fault::Refused);
        ladder.answered(true, NOW);
        assert_eq!(ladder.rung(), Transport::Sse);
        assert_eq!(ladder.next_wake(), Some(NOW + CLIMB));
    }

    #[test]
    fn silence_leads_down_at_once() {
        assert_eq!(fallen(1).rung(), Transport::Sse);
        assert_eq!(fallen(2).rung(), Transport::LongPoll);
        assert_eq!(fallen(9).rung(), Transport::LongPoll, "there is nothing below");
    }

    #[test]
    fn a_server_that_is_gone_says_nothing_about_transports() {
        let mut ladder = Ladder::new();
        for _ in 0..100 {
            ladder.failed(Fault::Refused);
            ladder.failed(Fault::Silent);
            ladder.answered(false, NOW);
        }
        assert_eq!(ladder.rung(), Transport::Socket);
        ladder.failed(Fault::Refused);
        ladder.answered(true, NOW);
        assert_eq!(ladder.rung(), Transport::Socket, "the first that counts");
    }

    #[test]
    fn a_better_one_is_tried_every_minute_and_at_once_on_a_hint() {
        let mut ladder = fallen(2);
        assert!(!ladder.climb(NOW + CLIMB.mul_f64(0.99)));
        assert!(ladder.climb(NOW + CLIMB));
        assert!(!ladder.climb(NOW + CLIMB * 9), "one attempt at a time");
        ladder.hint(Hint::Online, NOW + CLIMB);
        assert_eq!(ladder.next_wake(), None, "it is being tried");
        let later = NOW + CLIMB * 2;
        ladder.climbed(None, later);
        assert_eq!((ladder.rung(), ladder.next_wake()), (Transport::LongPoll, Some(later + CLIMB)));
        ladder.hint(Hint::Hidden, later);
        assert!(!ladder.climb(later));
        ladder.hint(Hint::Visible, later);
        assert!(ladder.climb(later));
        ladder.climbed(Some(Transport::Sse), later);
        assert_eq!((ladder.rung(), ladder.next_wake()), (Transport::Sse, Some(later + CLIMB)));
        assert!(ladder.climb(later + CLIMB));
        ladder.climbed(Some(Transport::Socket), later);
        assert_eq!((ladder.rung(), ladder.next_wake()), (Transport::Socket, None));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Failed(Fault),
        Answered(bool),
        Works,
        Hint(Hint),
        Wait(u64),
        Climbed(Option<Transport>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let to = prop::sample::select(vec![None, Some(Transport::Sse), Some(Transport::Socket)]);
        prop_oneof![
            Just(Step::Failed(Fault::Refused)),
            Just(Step::Failed(Fault::Silent)),
            any::<bool>().prop_map(Step::Answered),
            Just(Step::Works),
            Just(Step::Hint(Hint::Online)),
            (0..90_u64).prop_map(Step::Wait),
            to.prop_map(Step::Climbed),
        ]
    }

    proptest! {
        /// Never gives up: below the highest rung a better one is always about to be tried.
        #[test]
        fn there_is_always_a_way_back_up(steps in prop::collection::vec(step(), 0..60)) {
            let (mut ladder, mut now) = (Ladder::new(), Duration::ZERO);
            let mut trying = false;
            for step in steps {
                let before = ladder.rung();
                match step {
                    Step::Failed(fault) => ladder.failed(fault),
                    Step::Answered(reachable) => ladder.answered(reachable, now),
                    Step::Works => ladder.works(),
                    Step::Hint(hint) => ladder.hint(hint, now),
                    Step::Wait(seconds) => {
                        now += Duration::from_secs(seconds);
                        trying |= ladder.climb(now);
                    }
                    Step::Climbed(to) if trying => {
                        trying = false;
                        ladder.climbed(to.filter(|to| *to > before), now);
                    }
                    Step::Climbed(_) => {}
                }
                let wake = ladder.next_wake();
                prop_assert_eq!(wake.is_some() || trying, ladder.rung() < Transport::Socket || trying);
                prop_assert!(wake.is_none_or(|at| at <= now + CLIMB));
                if ladder.rung() < before {
                    prop_assert!(matches!(step, Step::Answered(true)), "down only by an answer");
                }
            }
        }
    }
}
