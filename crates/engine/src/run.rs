//! Running and stopping: the life of a generation around its task.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;
use unbroken_protocol::{
    ConversationId, ConversationOp, Epoch, Event, GenerationId, GenerationState, Means,
    PrincipalId, QueueEvent,
};
use unbroken_providers::{Choice, Failure, Usage};
use unbroken_store::{Generation, Message, NewTurn, Sealed};

use crate::Engine;
use crate::error::Refusal;
use crate::generation::{self, End, Run};
use crate::going_on::{goes_on_by_itself, goes_on_in_a_sibling, has_tries};
use crate::log::Log;
use crate::log_writer::Settle;
use crate::retrieval::Missed;

impl Engine {
    /// Lets a generation run that the store says is running.
    pub(crate) fn spawn_run(&self, id: GenerationId, conversation: ConversationId) {
        let engine = self.clone();
        self.spawn(id, conversation, |stop| async move {
            let Some(generation) = engine.store().generation(id).await? else { return Ok(()) };
            let Some(log) = engine.inner.logs.get(id, engine.store()).await? else { return Ok(()) };
            if log.run(generation.epoch) {
                // It may have waited.
                engine.announce_queue(&log.identity.principal_id, conversation).await;
                engine.run(generation, None, log, stop).await;
            }
            Ok(())
        });
    }

    /// The same with one that was just made: nothing of it has to be read, by whoever follows it
    /// from now on either.
    pub(crate) async fn spawn_new_run(&self, generation: Generation, turn: &NewTurn) {
        let log = self.inner.logs.begin(&generation, turn.begins_with.clone()).await;
        let engine = self.clone();
        let first = turn.first_message();
        self.spawn(generation.generation_id, generation.conversation_id, |stop| async move {
            if log.run(generation.epoch) {
                engine.run(generation, first, log, stop).await;
            }
            Ok(())
        });
    }

