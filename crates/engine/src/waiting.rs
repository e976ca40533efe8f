//! What waits for the log writer, and how much of it comes into the next commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use unbroken_protocol::{Epoch, GenerationId, Seq};
use unbroken_store::{Record, Sealed};

use crate::command::Command;
use crate::log::Log;
use crate::log_writer::{Append, Operation, Settle, TakeOver};

/// So many ends are written in one commit, and so many commands: tokens wait for them.
const AT_ONCE: usize = 4;
/// More only as this part of all that wait, so that however many come do not wait ever longer.
const PART: usize = 8;

/// How many ends of runs a commit holds.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) settles: usize,
    pub(crate) take_overs: usize,
}

/// What was not committed yet, each kind in the order of arrival.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) appends: Vec<Append>,
    pub(crate) settles: VecDeque<(Settle, oneshot::Sender<Sealed>)>,
    pub(crate) take_overs: Vec<(TakeOver, oneshot::Sender<Option<Epoch>>)>,
    pub(crate) commands: VecDeque<Command>,
}

impl Waiting {
    pub(crate) fn push(&mut self, operation: Operation) {
        match operation {
            Operation::Append(append) => self.appends.push(append),
            Operation::Settle(settle, reply) => self.settles.push_back((settle, reply)),
            Operation::TakeOver(take_over, reply) => self.take_overs.push((take_over, reply)),
            Operation::Command(command) => self.commands.push_back(command),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.appends.is_empty()
            && self.settles.is_empty()
            && self.take_overs.is_empty()
            && self.commands.is_empty()
    }

    /// The records, without those that are refused.
    pub(crate) fn records(&mut self) -> &[Append] {
        let mut heads = Heads(HashMap::with_capacity(self.appends.len()));
        self.appends.retain(|append| heads.take(&append.log, &append.record));
        &self.appends
    }

    /// How many ends of runs come next, without those that are refused.
    pub(crate) fn ends(&mut self) -> Ends {
        if !self.settles.is_empty() {
            let mut heads = Heads::default();
            self.settles.retain(|(settle, _)| heads.take(&settle.log, &settle.record));
        }
        Ends { settles: some(self.settles.len()), take_overs: some(self.take_overs.len()) }
    }

    /// Takes the commands that come next.
    pub(crate) fn take_commands(&mut self) -> Vec<Command> {
        self.commands.drain(..some(self.commands.len())).collect()
    }

    /// The logs that it is about, commands aside.
    pub(crate) fn logs(&self) -> impl Iterator<Item = &Arc<Log>> {
        let appends = self.appends.iter().map(|append| &append.log);
        let settles = self.settles.iter().map(|(settle, _)| &settle.log);
        let take_overs = self.take_overs.iter().map(|(take_over, _)| &take_over.log);
        appends.chain(settles).chain(take_overs)
    }
}

/// How many of so many that wait come into one commit.
fn some(waiting: usize) -> usize {
    waiting.min(AT_ONCE.max(waiting / PART))
}

/// Where logs end with what was taken so far for the next commit.
///
/// Refused is what does not continue its log: it was sealed meanwhile, also by this very commit, or
/// a later run owns it (PROTOCOL B8.1, B8.5, B8.6).
#[derive(Default)]
struct Heads(HashMap<GenerationId, (Option<Epoch>, Seq)>);

impl Heads {
    /// Whether the record continues its log.
    fn take(&mut self, log: &Log, record: &Record) -> bool {
        let (epoch, seq) = self.0.entry(log.identity.generation_id).or_insert_with(|| {
            let inner = log.lock();
            (inner.takes(), inner.head())
        });
        let continues = *epoch == Some(record.epoch) && *seq + 1 == record.seq;
        if continues {
            *seq = record.seq;
        }
        continues
    }
}
