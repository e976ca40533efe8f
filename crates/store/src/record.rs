//! Records: what the log of a generation is made of.

use serde::{Deserialize, Serialize};
use unbroken_protocol::{
    Citation, CompleteStatus, Epoch, ErrorCode, FinishReason, GenerationId, GenerationState, Means,
    Position, Seq, Timestamp, ToolStep,
};

/// One entry of a log. `(generation, epoch, seq)` names the same bytes for ever (PROTOCOL B8.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub epoch: Epoch,
    pub seq: Seq,
    pub at: Timestamp,
    pub body: Body,
}

impl Record {
    pub fn position(&self) -> Position {
        Position::new(self.epoch, self.seq)
    }
}

/// What a record says. Visible text and reasoning are text; the rest is kept as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Content(String),
    Reasoning(String),
    Tool(Box<ToolStep>),
    Source(Box<Citation>),
    State {
        state: GenerationState,
        code: Option<ErrorCode>,
        message: Option<String>,
        can_continue: bool,
        means: Option<Means>,
    },
    /// Terminal: the generation ended well or was stopped.
    Complete {
        status: CompleteStatus,
        finish_reason: FinishReason,
        total_chunks: u64,
        input_tokens: u64,
        output_tokens: u64,
        content_chars: u64,
        content_sha256: String,
        /// Marks that the model made up, which are not in the text.
        #[serde(default, skip_serializing_if = "is_zero")]
        invented_marks: u64,
    },
    /// Terminal: the generation failed.
    Failed {
        code: ErrorCode,
        message: String,
        retry_after_ms: Option<u64>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Body {
    /// Whether nothing may follow this record.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Complete { .. } | Self::Failed { .. })
    }
}

/// Records of one generation that were committed one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    pub generation: GenerationId,
    pub records: Vec<Record>,
}
