//! The end of a run, as it is stored.

use unbroken_protocol::{
    Citation, ConversationId, Epoch, ErrorCode, FinishReason, GenerationId, GenerationState,
    MessageId, Seq, Timestamp, ToolStep,
};

use crate::Record;

/// How a log stands when it is sealed or interrupted.
#[derive(Clone, Debug)]
pub struct Settled<'a> {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: Epoch,
    pub state: GenerationState,
    pub head_seq: Seq,
    pub content: &'a str,
    pub reasoning: &'a str,
    pub reasoning_ms: Option<u64>,
    pub tool_events: &'a [ToolStep],
    pub citations: &'a [Citation],
    pub finish_reason: Option<FinishReason>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub error: Option<(ErrorCode, &'a str)>,
    /// The records that have not been packed yet.
    pub records: &'a [Record],
    pub at: Timestamp,
}

/// What became of a [`Settled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Done; this generation of the conversation, which waited, runs now.
    Done { next: Option<GenerationId> },
    /// Refused: the log was sealed before, another epoch owns it, or it was deleted.
    Stale,
}
