//! One answer: its text, its state, and what it was made from.

use unbroken_client::{Target, Update};
use unbroken_protocol::{
    Citation, CompleteStatus, ErrorCode, FinishReason, GenerationId, GenerationState, Means,
    MessageView, Position, StartResponse, Timestamp,
};

use super::What;
use super::calls::{self, Call};
use crate::markdown::Document;
use crate::texts;

/// Bytes of Markdown that one frame takes. A text that came at once must not hold the page up.
const FRAME: usize = 8 * 1024;

/// States of an answer, as a person tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerState {
    /// Waits behind another turn.
    Queued,
    /// The model has the question and has shown no text.
    Thinking,
    Streaming,
    Stopped,
    Interrupted {
        code: Option<ErrorCode>,
        can_continue: bool,
        means: Option<Means>,
    },
    Failed {
        code: ErrorCode,
        retryable: bool,
    },
    Done {
        finish: FinishReason,
    },
}

impl AnswerState {
    /// Whether text may still come by itself.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Queued | Self::Thinking | Self::Streaming) || self.goes_on()
    }

    /// Whether the answer broke off and goes on by itself at once (PROTOCOL B7).
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Interrupted { code: Some(code), can_continue: false, .. }
            if code.retryable())
    }

    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed { .. } | Self::Done { .. })
    }
}

#[derive(Debug)]
pub struct Answer {
    pub generation_id: Option<GenerationId>,
    /// The model's name; empty before it is known.
    pub model: String,
    /// The model's id, once it is known.
    pub model_id: Option<String>,
    /// Where it went on after a break: lengths of the text before, in Unicode scalar values.
    seams: Vec<u64>,
    /// The same places in the document's source.
    marks: Vec<usize>,
    pub reasoning: String,
    /// How long it took so far, in milliseconds, as far as that is known.
    pub reasoning_ms: Option<u64>,
    /// When it began.
    reasoned_from: Option<Timestamp>,
    pub citations: Vec<Citation>,
    /// Tool calls, in the order in which they began.
    pub tools: Vec<Call>,
    /// Why it failed or broke off, in a sentence.
    pub error: Option<String>,
    /// Why this model was chosen, when the server chose.
    pub routed: Option<String>,
    state: AnswerState,
    text: String,
    document: Document,
    /// What the last [`render`](Self::render) took: all that was there, and as the whole of it.
    took_all: bool,
    took_end: bool,
    /// The place in the log up to which the text was loaded; gone once text was streamed, for then
    /// the connection knows better.
    position: Option<Position>,
    /// All of its text came while the page was open, and nobody has seen any yet.
    fresh: bool,
}

impl Answer {
    /// The place of an answer of which nothing is known yet.
    pub(super) fn place(key: u64) -> Self {
        Self {
            generation_id: None,
            model: String::new(),
            model_id: None,
            seams: Vec::new(),
            marks: Vec::new(),
            reasoning: String::new(),
            reasoning_ms: None,
            reasoned_from: None,
            citations: Vec::new(),
            tools: Vec::new(),
            error: None,
            routed: None,
            state: AnswerState::Thinking,
            text: String::new(),
            document: Document::new(format!("m{key}")),
            took_all: true,
            took_end: false,
            position: None,
            fresh: true,
        }
    }

    /// Whether all of its text is new to who looks at it from now on, also when much of it is there.
    pub fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn read(key: u64, view: MessageView) -> Self {
        let mut answer = Self::place(key);
        answer.merge(view);
        answer
    }

    pub fn state(&self) -> AnswerState {
        self.state
    }

