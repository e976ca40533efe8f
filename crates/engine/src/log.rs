//! The log of one generation in memory: committed records only, shared by its writer and all of
//! its followers.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;
use unbroken_protocol::{
    Citation, ConversationId, Epoch, ErrorCode, GenerationId, GenerationState, MessageId, Position,
    PrincipalId, Seq, Timestamp, ToolStep,
};
use unbroken_store::{Body, Generation, Record};

use crate::bell::Bell;

/// What never changes about a generation.
#[derive(Clone, Debug)]
pub struct Identity {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    /// The assistant message that it writes.
    pub message_id: MessageId,
    pub principal_id: PrincipalId,
    pub model: String,
    pub model_name: String,
}

impl From<&Generation> for Identity {
    fn from(generation: &Generation) -> Self {
        Self {
            generation_id: generation.generation_id,
            conversation_id: generation.conversation_id,
            message_id: generation.message_id,
            principal_id: generation.principal_id,
            model: generation.model.clone(),
            model_name: generation.model_name.clone(),
        }
    }
}

/// The committed records of one generation.
///
/// Records come in after their commit, and those that end a run when they are on the disk; whoever
/// reads sees nothing that a crash could take back (PROTOCOL B8.4). Readers keep their own position.
pub struct Log {
    pub identity: Identity,
    inner: Mutex<Inner>,
}

/// The records, laid out so that any stretch of visible text is one slice.
pub(crate) struct Inner {
    pub(crate) state: GenerationState,
    pub(crate) epoch: Epoch,
    pub(crate) entries: Vec<Entry>,
    pub(crate) content: String,
    pub(crate) reasoning: String,
    /// What is no text: [`Kind::Other`] says which.
    bodies: Vec<Body>,
    /// How many records have left the journal.
    pub(crate) packed: Seq,
    /// The record that ends the run is committed, and shown when it is on the disk.
    ending: bool,
    /// The store refuses to write; what was read from the model waits.
    pub(crate) storage_fails: bool,
    /// Followers to wake. One that only the log still holds is forgotten at the next change.
    watchers: SmallVec<[Arc<Bell>; 1]>,
}

/// One record, in 24 bytes: a long answer has thousands.
pub(crate) struct Entry {
    pub(crate) epoch: Epoch,
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Visible text up to this byte of `content`, which is this Unicode scalar value.
    Content { end: u32, end_chars: u32 },
    /// Reasoning up to this byte of `reasoning`.
    Reasoning { end: u32 },
    /// See [`Inner::body`].
    Other(u32),
}

const _: () = assert!(size_of::<Entry>() == 24);

impl Log {
    /// A log with the records that the store holds of it, of which the first `packed` have left
    /// the journal.
    pub(crate) fn new(
        identity: Identity,
        state: GenerationState,
        epoch: Epoch,
        packed: Seq,
        records: Vec<Record>,
    ) -> Self {
        let mut inner = Inner {
            state,
            epoch,
            entries: Vec::new(),
            content: String::new(),
            reasoning: String::new(),
            bodies: Vec::new(),
            packed,
            ending: false,
            storage_fails: false,
            watchers: SmallVec::new(),
        };
        for record in records {
            inner.push(record);
        }
        Self { identity, inner: Mutex::new(inner) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves records whole: they are pushed one at a time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a committed record to everybody. `true` when the log had none in the journal before.
    pub(crate) fn publish(&self, record: Record) -> bool {
        let mut inner = self.lock();
        inner.storage_fails = false;
        let begins = inner.packed == inner.head();
        inner.push(record);
        inner.wake();
        begins
    }

    /// A queued generation begins to run, in this epoch. `false` when it was sealed before it could.
    pub(crate) fn run(&self, epoch: Epoch) -> bool {
        let mut inner = self.lock();
        if inner.state.is_sealed() {
            return false;
        }
        inner.state = GenerationState::Running;
        inner.epoch = epoch;
        inner.wake();
        true
    }

    /// Whether a run of that epoch may append.
    pub(crate) fn takes(&self, epoch: Epoch) -> bool {
        self.lock().takes() == Some(epoch)
    }

    /// The record that ends a run is committed, and left the journal with those before it; it is
    /// shown later. Nothing comes before it any more.
    pub(crate) fn ends_with(&self, record: &Record) {
        let mut inner = self.lock();
        inner.ending = true;
        inner.packed = record.seq;
    }

    pub(crate) fn set_packed(&self, packed: Seq) {
        self.lock().packed = packed;
    }

    /// Tells followers that the store refuses to write for now.
    pub(crate) fn storage_fails(&self) {
        let mut inner = self.lock();
        if !mem::replace(&mut inner.storage_fails, true) {
            inner.wake();
        }
    }

    /// Rings `bell` at every change from now on, as long as somebody else holds it.
    pub fn watch(&self, bell: &Arc<Bell>) {
        self.lock().watchers.push(Arc::clone(bell));
    }

    /// The number of the last record.
    pub fn head(&self) -> Seq {
        self.lock().head()
    }

    pub fn state(&self) -> GenerationState {
        self.lock().state
    }

    pub(crate) fn state_and_epoch(&self) -> (GenerationState, Epoch) {
        let inner = self.lock();
        (inner.state, inner.epoch)
    }

    /// Whether there is visible text.
    pub(crate) fn has_text(&self) -> bool {
        self.text_bytes() > 0
    }

    /// How much visible text there is, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        self.lock().content.len()
    }

    /// Everything so far, as one value: text, reasoning, citations, state and position.
    pub fn summary(&self) -> Summary {
        let inner = self.lock();
        Summary {
            state: inner.state,
            position: inner.position(),
            content: inner.content.clone(),
            reasoning: inner.reasoning.clone(),
            reasoning_ms: inner.reasoning_ms(),
            tool_events: inner.tool_steps(),
            citations: inner.citations(),
            seams: inner.seams(),
            interruption: inner.interruption(),
        }
    }
}

/// A log at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub state: GenerationState,
    pub position: Position,
    pub content: String,
    pub reasoning: String,
    /// How long it took, from its first to its last record.
    pub reasoning_ms: Option<u64>,
    pub tool_events: Vec<ToolStep>,
    pub citations: Vec<Citation>,
    /// Where a further run went on, in Unicode scalar values of the text.
    pub seams: Vec<u64>,
    /// Why it broke off, while it is interrupted.
    pub interruption: Option<Interruption>,
}

