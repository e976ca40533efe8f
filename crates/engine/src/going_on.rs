//! How an answer goes on after a break (PROTOCOL B7): a call is repeated before any visible text,
//! and continued after it, each further run with a higher epoch.

use std::sync::Arc;
use std::time::Duration;

use unbroken_protocol::{Citation, Epoch, ErrorCode, FinishReason, GenerationState, Means};
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
    matches!(code, ErrorCode::OwnerLost | ErrorCode::ProviderTruncated) && has_tries(epoch)
}

/// Whether another run may follow this one.
pub(crate) fn has_tries(epoch: Epoch) -> bool {
    epoch <= FURTHER_RUNS
}

/// Whether a sealed answer that ended like this can go on, in a sibling that begins with its text.
pub(crate) fn goes_on_in_a_sibling(ended: Option<FinishReason>, has_text: bool) -> bool {
    has_text && matches!(ended, Some(FinishReason::Length | FinishReason::User))
}

impl Engine {
    /// Gives a generation to a new run after the break of the run `epoch`, durably: its log says
    /// why, and the epoch is higher. `None` when it was sealed meanwhile, or given to another.
    pub(crate) async fn take_over(
        &self,
        log: &Arc<Log>,
        epoch: Epoch,
        broke: Option<&Failure>,
    ) -> Option<Epoch> {
        let record = broke.map(|failure| Record {
            epoch,
            seq: log.head() + 1,
            at: self.clock().now(),
            body: generation::interruption(failure, false),
        });
        self.inner.writer.take_over(TakeOver { log: Arc::clone(log), epoch, record }).await
    }

    /// One run: calls the model, again when a call brought nothing, until the run ends. What was
    /// `found` for it is told before.
    pub(crate) async fn attempt(
        &self,
        run: &Run,
        choice: &Choice,
        request: &Request,
        found: Vec<Citation>,
    ) -> (End, Usage) {
        let runs_on = (run.epoch > 1 || run.log.has_text()).then(|| running(choice));
        let found = found.into_iter().map(|citation| Body::Source(Box::new(citation)));
        let mut first: Vec<_> = runs_on.into_iter().chain(found).collect();
        if run.log.has_text() {
            // A further call is a run of its own: it is not repeated within it.
            return self.continue_call(run, choice, request, first).await;
        }
        let cursor = run.log.identity.generation_id.to_string();
        let mut repeats = 0;
        loop {
            let stream = choice.provider.generate_as(request.clone(), &cursor);
            let stream = run.checked(stream, &request.sources, None);
            let (end, usage) = run.write(stream, std::mem::take(&mut first)).await;
            let End::Failed(failure) = &end else { return (end, usage) };
            if run.log.has_text() || repeats == REPEATS || !failure.code.retryable() {
                return (end, usage);
            }
            // A provider that keeps answers running might still run this one.
            choice.provider.end(&cursor).await;
            match run.pause(failure, repeats).await {
                Ok(()) => repeats += 1,
                Err(meanwhile) => return (meanwhile.unwrap_or(end), usage),
            }
        }
    }

    /// Goes on by the best means that the provider takes.
    async fn continue_call(
        &self,
        run: &Run,
        choice: &Choice,
        request: &Request,
        first: Vec<Body>,
    ) -> (End, Usage) {
        let partial = {
            let inner = run.log.lock();
            Partial {
                content: inner.content.clone(),
                reasoning: inner.reasoning.clone(),
                tools: inner.tool_steps(),
                cursor: Some(run.log.identity.generation_id.to_string()),
            }
        };
        let mut means = means(choice);
        loop {
            let call = choice.provider.go_on(request.clone(), &partial, means);
            let answer = tokio::select! {
                biased;
                () = run.stop.cancelled() => return (End::Stopped, Usage::default()),
                () = run.abandon.cancelled() => return (End::Abandoned, Usage::default()),
                answer = call => answer,
            };
            match answer {
                Ok(stream) => {
                    // A provider that kept the answer running repeats it from its beginning.
                    let after = (means != Means::Reattach).then_some(partial.content.as_str());
                    let stream = run.checked(stream, &request.sources, after);
                    let stream = seam::join(stream, &partial, means);
                    return run.write(stream, first).await;
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

impl Run {
    /// Waits before a further call, as long as the provider asks for or longer at each.
    ///
    /// # Errors
    /// The end that came meanwhile, or `None` when the provider asks for too long a pause.
    pub(crate) async fn pause(&self, failure: &Failure, calls: u32) -> Result<(), Option<End>> {
        let own = PAUSE * 2_u32.pow(calls.min(4));
        // Jitter keeps many answers from coming back at once.
        let jitter = self.clock.jitter();
        let asked = failure.retry_after.unwrap_or_default();
        if asked > LONGEST_PAUSE {
            return Err(None);
        }
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Some(End::Stopped)),
            () = self.abandon.cancelled() => Err(Some(End::Abandoned)),
            () = tokio::time::sleep(own.mul_f64(0.5 + jitter / 2.0).max(asked)) => Ok(()),
        }
    }
}