    pub fn is_sealed(&self) -> bool {
        self.state.is_sealed()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it went on after a break: lengths of the text before, in Unicode scalar values.
    pub fn seams(&self) -> &[u64] {
        &self.seams
    }

    /// The blocks of the document in which it went on after a break, each once; the number of all
    /// blocks is the tail. As of the last [`render`](Self::render).
    pub fn seam_blocks(&self) -> Vec<usize> {
        let mut blocks: Vec<_> =
            self.marks.iter().map(|mark| self.document.block_at(*mark)).collect();
        blocks.dedup();
        blocks
    }

    /// Whether the server would take `continue` (PROTOCOL B7).
    pub fn can_continue(&self) -> bool {
        match self.state {
            AnswerState::Interrupted { can_continue, .. } => can_continue,
            AnswerState::Stopped | AnswerState::Done { finish: FinishReason::Length } => {
                !self.text.is_empty()
            }
            _ => false,
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Brings the Markdown up to date: once per frame. Costs nothing for an answer that nobody looks
    /// at.
    pub fn render(&mut self) {
        self.took_end = self.is_sealed();
        let document = &mut self.document;
        self.took_all =
            if self.took_end { document.finish(FRAME) } else { document.advance(FRAME) };
    }

    /// Whether the last [`render`](Self::render) took all that there was, and nothing was sealed or
    /// replaced since. If not, the next frame goes on at once.
    pub fn is_rendered(&self) -> bool {
        self.took_all && self.took_end == self.is_sealed()
    }

    /// What to follow so that the rest comes, right after it was loaded. `None` when it is sealed,
    /// or followed already.
    pub fn target(&self) -> Option<Target> {
        let generation_id = self.generation_id.filter(|_| !self.is_sealed())?;
        match self.position {
            Some(after) => Some(Target::rest_of(generation_id, after, &self.text)),
            None => self.text.is_empty().then(|| Target::start_of(generation_id)),
        }
    }

    /// One sentence under the answer, when its state needs one.
    pub fn notice(&self) -> Option<&str> {
        match self.state {
            state if state.goes_on() => None,
            AnswerState::Queued => Some(texts::queued()),
            AnswerState::Stopped => Some(texts::stopped()),
            AnswerState::Interrupted { code, .. } => {
                let sentence = code.map(|code| self.reason(code)).or(self.error.as_deref());
                sentence.or(Some(texts::interrupted_reason()))
            }
            AnswerState::Failed { code, .. } => Some(self.reason(code)),
            AnswerState::Done { finish: FinishReason::Length } => Some(texts::cut_at_length()),
            AnswerState::Done { finish: FinishReason::ContentFilter } => {
                Some(texts::cut_by_filter())
            }
            AnswerState::Thinking | AnswerState::Streaming | AnswerState::Done { .. } => None,
        }
    }

    /// Why it has not come to its end.
    fn reason(&self, code: ErrorCode) -> &str {
        match self.error.as_deref() {
            Some(sentence) => texts::told(code, sentence),
            None => texts::error(code),
        }
    }

    pub(super) fn started(&mut self, response: &StartResponse) -> Vec<What> {
        self.generation_id = Some(response.generation_id);
        self.model.clone_from(&response.model_name);
        self.model_id = Some(response.model.clone());
        self.routed = response.routing.as_ref().map(|routing| routing.reason.clone());
        if response.queued.is_some() && self.text.is_empty() && self.state.is_running() {
            self.state = AnswerState::Queued;
        }
        vec![What::Model, What::State]
    }

    pub(super) fn apply(&mut self, update: Update) -> Vec<What> {
        if self.is_sealed() {
            return Vec::new();
        }
        let (before, error) = (self.state, self.error.clone());
        let mut changed = self.take(update);
        if self.state != before || self.error != error {
            changed.push(What::State);
        }
        changed
    }

    fn take(&mut self, update: Update) -> Vec<What> {
        match update {
            Update::Following { state, .. } => {
                if !state.is_sealed() && state != GenerationState::Interrupted {
                    self.runs(state);
                }
                Vec::new()
            }
            Update::Started { model } => {
                self.runs(GenerationState::Running);
                let same = std::mem::replace(&mut self.model, model) == self.model;
                if same { Vec::new() } else { vec![What::Model] }
            }
            Update::Text { text } => {
                self.text.push_str(&text);
                self.document.push(&text);
                self.position = None;
                self.runs(GenerationState::Running);
                vec![What::Text]
            }
            Update::Reasoning { text, at } => {
                self.reasons(&text, at);
                self.position = None;
                self.runs(GenerationState::Running);
                vec![What::Reasoning]
            }
            Update::Replace { content, reasoning, citations, tool_events, state } => {
                self.position = None;
                self.reasoning = reasoning.unwrap_or_else(|| std::mem::take(&mut self.reasoning));
                self.tools = tool_events.map_or_else(|| std::mem::take(&mut self.tools), calls::of);
                self.set_citations(citations);
                if !content.starts_with(&self.text) {
                    // Nothing is known about where the new text went on.
                    self.set_seams(&[]);
                }
                self.set_text(content);
                self.enter(state, None, None);
                vec![What::Replaced, What::Reasoning, What::Sources, What::Tools]
            }
            Update::Source(citation) => {
                let mut citations = std::mem::take(&mut self.citations);
                citations.retain(|known| known.index != citation.index);
                citations.push(citation);
                citations.sort_by_key(|citation| citation.index);
                self.set_citations(citations);
                vec![What::Sources]
            }
            Update::Tool(event) => {
                calls::take(&mut self.tools, event.into());
                vec![What::Tools]
            }
            Update::State {
                state: GenerationState::Interrupted,
                code,
                message,
                can_continue,
                means,
                ..
            } => {
                self.state = AnswerState::Interrupted { code, can_continue, means };
                self.error = message;
                Vec::new()
            }
            Update::State { state, code, epoch, .. } => {
                if epoch > 1 && state == GenerationState::Running && !self.text.is_empty() {
                    self.add_seam(self.text.chars().count() as u64);
                }
                self.enter(state, code, None);
                Vec::new()
            }
            Update::Complete(end) => {
                let finish = end.finish_reason;
                self.state = match end.status {
                    CompleteStatus::Completed => AnswerState::Done { finish },
                    CompleteStatus::Stopped => AnswerState::Stopped,
                };
                self.error = None;
                let mut changed = Vec::new();
                if end.citations != self.citations && !end.citations.is_empty() {
                    self.set_citations(end.citations);
                    changed.push(What::Sources);
                }
                if end.full_response != self.text {
                    self.set_seams(&[]);
                    self.set_text(end.full_response);
                    changed.push(What::Replaced);
                }
                changed
            }
            Update::Failed(failure) => {
                let retryable = failure.retryable;
                self.state = AnswerState::Failed { code: failure.code, retryable };
                self.error = Some(failure.error).filter(|sentence| !sentence.is_empty());
                Vec::new()
            }
            Update::Lost { code, message } => {
                self.state = AnswerState::Failed { code, retryable: code.retryable() };
                self.error = Some(message).filter(|sentence| !sentence.is_empty());
                Vec::new()
            }
        }
    }

    fn reasons(&mut self, text: &str, at: Timestamp) {
        self.reasoning.push_str(text);
        // After a reload it goes on from what history says.
        let known = i64::try_from(self.reasoning_ms.unwrap_or(0)).unwrap_or(0);
        let begun = || Timestamp::from_millis(at.as_millis() - known);
        let from = *self.reasoned_from.get_or_insert_with(begun);
        self.reasoning_ms = u64::try_from(at.as_millis() - from.as_millis()).ok();
    }

    /// History says this of the answer. What is further along wins: a sealed answer over an open
    /// one, the longer text over the shorter.
    pub(super) fn merge(&mut self, view: MessageView) -> Vec<What> {
        self.generation_id = self.generation_id.or(view.generation_id);
        self.model_id = view.model.clone().or_else(|| self.model_id.take());
        let state = view.state.unwrap_or(GenerationState::Completed);
        let theirs_is_longer = view.content.len() > self.text.len();
        if self.is_sealed() || !(state.is_sealed() || theirs_is_longer || self.text.is_empty()) {
            return Vec::new();
        }
        self.model = view.model.unwrap_or_else(|| std::mem::take(&mut self.model));
        self.fresh &= view.content.is_empty();
        self.position = view.epoch.zip(view.seq).map(|(epoch, seq)| Position::new(epoch, seq));
        self.reasoning = view.reasoning;
        self.reasoning_ms = view.reasoning_ms.or(self.reasoning_ms);
        let tools = calls::of(view.tool_events);
        // Steps have no text by which a newer page could be told from an older one.
        if state.is_sealed() || calls::known(&tools) > calls::known(&self.tools) {
            self.tools = tools;
        }
        self.set_citations(view.citations);
        self.set_text(view.content);
        self.set_seams(&view.seams);
        self.error = view.error;
        self.enter(state, view.code, view.finish_reason);
        if let AnswerState::Interrupted { can_continue, .. } = &mut self.state {
            *can_continue = view.can_continue;
        }
        vec![What::Model, What::Replaced, What::Reasoning, What::Sources, What::Tools, What::State]
    }

    fn enter(
        &mut self,
        state: GenerationState,
        code: Option<ErrorCode>,
        finish: Option<FinishReason>,
    ) {
        self.state = match state {
            GenerationState::Queued | GenerationState::Running => return self.runs(state),
            GenerationState::Interrupted => {
                let can_continue = code.is_none_or(ErrorCode::retryable);
                AnswerState::Interrupted { code, can_continue, means: None }
            }
            GenerationState::Completed => {
                AnswerState::Done { finish: finish.unwrap_or(FinishReason::Stop) }
            }
            GenerationState::Stopped => AnswerState::Stopped,
            GenerationState::Failed => {
                let code = code.unwrap_or(ErrorCode::Internal);
                AnswerState::Failed { code, retryable: code.retryable() }
            }
        };
    }

    fn runs(&mut self, state: GenerationState) {
        self.error = None;
        self.state = match state {
            GenerationState::Queued => AnswerState::Queued,
            _ if self.text.is_empty() => AnswerState::Thinking,
            _ => AnswerState::Streaming,
        };
    }

    fn set_text(&mut self, text: String) {
        self.document.replace(&text);
        self.text = text;
    }

    fn set_seams(&mut self, seams: &[u64]) {
        self.seams.clear();
        self.marks.clear();
        for chars in seams {
            self.add_seam(*chars);
        }
    }

    fn add_seam(&mut self, chars: u64) {
        // A run that brought nothing began at the same place.
        if self.seams.last() == Some(&chars) {
            return;
        }
        let nth = usize::try_from(chars).unwrap_or(usize::MAX);
        let end = self.text.char_indices().nth(nth).map_or(self.text.len(), |(at, _)| at);
        self.seams.push(chars);
        self.marks.push(Document::source_len(&self.text[..end]));
    }

    fn set_citations(&mut self, citations: Vec<Citation>) {
        self.document.set_citations(&citations);
        self.citations = citations;
    }
}
