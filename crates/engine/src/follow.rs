//! Followers: a position in a log, and the frames that lead from there to its end.
//!
//! There is no queue. A slow reader is given larger frames (PROTOCOL B8.14), and replay and live
//! are the same loop.

use std::sync::Arc;

use unbroken_protocol::{
    At, ContentChunk, Epoch, ErrorCode, ErrorFrame, Event, Following, GenerationState,
    GenerationStateEvent, Position, ReasoningChunk, ResyncReason, Seq, Snapshot, SourceFound,
    StreamComplete, StreamError, StreamErrorStatus, StreamStart, Timestamp, ToolEvent, ToolStep,
    limits,
};
use unbroken_store::Body;

use crate::bell::Bell;
use crate::log::{Inner, Kind, Log};

/// What a connection wants to be sent beyond visible text and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Said `hello`: frames and states too, not only the types of PROTOCOL A3.
    pub hello: bool,
    pub reasoning: bool,
    /// `tool_event` and `source_found`
    pub tools: bool,
}

/// A frame for one connection.
///
/// Long texts of the log are not in it, but [`LEFT_OUT`] in their place: whoever sends the frame
/// reads them from the log piece by piece, so that a reader costs the same however long the answer
/// is (PROTOCOL B8.14).
pub struct Frame {
    pub log: Arc<Log>,
    pub event: Event,
    /// In the order in which they stand in the event.
    pub left_out: Vec<LeftOut>,
}

/// A text that belongs into a field of an event: this one, up to that byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub field: &'static str,
    pub text: Text,
    pub end: usize,
}

/// Which text of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Content,
    Reasoning,
}

