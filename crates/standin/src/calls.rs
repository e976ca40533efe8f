//! The calls that the stand-in received, for tests to look at.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::watch;

/// Older calls are forgotten.
const MOST_CALLS: usize = 10_000;
/// Bytes of a message that are kept.
const MOST_TEXT: usize = 4096;

/// One call as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Counted from 1, in the order of arrival, anew after the calls were cleared.
    pub n: usize,
    pub model: String,
    /// The text of the last message of a user; at most its first 4 KiB.
    pub last_user: String,
    /// How many messages the request had.
    pub messages: usize,
    /// How it asks to go on with an answer that broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Continuation>,
    /// Characters of the beginning that it gives; to reattach, the byte from which it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<usize>,
    pub state: CallState,
    /// Tokens handed to the connection, those of the reasoning included; of an answer that is kept
    /// running, those that its first call asked for.
    pub tokens: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Continuation {
    /// It reads again what was kept running; no further model call.
    Reattach,
    /// The beginning is the last message.
    Prefill,
    /// The beginning, and then words.
    Prompt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    Running,
    /// The stand-in did all that the model's name asks for, failing on purpose included.
    Finished,
    /// The caller, or a stop of the stand-in, closed the connection before that.
    Cancelled,
}

impl CallState {
    fn from_u8(state: u8) -> Self {
        match state {
            0 => Self::Running,
            1 => Self::Finished,
            _ => Self::Cancelled,
        }
    }
}

#[derive(Default)]
pub(crate) struct Calls {
    log: Mutex<Log>,
    /// Counts what a waiting test may want to see: arrivals, ends, and stops at gates.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Log {
    received: usize,
    newest: VecDeque<Arc<Entry>>,
}

struct Entry {
    n: usize,
    asked: Asked,
    state: AtomicU8,
    tokens: AtomicUsize,
}

/// What a call asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) last_user: String,
    pub(crate) messages: usize,
    /// How it goes on, and the characters that it gives.
    pub(crate) continued: Option<(Continuation, usize)>,
}

impl Entry {
    fn call(&self) -> Call {
        Call {
            n: self.n,
            model: self.asked.model.clone(),
            last_user: self.asked.last_user.clone(),
            messages: self.asked.messages,
            continuation: self.asked.continued.map(|(means, _)| means),
            given: self.asked.continued.map(|(_, given)| given),
            state: CallState::from_u8(self.state.load(Ordering::Acquire)),
            tokens: self.tokens.load(Ordering::Acquire),
        }
    }
}

impl Calls {
    /// Notes a call, which runs until it is finished or dropped.
    pub(crate) fn begin(self: &Arc<Self>, asked: Asked) -> Running {
        let mut log = self.log();
        log.received += 1;
        let entry = Arc::new(Entry {
            n: log.received,
            asked: Asked { last_user: beginning(&asked.last_user).to_owned(), ..asked },
            state: AtomicU8::new(CallState::Running as u8),
            tokens: AtomicUsize::new(0),
        });
        log.newest.push_back(entry.clone());
        if log.newest.len() > MOST_CALLS {
            log.newest.pop_front();
        }
        // The lock is free before waiters wake, because they take it.
        drop(log);
        self.changed();
        Running { calls: self.clone(), entry }
    }

    pub(crate) fn list(&self) -> Vec<Call> {
        self.log().newest.iter().map(|entry| entry.call()).collect()
    }

    pub(crate) fn clear(&self) {
        *self.log() = Log::default();
        self.changed();
    }

    pub(crate) async fn wait_until(&self, holds: impl Fn(&[Call]) -> bool) {
        let mut changes = self.changes.subscribe();
        let seen = changes.wait_for(|_| holds(&self.list())).await.is_ok();
        assert!(seen, "the sender lives as long as these calls");
    }

    pub(crate) async fn wait_for(&self, received: usize) {
        let mut changes = self.changes.subscribe();
        let seen = changes.wait_for(|_| self.log().received >= received).await.is_ok();
        assert!(seen, "the sender lives as long as these calls");
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in progress; cancelled when it is dropped before `finish`.
pub(crate) struct Running {
    calls: Arc<Calls>,
    entry: Arc<Entry>,
}

impl Running {
    pub(crate) fn n(&self) -> usize {
        self.entry.n
    }

    pub(crate) fn model(&self) -> &str {
        &self.entry.asked.model
    }

    pub(crate) fn tokens(&self) -> usize {
        self.entry.tokens.load(Ordering::Acquire)
    }

    pub(crate) fn sent(&self, tokens: usize) {
        self.entry.tokens.fetch_add(tokens, Ordering::AcqRel);
    }

    /// Lets waiting tests look again.
    pub(crate) fn halted(&self) {
        self.calls.changed();
    }

    pub(crate) fn finish(&self) {
        self.end(CallState::Finished);
    }

    /// How many calls before this one had the same model and message.
    pub(crate) fn repeats(&self) -> usize {
        let same = |e: &&Arc<Entry>| {
            let (this, other) = (&self.entry.asked, &e.asked);
            e.n < self.entry.n && other.model == this.model && other.last_user == this.last_user
        };
        self.calls.log().newest.iter().filter(same).count()
    }

    fn end(&self, state: CallState) {
        let running = CallState::Running as u8;
        let ended = self.entry.state.compare_exchange(
            running,
            state as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if ended.is_ok() {
            self.calls.changed();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(CallState::Cancelled);
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(last_user: &str) -> Asked {
        Asked { model: "numbers".into(), last_user: last_user.into(), ..Asked::default() }
    }

    #[test]
    fn only_the_newest_calls_are_kept() {
        let calls = Arc::new(Calls::default());
        for _ in 0..MOST_CALLS + 5 {
            calls.begin(asked(&"ü".repeat(MOST_TEXT))).finish();
        }
        let list = calls.list();
        assert_eq!((list.len(), list[0].n), (MOST_CALLS, 6));
        assert_eq!(list[0].last_user.len(), MOST_TEXT);
    }

    #[test]
    fn a_call_that_is_dropped_is_cancelled() {
        let calls = Arc::new(Calls::default());
        drop(calls.begin(asked("hello")));
        let second = calls.begin(asked("hello"));
        second.finish();
        assert_eq!(second.repeats(), 1);
        drop(second);
        let states: Vec<_> = calls.list().iter().map(|call| call.state).collect();
        assert_eq!(states, [CallState::Cancelled, CallState::Finished]);
    }
}
