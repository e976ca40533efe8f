//! What a model does, read from its name: `numbers:tokens=200,rate=50,first=300ms`.

use std::{sync::Arc, time::Duration};

use crate::script::Step;

/// Why a model's name says nothing that the stand-in can do.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum SpecError {
    #[error("The model `{0}` does not exist.")]
    UnknownModel(String),
    #[error("The parameter `{name}` is not known to the stand-in.")]
    UnknownParameter { name: String },
    #[error("The parameter `{name}` cannot be `{value}`: it must be {expected}.")]
    Value { name: String, value: String, expected: &'static str },
    #[error("The parameter `{name}` needs `{other}` beside it.")]
    Lonely { name: &'static str, other: &'static str },
}

#[derive(Clone, Debug)]
pub(crate) enum Base {
    Numbers,
    Markdown,
    Echo,
    Script(Arc<[Step]>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field {
    ReasoningContent,
    Reasoning,
    /// `<think>` tags inside of the content, each tag in two tokens.
    Think,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Usage {
    Finish,
    Last,
    Every,
    None,
}

/// What a model makes of a beginning that it is given as the last message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Prefill {
    /// Nothing: it answers anew.
    Ignored,
    /// It goes on exactly when the two flags of vLLM say so.
    WithFlags,
    /// It goes on exactly.
    Always,
    /// With the two flags, but it says the beginning again.
    Repeated,
    /// Status 400.
    Refused,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gate {
    pub(crate) name: String,
    pub(crate) at: usize,
}

/// Everything a model's name can ask for. A position `…_at` counts all tokens sent so far, those of
/// the reasoning included.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) base: Base,
    /// The engine that it says it is, in the list of models.
    pub(crate) owned_by: &'static str,
    pub(crate) prefill: Prefill,
    /// An answer with a name is kept running, as llama.cpp does.
    pub(crate) streams: bool,
    /// Tokens of the answer without its reasoning; of a running text as many as there are.
    pub(crate) tokens: usize,
    /// Tokens of the reasoning.
    pub(crate) reasoning: usize,
    pub(crate) field: Field,
    /// Tokens a second; 0 is as fast as possible.
    pub(crate) rate: f64,
    pub(crate) first: Duration,
    pub(crate) stall_at: Option<usize>,
    /// Zero is for ever.
    pub(crate) stall: Option<Duration>,
    pub(crate) cut_at: Option<usize>,
    pub(crate) eof_at: Option<usize>,
    pub(crate) error_at: Option<usize>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) html: bool,
    /// How many calls with the same message fail before one does not; none is all of them.
    pub(crate) fail_times: Option<usize>,
    pub(crate) json: bool,
    /// Bytes in one piece on the wire.
    pub(crate) split: Option<usize>,
    pub(crate) crlf: bool,
    pub(crate) comments: bool,
    pub(crate) no_done: bool,
    pub(crate) utf8: bool,
    /// Every token says when it was written, for whoever measures.
    pub(crate) stamp: bool,
    pub(crate) array: bool,
    pub(crate) chunk: usize,
    pub(crate) finish: &'static str,
    pub(crate) usage: Usage,
}

const VLLM: &str = "vllm";
const LLAMA: &str = "llamacpp";

impl Spec {
    /// A base and its defaults, which suit a person who watches.
    pub(crate) fn named(base: &str) -> Result<Self, SpecError> {
        let numbers = Self {
            tokens: 200,
            rate: 50.0,
            first: Duration::from_millis(300),
            ..Self::plain(Base::Numbers)
        };
        Ok(match base {
            "numbers" => numbers,
            "vllm-numbers" => Self { owned_by: VLLM, prefill: Prefill::WithFlags, ..numbers },
            "llama-numbers" => Self { owned_by: LLAMA, prefill: Prefill::Always, ..numbers },
            "repeating-numbers" => Self { owned_by: VLLM, prefill: Prefill::Repeated, ..numbers },
            "refusing-numbers" => Self { owned_by: VLLM, prefill: Prefill::Refused, ..numbers },
            "plain-numbers" => Self { owned_by: "unknown", ..numbers },
            "streams-numbers" => {
                Self { owned_by: LLAMA, prefill: Prefill::Always, streams: true, ..numbers }
            }
            "reasoning" => Self { reasoning: 60, ..numbers },
            "slow" => Self { tokens: 60, rate: 2.0, first: Duration::from_secs(3), ..numbers },
            "markdown" => Self { base: Base::Markdown, tokens: usize::MAX, rate: 100.0, ..numbers },
            "echo" => Self { base: Base::Echo, tokens: usize::MAX, ..numbers },
            _ => return Err(SpecError::UnknownModel(base.to_owned())),
        })
    }

    pub(crate) fn script(steps: Arc<[Step]>) -> Self {
        Self::plain(Base::Script(steps))
    }

