//! What is read from a store: conversations, messages, generations.

use std::str::FromStr;

use unbroken_protocol::{
    Citation, ConversationId, Epoch, ErrorCode, FinishReason, GenerationId, GenerationState,
    MessageId, Options, PrincipalId, Role, Routing, Seq, Source, Timestamp, ToolStep,
};

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    pub conversation_id: ConversationId,
    pub principal_id: PrincipalId,
    pub title: String,
    /// The model of the newest answer.
    pub model: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The leaf of the branch that is shown.
    pub selected_message_id: MessageId,
    pub message_count: u64,
    pub total_tokens: u64,
    pub pinned: bool,
    pub archived: bool,
    /// The name of the folder in which it is.
    pub folder: Option<String>,
    /// Not listed, not searched, not counted.
    pub temporary: bool,
}

/// One line of the list of conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRow {
    pub conversation: Conversation,
    /// Whether an answer runs or waits there.
    pub running: bool,
}

/// Where a page of the list begins: after this conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationCursor {
    pub updated_at: Timestamp,
    pub conversation_id: ConversationId,
}

/// One message of a conversation's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub message_id: MessageId,
    pub parent_id: Option<MessageId>,
    pub role: Role,
    /// Of an answer that runs: empty, its log holds the text.
    pub content: String,
    pub created_at: Timestamp,
    /// What a person chose for its answers to look things up in.
    pub sources: Vec<Source>,
}

/// A generation, as far as the store knows it; a live one's head is in its log.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    /// The assistant message that it writes.
    pub message_id: MessageId,
    pub principal_id: PrincipalId,
    pub state: GenerationState,
    pub epoch: Epoch,
    pub head_seq: Seq,
    /// The model's id as the catalogue knew it when the person asked.
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    pub options: Options,
    pub created_at: Timestamp,
    pub finish_reason: Option<FinishReason>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub citations: Vec<Citation>,
    pub reasoning: String,
    pub reasoning_ms: Option<u64>,
    pub tool_events: Vec<ToolStep>,
    pub error_code: Option<ErrorCode>,
    pub error: Option<String>,
}

/// A message with what history shows around it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryMessage {
    pub message: Message,
    /// Messages with the same parent, this one among them, oldest first.
    pub sibling_ids: Vec<MessageId>,
    /// Of an answer.
    pub generation: Option<Generation>,
}

/// A stretch of a conversation's selected branch, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub messages: Vec<HistoryMessage>,
    /// Messages of the whole branch.
    pub total: u64,
}

impl ConversationCursor {
    /// The cursor as an opaque text for clients.
    pub fn encode(&self) -> String {
        format!("{}.{}", self.updated_at.as_millis(), self.conversation_id)
    }
}

impl FromStr for ConversationCursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = "the cursor is not one that this server gave out";
        let (at, id) = text.split_once('.').ok_or(unreadable)?;
        Ok(Self {
            updated_at: Timestamp::from_millis(at.parse().map_err(|_| unreadable)?),
            conversation_id: id.parse().map_err(|_| unreadable)?,
        })
    }
}
