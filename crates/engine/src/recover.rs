//! A start after a crash: logs are rebuilt from the journal before anybody may ask for them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use unbroken_protocol::{ErrorCode, GenerationId, GenerationState, Means};
use unbroken_providers::{Failure, Usage};
use unbroken_store::{Generation, Record};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;
use crate::generation::{self, End};
use crate::going_on::goes_on_by_itself;
use crate::log::{Identity, Log};

impl Engine {
    /// Takes over what a dead process left running, with every record that it committed, and lets
    /// turns that wait run.
    pub(crate) async fn recover(&self) -> Result<(), Refusal> {
        for deleted in self.store().deleted().await? {
            self.inner.hidden.add(deleted);
        }
        let open = self.store().open_generations().await?;
        let running: Vec<&Generation> =
            open.iter().filter(|g| g.state == GenerationState::Running).collect();
        let mut journal = self.read_journal(&running).await?;
        let mut logs = Vec::new();
        for generation in &running {
            let records = journal.remove(&generation.generation_id).unwrap_or_default();
            logs.push(self.rebuild(generation, records).await?);
        }
        self.stop_hidden(&open, &logs).await?;
        let shown = |log: &&Arc<Log>| !self.inner.hidden.contains(log.identity.conversation_id);
        join_all(logs.iter().filter(shown).map(|log| self.recover_log(log))).await;
        if !logs.is_empty() {
            tracing::info!(generations = logs.len(), "recovered answers that were being written");
        }
        let waiting: BTreeSet<_> = open
            .iter()
            .filter(|g| g.state == GenerationState::Queued)
            .filter(|g| !self.inner.hidden.contains(g.conversation_id))
            .map(|g| g.conversation_id)
            .collect();
        for conversation in waiting {
            let next = self.command(|reply| Command::RunNext(conversation, reply)).await?;
            if let Some(next) = next {
                self.spawn_run(next, conversation);
            }
        }
        Ok(())
    }

    /// Stops turns that came while their conversation was being deleted.
    async fn stop_hidden(&self, open: &[Generation], running: &[Arc<Log>]) -> Result<(), Refusal> {
        let waiting = open.iter().filter(|g| g.state == GenerationState::Queued);
        let waiting = waiting.filter(|g| self.inner.hidden.contains(g.conversation_id));
        for generation in waiting.rev() {
            let log = self.inner.logs.get(generation.generation_id, self.store()).await?;
            if let Some(log) = log {
                self.stop_log(&log).await;
            }
        }
        for log in running {
            if self.inner.hidden.contains(log.identity.conversation_id) {
                self.stop_log(log).await;
            }
        }
        Ok(())
    }

    /// Lets an answer go on by itself, or else marks it as interrupted.
    async fn recover_log(&self, log: &Arc<Log>) {
        let (state, epoch) = log.state_and_epoch();
        let broke_off = state == GenerationState::Interrupted;
        let choice = self.inner.catalogue.resolve(&log.identity.model, None);
        let failure = owner_lost();
        let can_go_on = !log.has_text() || choice.provider.means(&choice.model) != Means::None;
        if can_go_on && goes_on_by_itself(failure.code, epoch) {
            let broke = (!broke_off).then_some(&failure);
            if self.take_over(log, epoch, broke).await.is_some() {
                self.spawn_run(log.identity.generation_id, log.identity.conversation_id);
                return;
            }
        }
        let end = End::Failed(failure);
        if let Some(settle) =
            generation::settlement(log, epoch, end, (Usage::default(), 0), self.clock().now())
        {
            self.settle(settle).await;
        }
    }

    /// The records of these generations that are still in the journal, in order.
    async fn read_journal(
        &self,
        wanted: &[&Generation],
    ) -> Result<HashMap<GenerationId, Vec<Record>>, Refusal> {
        let mut records: HashMap<GenerationId, Vec<Record>> =
            wanted.iter().map(|g| (g.generation_id, Vec::new())).collect();
        let mut after = 0;
        while let Some((last, entries)) = self.store().journal(after).await? {
            for entry in entries {
                if let Some(records) = records.get_mut(&entry.generation) {
                    records.extend(entry.records);
                }
            }
            after = last;
        }
        Ok(records)
    }

    async fn rebuild(
        &self,
        generation: &Generation,
        journal: Vec<Record>,
    ) -> Result<Arc<Log>, Refusal> {
        let mut records = self.store().packed_records(generation.generation_id).await?;
        let packed = records.len() as u64;
        for record in journal {
            // What was packed may still stand in the journal.
            if record.seq == records.len() as u64 + 1 {
                records.push(record);
            }
        }
        let log = Arc::new(Log::new(
            Identity::from(generation),
            generation.state,
            generation.epoch,
            packed,
            records,
        ));
        self.inner.logs.put(&log).await;
        Ok(log)
    }
}

fn owner_lost() -> Failure {
    Failure {
        code: ErrorCode::OwnerLost,
        message: "The server was restarted while this answer was being written. What it wrote is \
                  kept."
            .into(),
        retry_after: None,
    }
}
