//! One followed generation: what of its log the caller holds, and what an event adds to it.
//!
//! Everything here rests on positions: what is held already is dropped, what does not join on is
//! asked for again, and nothing is shown that was not checked to be the next (PROTOCOL B1, B3).

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use unbroken_protocol::{
    At, CompleteStatus, ContentChunk, ConversationId, Event, Following, GenerationId,
    GenerationState, GenerationStateEvent, Position, ReasoningChunk, Seq, Snapshot, StreamComplete,
    StreamError, StreamErrorStatus,
};

use crate::io::{Target, Update};

/// What the connection has to do after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Stay,
    /// Send [`Cursor::request`].
    Follow,
    /// The last update was given.
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No follow was sent on this connection.
    Unsent,
    /// Until the answer with this tag, events belong to an earlier follow.
    Asked(u64),
    /// The next snapshot replaces what is held.
    Snapshot,
    Live,
    /// Nothing that the server sends joins on, not even from the start: only the end is taken,
    /// which brings the whole text.
    Stuck,
}

/// What was tried already to close a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Nothing,
    Held,
    Start,
}

/// How a record joins on to what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Known,
    /// Partly held.
    Overlap,
    Next,
    Gap,
}

#[derive(Debug)]
pub(crate) struct Cursor {
    conversation_id: Option<ConversationId>,
    generation_id: Option<GenerationId>,
    held: Position,
    /// Length of the visible text that the caller shows, in Unicode scalar values.
    chars: u64,
    /// Of that text; `None` when its beginning never came through here.
    hash: Option<Sha256>,
    model: Option<String>,
    phase: Phase,
    /// The next follow asks for the whole log.
    from_start: bool,
    tried: Tried,
    /// The furthest place at which something was missing; what gets beyond it starts afresh.
    gap_at: Seq,
    /// The head at the last heartbeat, when it was not held then.
    late: Option<Seq>,
    /// When to ask again after a refusal that passes.
    pub(crate) retry_at: Option<Duration>,
}

impl Cursor {
    pub(crate) fn new(target: &Target) -> Self {
        let named = target.generation_id.is_some();
        let held = if named { target.after } else { Position::default() };
        let chars = if named { target.offset } else { 0 };
        Self {
            conversation_id: target.conversation_id,
            generation_id: target.generation_id,
            held,
            chars,
            hash: (chars == 0).then(Sha256::new),
            model: None,
            phase: Phase::Unsent,
            from_start: false,
            tried: Tried::Nothing,
            gap_at: 0,
            late: None,
            retry_at: None,
        }
    }

    /// The position and the length of the visible text that the caller holds.
    pub(crate) fn held(&self) -> (Position, u64) {
        (self.held, self.chars)
    }

    /// Whether this is the follow that `req` tagged.
    pub(crate) fn asked(&self, req: Option<&Value>) -> bool {
        matches!(self.phase, Phase::Asked(own) if req.and_then(Value::as_u64) == Some(own))
    }

    /// The frame that follows from what is held.
    pub(crate) fn request(&mut self, req: u64) -> unbroken_protocol::Follow {
        self.phase = Phase::Asked(req);
        self.late = None;
        self.retry_at = None;
        let after = if self.from_start { Position::default() } else { self.held };
        unbroken_protocol::Follow {
            conversation_id: self.conversation_id.map(|id| id.to_string()),
            generation_id: self.generation_id.map(|id| id.to_string()),
            after_seq: after.seq,
            epoch: (after.seq > 0).then_some(after.epoch),
        }
    }

    /// The connection is gone; what is held stays.
    pub(crate) fn disconnected(&mut self) {
        self.phase = Phase::Unsent;
        self.tried = Tried::Nothing;
        self.late = None;
        self.retry_at = None;
    }

    pub(crate) fn take(&mut self, event: Event, out: &mut Vec<Update>) -> Next {
        match event {
            Event::Following(following) => self.following(&following, out),
            Event::Snapshot(snapshot) => self.snapshot(*snapshot, out),
            Event::StreamStart(start) => self.started(start.model, out),
            Event::StreamComplete(complete) => self.complete(*complete, out),
            Event::StreamError(error) => self.failed(*error, out),
            // Records of a follow that was given up, or that a snapshot will cover.
            _ if self.phase != Phase::Live => Next::Stay,
            Event::ContentChunk(chunk) => self.content(chunk, out),
            Event::ReasoningChunk(chunk) => self.reasoning(chunk, out),
            Event::ToolEvent(event) => {
                let (at, from) = (event.at, event.seq_from);
                self.record(&at, from, Update::Tool(*event), out)
            }
            Event::SourceFound(found) => {
                self.record(&found.at, found.seq_from, Update::Source(found.citation), out)
            }
            Event::GenerationState(event) => self.state(event, out),
            _ => Next::Stay,
        }
    }