    fn plain(base: Base) -> Self {
        Self {
            base,
            owned_by: "standin",
            prefill: Prefill::Ignored,
            streams: false,
            tokens: usize::MAX,
            reasoning: 0,
            field: Field::ReasoningContent,
            rate: 0.0,
            first: Duration::ZERO,
            stall_at: None,
            stall: None,
            cut_at: None,
            eof_at: None,
            error_at: None,
            gates: Vec::new(),
            status: None,
            retry_after: None,
            html: false,
            fail_times: None,
            json: false,
            split: None,
            crlf: false,
            comments: false,
            no_done: false,
            utf8: false,
            stamp: false,
            array: false,
            chunk: 1,
            finish: "stop",
            usage: Usage::Last,
        }
    }

    /// The same with parameters such as `tokens=200,rate=50`.
    pub(crate) fn with(mut self, parameters: &str) -> Result<Self, SpecError> {
        for parameter in parameters.split(',').filter(|p| !p.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            self.set(&Parameter { name, value })?;
        }
        self.complete()
    }

    fn set(&mut self, p: &Parameter<'_>) -> Result<(), SpecError> {
        match p.name {
            "tokens" => self.tokens = p.count()?,
            "reasoning" => self.reasoning = p.count()?,
            "field" => self.field = p.one_of(FIELDS)?,
            "rate" => self.rate = p.rate()?,
            "first" => self.first = p.duration()?,
            "stall_at" => self.stall_at = Some(p.count()?),
            "stall" => self.stall = Some(p.duration()?),
            "cut_at" => self.cut_at = Some(p.count()?),
            "eof_at" => self.eof_at = Some(p.count()?),
            "error_at" => self.error_at = Some(p.count()?),
            "gate" => self.gates.push(p.gate()?),
            "status" => self.status = Some(p.status()?),
            "retry_after" => self.retry_after = Some(p.parse("a number of seconds")?),
            "html" => self.html = p.switch()?,
            "fail_times" => self.fail_times = Some(p.count()?),
            "json" => self.json = p.switch()?,
            "split" => self.split = Some(p.positive()?),
            "crlf" => self.crlf = p.switch()?,
            "comments" => self.comments = p.switch()?,
            "no_done" => self.no_done = p.switch()?,
            "utf8" => self.utf8 = p.switch()?,
            "stamp" => self.stamp = p.switch()?,
            "array" => self.array = p.switch()?,
            "chunk" => self.chunk = p.positive()?,
            "finish" => self.finish = p.one_of(FINISHES)?,
            "usage" => self.usage = p.one_of(USAGES)?,
            name => return Err(SpecError::UnknownParameter { name: name.to_owned() }),
        }
        Ok(())
    }

    /// A parameter that would do nothing by itself is a mistake in a test.
    fn complete(self) -> Result<Self, SpecError> {
        if self.stall.is_some() && self.stall_at.is_none() {
            return Err(SpecError::Lonely { name: "stall", other: "stall_at" });
        }
        if self.retry_after.is_some() && self.status.is_none() {
            return Err(SpecError::Lonely { name: "retry_after", other: "status" });
        }
        Ok(self)
    }

    /// The same without anything that makes an answer fail.
    pub(crate) fn healed(self) -> Self {
        Self {
            stall_at: None,
            cut_at: None,
            eof_at: None,
            error_at: None,
            status: None,
            html: false,
            ..self
        }
    }
}

const FIELDS: &Choices<Field> = &Choices {
    expected: "reasoning_content, reasoning or think",
    choices: &[
        ("reasoning_content", Field::ReasoningContent),
        ("reasoning", Field::Reasoning),
        ("think", Field::Think),
    ],
};

const USAGES: &Choices<Usage> = &Choices {
    expected: "finish, last, every or none",
    choices: &[
        ("finish", Usage::Finish),
        ("last", Usage::Last),
        ("every", Usage::Every),
        ("none", Usage::None),
    ],
};

/// `weird` is a reason that DeepSeek sends and OpenAI's documentation does not know.
const FINISHES: &Choices<&str> = &Choices {
    expected: "stop, length, content_filter, tool_calls or weird",
    choices: &[
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("weird", "insufficient_system_resource"),
    ],
};

struct Choices<T: 'static> {
    expected: &'static str,
    choices: &'static [(&'static str, T)],
}

struct Parameter<'a> {
    name: &'a str,
    value: &'a str,
}

