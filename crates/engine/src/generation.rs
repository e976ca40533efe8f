//! One run of a model: a task that reads the provider's stream and writes records, and ends with
//! the one that seals or interrupts the log.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Poll;

use futures_util::StreamExt as _;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use unbroken_protocol::{
    CompleteStatus, Epoch, ErrorCode, FinishReason, GenerationState, Role, Seq, Timestamp, ToolStep,
};
use unbroken_providers::{Event, EventStream, Failure, Given, Message, Request, Usage};
use unbroken_sources::marks::Marks;
use unbroken_store::{self as store, Body, Generation, Record};

use crate::bell::{Bell, Seldom};
use crate::checking::check;
use crate::clock::Clock;
use crate::log::{Inner, Kind, Log};
use crate::log_writer::{Append, LogWriter, Settle};

/// Bytes read from the model that may wait for the disk; then reading stops. Counted in halves:
/// whether the first is there is asked when the second is full, and not at every record.
const WAITING_BYTES: usize = 1 << 20;
/// About what a record takes in memory beside its text, or without one.
const RECORD_BYTES: usize = 256;

/// Tokens that one call may claim: sums of what a server makes up would not fit into the store.
const TOKENS: u64 = 1 << 40;

/// Why a run ended.
#[derive(Debug)]
pub(crate) enum End {
    Finished(FinishReason),
    Stopped,
    Failed(Failure),
    /// The process ends; whoever starts next takes the generation over.
    Abandoned,
}

/// A run that is under way.
pub(crate) struct Run {
    pub(crate) log: Arc<Log>,
    pub(crate) epoch: Epoch,
    pub(crate) writer: LogWriter,
    pub(crate) clock: Clock,
    /// The person's stop.
    pub(crate) stop: CancellationToken,
    /// The end of the process.
    pub(crate) abandon: CancellationToken,
    /// Marks that the model made up, of all calls.
    pub(crate) invented: Arc<AtomicU64>,
}

/// The records of a run, as they are made.
struct Scribe {
    log: Arc<Log>,
    epoch: Epoch,
    writer: LogWriter,
    clock: Clock,
    head: Seq,
    /// What was read since [`Self::half_full`], in bytes.
    read: usize,
    /// The last record that was read when a half was full.
    half_full: Seq,
    stop: CancellationToken,
    abandon: CancellationToken,
    usage: Usage,
    /// The call is made again before any visible text: what leads up to it is in the log already.
    repeats: LedUp,
}

impl Run {
    /// Writes the answer to its end and returns what the end is; everything before it is
    /// committed.
    ///
    /// `first` are records that this run begins with.
    pub(crate) async fn write(&self, mut stream: EventStream, first: Vec<Body>) -> (End, Usage) {
        let mut scribe = Scribe {
            log: Arc::clone(&self.log),
            epoch: self.epoch,
            writer: self.writer.clone(),
            clock: self.clock.clone(),
            head: self.log.head(),
            read: 0,
            half_full: 0,
            stop: self.stop.clone(),
            abandon: self.abandon.clone(),
            usage: Usage::default(),
            repeats: self.led_up(),
        };
        for body in first {
            scribe.append(body).await;
        }
        let (mut stopped, mut abandoned) =
            (pin!(self.stop.cancelled()), pin!(self.abandon.cancelled()));
        let seldom = Seldom::default();
        let end = loop {
            let ends = poll_fn(|context| {
                seldom.poll(context, |context| {
                    if stopped.as_mut().poll(context).is_ready() {
                        return Poll::Ready(End::Stopped);
                    }
                    abandoned.as_mut().poll(context).map(|()| End::Abandoned)
                })
            });
            tokio::select! {
                biased;
                end = ends => break end,
                event = stream.next() => {
                    if let Some(end) = scribe.take(event).await {
                        break end;
                    }
                }
            }
        };
        // What the provider still runs for us ends before the log does.
        drop(stream);
        scribe.flush().await;
        (end, scribe.usage)
    }

    /// What an earlier call wrote, and no visible text. That it broke off is also a record, and no
    /// reason to leave out what the next call thinks.
    fn led_up(&self) -> LedUp {
        let inner = self.log.lock();
        let is_before = inner.content.is_empty();
        LedUp {
            by_reasoning: is_before && !inner.reasoning.is_empty(),
            by_sources: is_before && !inner.citations().is_empty(),
            steps: if is_before { inner.tool_steps() } else { Vec::new() },
        }
    }

    /// The stream of a call without marks that were made up; what it was given decides. `partial`
    /// is the text that the call goes on after.
    pub(crate) fn checked(
        &self,
        stream: EventStream,
        given: &[Given],
        partial: Option<&str>,
    ) -> EventStream {
        if given.is_empty() {
            return stream;
        }
        let numbers = given.iter().map(|given| given.number);
        let marks = match partial {
            Some(text) => Marks::after(numbers, text),
            None => Marks::new(numbers),
        };
        check(stream, marks, partial.is_none(), &self.invented)
    }
}

/// What leads up to visible text.
struct LedUp {
    by_reasoning: bool,
    by_sources: bool,
    /// Another call of the model may use tools otherwise: only what is the same is left out.
    steps: Vec<ToolStep>,
}

