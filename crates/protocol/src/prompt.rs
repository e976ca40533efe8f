//! A person's own prompts: texts that are asked again and again (PROTOCOL B5).

use serde::{Deserialize, Serialize};

use crate::fields::read;
use crate::{DeviceId, PromptId, SessionId, Timestamp};

/// One prompt. `{{name}}` in its text is filled in when it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prompt {
    pub prompt_id: PromptId,
    pub name: String,
    pub text: String,
    pub updated_at: Timestamp,
}

/// `GET /ai/prompts`: all of a person's, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptList {
    pub prompts: Vec<Prompt>,
}

/// `PUT /ai/prompts/{id}`: makes a prompt under an id that the client chooses, or changes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PromptRequest {
    pub name: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// The notice of a prompt: how it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PromptEvent {
    pub prompt_id: PromptId,
    /// Absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompt>,
}

read! {
    Prompt { prompt_id, name, text, updated_at }
    PromptList { prompts }
    PromptEvent { prompt_id, prompt }
}