impl Parameter<'_> {
    fn bad(&self, expected: &'static str) -> SpecError {
        SpecError::Value { name: self.name.to_owned(), value: self.value.to_owned(), expected }
    }

    fn parse<T: std::str::FromStr>(&self, expected: &'static str) -> Result<T, SpecError> {
        self.value.parse().map_err(|_| self.bad(expected))
    }

    fn count(&self) -> Result<usize, SpecError> {
        self.parse("a whole number")
    }

    fn positive(&self) -> Result<usize, SpecError> {
        let expected = "a whole number above 0";
        let count: usize = self.parse(expected)?;
        if count == 0 { Err(self.bad(expected)) } else { Ok(count) }
    }

    fn rate(&self) -> Result<f64, SpecError> {
        let expected = "a number of tokens a second, or 0 for as fast as possible";
        let rate: f64 = self.parse(expected)?;
        if rate == 0.0 || (0.001..=1e6).contains(&rate) {
            Ok(rate)
        } else {
            Err(self.bad(expected))
        }
    }

    fn status(&self) -> Result<u16, SpecError> {
        let expected = "an HTTP status from 400 to 599";
        let status = self.parse(expected)?;
        if (400..600).contains(&status) { Ok(status) } else { Err(self.bad(expected)) }
    }

    fn switch(&self) -> Result<bool, SpecError> {
        match self.value {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(self.bad("1 or 0")),
        }
    }

    fn duration(&self) -> Result<Duration, SpecError> {
        duration(self.value).ok_or_else(|| self.bad("a duration such as 300ms, 2s or 1m"))
    }

    fn gate(&self) -> Result<Gate, SpecError> {
        let expected = "a name and a number of tokens such as NAME@20";
        let (name, at) = self.value.split_once('@').ok_or_else(|| self.bad(expected))?;
        let at = at.parse().map_err(|_| self.bad(expected))?;
        if name.is_empty() { Err(self.bad(expected)) } else { Ok(Gate { name: name.into(), at }) }
    }

    fn one_of<T: Copy>(&self, of: &Choices<T>) -> Result<T, SpecError> {
        let found = of.choices.iter().find(|(name, _)| *name == self.value);
        found.map(|(_, choice)| *choice).ok_or_else(|| self.bad(of.expected))
    }
}

fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(parameters: &str) -> Result<Spec, SpecError> {
        Spec::named("numbers").expect("numbers is a base").with(parameters)
    }

    fn sentence(parameters: &str) -> String {
        with(parameters).expect_err("the parameters are wrong").to_string()
    }

    #[test]
    fn a_name_without_parameters_has_pleasant_defaults() {
        let spec = with("").expect("no parameters are fine");
        assert_eq!((spec.tokens, spec.first), (200, Duration::from_millis(300)));
        assert!((spec.rate - 50.0).abs() < f64::EPSILON);
    }

    #[test]
    fn parameters_are_read() {
        let spec = with(
            "tokens=7,rate=0.5,first=1.5s,gate=a@2,gate=b@4,stall_at=3,stall=2m,status=429,\
             retry_after=9,split=1,crlf=1,usage=every,finish=weird,field=think",
        )
        .expect("all of them are known");
        assert_eq!(spec.tokens, 7);
        assert_eq!(spec.first, Duration::from_millis(1500));
        assert_eq!(spec.stall, Some(Duration::from_mins(2)));
        assert_eq!((spec.status, spec.retry_after), (Some(429), Some(9)));
        assert_eq!((spec.split, spec.crlf, spec.usage), (Some(1), true, Usage::Every));
        assert_eq!((spec.finish, spec.field), ("insufficient_system_resource", Field::Think));
        let gates: Vec<_> = spec.gates.iter().map(|g| (g.name.as_str(), g.at)).collect();
        assert_eq!(gates, [("a", 2), ("b", 4)]);
    }

    #[test]
    fn a_bad_parameter_is_named_in_a_sentence() {
        assert_eq!(
            sentence("tokens=many"),
            "The parameter `tokens` cannot be `many`: it must be a whole number."
        );
        assert_eq!(
            sentence("first=300"),
            "The parameter `first` cannot be `300`: it must be a duration such as 300ms, 2s or 1m."
        );
        assert_eq!(sentence("speed=9"), "The parameter `speed` is not known to the stand-in.");
        assert_eq!(sentence("stall=1s"), "The parameter `stall` needs `stall_at` beside it.");
        for wrong in [
            "rate=-1",
            "rate=NaN",
            "split=0",
            "chunk=0",
            "status=200",
            "html=yes",
            "gate=a",
            "gate=@1",
            "finish=done",
            "usage=",
            "stall_at",
            "first=-1s",
            "first=ms",
            "field=x",
        ] {
            let name = wrong.split('=').next().expect("split gives at least one");
            assert!(sentence(wrong).contains(&format!("`{name}`")), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_base_is_an_unknown_model() {
        let error = Spec::named("gpt-9").expect_err("there is no such base");
        assert_eq!(error, SpecError::UnknownModel("gpt-9".into()));
    }
}
