//! Models, options of a turn, and sources.

use serde::{Deserialize, Serialize};

use crate::fields::read;

read! {
    ModelInfo {
        id, name, context_length; description, speed, cost, best_for, provider, capabilities
    }
}

/// One entry of the catalogue (PROTOCOL A5, `GET /routing/models`).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelInfo {
    pub id: String,
    /// The id, unless the provider gives a name.
    pub name: String,
    pub description: String,
    /// `fast`, `medium`, `slow`, or empty when nobody said.
    pub speed: String,
    /// `free`, `$`, `$$`, `$$$`, or empty when nobody said.
    pub cost: String,
    pub best_for: Vec<String>,
    /// The provider as a person knows it: "Ollama on this machine".
    pub provider: String,
    /// Tokens of context, where the provider says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// Any of `vision`, `reasoning`, `tools`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

/// Wishes of the person for one answer (PROTOCOL B1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
}

/// Where an answer may look things up (PROTOCOL B5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Source {
    Web,
    File { file_id: String },
    Collection { collection_id: String },
    Url { url: String },
}

/// Why a model stopped writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    Stop,
    /// The model's limit of output tokens.
    Length,
    ContentFilter,
    ToolCalls,
    /// The person pressed Stop.
    User,
    #[serde(other)]
    Other,
}
