//! Models from a script file: a JSON object of names, each with a model's name and parameters, a
//! list of steps, or both.
//!
//! ```json
//! {
//!   "flaky": "numbers:tokens=50,cut_at=20,fail_times=1",
//!   "polite": [{"text": "One "}, {"wait_ms": 500}, {"text": "two."}],
//!   "split": {"steps": [{"text": "漢字"}, {"cut": true}], "with": "split=1"},
//!   "asks": {"with": "finish=tool_calls", "steps": [
//!     {"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "clock", "arguments": ""}}]}},
//!     {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}}
//!   ]},
//!   "searches": [
//!     {"delta": {"executed_tools": [{"index": 0, "type": "search", "arguments": "{}"}]}},
//!     {"delta": {"executed_tools": [{"index": 0, "type": "search", "output": "found"}]}},
//!     {"text": "So."}
//!   ]
//! }
//! ```

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use crate::spec::{Spec, SpecError};

/// One step of a scripted answer. After the last one the answer ends as every answer does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// One token of the answer.
    Text(String),
    /// One token of the reasoning.
    Reasoning(String),
    /// The fields of a chunk's delta, as they are: tool calls, and tools that the server ran. An
    /// answer that is not streamed has none of them.
    Delta(Map<String, Value>),
    WaitMs(u64),
    /// Wait until this gate is open.
    Gate(String),
    /// Bytes as they are, between the chunks of a stream.
    Raw(String),
    /// An error in the middle of the stream, with this message; the stream ends after it.
    Error(String),
    /// Say nothing more and keep the connection.
    Stall(IgnoredAny),
    /// Close the TCP stream without an end.
    Cut(IgnoredAny),
    /// End the body cleanly without a finish reason.
    Eof(IgnoredAny),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Name(String),
    Steps(Arc<[Step]>),
    Both { steps: Arc<[Step]>, with: String },
}

impl Entry {
    fn spec(&self) -> Result<Spec, SpecError> {
        match self {
            Self::Name(name) => {
                let (base, parameters) = split(name);
                Spec::named(base)?.with(parameters)
            }
            Self::Steps(steps) => Ok(Spec::script(steps.clone())),
            Self::Both { steps, with } => Spec::script(steps.clone()).with(with),
        }
    }
}

/// Why a script file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("the script is not a JSON object of models: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the scripted model `{model}` is wrong: {reason}")]
    Model { model: String, reason: String },
}

/// Models beside the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Scripts {
    models: BTreeMap<String, Entry>,
}

impl FromStr for Scripts {
    type Err = ScriptError;

    fn from_str(json: &str) -> Result<Self, ScriptError> {
        let models: BTreeMap<String, Entry> = serde_json::from_str(json)?;
        for (model, entry) in &models {
            entry.spec().map_err(|error| ScriptError::Model {
                model: model.clone(),
                reason: error.to_string(),
            })?;
        }
        Ok(Self { models })
    }
}

impl Scripts {
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// What the model of this name does: a scripted one, or a built-in one, each with parameters.
    pub(crate) fn spec(&self, model: &str) -> Result<Spec, SpecError> {
        if let Some(entry) = self.models.get(model) {
            return entry.spec();
        }
        let (base, parameters) = split(model);
        let spec = match self.models.get(base) {
            Some(entry) => entry.spec()?,
            None => Spec::named(base)?,
        };
        spec.with(parameters)
    }
}

fn split(model: &str) -> (&str, &str) {
    model.split_once(':').unwrap_or((model, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Base;

    const SCRIPT: &str = r#"{
        "flaky": "numbers:tokens=50,cut_at=20",
        "polite": [{"text": "One "}, {"wait_ms": 5}, {"cut": true}],
        "split": {"steps": [{"text": "x"}], "with": "split=1"}
    }"#;

    #[test]
    fn a_script_names_models_in_three_ways() {
        let scripts: Scripts = SCRIPT.parse().expect("the script is good");
        assert_eq!(scripts.names().collect::<Vec<_>>(), ["flaky", "polite", "split"]);
        assert_eq!(scripts.spec("flaky").expect("it exists").cut_at, Some(20));
        assert_eq!(scripts.spec("split").expect("it exists").split, Some(1));
        let polite = scripts.spec("polite:crlf=1").expect("it exists");
        assert!(matches!(polite.base, Base::Script(steps) if steps.len() == 3) && polite.crlf);
        assert_eq!(scripts.spec("numbers:tokens=3").expect("it is built in").tokens, 3);
    }

    #[test]
    fn a_wrong_script_says_which_model() {
        let error = r#"{"bad": "numbers:rate=x"}"#.parse::<Scripts>().expect_err("rate is wrong");
        assert!(error.to_string().starts_with("the scripted model `bad` is wrong: The parameter"));
        assert!("[]".parse::<Scripts>().is_err());
        assert!(r#"{"bad": [{"dance": 1}]}"#.parse::<Scripts>().is_err());
    }
}
