//! A model of the server: one log, and what PROTOCOL B1 to B3 say that a follower of it is sent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unbroken_protocol::{
    At, Citation, CompleteStatus, ContentChunk, ConversationId, Epoch, ErrorCode, Event,
    FinishReason, Follow, Following, GenerationId, GenerationState, GenerationStateEvent,
    Heartbeat, MessageId, ReasoningChunk, ResyncReason, Seq, Snapshot, SourceFound, StreamComplete,
    StreamError, StreamErrorStatus, StreamStart, Timestamp, ToolEvent, ToolStep,
};

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Content(String),
    Reasoning(String),
    Source,
    Tool,
    State(GenerationState),
    Complete,
    Failed,
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) epoch: Epoch,
    pub(crate) body: Body,
}

impl Record {
    pub(crate) fn content(&self) -> &str {
        if let Body::Content(text) = &self.body { text } else { "" }
    }

    pub(crate) fn reasoning(&self) -> &str {
        if let Body::Reasoning(text) = &self.body { text } else { "" }
    }

    fn is_terminal(&self) -> bool {
        matches!(self.body, Body::Complete | Body::Failed)
    }
}

/// One log, of which the first `head` records are durable.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) generation_id: GenerationId,
    pub(crate) records: Vec<Record>,
    pub(crate) head: usize,
    /// What the one connection did not ask for.
    pub(crate) hide_reasoning: bool,
    pub(crate) hide_tools: bool,
}

/// Where the connection stands.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) next: usize,
    started: bool,
}

impl Log {
    pub(crate) fn text(&self) -> String {
        self.records.iter().map(Record::content).collect()
    }

    pub(crate) fn reasoning(&self) -> String {
        let all = self.records.iter().map(Record::reasoning);
        if self.hide_reasoning { String::new() } else { all.collect() }
    }

    pub(crate) fn follow(
        &self,
        follow: &Follow,
        req: Option<Value>,
        too_far: bool,
    ) -> (Vec<Event>, Follower) {
        let after = usize::try_from(follow.after_seq).expect("small");
        let reason = if after > self.head {
            Some(ResyncReason::Ahead)
        } else if after > 0 && Some(self.records[after - 1].epoch) != follow.epoch {
            Some(ResyncReason::Epoch)
        } else {
            too_far.then_some(ResyncReason::TooFar)
        };
        let open = self.head - usize::from(self.is_sealed());
        let next = if reason.is_some() { open } else { after.min(open) };
        let at = self.at(next);
        let mut events = vec![Event::Following(Following {
            generation_id: at.generation_id,
            conversation_id: at.conversation_id,
            message_id: at.message_id,
            epoch: at.epoch,
            recovered: reason.is_none(),
            reason,
            from_seq: next as Seq + 1,
            head_seq: self.head as Seq,
            offset: self.offset(next),
            state: GenerationState::Running,
            req,
        })];
        if reason.is_some() {
            events.push(self.snapshot(next));
        }
        (events, Follower { next, started: false })
    }

    /// What is waiting for a follower: at most `most` records, merged into one frame where they may
    /// be.
    pub(crate) fn next_frames(
        &self,
        follower: &mut Follower,
        most: usize,
        merge: bool,
    ) -> Vec<Event> {
        let from = follower.next;
        let mut first = from;
        while first < self.head && self.is_hidden(first) {
            first += 1;
        }
        if first >= self.head {
            return Vec::new();
        }
        let mut events = Vec::new();
        if !follower.started {
            follower.started = true;
            let (model, timestamp) = ("model".into(), Timestamp::default());
            events.push(Event::StreamStart(StreamStart { model, timestamp, at: self.at(from) }));
        }
        let mut end = first + 1;
        while merge && end < self.head && end - first < most && self.merges(first, end) {
            end += 1;
        }
        while end > first + 1 && self.is_hidden(end - 1) {
            end -= 1;
        }
        follower.next = end;
        events.push(self.frame(from, first, end));
        events
    }

    pub(crate) fn snapshot(&self, end: usize) -> Event {
        let held = &self.records[..end];
        Event::Snapshot(Box::new(Snapshot {
            at: self.at(end),
            content: held.iter().map(Record::content).collect(),
            reasoning: if self.hide_reasoning {
                String::new()
            } else {
                held.iter().map(Record::reasoning).collect()
            },
            citations: Vec::new(),
            tool_events: self.tools(end),
            state: GenerationState::Running,
        }))
    }

    /// The visible steps of tools among the first `end` records.
    pub(crate) fn tools(&self, end: usize) -> Vec<ToolStep> {
        let is_shown = |record: &Record| matches!(record.body, Body::Tool) && !self.hide_tools;
        let shown = self.records[..end].iter().zip(1_u64..).filter(|(record, _)| is_shown(record));
        shown.map(|(_, seq)| step(seq)).collect()
    }