/// Gives what is written into a field for a text that may be long.
type Fill<'a> = &'a mut dyn FnMut(&'static str, Text, &str) -> String;

/// What stands where a text was left out: a character for just that (U+FFFC).
pub const LEFT_OUT: &str = "\u{fffc}";

/// One reader of one log. Dropping it changes nothing for anybody (PROTOCOL B8.8).
pub struct Follower {
    log: Arc<Log>,
    view: View,
    /// What the connection holds: all records up to here were sent or are hidden from it.
    held: Position,
    /// Hidden records after `held` that were looked at already.
    scanned: Seq,
    started: bool,
    snapshot: bool,
    told_storage: bool,
    ended: bool,
}

impl Follower {
    /// Follows from a position: `None` for the beginning. The second value is the answer to the
    /// `follow` frame.
    pub fn new(
        log: Arc<Log>,
        view: View,
        after: Seq,
        epoch: Option<Epoch>,
    ) -> (Self, Box<Following>) {
        let inner = log.lock();
        // Without `hello` there is no snapshot (PROTOCOL B8.19), and no position but the beginning.
        let resync = resync(&inner, after, epoch).filter(|_| view.hello);
        let last_open = inner.snapshot_position();
        let held = match resync {
            Some(_) => last_open,
            // Every follow of a sealed generation ends with its terminal event.
            None if after > last_open.seq => last_open,
            None => Position::new(inner.epoch_at(after).unwrap_or(inner.epoch), after),
        };
        let identity = &log.identity;
        let following = Following {
            generation_id: identity.generation_id,
            conversation_id: identity.conversation_id,
            message_id: identity.message_id,
            epoch: held.epoch,
            recovered: resync.is_none(),
            reason: resync,
            from_seq: held.seq + 1,
            head_seq: inner.head(),
            offset: inner.content_end(held.seq).1,
            state: inner.state,
            req: None,
        };
        drop(inner);
        let follower = Self {
            log,
            view,
            held,
            scanned: held.seq,
            started: false,
            snapshot: resync.is_some(),
            told_storage: false,
            ended: false,
        };
        (follower, Box::new(following))
    }

    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What the connection holds.
    pub fn held(&self) -> Position {
        self.held
    }

    /// Whether the last event was sent: nothing will follow.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Rings `bell` whenever [`Self::next_event`] may have something.
    pub fn watch(&self, bell: &Arc<Bell>) {
        self.log.watch(bell);
    }

    /// The next frame, or `None` when the connection holds everything that is committed.
    ///
    /// Content is merged up to [`limits::MERGED_CHUNK_BYTES`].
    pub fn next_event(&mut self) -> Option<Event> {
        self.next_with(&mut |_, _, text| text.to_owned())
    }

    /// The same without long texts.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let mut left_out = Vec::new();
        let event = self.next_with(&mut |field, text, whole| {
            if whole.len() <= limits::MERGED_CHUNK_BYTES {
                return whole.to_owned();
            }
            left_out.push(LeftOut { field, text, end: whole.len() });
            LEFT_OUT.to_owned()
        })?;
        Some(Frame { log: Arc::clone(&self.log), event, left_out })
    }

    fn next_with(&mut self, fill: Fill<'_>) -> Option<Event> {
        if self.ended {
            return None;
        }
        let log = Arc::clone(&self.log);
        let inner = log.lock();
        if self.snapshot {
            self.snapshot = false;
            return Some(self.take_snapshot(&inner, fill));
        }
        if !self.started {
            if inner.state == GenerationState::Queued {
                return None;
            }
            self.started = true;
            return Some(Event::StreamStart(StreamStart {
                model: log.identity.model.clone(),
                timestamp: Timestamp::now(),
                at: self.at(),
            }));
        }
        if let Some(event) = self.next_record(&inner, fill) {
            return Some(event);
        }
        if inner.state == GenerationState::Interrupted && !self.view.hello {
            self.ended = true;
            return Some(self.interrupted(&inner));
        }
        if self.view.hello && inner.storage_fails != self.told_storage {
            self.told_storage = inner.storage_fails;
            return inner.storage_fails.then(|| self.storage_error());
        }
        None
    }

    fn next_record(&mut self, inner: &Inner, fill: Fill<'_>) -> Option<Event> {
        let mut index = usize::try_from(self.scanned).ok()?;
        while let Some(entry) = inner.entries.get(index) {
            match entry.kind {
                Kind::Content { .. } => return Some(self.content(inner, index)),
                Kind::Reasoning { .. } if self.view.reasoning => {
                    return Some(self.reasoning(inner, index));
                }
                Kind::Other(body) if self.sees(inner.body(body)) => {
                    let body = inner.body(body);
                    let from = self.held.seq + 1;
                    self.advance(entry.epoch, index);
                    self.ended = body.is_terminal();
                    let mut event = self.other(body, from, entry.at);
                    if let Event::StreamComplete(complete) = &mut event {
                        complete.full_response =
                            fill("full_response", Text::Content, &inner.content);
                        complete.citations = inner.citations();
                    }
                    return Some(event);
                }
                Kind::Reasoning { .. } | Kind::Other(_) => index += 1,
            }
        }
        self.scanned = index as Seq;
        None
    }

    fn sees(&self, body: &Body) -> bool {
        match body {
            Body::Complete { .. } | Body::Failed { .. } => true,
            Body::State { .. } => self.view.hello,
            Body::Tool(_) | Body::Source(_) => self.view.tools,
            Body::Content(_) | Body::Reasoning(_) => unreachable!("kept as text"),
        }
    }

    /// Whether a record may lie inside a merged frame of this view without being shown.
    fn hides(&self, inner: &Inner, kind: Kind) -> bool {
        match kind {
            Kind::Content { .. } => false,
            Kind::Reasoning { .. } => !self.view.reasoning,
            Kind::Other(body) => !self.sees(inner.body(body)),
        }
    }

    fn advance(&mut self, epoch: Epoch, index: usize) {
        self.held = Position::new(epoch, index as Seq + 1);
        self.scanned = self.held.seq;
    }

    /// Merges visible text from `first` on, within one epoch, never across a record that this
    /// connection sees.
    fn content(&mut self, inner: &Inner, first: usize) -> Event {
        let (start, offset) = inner.content_end(first as Seq);
        let epoch = inner.entries[first].epoch;
        let (mut last, mut end) = (first, start);
        for (index, entry) in inner.entries.iter().enumerate().skip(first) {
            match entry.kind {
                Kind::Content { end: next, .. }
                    if entry.epoch == epoch
                        && (index == first
                            || next as usize - start <= limits::MERGED_CHUNK_BYTES) =>
                {
                    (last, end) = (index, next as usize);
                }
                _ if entry.epoch == epoch && self.hides(inner, entry.kind) => {}
                _ => break,
            }
        }
        let from = self.held.seq + 1;
        self.advance(epoch, last);
        Event::ContentChunk(ContentChunk {
            content: inner.content[start..end].to_owned(),
            chunk_id: self.held.seq,
            timestamp: inner.entries[last].at,
            at: self.at(),
            seq_from: (from != self.held.seq).then_some(from),
            offset,
        })
    }

    fn reasoning(&mut self, inner: &Inner, first: usize) -> Event {
        let start = inner.reasoning_end(first as Seq);
        let epoch = inner.entries[first].epoch;
        let (mut last, mut end) = (first, start);
        for (index, entry) in inner.entries.iter().enumerate().skip(first) {
            match entry.kind {
                Kind::Reasoning { end: next }
                    if entry.epoch == epoch
                        && (index == first
                            || next as usize - start <= limits::MERGED_CHUNK_BYTES) =>
                {
                    (last, end) = (index, next as usize);
                }
                _ => break,
            }
        }
        let from = self.held.seq + 1;
        self.advance(epoch, last);
        Event::ReasoningChunk(ReasoningChunk {
            at: self.at(),
            seq_from: (from != self.held.seq).then_some(from),
            content: inner.reasoning[start..end].to_owned(),
            timestamp: inner.entries[last].at,
        })
    }

    /// Without what the records before it say.
    fn other(&self, body: &Body, from: Seq, timestamp: Timestamp) -> Event {
        let at = self.at();
        let seq_from = (from != self.held.seq).then_some(from);
        match body.clone() {
            Body::Tool(step) => {
                let ToolStep { call_id, phase, name, data } = *step;
                Event::ToolEvent(Box::new(ToolEvent { at, seq_from, call_id, phase, name, data }))
            }
            Body::Source(citation) => {
                Event::SourceFound(Box::new(SourceFound { at, seq_from, citation: *citation }))
            }
            Body::State { state, code, message, can_continue, means } => {
                Event::GenerationState(GenerationStateEvent {
                    at,
                    seq_from,
                    state,
                    code,
                    message,
                    can_continue,
                    means,
                })
            }
            Body::Complete {
                status,
                finish_reason,
                total_chunks,
                input_tokens,
                output_tokens,
                content_chars,
                content_sha256,
                invented_marks,
            } => Event::StreamComplete(Box::new(StreamComplete {
                full_response: String::new(),
                total_chunks,
                tokens: input_tokens + output_tokens,
                input_tokens,
                output_tokens,
                citations: Vec::new(),
                credits: None,
                timestamp,
                at,
                seq_from,
                status,
                finish_reason,
                content_chars,
                content_sha256,
                invented_marks,
            })),
            Body::Failed { code, message, retry_after_ms } => {
                Event::StreamError(Box::new(StreamError {
                    error: message,
                    code,
                    retryable: code.retryable(),
                    status: Some(StreamErrorStatus::Failed),
                    retry_after_ms,
                    timestamp,
                    at: Some(at),
                    seq_from,
                    req: None,
                }))
            }
            Body::Content(_) | Body::Reasoning(_) => unreachable!("kept as text"),
        }
    }

    fn take_snapshot(&mut self, inner: &Inner, fill: Fill<'_>) -> Event {
        // The log may have grown since the position was given; the snapshot covers what it covers.
        self.held = inner.snapshot_position();
        self.scanned = self.held.seq;
        let state = match inner.state {
            state if state.is_sealed() => GenerationState::Running,
            state => state,
        };
        Event::Snapshot(Box::new(Snapshot {
            at: self.at(),
            content: fill("content", Text::Content, &inner.content),
            reasoning: if self.view.reasoning {
                fill("reasoning", Text::Reasoning, &inner.reasoning)
            } else {
                String::new()
            },
            citations: inner.citations(),
            tool_events: if self.view.tools { inner.tool_steps() } else { Vec::new() },
            state,
        }))
    }

    /// For a connection that knows no states: why nothing more comes.
    fn interrupted(&self, inner: &Inner) -> Event {
        let why = inner.interruption();
        let (code, message) = why.map(|why| (why.code, why.message)).unwrap_or_default();
        let code = code.unwrap_or(ErrorCode::OwnerLost);
        Event::StreamError(Box::new(StreamError {
            error: message.unwrap_or_else(|| "The answer was interrupted.".into()),
            code,
            retryable: code.retryable(),
            status: Some(StreamErrorStatus::Interrupted),
            retry_after_ms: None,
            timestamp: Timestamp::now(),
            at: Some(self.at()),
            seq_from: None,
            req: None,
        }))
    }

    fn storage_error(&self) -> Event {
        let code = ErrorCode::StorageUnavailable;
        Event::Error(ErrorFrame {
            req: None,
            generation_id: Some(self.log.identity.generation_id),
            code,
            message: crate::error::STORAGE_SENTENCE.into(),
            retryable: code.retryable(),
        })
    }

    fn at(&self) -> At {
        let identity = &self.log.identity;
        At {
            generation_id: identity.generation_id,
            conversation_id: identity.conversation_id,
            message_id: identity.message_id,
            epoch: self.held.epoch,
            seq: self.held.seq,
        }
    }
}

