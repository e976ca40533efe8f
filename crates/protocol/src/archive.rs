//! A conversation as a file: the format of exports (`docs/EXPORT-FORMAT.md`). Nothing is lost in it that people see.

use serde::{Deserialize, Serialize};

use crate::{
    Citation, ConversationId, ErrorCode, FinishReason, GenerationId, GenerationState, MessageId,
    Options, Role, Routing, Source, Timestamp, ToolStep,
};

/// What `format` says in every exported conversation.
pub const ARCHIVE_FORMAT: &str = "unbroken.conversation";
/// What `version` says. A reader refuses a higher one; a field that it does not know is no error.
pub const ARCHIVE_VERSION: u32 = 1;

/// One conversation with all of its branches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchivedConversation {
    pub conversation_id: ConversationId,
    pub title: String,
    /// The model of the newest answer.
    #[serde(default)]
    pub model: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The leaf of the branch that is shown.
    pub selected_message_id: MessageId,
    /// A parent comes before its children; siblings are in the order in which they were written.
    pub messages: Vec<ArchivedMessage>,
}

/// A message of a conversation's tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchivedMessage {
    pub message_id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    pub role: Role,
    pub content: String,
    pub created_at: Timestamp,
    /// Of a person's message: what its answers could look things up in. The files themselves are
    /// not here, so elsewhere they name nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Of an assistant message: how it came to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ArchivedAnswer>,
}

/// The run of a model that wrote a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArchivedAnswer {
    pub generation_id: GenerationId,
    pub state: GenerationState,
    pub model: String,
    pub model_name: String,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    #[serde(default)]
    pub input_tokens: u64,
    #[serde(default)]
    pub output_tokens: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// How long the reasoning took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_ms: Option<u64>,
    /// Steps of tool calls, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_events: Vec<ToolStep>,
    /// Where a further run went on: lengths of the text before it, in Unicode scalar values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seams: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Options,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
}

fn is_default(options: &Options) -> bool {
    *options == Options::default()
}

impl ArchivedConversation {
    /// The branch that is shown, oldest first.
    pub fn shown(&self) -> Vec<&ArchivedMessage> {
        let by_id: std::collections::HashMap<_, _> =
            self.messages.iter().map(|message| (message.message_id, message)).collect();
        let up = |message: &&ArchivedMessage| by_id.get(&message.parent_id?).copied();
        let leaf = by_id.get(&self.selected_message_id).copied();
        // No more steps than there are messages, whatever the parents say.
        let mut branch: Vec<_> =
            std::iter::successors(leaf, up).take(self.messages.len()).collect();
        branch.reverse();
        branch
    }
}
