//! The model: a provider that knows what it wants to say, and says it with pauses, cuts and
//! failures. Asked to go on, it goes on with exactly that text, by each of the four means.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_stream::stream;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use unbroken_protocol::{ErrorCode, FinishReason, Means, ModelInfo};
use unbroken_providers::{Event, EventStream, Failure, GoOnError, Partial, Provider, Request};

use crate::chance::Chance;

/// The models, each named by the best means that it offers.
pub(crate) const MODELS: [&str; 4] = ["reattach", "prefill", "prompt", "none"];

/// Of a hundred calls, those that end by their length.
const LENGTH: Range<u64> = 88..94;

/// An overlap below this is not cut by the seam (PROTOCOL B7), so it is never made.
const OVERLAP: usize = 12;

pub(crate) struct Model(Mutex<State>);

struct State {
    chance: Chance,
    /// No more faults: every call ends well, soon.
    calm: bool,
    /// What each answer says, by the cursor of its first call.
    answers: BTreeMap<String, Answer>,
    made: usize,
    calls: Vec<Call>,
    /// Answers that went on although the stored text is not what was said.
    strangers: Vec<String>,
}

#[derive(Clone)]
struct Answer {
    text: String,
    reasoning: String,
}

/// A call that was answered by a stream.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) cursor: String,
    /// It goes on with text that is there.
    pub(crate) goes_on: bool,
}

/// One thing that a stream does.
enum Step {
    Wait(Duration),
    Say(Event),
    Fail(Failure),
}

impl Model {
    pub(crate) fn new(chance: Chance) -> Self {
        Self(Mutex::new(State {
            chance,
            calm: false,
            answers: BTreeMap::new(),
            made: 0,
            calls: Vec::new(),
            strangers: Vec::new(),
        }))
    }