    /// `head` is what the server says of this log. Behind for two heartbeats in a row means that
    /// the server forgot this follower, or that the follow got lost.
    pub(crate) fn heartbeat(&mut self, head: Option<Seq>) -> Next {
        let head = match self.phase {
            Phase::Live => head.unwrap_or(Seq::MAX),
            Phase::Asked(_) | Phase::Snapshot => Seq::MAX,
            Phase::Unsent | Phase::Stuck => return Next::Stay,
        };
        if head <= self.held.seq {
            self.late = None;
            return Next::Stay;
        }
        match self.late.replace(head) {
            Some(earlier) if earlier > self.held.seq => Next::Follow,
            _ => Next::Stay,
        }
    }

    fn following(&mut self, following: &Following, out: &mut Vec<Update>) -> Next {
        let Phase::Asked(req) = self.phase else { return Next::Stay };
        if following.req.as_ref().is_some_and(|tag| tag.as_u64() != Some(req)) {
            return Next::Stay;
        }
        self.generation_id = Some(following.generation_id);
        self.late = None;
        out.push(Update::Following {
            conversation_id: following.conversation_id,
            message_id: following.message_id,
            state: following.state,
            head_seq: following.head_seq,
        });
        if !following.recovered {
            self.phase = Phase::Snapshot;
            return Next::Stay;
        }
        self.phase = Phase::Live;
        if self.from_start {
            self.empty(following.state, out);
        }
        if following.from_seq > self.held.seq && following.offset != self.chars {
            return self.restart();
        }
        Next::Stay
    }

    /// Takes back what is shown: the whole log comes.
    fn empty(&mut self, state: GenerationState, out: &mut Vec<Update>) {
        self.from_start = false;
        if self.held.seq > 0 || self.chars > 0 {
            out.push(Update::Replace {
                content: String::new(),
                reasoning: Some(String::new()),
                citations: Vec::new(),
                tool_events: Some(Vec::new()),
                state,
            });
        }
        self.held = Position::default();
        self.chars = 0;
        self.hash = Some(Sha256::new());
    }

    fn snapshot(&mut self, snapshot: Snapshot, out: &mut Vec<Update>) -> Next {
        if matches!(self.phase, Phase::Unsent | Phase::Asked(_)) {
            return Next::Stay;
        }
        self.phase = Phase::Live;
        self.from_start = false;
        self.chars = 0;
        self.hash = Some(Sha256::new());
        self.count(&snapshot.content);
        self.advance(snapshot.at.position());
        out.push(Update::Replace {
            content: snapshot.content,
            reasoning: Some(snapshot.reasoning),
            citations: snapshot.citations,
            tool_events: Some(snapshot.tool_events),
            state: snapshot.state,
        });
        Next::Stay
    }

    fn started(&mut self, model: String, out: &mut Vec<Update>) -> Next {
        if self.model.as_ref() != Some(&model) {
            self.model = Some(model.clone());
            out.push(Update::Started { model });
        }
        Next::Stay
    }

    fn content(&mut self, chunk: ContentChunk, out: &mut Vec<Update>) -> Next {
        match self.fit(&chunk.at, chunk.seq_from) {
            Fit::Known => return Next::Stay,
            Fit::Gap => return self.gap(),
            Fit::Overlap | Fit::Next => {}
        }
        let Some(known) = self.chars.checked_sub(chunk.offset) else { return self.gap() };
        self.advance(chunk.at.position());
        let text = without_first(known, chunk.content);
        if !text.is_empty() {
            self.count(&text);
            out.push(Update::Text { text });
        }
        Next::Stay
    }

    fn reasoning(&mut self, chunk: ReasoningChunk, out: &mut Vec<Update>) -> Next {
        // Reasoning has no offset by which a part that is held could be cut off.
        if self.fit(&chunk.at, chunk.seq_from) == Fit::Overlap {
            return self.gap();
        }
        let ReasoningChunk { at, seq_from, content: text, timestamp } = chunk;
        self.record(&at, seq_from, Update::Reasoning { text, at: timestamp }, out)
    }

