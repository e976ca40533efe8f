//! One answer while it happens: its pace, its waits and its end, as a stream or as a whole.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Map, Value};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    calls::Running,
    gates::Gates,
    plan::{Act, Kind, Plan},
    sse::{Events, Used},
    text::stamp,
};

/// When the next token is due. Times are counted from the first token on, so they do not drift.
pub(crate) struct Pace {
    due: Instant,
    interval: Duration,
}

impl Pace {
    pub(crate) fn new(rate: f64, first: Duration) -> Self {
        let interval =
            if rate > 0.0 { Duration::from_secs_f64(rate.recip()) } else { Duration::ZERO };
        Self { due: Instant::now() + first, interval }
    }

    async fn wait(&mut self, tokens: usize) {
        if self.interval.is_zero() && self.due <= Instant::now() {
            return;
        }
        sleep_until(self.due).await;
        self.due += self.interval * u32::try_from(tokens).unwrap_or(u32::MAX);
    }

    /// After a pause tokens come at their pace again instead of catching up.
    fn resume(&mut self) {
        self.due = self.due.max(Instant::now());
    }
}

pub(crate) struct Answer {
    pub(crate) plan: Plan,
    pub(crate) pace: Pace,
    pub(crate) gates: Arc<Gates>,
    pub(crate) call: Running,
    pub(crate) prompt_tokens: usize,
    /// Tokens carry the time of their writing.
    pub(crate) stamped: bool,
}

/// What a reader of the answer sees.
enum Seen {
    Tokens(Kind),
    Delta(Map<String, Value>),
    Raw(String),
    Error(String),
    Cut,
    Eof,
    Finish,
}

/// A whole answer.
#[derive(Default)]
pub(crate) struct Whole {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) end: End,
    pub(crate) used: Option<Used>,
}

#[derive(Default)]
pub(crate) enum End {
    #[default]
    Finish,
    Eof,
    Error(String),
    Cut,
}

impl Answer {
    async fn next(&mut self, text: &mut String) -> Seen {
        loop {
            match self.plan.next(text) {
                Act::Tokens(kind, tokens) => {
                    self.pace.wait(tokens).await;
                    self.call.sent(tokens);
                    if self.stamped {
                        stamp(text, monotonic_nanos());
                    }
                    return Seen::Tokens(kind);
                }
                Act::Wait(duration) => {
                    sleep(duration).await;
                    self.pace.resume();
                }
                Act::Gate(name) => {
                    self.call.halted();
                    self.gates.pass(&name).await;
                    self.pace.resume();
                }
                Act::Stall => {
                    self.call.halted();
                    std::future::pending::<()>().await;
                }
                Act::Delta(fields) => return Seen::Delta(fields),
                Act::Raw(bytes) => return Seen::Raw(bytes),
                Act::Error(message) => return Seen::Error(message),
                Act::Cut => return Seen::Cut,
                Act::Eof => return Seen::Eof,
                Act::Finish => return Seen::Finish,
            }
        }
    }

    fn used(&self) -> Used {
        Used { prompt: self.prompt_tokens, completion: self.call.tokens() }
    }

    /// The answer at its end.
    pub(crate) async fn whole(mut self) -> Whole {
        let mut whole = Whole::default();
        let mut text = String::new();
        whole.end = loop {
            match self.next(&mut text).await {
                Seen::Tokens(Kind::Text) => whole.text.push_str(&text),
                Seen::Tokens(Kind::Reasoning) => whole.reasoning.push_str(&text),
                Seen::Delta(_) | Seen::Raw(_) => {}
                Seen::Error(message) => break End::Error(message),
                Seen::Cut => break End::Cut,
                Seen::Eof => break End::Eof,
                Seen::Finish => break End::Finish,
            }
        };
        whole.used = Some(self.used());
        self.call.finish();
        whole
    }

    /// The answer as the bytes of its events, in pieces of at most `split`; an error is a cut.
    pub(crate) fn stream(
        self,
        events: Events,
        split: Option<usize>,
    ) -> impl Stream<Item = io::Result<Bytes>> {
        self.pieces(events, split, Cut::Ends)
    }

    /// As [`Self::stream`], and what a cut cuts off follows it.
    pub(crate) fn stream_beyond_cuts(
        self,
        events: Events,
        split: Option<usize>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        self.pieces(events, split, Cut::IsPassed)
    }

    fn pieces(
        self,
        events: Events,
        split: Option<usize>,
        cut: Cut,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let state = Box::new(Streaming {
            answer: self,
            events,
            split: split.unwrap_or(usize::MAX),
            cut,
            text: String::new(),
            waiting: Bytes::new(),
            stage: Stage::Opening,
        });
        stream::unfold(state, async |mut state| state.piece().await.map(|piece| (piece, state)))
    }
}

/// The clock that every process of a machine shares.
fn monotonic_nanos() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Ends,
    IsPassed,
}

struct Streaming {
    answer: Answer,
    events: Events,
    split: usize,
    cut: Cut,
    text: String,
    /// Bytes of events that are not sent yet.
    waiting: Bytes,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Opening,
    Open,
    Ended,
}

impl Streaming {
    async fn piece(&mut self) -> Option<io::Result<Bytes>> {
        if !self.waiting.is_empty() {
            // The connection writes what it has when the body has nothing for it.
            yield_now().await;
        }
        while self.waiting.is_empty() && self.stage != Stage::Ended {
            if let Err(cut) = self.fill().await {
                // What was sent before goes out first.
                yield_now().await;
                if self.cut == Cut::Ends {
                    self.answer.call.finish();
                    self.stage = Stage::Ended;
                }
                return Some(Err(cut));
            }
        }
        let piece = self.waiting.split_to(self.split.min(self.waiting.len()));
        if self.stage == Stage::Ended && self.waiting.is_empty() {
            // Before the last byte, so that whoever has read it finds the call finished.
            self.answer.call.finish();
        }
        (!piece.is_empty()).then_some(Ok(piece))
    }

    /// Waits for what comes next and puts its bytes into `waiting`.
    async fn fill(&mut self) -> io::Result<()> {
        let seen = self.answer.next(&mut self.text).await;
        let used = self.answer.used();
        let mut out = Vec::with_capacity(self.events.usual_len());
        if self.stage == Stage::Opening
            && matches!(seen, Seen::Tokens(_) | Seen::Delta(_) | Seen::Finish)
        {
            self.events.opening(&mut out, used);
            self.stage = Stage::Open;
        }
        match seen {
            Seen::Tokens(kind) => self.events.delta(&mut out, kind, &self.text, used),
            Seen::Delta(fields) => self.events.fields(&mut out, &fields, used),
            Seen::Raw(bytes) => out.extend(bytes.as_bytes()),
            Seen::Error(message) => {
                self.events.error(&mut out, &message);
                self.stage = Stage::Ended;
            }
            Seen::Cut => return Err(io::Error::other("cut on purpose")),
            Seen::Eof => self.stage = Stage::Ended,
            Seen::Finish => {
                self.events.ending(&mut out, used);
                self.stage = Stage::Ended;
            }
        }
        self.waiting = out.into();
        Ok(())
    }
}