/// Why an answer does not go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Interruption {
    pub code: Option<ErrorCode>,
    pub message: Option<String>,
    /// It waits for a person.
    pub can_continue: bool,
}

impl Inner {
    /// How long the reasoning took, from its first to its last record.
    pub(crate) fn reasoning_ms(&self) -> Option<u64> {
        if self.reasoning.is_empty() {
            return None;
        }
        let is_reasoning = |entry: &&Entry| matches!(entry.kind, Kind::Reasoning { .. });
        let first = self.entries.iter().find(is_reasoning)?.at;
        let last = self.entries.iter().rev().find(is_reasoning)?.at;
        // A clock may have been set back.
        Some(u64::try_from(last.as_millis() - first.as_millis()).unwrap_or(0))
    }

    pub(crate) fn head(&self) -> Seq {
        self.entries.len() as Seq
    }

    /// The run that may append; none to a log that ends or is sealed.
    pub(crate) fn takes(&self) -> Option<Epoch> {
        (!self.ending && !self.state.is_sealed()).then_some(self.epoch)
    }

    /// Where the log ends: the epoch is that of the last record, or of the run before the first.
    pub(crate) fn position(&self) -> Position {
        let epoch = self.entries.last().map_or(self.epoch, |entry| entry.epoch);
        Position::new(epoch, self.head())
    }

