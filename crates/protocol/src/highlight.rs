//! Colours of code (PROTOCOL B5).

use serde::{Deserialize, Serialize};

use crate::{DeviceId, SessionId};

/// `POST /ai/highlight`: code that wants colours, at most
/// [`HIGHLIGHT_BLOCKS`](crate::limits::HIGHLIGHT_BLOCKS) blocks with
/// [`HIGHLIGHT_BYTES`](crate::limits::HIGHLIGHT_BYTES) together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HighlightRequest {
    pub blocks: Vec<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// One block of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// As it stands after the fence: `rust`, `py`.
    pub language: String,
    pub code: String,
}

/// The answer: for every block, in order, its colours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlighted {
    pub blocks: Vec<Spans>,
}

/// The colours of one block: lengths in UTF-16 units, one after the other from its beginning.
/// What is left over has none; nor has a block in a language that the server does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    pub spans: Vec<(u32, Option<Colour>)>,
}

/// What a piece of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Colour {
    #[serde(rename = "kw")]
    Keyword,
    #[serde(rename = "fn")]
    Function,
    #[serde(rename = "type")]
    Type,
    #[serde(rename = "str")]
    Text,
    #[serde(rename = "num")]
    Number,
    #[serde(rename = "com")]
    Comment,
    #[serde(rename = "tag")]
    Tag,
    #[serde(rename = "ins")]
    Inserted,
    #[serde(rename = "del")]
    Deleted,
    /// One that a later server knows.
    #[serde(other, rename = "else")]
    Else,
}