    pub(crate) fn heartbeat(&self) -> Event {
        let heads = BTreeMap::from([(self.generation_id, self.head as Seq)]);
        Event::Heartbeat(Heartbeat { t: 0, heads })
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.head > 0 && self.records[self.head - 1].is_terminal()
    }

    fn merges(&self, first: usize, next: usize) -> bool {
        let joins = matches!(self.records[first].body, Body::Content(_))
            == matches!(self.records[next].body, Body::Content(_))
            && matches!(self.records[first].body, Body::Content(_) | Body::Reasoning(_))
            && matches!(self.records[next].body, Body::Content(_) | Body::Reasoning(_));
        self.records[first].epoch == self.records[next].epoch && (joins || self.is_hidden(next))
    }

    fn is_hidden(&self, index: usize) -> bool {
        match self.records[index].body {
            Body::Reasoning(_) => self.hide_reasoning,
            Body::Source | Body::Tool => self.hide_tools,
            _ => false,
        }
    }

    fn frame(&self, from: usize, first: usize, end: usize) -> Event {
        let at = self.at(end);
        let (seq, timestamp) = (end as Seq, Timestamp::default());
        let seq_from = (from + 1 < end).then_some(from as Seq + 1);
        let covered = &self.records[first..end];
        match &self.records[first].body {
            Body::Content(_) => Event::ContentChunk(ContentChunk {
                content: covered.iter().map(Record::content).collect(),
                chunk_id: seq,
                timestamp,
                at,
                seq_from,
                offset: self.offset(first),
            }),
            Body::Reasoning(_) => Event::ReasoningChunk(ReasoningChunk {
                at,
                seq_from,
                content: covered.iter().map(Record::reasoning).collect(),
                timestamp,
            }),
            Body::Source => {
                Event::SourceFound(Box::new(SourceFound { at, seq_from, citation: citation() }))
            }
            Body::Tool => {
                let ToolStep { call_id, phase, name, data } = step(seq);
                Event::ToolEvent(Box::new(ToolEvent { at, seq_from, call_id, phase, name, data }))
            }
            Body::State(state) => Event::GenerationState(GenerationStateEvent {
                at,
                seq_from,
                state: *state,
                code: None,
                message: None,
                can_continue: false,
                means: None,
            }),
            Body::Complete => Event::StreamComplete(Box::new(self.complete(at, seq_from))),
            Body::Failed => Event::StreamError(Box::new(StreamError {
                error: "The model failed.".into(),
                code: ErrorCode::ProviderError,
                retryable: true,
                status: Some(StreamErrorStatus::Failed),
                retry_after_ms: None,
                timestamp,
                at: Some(at),
                seq_from,
                req: None,
            })),
        }
    }

    fn complete(&self, at: At, seq_from: Option<Seq>) -> StreamComplete {
        let full_response = self.text();
        StreamComplete {
            total_chunks: 0,
            tokens: 0,
            input_tokens: 0,
            output_tokens: 0,
            citations: Vec::new(),
            invented_marks: 0,
            credits: None,
            timestamp: Timestamp::default(),
            at,
            seq_from,
            status: CompleteStatus::Completed,
            finish_reason: FinishReason::Stop,
            content_chars: full_response.chars().count() as u64,
            content_sha256: sha256(&full_response),
            full_response,
        }
    }

    /// The position of whoever holds the first `end` records.
    pub(crate) fn at(&self, end: usize) -> At {
        let epoch = end.checked_sub(1).map_or(1, |last| self.records[last].epoch);
        At {
            generation_id: self.generation_id,
            conversation_id: ConversationId::from_bytes([1; 16]),
            message_id: MessageId::from_bytes([2; 16]),
            epoch,
            seq: end as Seq,
        }
    }

    pub(crate) fn offset(&self, end: usize) -> u64 {
        self.records[..end].iter().map(|record| record.content().chars().count() as u64).sum()
    }
}

/// The step of a tool call that is the record `seq`.
fn step(seq: Seq) -> ToolStep {
    ToolStep {
        call_id: seq.to_string(),
        phase: "result".into(),
        name: "search".into(),
        data: json!({"output": "found"}),
    }
}

pub(crate) fn citation() -> Citation {
    Citation {
        index: 1,
        source_type: "guide".into(),
        title: "Guide".into(),
        url: None,
        file_id: None,
        page: None,
        passage: None,
        quote: "…".into(),
        score: None,
    }
}

pub(crate) fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    let hex = |byte: &u8| format!("{byte:02x}");
    sha2::Sha256::digest(text).iter().map(hex).collect()
}
