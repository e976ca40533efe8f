//! The order in which an answer happens: tokens, and what interrupts them at their positions.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Map, Value};

use crate::{
    script::Step,
    spec::{Base, Field, Spec},
    text::{self, Tokens},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Reasoning,
}

/// What an answer does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// This many tokens of one kind, in the text that was handed in.
    Tokens(Kind, usize),
    /// The fields of a delta.
    Delta(Map<String, Value>),
    Wait(Duration),
    Stall,
    Gate(String),
    Raw(String),
    Error(String),
    Cut,
    Eof,
    Finish,
}

pub(crate) struct Plan {
    source: Source,
    thoughts: Thoughts,
    /// What happens once so many tokens are sent, in order.
    events: VecDeque<(usize, Act)>,
    chunk: usize,
    sent: usize,
}

enum Source {
    Tokens(Tokens),
    Steps { steps: std::sync::Arc<[Step]>, next: usize },
}

impl Plan {
    pub(crate) fn new(
        spec: &Spec,
        last_user: &str,
        most_tokens: usize,
        going_on: Option<String>,
    ) -> Self {
        let tokens = spec.tokens.min(most_tokens);
        let mut thoughts = Thoughts::new(spec);
        let source = match &spec.base {
            Base::Numbers if going_on.is_some() => {
                thoughts.tokens = 0;
                Source::Tokens(Tokens::running(going_on.unwrap_or_default(), most_tokens))
            }
            Base::Numbers => Source::Tokens(Tokens::numbers(tokens, spec.utf8)),
            Base::Markdown => Source::Tokens(Tokens::running(text::MARKDOWN, tokens)),
            Base::Echo => Source::Tokens(Tokens::running(last_user.to_owned(), tokens)),
            Base::Script(steps) => Source::Steps { steps: steps.clone(), next: 0 },
        };
        Self { source, thoughts, events: events(spec), chunk: spec.chunk, sent: 0 }
    }

    /// The next act; tokens replace what is in `text`.
    pub(crate) fn next(&mut self, text: &mut String) -> Act {
        if let Some((at, _)) = self.events.front()
            && *at <= self.sent
        {
            return self.events.pop_front().expect("it has just been seen").1;
        }
        text.clear();
        let act = self.tokens(text);
        if let Act::Tokens(_, count) = act {
            self.sent += count;
        }
        act
    }

    fn tokens(&mut self, text: &mut String) -> Act {
        let until_event = self.events.front().map_or(usize::MAX, |(at, _)| at - self.sent);
        let most = self.chunk.min(until_event);
        let thoughts = (0..most).take_while(|_| self.thoughts.push_next(text)).count();
        if thoughts > 0 {
            return Act::Tokens(self.thoughts.kind(), thoughts);
        }
        match &mut self.source {
            Source::Tokens(tokens) => {
                match (0..most).take_while(|_| tokens.push_next(text)).count() {
                    0 => Act::Finish,
                    count => Act::Tokens(Kind::Text, count),
                }
            }
            Source::Steps { steps, next } => {
                *next += 1;
                steps.get(*next - 1).map_or(Act::Finish, |step| act(step, text))
            }
        }
    }
}

fn act(step: &Step, text: &mut String) -> Act {
    match step {
        Step::Text(token) => {
            text.push_str(token);
            Act::Tokens(Kind::Text, 1)
        }
        Step::Reasoning(token) => {
            text.push_str(token);
            Act::Tokens(Kind::Reasoning, 1)
        }
        Step::Delta(fields) => Act::Delta(fields.clone()),
        Step::WaitMs(ms) => Act::Wait(Duration::from_millis(*ms)),
        Step::Gate(name) => Act::Gate(name.clone()),
        Step::Raw(bytes) => Act::Raw(bytes.clone()),
        Step::Error(message) => Act::Error(message.clone()),
        Step::Stall(_) => Act::Stall,
        Step::Cut(_) => Act::Cut,
        Step::Eof(_) => Act::Eof,
    }
}