impl Log {
    /// What stands in a text from byte `from` on: up to `end`, and at most
    /// [`limits::MERGED_CHUNK_BYTES`].
    pub fn piece(&self, text: Text, from: usize, end: usize) -> String {
        let inner = self.lock();
        let whole = match text {
            Text::Content => &inner.content,
            Text::Reasoning => &inner.reasoning,
        };
        let to = whole.floor_char_boundary(end.min(from + limits::MERGED_CHUNK_BYTES));
        whole[from..to].to_owned()
    }
}

impl Inner {
    /// A snapshot covers everything but a terminal record, which is sent by itself.
    fn snapshot_position(&self) -> Position {
        let terminal = matches!(self.entries.last().map(|entry| entry.kind),
            Some(Kind::Other(body)) if self.body(body).is_terminal());
        let seq = self.head() - Seq::from(terminal);
        Position::new(self.epoch_at(seq).unwrap_or(self.epoch), seq)
    }
}

/// Why a follower cannot go on from there, if so (PROTOCOL B3, B8.12).
fn resync(inner: &Inner, after: Seq, epoch: Option<Epoch>) -> Option<ResyncReason> {
    if after > inner.head() {
        return Some(ResyncReason::Ahead);
    }
    if let (Some(claimed), Some(written)) = (epoch, inner.epoch_at(after))
        && claimed != written
    {
        return Some(ResyncReason::Epoch);
    }
    let behind = inner.content.len() - inner.content_end(after).0 + inner.reasoning.len()
        - inner.reasoning_end(after);
    (behind > limits::REPLAY_BYTES).then_some(ResyncReason::TooFar)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::{
        CompleteStatus, ConversationId, FinishReason, GenerationId, MessageId, PrincipalId,
    };
    use unbroken_store::Record;

    use super::*;
    use crate::log::Identity;

    fn publish(log: &Log, records: &[Record]) {
        for record in records {
            log.publish(record.clone());
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Content(String),
        Reasoning(String),
        Tool,
        Source,
        Takeover,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => "[a-zü漢🦀]{1,6}".prop_map(Step::Content),
            2 => "[a-z]{1,6}".prop_map(Step::Reasoning),
            1 => Just(Step::Tool),
            1 => Just(Step::Source),
            1 => Just(Step::Takeover),
        ]
    }

    fn state(state: GenerationState) -> Body {
        Body::State { state, code: None, message: None, can_continue: false, means: None }
    }

    fn tool() -> Body {
        let [call_id, phase, name] = ["c", "call", "n"].map(str::to_owned);
        Body::Tool(Box::new(ToolStep { call_id, phase, name, data: serde_json::Value::Null }))
    }

    fn source() -> Body {
        Body::Source(Box::new(unbroken_protocol::Citation {
            index: 1,
            source_type: "guide".to_owned(),
            title: String::new(),
            url: None,
            file_id: None,
            page: None,
            passage: None,
            quote: String::new(),
            score: None,
        }))
    }

    fn records(steps: &[Step]) -> Vec<Record> {
        let mut epoch = 1;
        let mut bodies = Vec::new();
        for step in steps {
            match step {
                Step::Content(text) => bodies.push((epoch, Body::Content(text.clone()))),
                Step::Reasoning(text) => bodies.push((epoch, Body::Reasoning(text.clone()))),
                Step::Tool => bodies.push((epoch, tool())),
                Step::Source => bodies.push((epoch, source())),
                Step::Takeover => {
                    bodies.push((epoch, state(GenerationState::Interrupted)));
                    epoch += 1;
                    bodies.push((epoch, state(GenerationState::Running)));
                }
            }
        }
        bodies.push((
            epoch,
            Body::Complete {
                status: CompleteStatus::Completed,
                finish_reason: FinishReason::Stop,
                total_chunks: 0,
                input_tokens: 0,
                output_tokens: 0,
                content_chars: 0,
                content_sha256: String::new(),
                invented_marks: 0,
            },
        ));
        let numbered = bodies.into_iter().zip(1..).map(|((epoch, body), seq)| Record {
            epoch,
            seq,
            at: Timestamp::from_millis(0),
            body,
        });
        numbered.collect()
    }

    fn empty_log() -> Arc<Log> {
        let identity = Identity {
            generation_id: GenerationId::new(),
            conversation_id: ConversationId::new(),
            message_id: MessageId::new(),
            principal_id: PrincipalId::new(),
            model: "m".into(),
            model_name: "m".into(),
        };
        Arc::new(Log::new(identity, GenerationState::Running, 1, 0, Vec::new()))
    }

    /// A client that trusts nothing: it checks every position that it is told.
    #[derive(Default)]
    struct Reader {
        text: String,
        held: Position,
        ended: bool,
    }

    impl Reader {
        fn drain(&mut self, follower: &mut Follower) {
            while let Some(event) = follower.next_event() {
                assert!(!self.ended, "nothing comes after the end");
                if let Some(position) = event.record() {
                    let from = serde_json::to_value(&event).unwrap()["seq_from"].as_u64();
                    assert_eq!(from.unwrap_or(position.seq), self.held.seq + 1, "B8.13");
                    self.held = position;
                }
                match event {
                    Event::ContentChunk(chunk) => {
                        assert_eq!(chunk.offset, self.text.chars().count() as u64);
                        assert!(chunk.content.len() <= limits::MERGED_CHUNK_BYTES);
                        self.text.push_str(&chunk.content);
                    }
                    Event::Snapshot(snapshot) => {
                        self.text = snapshot.content;
                        self.held = snapshot.at.position();
                    }
                    Event::StreamComplete(complete) => {
                        assert_eq!(complete.full_response, self.text, "B8.2");
                        self.ended = true;
                    }
                    _ => {}
                }
            }
        }
    }

    proptest! {
        /// B8.3, B8.12, B8.13: joining anywhere, any number of times, ends with exactly the text.
        #[test]
        fn a_follower_ends_with_exactly_the_text(
            steps in prop::collection::vec(step(), 0..40),
            cuts in prop::collection::vec((0_usize..50, any::<bool>(), any::<bool>()), 1..8),
        ) {
            let records = records(&steps);
            let log = empty_log();
            let mut reader = Reader::default();
            let mut published = 0;
            for (cut, hello, reasoning) in cuts {
                let view = View { hello, reasoning: hello && reasoning, tools: hello };
                let epoch = (reader.held.seq > 0).then_some(reader.held.epoch);
                let (mut follower, following) =
                    Follower::new(Arc::clone(&log), view, reader.held.seq, epoch);
                prop_assert!(following.recovered);
                let upto = (published + cut).min(records.len());
                for record in &records[published..upto] {
                    log.publish(record.clone());
                    if cut % 2 == 0 {
                        reader.drain(&mut follower);
                    }
                }
                published = upto;
                if !reader.ended {
                    reader.drain(&mut follower);
                }
            }
            for record in &records[published..] {
                log.publish(record.clone());
            }
            if !reader.ended {
                let view = View { hello: true, ..View::default() };
                let (mut follower, _) =
                    Follower::new(Arc::clone(&log), view, reader.held.seq, None);
                reader.drain(&mut follower);
            }
            prop_assert!(reader.ended);
            prop_assert_eq!(&reader.text, &log.lock().content);
        }

        /// B8.12: a position that the log does not have is answered by exactly one snapshot.
        #[test]
        fn a_position_of_another_history_gets_one_snapshot(
            steps in prop::collection::vec(step(), 1..20), after in 1_u64..60,
        ) {
            let log = empty_log();
            let records = records(&steps);
            publish(&log, &records);
            let view = View { hello: true, ..View::default() };
            let (mut follower, following) = Follower::new(Arc::clone(&log), view, after, Some(99));
            prop_assert!(!following.recovered);
            let mut reader = Reader::default();
            let first = follower.next_event();
            prop_assert!(matches!(first, Some(Event::Snapshot(_))));
            if let Some(Event::Snapshot(snapshot)) = first {
                reader.text = snapshot.content;
                reader.held = snapshot.at.position();
            }
            reader.drain(&mut follower);
            prop_assert!(reader.ended);
        }

        /// B8.19: whatever the log holds, and whenever it is looked at.
        #[test]
        fn a_view_without_hello_is_sent_the_types_of_a3_only(
            steps in prop::collection::vec((step(), any::<bool>()), 0..40),
        ) {
            let log = empty_log();
            let (steps, looks): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
            let (mut follower, _) = Follower::new(Arc::clone(&log), View::default(), 0, None);
            let mut looks = looks.into_iter();
            for record in records(&steps) {
                let is_last = record.body.is_terminal();
                log.publish(record);
                while is_last || looks.next().unwrap_or_default() {
                    let Some(event) = follower.next_event() else { break };
                    let kind = serde_json::to_value(&event).unwrap()["type"].clone();
                    let a3 = ["stream_start", "content_chunk", "stream_complete", "stream_error"];
                    prop_assert!(a3.iter().any(|known| kind == *known), "{}", kind);
                }
            }
        }

        /// What is packed is what was shown.
        #[test]
        fn records_come_back_as_they_went_in(
            steps in prop::collection::vec(step(), 0..40), skip in 0_usize..40,
        ) {
            let log = empty_log();
            let records = records(&steps);
            publish(&log, &records);
            let skip = skip.min(records.len());
            prop_assert_eq!(log.lock().records_after(skip as Seq), &records[skip..]);
        }
    }

    #[test]
    fn following_a_sealed_log_from_its_end_brings_the_end() {
        let log = empty_log();
        let records = records(&[Step::Content("all".into())]);
        publish(&log, &records);
        let (mut follower, following) =
            Follower::new(Arc::clone(&log), View::default(), records.len() as Seq, Some(1));
        assert!(following.recovered);
        assert!(matches!(follower.next_event(), Some(Event::StreamStart(_))));
        assert!(matches!(follower.next_event(), Some(Event::StreamComplete(_))));
        assert!(follower.next_event().is_none());
    }

    /// B8.19: nothing beyond A3 for a client that never said hello.
    #[test]
    fn a_view_without_hello_is_told_of_an_interruption_once_and_as_an_error() {
        let log = empty_log();
        let content = Body::Content("half".into());
        let bodies = [content, state(GenerationState::Interrupted)];
        let records = bodies.into_iter().zip(1..).map(|(body, seq)| Record {
            epoch: 1,
            seq,
            at: Timestamp::from_millis(0),
            body,
        });
        publish(&log, &records.collect::<Vec<_>>());
        let (mut follower, _) = Follower::new(Arc::clone(&log), View::default(), 0, None);
        let mut kinds = Vec::new();
        while let Some(event) = follower.next_event() {
            kinds.push(serde_json::to_value(&event).unwrap()["type"].clone());
        }
        assert_eq!(kinds, ["stream_start", "content_chunk", "stream_error"]);
    }
}