    /// The epoch in which the record `seq` was written.
    pub(crate) fn epoch_at(&self, seq: Seq) -> Option<Epoch> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        Some(self.entries.get(index)?.epoch)
    }

    /// Byte and Unicode scalar value of the visible text after `seq` records.
    pub(crate) fn content_end(&self, seq: Seq) -> (usize, u64) {
        let seq = usize::try_from(seq).unwrap_or(usize::MAX).min(self.entries.len());
        let before = self.entries[..seq].iter().rev().find_map(|entry| match entry.kind {
            Kind::Content { end, end_chars } => Some((end as usize, u64::from(end_chars))),
            _ => None,
        });
        before.unwrap_or_default()
    }

    /// Byte of the reasoning after `seq` records.
    pub(crate) fn reasoning_end(&self, seq: Seq) -> usize {
        let seq = usize::try_from(seq).unwrap_or(usize::MAX).min(self.entries.len());
        let before = self.entries[..seq].iter().rev().find_map(|entry| match entry.kind {
            Kind::Reasoning { end } => Some(end as usize),
            _ => None,
        });
        before.unwrap_or_default()
    }

    pub(crate) fn citations(&self) -> Vec<Citation> {
        let sources = self.bodies.iter().filter_map(|body| match body {
            Body::Source(citation) => Some((**citation).clone()),
            _ => None,
        });
        sources.collect()
    }

    /// The steps of tool calls, in their order.
    pub(crate) fn tool_steps(&self) -> Vec<ToolStep> {
        let steps = self.bodies.iter().filter_map(|body| match body {
            Body::Tool(step) => Some((**step).clone()),
            _ => None,
        });
        steps.collect()
    }

    /// Where a further run went on after text, each place once.
    fn seams(&self) -> Vec<u64> {
        let (mut seams, mut chars) = (Vec::new(), 0);
        for entry in &self.entries {
            match entry.kind {
                Kind::Content { end_chars, .. } => chars = u64::from(end_chars),
                Kind::Other(body)
                    if entry.epoch > 1 && chars > 0 && is_running(self.body(body)) =>
                {
                    seams.push(chars);
                }
                Kind::Reasoning { .. } | Kind::Other(_) => {}
            }
        }
        seams.dedup();
        seams
    }

    /// What is no text, by its number in [`Kind::Other`].
    pub(crate) fn body(&self, number: u32) -> &Body {
        &self.bodies[number as usize]
    }

    pub(crate) fn interruption(&self) -> Option<Interruption> {
        if self.state != GenerationState::Interrupted {
            return None;
        }
        self.bodies.iter().rev().find_map(|body| match body {
            Body::State { code, message, can_continue, .. } => Some(Interruption {
                code: *code,
                message: message.clone(),
                can_continue: *can_continue,
            }),
            _ => None,
        })
    }

    /// The records after `seq`, as they are stored.
    pub(crate) fn records_after(&self, seq: Seq) -> Vec<Record> {
        let mut content_start = self.content_end(seq).0;
        let mut reasoning_start = self.reasoning_end(seq);
        let mut records = Vec::new();
        let skip = usize::try_from(seq).unwrap_or(usize::MAX);
        for (entry, seq) in self.entries.iter().skip(skip).zip(seq + 1..) {
            let body = match entry.kind {
                Kind::Content { end, .. } => {
                    let start = mem::replace(&mut content_start, end as usize);
                    Body::Content(self.content[start..content_start].to_owned())
                }
                Kind::Reasoning { end } => {
                    let start = mem::replace(&mut reasoning_start, end as usize);
                    Body::Reasoning(self.reasoning[start..reasoning_start].to_owned())
                }
                Kind::Other(body) => self.body(body).clone(),
            };
            records.push(Record { epoch: entry.epoch, seq, at: entry.at, body });
        }
        records
    }

    fn wake(&mut self) {
        self.watchers.retain(|bell| {
            bell.ring();
            Arc::strong_count(bell) > 1
        });
    }

    fn push(&mut self, record: Record) {
        assert_eq!(record.seq, self.head() + 1, "a log has no gap");
        let kind = match record.body {
            Body::Content(text) => {
                let before = self.entries.iter().rev().find_map(|entry| match entry.kind {
                    Kind::Content { end_chars, .. } => Some(end_chars),
                    _ => None,
                });
                let end_chars = before.unwrap_or_default() + short(text.chars().count());
                self.content.push_str(&text);
                Kind::Content { end: short(self.content.len()), end_chars }
            }
            Body::Reasoning(text) => {
                self.reasoning.push_str(&text);
                Kind::Reasoning { end: short(self.reasoning.len()) }
            }
            body => {
                self.state = state_after(&body).unwrap_or(self.state);
                self.ending = false;
                self.bodies.push(body);
                Kind::Other(short(self.bodies.len() - 1))
            }
        };
        self.epoch = self.epoch.max(record.epoch);
        self.entries.push(Entry { epoch: record.epoch, at: record.at, kind });
    }
}

/// A length in a log.
fn short(length: usize) -> u32 {
    u32::try_from(length).expect("no answer is as long as 4 GiB")
}

fn is_running(body: &Body) -> bool {
    matches!(body, Body::State { state: GenerationState::Running, .. })
}

/// The state that a record puts its generation into.
pub(crate) fn state_after(body: &Body) -> Option<GenerationState> {
    use unbroken_protocol::CompleteStatus::{Completed, Stopped};
    match body {
        Body::State { state, .. } => Some(*state),
        Body::Complete { status: Completed, .. } => Some(GenerationState::Completed),
        Body::Complete { status: Stopped, .. } => Some(GenerationState::Stopped),
        Body::Failed { .. } => Some(GenerationState::Failed),
        _ => None,
    }
}

/// A log that runs and holds nothing.
#[cfg(test)]
pub(crate) fn begun() -> Log {
    let identity = Identity {
        generation_id: GenerationId::new(),
        conversation_id: ConversationId::new(),
        message_id: MessageId::new(),
        principal_id: PrincipalId::new(),
        model: String::new(),
        model_name: String::new(),
    };
    Log::new(identity, GenerationState::Running, 1, 0, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_takes_nothing_between_the_commit_of_its_end_and_its_showing() {
        let log = begun();
        let end = Record {
            epoch: 1,
            seq: 1,
            at: Timestamp::from_millis(0),
            body: Body::State {
                state: GenerationState::Interrupted,
                means: None,
                code: None,
                message: None,
                can_continue: true,
            },
        };
        log.ends_with(&end);
        assert_eq!((log.head(), log.state()), (0, GenerationState::Running), "nobody sees it");
        assert!(!log.takes(1), "nothing comes before it");
        log.publish(end);
        assert_eq!((log.head(), log.state()), (1, GenerationState::Interrupted));
        assert!(log.takes(1));
        assert_eq!(log.lock().packed, 1, "it left the journal");
    }
}
