//! Bodies of the calls that bring conversations in and out (PROTOCOL B5): imports, shares,
//! and deleting everything.

use serde::{Deserialize, Serialize};

use crate::{Citation, ConversationId, DeviceId, Role, SessionId, Timestamp};

crate::id::uuid_id!(
    /// One file that is brought in.
    ImportId
);

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Its file is stored; others come first.
    Waiting,
    Running,
    Done,
    /// The file cannot be used; `error` says why. What was brought in before stays.
    Failed,
}

impl ImportState {
    /// Whether nothing will change any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// The state as it is written on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// `POST /ai/imports`, `GET /ai/imports/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportView {
    pub import_id: ImportId,
    pub state: ImportState,
    pub created_at: Timestamp,
    /// Conversations of the file that were looked at.
    pub done: u64,
    /// Conversations in the file; 0 while they are being counted.
    pub total: u64,
    /// Conversations that are new.
    pub conversations: u64,
    /// Messages that are new.
    pub messages: u64,
    /// Conversations of which nothing was new.
    pub unchanged: u64,
    /// What was left out, or kept as a text in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<ImportNote>,
    /// Why it failed, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same for programs: an `ImportFault`. Absent for imports that failed before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

/// Why the file of an import cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFault {
    NotJson,
    CutOff,
    DamagedZip,
    /// A ZIP holds more than is unpacked.
    TooMuch,
    /// The disk of the server refuses.
    Unreadable,
}

impl ImportFault {
    pub const ALL: [Self; 5] =
        [Self::NotJson, Self::CutOff, Self::DamagedZip, Self::TooMuch, Self::Unreadable];

    /// The code on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::CutOff => "cut_off",
            Self::DamagedZip => "damaged_zip",
            Self::TooMuch => "too_much",
            Self::Unreadable => "unreadable",
        }
    }

    /// The fault with this code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == code)
    }

    /// What a person is told, in English.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotJson => "This file is neither JSON nor a ZIP with JSON in it.",
            Self::CutOff => "The file ends in the middle. Download it once more.",
            Self::DamagedZip => "The ZIP is damaged. Download it once more.",
            Self::TooMuch => "The ZIP holds more than this server unpacks.",
            Self::Unreadable => "The server cannot read the file that it stored. Try again later.",
        }
    }
}

/// Something in a file that this server has no place for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportNote {
    /// `image`, `file`, `audio`, `tool`, `system`, `empty`, `other`, `unreadable`, `too_large`,
    /// `shortened`, `changed`.
    pub what: String,
    pub count: u64,
    /// Titles of the first conversations that had it.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// `GET /ai/imports`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportList {
    /// The newest first.
    pub imports: Vec<ImportView>,
}

/// `POST /ai/conversations/{id}/shares`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ShareRequest {
    /// The link stays when the conversation is deleted.
    #[serde(default)]
    pub keep: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// A link by which anybody reads what a conversation was when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    pub share_id: String,
    pub url: String,
    pub conversation_id: ConversationId,
    pub title: String,
    pub created_at: Timestamp,
    pub keep: bool,
}

/// `GET /ai/shares`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareList {
    /// The newest first.
    pub shares: Vec<ShareView>,
}

/// `DELETE /ai/shares/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRevoked {
    pub success: bool,
    pub share_id: String,
}

/// What a share shows: nothing of who made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedPage {
    pub title: String,
    pub messages: Vec<SharedMessage>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedMessage {
    pub role: Role,
    pub content: String,
    /// The name of the model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
}

/// What `confirm` says in `DELETE /ai/conversations`.
pub const DELETE_EVERYTHING: &str = "delete everything";

/// `DELETE /ai/conversations`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeleteEverything {
    #[serde(default)]
    pub confirm: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EverythingDeleted {
    pub success: bool,
    pub conversations: u64,
}
