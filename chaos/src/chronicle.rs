//! What happened and when: to the server and the network, and to one answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time of a run, and what was done to everybody.
#[derive(Clone)]
pub(crate) struct Chronicle {
    began: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

/// Something that happened this long after the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    at: Duration,
    text: String,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), lines: Arc::default() }
    }

    /// An empty one of the same time.
    pub(crate) fn beside(&self) -> Self {
        Self { began: self.began, lines: Arc::default() }
    }

    pub(crate) fn say(&self, text: impl Into<String>) {
        self.lines().push(Line { at: self.began.elapsed(), text: text.into() });
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// These lines and those of `other` that lie between the first and the last of these.
    pub(crate) fn with(&self, other: &Self) -> Vec<String> {
        let mut lines = self.lines().clone();
        if let (Some(first), Some(last)) = (lines.first().cloned(), lines.last().cloned()) {
            let between = other.lines().clone().into_iter();
            lines.extend(between.filter(|line| (first.at..=last.at).contains(&line.at)));
        }
        lines.sort();
        lines
            .into_iter()
            .map(|Line { at, text }| format!("{:9.3} s  {text}", at.as_secs_f64()))
            .collect()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