    pub(crate) fn calm(&self) {
        self.lock().calm = true;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    pub(crate) fn strangers(&self) -> Vec<String> {
        self.lock().strangers.clone()
    }

    /// What the answer of this cursor says when it is whole; of a sibling that no call has gone on
    /// with yet, what it begins with belongs to.
    pub(crate) fn text(&self, cursor: &str, begins: &str) -> Option<String> {
        let state = self.lock();
        let own = state.answers.get(cursor);
        let same = || state.answers.values().find(|answer| answer.text.starts_with(begins));
        own.or_else(same).map(|answer| answer.text.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the answer of this cursor says: always the same.
    fn answer(&mut self, cursor: &str) -> Answer {
        if let Some(answer) = self.answers.get(cursor) {
            return answer.clone();
        }
        self.made += 1;
        let number = self.made;
        let mut text = format!("Answer{number}:");
        // No twelve characters in a row come twice, so an overlap is one and nothing else.
        for word in 0..4 + self.chance.below(40) {
            let _ = write!(text, " w{number}x{word}");
        }
        let thinks = self.chance.percent(30);
        let reasoning = if thinks { format!("thinking{number}") } else { String::new() };
        let answer = Answer { text, reasoning };
        self.answers.insert(cursor.to_owned(), answer.clone());
        answer
    }

    /// The answer that a text is the beginning of. A sibling's cursor is new: it is learned.
    fn continued(&mut self, cursor: &str, stored: &str) -> Option<Answer> {
        let known = self.answers.get(cursor).cloned();
        let known = known.or_else(|| {
            self.answers.values().find(|answer| answer.text.starts_with(stored)).cloned()
        });
        match known {
            Some(answer) if answer.text.starts_with(stored) => {
                self.answers.insert(cursor.to_owned(), answer.clone());
                Some(answer)
            }
            _ => {
                self.strangers.push(format!("{cursor}: {stored:?}"));
                None
            }
        }
    }

    /// A stream that says `text`, after `reasoning`, as far as its fate lets it. The first
    /// `repeated` bytes were said before.
    fn play(&mut self, reasoning: &str, text: &str, repeated: usize) -> EventStream {
        let mut steps = vec![Step::Wait(self.chance.millis(0, 800))];
        let fault = if self.calm { 0 } else { self.chance.below(100) };
        let mut at = self.chance.index(text.len() + 1);
        if LENGTH.contains(&fault) {
            // A whole answer that is nothing but a part of an overlap cannot be told from text.
            at = at.max(repeated);
        }
        let mut said = 0;
        if !reasoning.is_empty() {
            steps.push(Step::Say(Event::Reasoning(reasoning.to_owned())));
        }
        // All texts are ASCII: any byte is a boundary.
        while said < text.len() {
            if said >= at && breaks(fault, &mut steps) {
                return played(steps);
            }
            let end = (said + 1 + self.chance.index(24)).min(text.len());
            steps.push(Step::Say(Event::Content(text[said..end].to_owned())));
            said = end;
            if self.chance.percent(60) {
                steps.push(Step::Wait(self.chance.millis(1, 300)));
            }
        }
        // An end may also be missing after the last word.
        if fault < 75 || !breaks(fault, &mut steps) {
            steps.push(Step::Say(Event::Finish(FinishReason::Stop)));
        }
        played(steps)
    }

    fn refuses(&mut self) -> bool {
        !self.calm && self.chance.percent(20)
    }
}

/// Adds the end that this fault makes. `false` when it is none.
fn breaks(fault: u64, steps: &mut Vec<Step>) -> bool {
    let code = match fault {
        ..45 => return false,
        45..70 => ErrorCode::ProviderTruncated,
        70..78 => ErrorCode::ProviderOverloaded,
        78..84 => ErrorCode::ProviderTimeout,
        84..88 => ErrorCode::ContentFiltered,
        _ if LENGTH.contains(&fault) => {
            steps.push(Step::Say(Event::Finish(FinishReason::Length)));
            return true;
        }
        _ => {
            // It stalls until the adapter gives it up.
            steps.push(Step::Wait(Duration::from_secs(45)));
            ErrorCode::ProviderTimeout
        }
    };
    steps.push(Step::Fail(failure(code)));
    true
}

fn failure(code: ErrorCode) -> Failure {
    Failure { code, message: format!("It fails with {code}."), retry_after: None }
}

fn played(steps: Vec<Step>) -> EventStream {
    stream! {
        for step in steps {
            match step {
                Step::Wait(time) => tokio::time::sleep(time).await,
                Step::Say(event) => yield Ok(event),
                Step::Fail(failure) => yield Err(failure),
            }
        }
    }
    .boxed()
}

fn best(model: &str) -> Means {
    match model {
        "reattach" => Means::Reattach,
        "prefill" => Means::Prefill,
        "prompt" => Means::Prompt,
        _ => Means::None,
    }
}

impl Provider for Model {
    fn id(&self) -> &'static str {
        "model"
    }

    fn name(&self) -> &'static str {
        "model"
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>> {
        let info = |id: &&str| ModelInfo {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            provider: "model".to_owned(),
            ..ModelInfo::default()
        };
        Box::pin(async move { Ok(MODELS.iter().map(info).collect()) })
    }

    fn generate(&self, request: Request) -> EventStream {
        self.generate_as(request, "")
    }

    fn generate_as(&self, _: Request, cursor: &str) -> EventStream {
        let mut state = self.lock();
        let answer = state.answer(cursor);
        state.calls.push(Call { cursor: cursor.to_owned(), goes_on: false });
        state.play(&answer.reasoning, &answer.text, 0)
    }

    fn means(&self, model: &str) -> Means {
        best(model)
    }

    fn go_on<'a>(
        &'a self,
        request: Request,
        partial: &'a Partial,
        means: Means,
    ) -> BoxFuture<'a, Result<EventStream, GoOnError>> {
        Box::pin(async move {
            let wait = self.lock().chance.millis(0, 200);
            tokio::time::sleep(wait).await;
            let mut state = self.lock();
            let next = match means {
                Means::Reattach => Means::Prefill,
                Means::Prefill => Means::Prompt,
                Means::Prompt | Means::None => Means::None,
            };
            let cursor = partial.cursor.clone().unwrap_or_default();
            let unknown = means == Means::Reattach && !state.answers.contains_key(&cursor);
            if next != Means::None && (unknown || state.refuses() || best(&request.model) != means)
            {
                return Err(GoOnError::Refused { next });
            }
            if !state.calm && state.chance.percent(10) {
                return Err(GoOnError::Failed(failure(ErrorCode::ProviderOverloaded)));
            }
            let Some(answer) = state.continued(&cursor, &partial.content) else {
                return Err(GoOnError::Failed(failure(ErrorCode::ContentFiltered)));
            };
            state.calls.push(Call { cursor, goes_on: true });
            if means == Means::Reattach {
                return Ok(state.play(&answer.reasoning, &answer.text, 0));
            }
            let from = partial.content.trim_end().len();
            let overlap = match means {
                Means::Prompt if from >= OVERLAP && state.chance.percent(60) => {
                    OVERLAP + state.chance.index((from - OVERLAP + 1).min(80))
                }
                _ => 0,
            };
            Ok(state.play("", &answer.text[from - overlap..], overlap))
        })
    }
}
