//! A start after a crash: logs are rebuilt from the journal before anybody may ask for them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use unbroken_protocol::{ErrorCode, GenerationId, GenerationState, Timestamp};
use unbroken_store::{Generation, Record, Sealed};

use crate::Engine;
use crate::error::Refusal;
use crate::generation;
use crate::log::{Identity, Log};
use crate::log_writer::{Command, Settle};

impl Engine {
    /// Marks what a dead process left running as interrupted, with every record that it committed,
    /// and lets turns that wait run.
    pub(crate) async fn recover(&self) -> Result<(), Refusal> {
        let open = self.store().open_generations().await?;
        let running: Vec<&Generation> =
            open.iter().filter(|g| g.state == GenerationState::Running).collect();
        let mut journal = self.read_journal(&running).await?;
        let mut logs = Vec::new();
        for generation in &running {
            let records = journal.remove(&generation.generation_id).unwrap_or_default();
            logs.push(self.rebuild(generation, records).await?);
        }
        let interrupted = logs.iter().map(|log| self.settle(interrupted(log)));
        let done = join_all(interrupted).await;
        if done.contains(&Sealed::Stale) {
            tracing::error!("a generation of the last run could not be recovered");
        }
        if !logs.is_empty() {
            tracing::info!(generations = logs.len(), "recovered answers that were being written");
        }
        let waiting: BTreeSet<_> = open
            .iter()
            .filter(|g| g.state == GenerationState::Queued)
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

fn interrupted(log: &Arc<Log>) -> Settle {
    let body = generation::interruption(
        ErrorCode::OwnerLost,
        "The server was restarted while this answer was being written. What it wrote is kept."
            .into(),
    );
    let inner = log.lock();
    let record = Record { epoch: inner.epoch, seq: inner.head() + 1, at: Timestamp::now(), body };
    drop(inner);
    Settle { log: Arc::clone(log), record, input_tokens: 0, output_tokens: 0 }
}