    fn spawn<F>(
        &self,
        id: GenerationId,
        conversation: ConversationId,
        run: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        let run = run(self.inner.runs.begin(id, conversation));
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            if let Err(refusal) = run.await {
                tracing::error!(generation.id = %id, error = %refusal, "failed to run a generation");
            }
            engine.inner.runs.end(id);
        });
    }

    /// `first` is the person's message when it is known that nothing was said before.
    async fn run(
        &self,
        generation: Generation,
        mut first: Option<Message>,
        log: Arc<Log>,
        stop: CancellationToken,
    ) {
        let id = generation.generation_id;
        let mut run = Run {
            log: Arc::clone(&log),
            epoch: generation.epoch,
            writer: self.inner.writer.clone(),
            clock: self.clock().clone(),
            stop,
            abandon: self.inner.abandon.clone(),
            invented: Arc::default(),
        };
        let choice = self.inner.catalogue.resolve(&generation.model, None);
        let mut usage = Usage::default();
        let end = loop {
            let text_before = log.text_bytes();
            let (end, cost) = self.write(&run, &choice, &generation, first.take()).await;
            usage.input_tokens += cost.input_tokens;
            usage.output_tokens += cost.output_tokens;
            let End::Failed(failure) = &end else { break end };
            tracing::warn!(
                generation.id = %id, conversation.id = %generation.conversation_id,
                model = %generation.model, code = %failure.code, reason = %failure.message,
                "a model did not finish its answer"
            );
            // A further call that brought nothing is followed by another, as a first one is.
            let in_vain = text_before > 0 && log.text_bytes() == text_before;
            let goes_on = log.has_text()
                && choice.provider.means(&choice.model) != Means::None
                && (goes_on_by_itself(failure.code, run.epoch)
                    || in_vain && failure.code.retryable() && has_tries(run.epoch));
            if !goes_on {
                break end;
            }
            if in_vain && let Err(meanwhile) = run.pause(failure, run.epoch).await {
                break meanwhile.unwrap_or(end);
            }
            match self.take_over(&log, run.epoch, Some(failure)).await {
                Some(epoch) => run.epoch = epoch,
                None => return,
            }
        };
        if matches!(end, End::Stopped) {
            // Where the provider keeps the answer running, dropping the stream has left it.
            choice.provider.end(&id.to_string()).await;
        }
        let invented = run.invented.load(Ordering::Relaxed);
        if invented > 0 {
            tracing::info!(
                generation.id = %id, model = %generation.model, marks = invented,
                "a model made up marks of sources, which were taken out"
            );
        }
        let cost = (usage, invented);
        if let Some(settle) = generation::settlement(&log, run.epoch, end, cost, self.clock().now())
        {
            self.settle(settle).await;
        }
    }

    async fn write(
        &self,
        run: &Run,
        choice: &Choice,
        generation: &Generation,
        first: Option<Message>,
    ) -> (End, Usage) {
        let prepared = async {
            let branch = if let Some(first) = first {
                vec![first]
            } else {
                let mut branch = self.store().branch(generation.message_id).await?;
                // The last one is the answer that is about to be written.
                branch.pop();
                branch
            };
            let found = self.look_up(run, &branch).await?;
            let model = choice.model.clone();
            let request = generation::request(branch, generation, model, found.given);
            Ok((request, found.new))
        };
        match prepared.await {
            Ok((request, new)) => self.attempt(run, choice, &request, new).await,
            Err(Missed::Ended(end)) => (end, Usage::default()),
            Err(Missed::Store(error)) => {
                tracing::error!(error = %error, "failed to read a conversation");
                let refusal = Refusal::Storage;
                let failure = Failure {
                    code: refusal.code(),
                    message: refusal.to_string(),
                    retry_after: None,
                };
                (End::Failed(failure), Usage::default())
            }
        }
    }

    /// Lets an answer go on because a person asks for it: an interrupted one in its own log, one
    /// that ended by its length or by a stop as a sibling that begins with its text (PROTOCOL B7).
    /// Returns the generation that runs then. The same key makes one sibling.
    ///
    /// # Errors
    /// `conflict` when it can do neither, `conversation_busy` while another answer is written.
    pub async fn go_on(
        &self,
        principal: PrincipalId,
        id: GenerationId,
        key: Option<String>,
    ) -> Result<GenerationId, Refusal> {
        let log = self.log(principal, id).await?;
        self.inner.writer.check()?;
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let (state, epoch) = log.state_and_epoch();
            if state == GenerationState::Interrupted {
                engine.resume(&log, epoch).await?;
                return Ok(id);
            }
            let ended = engine.store().generation(id).await?.and_then(|ended| ended.finish_reason);
            if goes_on_in_a_sibling(ended, log.has_text()) {
                return Ok(engine.sibling(&log, key.as_deref()).await?.turn.generation_id);
            }
            Err(Refusal::Conflict("This answer cannot be continued. Ask again instead."))
        })
        .await
    }

    async fn resume(&self, log: &Arc<Log>, epoch: Epoch) -> Result<(), Refusal> {
        let identity = &log.identity;
        // The run that was interrupted may be on its way out still.
        self.inner.runs.ended(identity.generation_id).await;
        if !self.inner.runs.of(identity.conversation_id).is_empty() {
            return Err(Refusal::Running);
        }
        let taken = self.take_over(log, epoch, None).await;
        taken.ok_or(Refusal::Conflict("This answer is being continued already."))?;
        self.spawn_run(identity.generation_id, identity.conversation_id);
        self.announce(identity.principal_id, identity.conversation_id).await;
        Ok(())
    }

    /// Seals or interrupts a log, tells everybody, and lets the next turn run.
    pub(crate) async fn settle(&self, settle: Settle) -> Sealed {
        let identity = settle.log.identity.clone();
        let sealed = self.inner.writer.settle(settle).await;
        if let Sealed::Done { next } = sealed {
            if let Some(next) = next {
                self.spawn_run(next, identity.conversation_id);
            }
            self.announce(identity.principal_id, identity.conversation_id).await;
        }
        sealed
    }

    /// Stops a generation, durably; what it wrote stays. Stopping one that has ended changes
    /// nothing (PROTOCOL B8.9, B8.10). Returns the state in which it is then.
    ///
    /// # Errors
    /// `storage_unavailable` while the store refuses to write: the model is not read any more, and
    /// the stop is durable only when the store writes again.
    pub async fn stop(
        &self,
        principal: PrincipalId,
        id: GenerationId,
    ) -> Result<GenerationState, Refusal> {
        let log = self.log(principal, id).await?;
        let state = log.state();
        if state.is_sealed() {
            return Ok(state);
        }
        let engine = self.clone();
        self.carry_out_while_storing(async move { Ok(engine.stop_log(&log).await) }).await
    }

    pub(crate) async fn stop_log(&self, log: &Arc<Log>) -> GenerationState {
        loop {
            let (state, epoch) = log.state_and_epoch();
            if state.is_sealed() {
                return state;
            }
            let id = log.identity.generation_id;
            if self.inner.runs.stop(id) {
                self.inner.runs.ended(id).await;
                continue;
            }
            // It waits, or was interrupted: nobody writes it.
            let settle = generation::settlement(
                log,
                epoch,
                End::Stopped,
                (Usage::default(), 0),
                self.clock().now(),
            )
            .expect("a stop is written");
            let sealed = self.settle(settle).await;
            // The turn before it may have ended meanwhile, and let it run.
            let runs = self.inner.runs.stop(log.identity.generation_id);
            if sealed == Sealed::Stale && !runs {
                return GenerationState::Stopped;
            }
            if state == GenerationState::Queued {
                let identity = &log.identity;
                self.announce_queue(&identity.principal_id, identity.conversation_id).await;
            }
        }
    }

    /// Stops what runs and waits in a conversation.
    pub(crate) async fn stop_conversation(
        &self,
        conversation: ConversationId,
    ) -> Result<(), Refusal> {
        // The last one first, so that none of those that wait begins to run.
        let waiting = self.store().queue(conversation).await?;
        let waiting = waiting.into_iter().rev().map(|(id, _)| id);
        for id in waiting.chain(self.inner.runs.of(conversation)) {
            if let Some(log) = self.inner.logs.get(id, self.store()).await? {
                self.stop_log(&log).await;
            }
        }
        Ok(())
    }

    /// Tells a principal's connections how a conversation stands.
    pub(crate) async fn announce(&self, principal: PrincipalId, id: ConversationId) {
        let read = async {
            match self.store().conversation(principal, id).await {
                Ok(row) => {
                    // Who shows a temporary one has it open: no list takes it in.
                    let listed = row.filter(|row| !row.conversation.temporary);
                    listed.map(|row| Self::conversation_event(ConversationOp::Upsert, &row))
                }
                Err(error) => {
                    tracing::error!(error = %error, "failed to read a conversation");
                    None
                }
            }
        };
        self.tell(principal, read).await;
    }

    /// Tells a principal's connections which turns wait in a conversation.
    pub(crate) async fn announce_queue(&self, principal: &PrincipalId, id: ConversationId) {
        let read = async {
            match self.queue(id).await {
                Ok(items) => Some(Event::Queue(QueueEvent { conversation_id: id, items })),
                Err(refusal) => {
                    tracing::error!(error = %refusal, "failed to read a queue");
                    None
                }
            }
        };
        self.tell(*principal, read).await;
    }
}
