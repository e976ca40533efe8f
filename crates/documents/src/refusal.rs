//! Why a file is not read.

use serde::{Deserialize, Serialize};

/// Why a file is not read. Its display is one sentence that a person can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("There is no text in this file.")]
    Empty,
    #[error("This file is too large, or unpacks to too much. Send a smaller part of it.")]
    TooLarge,
    #[error("This file is locked with a password. Save it without one and send it again.")]
    Encrypted,
    #[error(
        "This file holds only pictures of text. Run text recognition (OCR) over it and send it again."
    )]
    Scanned,
    #[error("Files of this kind can't be read. Save it as PDF, Office, text or HTML.")]
    Unsupported,
    #[error("This file is damaged or incomplete. Try to open and save it anew.")]
    Damaged,
    #[error("This file holds more text than can be read. Send a smaller part of it.")]
    TooMuchText,
    #[error("Reading this file took too long. Send a smaller part of it.")]
    OutOfTime,
    #[error("Reading this file needs too much memory. Send a smaller part of it.")]
    OutOfMemory,
}

impl Refusal {
    /// As it is written on the wire and in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::Encrypted => "encrypted",
            Self::Scanned => "scanned",
            Self::Unsupported => "unsupported",
            Self::Damaged => "damaged",
            Self::TooMuchText => "too_much_text",
            Self::OutOfTime => "out_of_time",
            Self::OutOfMemory => "out_of_memory",
        }
    }

    /// The refusal with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        const ALL: [Refusal; 9] = [
            Refusal::Empty,
            Refusal::TooLarge,
            Refusal::Encrypted,
            Refusal::Scanned,
            Refusal::Unsupported,
            Refusal::Damaged,
            Refusal::TooMuchText,
            Refusal::OutOfTime,
            Refusal::OutOfMemory,
        ];
        ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}