    fn state(&mut self, event: GenerationStateEvent, out: &mut Vec<Update>) -> Next {
        let update = Update::State {
            epoch: event.at.epoch,
            state: event.state,
            code: event.code,
            message: event.message,
            can_continue: event.can_continue,
            means: event.means,
        };
        self.record(&event.at, event.seq_from, update, out)
    }

    fn complete(&mut self, complete: StreamComplete, out: &mut Vec<Update>) -> Next {
        if let Err(next) = self.end(&complete.at, complete.seq_from) {
            return next;
        }
        if !self.shows(&complete) {
            out.push(Update::Replace {
                content: complete.full_response.clone(),
                reasoning: None,
                citations: complete.citations.clone(),
                tool_events: None,
                state: match complete.status {
                    CompleteStatus::Completed => GenerationState::Completed,
                    CompleteStatus::Stopped => GenerationState::Stopped,
                },
            });
        }
        out.push(Update::Complete(complete));
        Next::Forget
    }

    fn failed(&mut self, error: StreamError, out: &mut Vec<Update>) -> Next {
        let Some(at) = error.at else { return Next::Stay };
        // Only a connection without `hello` is told so; here `generation_state` says it.
        if error.status == Some(StreamErrorStatus::Interrupted) {
            return Next::Stay;
        }
        if let Err(next) = self.end(&at, error.seq_from) {
            return next;
        }
        out.push(Update::Failed(error));
        Next::Forget
    }

    /// Whether the end may be taken now; otherwise what to do. It comes again with every follow, so
    /// nothing before it needs to be skipped, and it counts even when its seq is held.
    fn end(&mut self, at: &At, from: Option<Seq>) -> Result<(), Next> {
        match self.phase {
            Phase::Unsent | Phase::Asked(_) | Phase::Snapshot => Err(Next::Stay),
            Phase::Live if self.fit(at, from) == Fit::Gap => Err(self.gap()),
            Phase::Live | Phase::Stuck => Ok(()),
        }
    }

    /// A record that is shown as a whole or not at all.
    fn record(
        &mut self,
        at: &At,
        from: Option<Seq>,
        update: Update,
        out: &mut Vec<Update>,
    ) -> Next {
        match self.fit(at, from) {
            Fit::Known => {}
            Fit::Gap => return self.gap(),
            Fit::Overlap | Fit::Next => {
                self.advance(at.position());
                out.push(update);
            }
        }
        Next::Stay
    }

    fn fit(&self, at: &At, from: Option<Seq>) -> Fit {
        let from = from.unwrap_or(at.seq).min(at.seq);
        if at.seq <= self.held.seq {
            Fit::Known
        } else if from > self.held.seq.saturating_add(1) {
            Fit::Gap
        } else if from <= self.held.seq {
            Fit::Overlap
        } else {
            Fit::Next
        }
    }

    fn gap(&mut self) -> Next {
        if self.tried != Tried::Nothing {
            return self.restart();
        }
        self.tried = Tried::Held;
        self.gap_at = self.gap_at.max(self.held.seq);
        Next::Follow
    }

    fn restart(&mut self) -> Next {
        if self.tried == Tried::Start {
            self.phase = Phase::Stuck;
            return Next::Stay;
        }
        self.tried = Tried::Start;
        self.gap_at = self.gap_at.max(self.held.seq);
        self.from_start = true;
        Next::Follow
    }

    fn advance(&mut self, position: Position) {
        self.held = position;
        if position.seq > self.gap_at {
            self.tried = Tried::Nothing;
        }
    }

    fn count(&mut self, text: &str) {
        self.chars = self.chars.saturating_add(text.chars().count() as u64);
        if let Some(hash) = &mut self.hash {
            hash.update(text);
        }
    }

    fn shows(&self, complete: &StreamComplete) -> bool {
        let same_bytes = |hash: &Sha256| hex(&hash.clone().finalize()) == complete.content_sha256;
        self.chars == complete.content_chars && self.hash.as_ref().is_none_or(same_bytes)
    }
}

/// The text after its first `count` Unicode scalar values.
fn without_first(count: u64, mut text: String) -> String {
    if count > 0 {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
        text.drain(..end);
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_unicode_scalars() {
        for (count, rest) in [(0, "aß🦀z"), (1, "ß🦀z"), (3, "z"), (4, ""), (9, "")] {
            assert_eq!(without_first(count, "aß🦀z".into()), rest);
        }
    }
}
