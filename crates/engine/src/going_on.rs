//! How an answer goes on after a break (PROTOCOL B7): a call is repeated before any visible text,
//! and continued after it, each further run with a higher epoch.

use std::sync::Arc;
use std::time::Duration;

use unbroken_protocol::{Epoch, ErrorCode, GenerationState, Means, Timestamp};
use unbroken_providers::{Choice, Failure, GoOnError, Partial, Request, Usage, seam};
use unbroken_store::{Body, Record};

use crate::Engine;
use crate::generation::{self, End, Run};
use crate::log::Log;
use crate::log_writer::TakeOver;

/// How many further runs an answer gets by itself.
const FURTHER_RUNS: Epoch = 3;
/// How often a call is repeated that brought nothing.
const REPEATS: u32 = 2;
/// The first pause before a repeat; the second is twice as long.
const PAUSE: Duration = Duration::from_millis(400);
/// A provider that asks for a longer pause than this is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Whether an answer that broke off for this reason goes on without anybody asking.
pub(crate) fn goes_on_by_itself(code: ErrorCode, epoch: Epoch) -> bool {
    matches!(code, ErrorCode::OwnerLost | ErrorCode::ProviderTruncated) && epoch <= FURTHER_RUNS
}

impl Engine {
    /// Gives a generation to a new run after a break, durably: its log says why, and the epoch is
    /// higher. `None` when it was sealed meanwhile.
    pub(crate) async fn take_over(&self, log: &Arc<Log>, broke: Option<&Failure>) -> Option<Epoch> {
        let record = broke.map(|failure| {
            let inner = log.lock();
            Record {
                epoch: inner.epoch,
                seq: inner.head() + 1,
                at: Timestamp::now(),
                body: generation::interruption(failure, false),
            }
        });
        self.inner.writer.take_over(TakeOver { log: Arc::clone(log), record }).await
    }

    /// One run: calls the model, again when a call brought nothing, until the run ends.
    pub(crate) async fn attempt(
        &self,
        run: &Run,
        choice: &Choice,
        request: &Request,
    ) -> (End, Usage) {
        let continues = run.log.has_text();
        let mut repeats = 0;
        let mut first = (continues || run.epoch > 1).then(|| running(choice));
        loop {
            let before = run.log.head() + u64::from(first.is_some());
            let (end, usage) = if continues {
                self.continue_call(run, choice, request, &mut first).await
            } else {
                let cursor = run.log.identity.generation_id.to_string();
                let stream = choice.provider.generate_as(request.clone(), &cursor);
                run.write(stream, first.take()).await
            };
            let End::Failed(failure) = &end else { return (end, usage) };
            let brought_nothing = run.log.head() <= before || !run.log.has_text();
            let again = brought_nothing && repeats < REPEATS && failure.code.retryable();
            let Some(pause) = again.then(|| pause(failure, repeats)).flatten() else {
                return (end, usage);
            };
            repeats += 1;
            // A provider that keeps answers running might still run this one.
            choice.provider.end(&run.log.identity.generation_id.to_string()).await;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = run.stop.cancelled() => return (End::Stopped, usage),
                () = run.abandon.cancelled() => return (End::Abandoned, usage),
            }
        }
    }

    /// Goes on by the best means that the provider takes.
    async fn continue_call(
        &self,
        run: &Run,
        choice: &Choice,
        request: &Request,
        first: &mut Option<Body>,
    ) -> (End, Usage) {
        let partial = {
            let inner = run.log.lock();
            Partial {
                content: inner.content.clone(),
                reasoning: inner.reasoning.clone(),
                cursor: Some(run.log.identity.generation_id.to_string()),
            }
        };
        let mut means = means(choice);
        loop {
            let call = choice.provider.go_on(request.clone(), &partial, means);
            let answer = tokio::select! {
                answer = call => answer,
                () = run.stop.cancelled() => return (End::Stopped, Usage::default()),
                () = run.abandon.cancelled() => return (End::Abandoned, Usage::default()),
            };
            match answer {
                Ok(stream) => {
                    let stream = seam::join(stream, &partial, means);
                    return run.write(stream, first.take()).await;
                }
                Err(GoOnError::Refused { next: Means::None }) => {
                    let failure = Failure {
                        code: ErrorCode::Conflict,
                        message: "This model cannot go on with an answer. Ask again instead."
                            .into(),
                        retry_after: None,
                    };
                    return (End::Failed(failure), Usage::default());
                }
                Err(GoOnError::Refused { next }) => means = next,
                Err(GoOnError::Failed(failure)) => {
                    return (End::Failed(failure), Usage::default());
                }
            }
        }
    }
}

/// What the provider offers; asked for on purpose, a provider that is not to go on by itself is
/// asked in words.
fn means(choice: &Choice) -> Means {
    match choice.provider.means(&choice.model) {
        Means::None => Means::Prompt,
        means => means,
    }
}

fn running(choice: &Choice) -> Body {
    Body::State {
        state: GenerationState::Running,
        code: None,
        message: None,
        can_continue: false,
        means: Some(means(choice)),
    }
}

/// How long to wait before a call is repeated; `None` when it is too long to wait.
fn pause(failure: &Failure, repeats: u32) -> Option<Duration> {
    let own = PAUSE * 2_u32.pow(repeats);
    // Full jitter keeps many answers from coming back at once.
    let own = own
        .mul_f64(0.5 + f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX) / 2.0);
    let asked = failure.retry_after.unwrap_or_default();
    (asked <= LONGEST_PAUSE).then(|| own.max(asked))
}
