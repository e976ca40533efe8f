//! What of a log goes from the journal into the store when its run ends, goes to another run, or
//! has become long.

use std::sync::Arc;

use unbroken_protocol::{Citation, Epoch, ErrorCode, FinishReason, Seq, ToolStep};
use unbroken_store::{Body, Record, Sealed, Settled, StoreError, Transaction};

use crate::log::{Log, state_after};
use crate::log_writer::{Settle, TakeOver};

/// Packs what a running generation has in the journal; returns up to which record.
pub(crate) fn pack(transaction: &mut Transaction<'_>, log: Arc<Log>) -> (Arc<Log>, Seq) {
    let (upto, records) = {
        let inner = log.lock();
        (inner.head(), inner.records_after(inner.packed))
    };
    transaction.pack(log.identity.generation_id, &records);
    (log, upto)
}

/// Seals or interrupts logs, all at once.
pub(crate) async fn settle(
    transaction: &mut Transaction<'_>,
    settles: impl Iterator<Item = &Settle>,
) -> Result<Vec<Sealed>, StoreError> {
    let ends: Vec<Ending<'_>> = settles.map(Ending::of).collect();
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let settled: Vec<Settled<'_>> = ends.iter().map(Ending::settled).collect();
    transaction.settle(&settled).await
}

/// A settlement, and what its log holds.
struct Ending<'a> {
    settle: &'a Settle,
    content: String,
    reasoning: String,
    reasoning_ms: Option<u64>,
    tool_events: Vec<ToolStep>,
    citations: Vec<Citation>,
    records: Vec<Record>,
}

impl<'a> Ending<'a> {
    fn of(settle: &'a Settle) -> Self {
        let inner = settle.log.lock();
        let mut records = inner.records_after(inner.packed);
        records.push(settle.record.clone());
        Self {
            settle,
            content: inner.content.clone(),
            reasoning: inner.reasoning.clone(),
            reasoning_ms: inner.reasoning_ms(),
            tool_events: inner.tool_steps(),
            citations: inner.citations(),
            records,
        }
    }

    fn settled(&self) -> Settled<'_> {
        let Settle { log, record, input_tokens, output_tokens } = self.settle;
        Settled {
            generation_id: log.identity.generation_id,
            conversation_id: log.identity.conversation_id,
            message_id: log.identity.message_id,
            epoch: record.epoch,
            state: state_after(&record.body).expect("a settlement ends a run"),
            head_seq: record.seq,
            content: &self.content,
            reasoning: &self.reasoning,
            reasoning_ms: self.reasoning_ms,
            tool_events: &self.tool_events,
            citations: &self.citations,
            finish_reason: finish_reason(&record.body),
            input_tokens: *input_tokens,
            output_tokens: *output_tokens,
            error: error(&record.body),
            records: &self.records,
            at: record.at,
        }
    }
}

/// Gives a log to another run.
pub(crate) async fn take_over(
    transaction: &mut Transaction<'_>,
    take_over: &TakeOver,
) -> Result<Option<Epoch>, StoreError> {
    let TakeOver { log, epoch, record } = take_over;
    let mut records = {
        let inner = log.lock();
        inner.records_after(inner.packed)
    };
    records.extend(record.clone());
    let head = records.last().map_or_else(|| log.head(), |record| record.seq);
    transaction.take_over(log.identity.generation_id, *epoch, head, &records).await
}

fn finish_reason(body: &Body) -> Option<FinishReason> {
    match body {
        Body::Complete { finish_reason, .. } => Some(*finish_reason),
        _ => None,
    }
}

fn error(body: &Body) -> Option<(ErrorCode, &str)> {
    match body {
        Body::Failed { code, message, .. }
        | Body::State { code: Some(code), message: Some(message), .. } => Some((*code, message)),
        _ => None,
    }
}