fn believable(Usage { input_tokens, output_tokens }: Usage) -> Usage {
    Usage { input_tokens: input_tokens.min(TOKENS), output_tokens: output_tokens.min(TOKENS) }
}

impl Scribe {
    /// Turns one event into a record; an end is returned instead.
    async fn take(&mut self, event: Option<Result<Event, Failure>>) -> Option<End> {
        match event {
            Some(Ok(Event::Content(text))) => self.append(Body::Content(text)).await,
            Some(Ok(Event::Reasoning(_))) if self.repeats.by_reasoning => {}
            Some(Ok(Event::Source(_))) if self.repeats.by_sources => {}
            Some(Ok(Event::Tool(step))) if self.repeats.steps.contains(&step) => {}
            Some(Ok(Event::Reasoning(text))) => self.append(Body::Reasoning(text)).await,
            Some(Ok(Event::Source(citation))) => self.append(Body::Source(citation)).await,
            Some(Ok(Event::Tool(step))) => self.append(Body::Tool(step)).await,
            Some(Ok(Event::Usage(usage))) => self.usage = believable(usage),
            Some(Ok(Event::Finish(reason))) => return Some(End::Finished(reason)),
            Some(Err(failure)) => return Some(End::Failed(failure)),
            None => {
                return Some(End::Failed(Failure {
                    code: ErrorCode::ProviderTruncated,
                    message: "The model's answer broke off.".into(),
                    retry_after: None,
                }));
            }
        }
        None
    }

    async fn append(&mut self, body: Body) {
        let text = match &body {
            Body::Content(text) | Body::Reasoning(text) => text.len(),
            Body::Tool(step) => step.bytes(),
            _ => 0,
        };
        self.read += text + RECORD_BYTES;
        if self.read > WAITING_BYTES / 2 {
            tokio::select! {
                biased;
                () = self.written(self.half_full) => {}
                // The run ends: what found no room counts as not read.
                () = self.stop.cancelled() => return,
                () = self.abandon.cancelled() => return,
            }
            (self.read, self.half_full) = (0, self.head);
        }
        self.head += 1;
        let record = Record { epoch: self.epoch, seq: self.head, at: self.clock.now(), body };
        self.writer.append(Append { log: Arc::clone(&self.log), record }).await;
    }

    /// Waits until everything is committed, or refused because the log was sealed meanwhile.
    async fn flush(&self) {
        self.written(self.head).await;
    }

    async fn written(&self, upto: Seq) {
        let bell = Arc::new(Bell::default());
        self.log.watch(&bell);
        while self.log.head() < upto && self.log.takes(self.epoch) {
            bell.rung().await;
        }
    }
}

/// The record that ends a run, with the tokens that it cost and the marks that it made up. `None` when nothing is to be written.
pub(crate) fn settlement(
    log: &Arc<Log>,
    epoch: Epoch,
    end: End,
    (usage, invented): (Usage, u64),
    at: Timestamp,
) -> Option<Settle> {
    let inner = log.lock();
    let body = match end {
        End::Abandoned => return None,
        End::Finished(reason) => {
            complete(&inner, CompleteStatus::Completed, reason, usage, invented)
        }
        End::Stopped => {
            complete(&inner, CompleteStatus::Stopped, FinishReason::User, usage, invented)
        }
        End::Failed(failure) if inner.content.is_empty() || !can_go_on(failure.code) => {
            Body::Failed {
                code: failure.code,
                message: failure.message,
                retry_after_ms: failure
                    .retry_after
                    .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)),
            }
        }
        End::Failed(failure) => interruption(&failure, true),
    };
    let record = Record { epoch, seq: inner.head() + 1, at, body };
    drop(inner);
    Some(Settle {
        log: Arc::clone(log),
        record,
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
    })
}

/// The record of a run that broke off; the log stays open. `can_continue` says whether a person may
/// do something about it: not while the answer goes on by itself.
pub(crate) fn interruption(failure: &Failure, can_continue: bool) -> Body {
    Body::State {
        state: GenerationState::Interrupted,
        code: Some(failure.code),
        message: Some(failure.message.clone()),
        can_continue,
        means: None,
    }
}

/// Whether an answer that broke off for this reason could be continued.
fn can_go_on(code: ErrorCode) -> bool {
    code.retryable()
}

fn complete(
    inner: &Inner,
    status: CompleteStatus,
    finish_reason: FinishReason,
    usage: Usage,
    invented_marks: u64,
) -> Body {
    let chunks = inner.entries.iter().filter(|entry| matches!(entry.kind, Kind::Content { .. }));
    let hash = Sha256::digest(inner.content.as_bytes());
    Body::Complete {
        status,
        finish_reason,
        total_chunks: chunks.count() as u64,
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        content_chars: inner.content_end(inner.head()).1,
        content_sha256: hex::encode(hash),
        invented_marks,
    }
}

/// What the model is asked: the branch up to the person's message.
pub(crate) fn request(
    branch: Vec<store::Message>,
    generation: &Generation,
    model: String,
    sources: Arc<[Given]>,
) -> Request {
    let messages = branch
        .into_iter()
        .filter(|message| message.role == Role::User || !message.content.trim().is_empty())
        .map(|message| Message { role: message.role, content: message.content })
        .collect();
    Request { model, messages, sources, options: generation.options.clone() }
}