fn events(spec: &Spec) -> VecDeque<(usize, Act)> {
    let mut events: Vec<_> =
        spec.gates.iter().map(|gate| (gate.at, Act::Gate(gate.name.clone()))).collect();
    let stall = match spec.stall {
        None | Some(Duration::ZERO) => Act::Stall,
        Some(duration) => Act::Wait(duration),
    };
    let error = || Act::Error("The stand-in was asked to fail here.".into());
    events.extend(spec.stall_at.map(|at| (at, stall)));
    events.extend(spec.error_at.map(|at| (at, error())));
    events.extend(spec.cut_at.map(|at| (at, Act::Cut)));
    events.extend(spec.eof_at.map(|at| (at, Act::Eof)));
    events.sort_by_key(|(at, _)| *at);
    events.into()
}

/// The reasoning before the answer.
struct Thoughts {
    next: usize,
    tokens: usize,
    field: Field,
}

impl Thoughts {
    const OPEN: [&str; 2] = ["<thi", "nk>"];
    const CLOSE: [&str; 2] = ["</th", "ink>\n\n"];

    fn new(spec: &Spec) -> Self {
        Self { next: 1, tokens: spec.reasoning, field: spec.field }
    }

    fn kind(&self) -> Kind {
        if self.field == Field::Think { Kind::Text } else { Kind::Reasoning }
    }

    fn push_next(&mut self, text: &mut String) -> bool {
        let i = self.next;
        self.next += 1;
        if self.tokens == 0 {
            return false;
        }
        if self.field != Field::Think {
            if i <= self.tokens {
                text::push_thought(text, i);
            }
            return i <= self.tokens;
        }
        match i {
            1 | 2 => text.push_str(Self::OPEN[i - 1]),
            i if i <= self.tokens + 2 => text::push_thought(text, i - 2),
            i if i <= self.tokens + 4 => text.push_str(Self::CLOSE[i - self.tokens - 3]),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(parameters: &str) -> Vec<(Act, String)> {
        let spec = Spec::named("numbers").and_then(|s| s.with(parameters)).expect("it is good");
        let mut plan = Plan::new(&spec, "", usize::MAX, None);
        let mut acts = Vec::new();
        loop {
            let mut text = String::new();
            let act = plan.next(&mut text);
            let last = matches!(act, Act::Finish | Act::Cut | Act::Eof | Act::Error(_));
            acts.push((act, text));
            if last {
                return acts;
            }
        }
    }

    #[test]
    fn an_event_comes_after_so_many_tokens_and_splits_a_chunk() {
        let expected = [
            (Act::Tokens(Kind::Text, 2), "1 2 "),
            (Act::Gate("g".into()), ""),
            (Act::Tokens(Kind::Text, 3), "3 4 5 "),
            (Act::Tokens(Kind::Text, 1), "6 "),
            (Act::Cut, ""),
        ];
        let expected = expected.map(|(act, text)| (act, text.to_owned()));
        assert_eq!(acts("tokens=9,chunk=3,gate=g@2,cut_at=6"), expected);
    }

    #[test]
    fn an_event_at_the_last_token_comes_before_the_end_and_one_beyond_it_never() {
        assert_eq!(acts("tokens=2,cut_at=2").last().map(|a| &a.0), Some(&Act::Cut));
        assert_eq!(acts("tokens=2,cut_at=3").last().map(|a| &a.0), Some(&Act::Finish));
        assert_eq!(acts("tokens=2,error_at=0").len(), 1);
    }

    #[test]
    fn think_tags_are_tokens_split_in_the_middle() {
        let texts: Vec<_> = acts("tokens=1,reasoning=1,field=think").into_iter().collect();
        let texts: Vec<_> = texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["<thi", "nk>", "r1 ", "</th", "ink>\n\n", "1 ", ""]);
    }
}
