//! A turn: what a person says, and the generation that answers it.

use unbroken_protocol::{
    ClientMessageId, ConversationId, Epoch, GenerationId, GenerationState, MessageId, Options,
    PrincipalId, Role, Routing, Source, Timestamp,
};

use crate::{Generation, Message, Record, SecretHash};

/// A person's message and the generation that answers it.
#[derive(Clone, Debug)]
pub struct NewTurn {
    pub principal_id: PrincipalId,
    pub place: Place,
    pub user_message_id: MessageId,
    /// What the person says; `None` answers `user_message_id` once more.
    pub content: Option<String>,
    /// What the answers to it may look things up in.
    pub sources: Vec<Source>,
    /// What the answer begins with: another answer that is to go on.
    pub begins_with: Vec<Record>,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    pub options: Options,
    /// The client's key, and a hash of what it asked for.
    pub client_message: Option<(ClientMessageId, SecretHash)>,
    pub at: Timestamp,
}

impl NewTurn {
    /// The person's message when nothing was said before it.
    pub fn first_message(&self) -> Option<Message> {
        let Place::New { .. } = self.place else { return None };
        Some(Message {
            message_id: self.user_message_id,
            parent_id: None,
            role: Role::User,
            content: self.content.clone()?,
            created_at: self.at,
            sources: self.sources.clone(),
        })
    }

    /// The generation that the store makes of it.
    pub fn generation(
        &self,
        conversation_id: ConversationId,
        state: GenerationState,
    ) -> Generation {
        Generation {
            generation_id: self.generation_id,
            conversation_id,
            message_id: self.message_id,
            principal_id: self.principal_id,
            state,
            epoch: 1,
            head_seq: 0,
            model: self.model.clone(),
            model_name: self.model_name.clone(),
            routing: self.routing.clone(),
            options: self.options.clone(),
            created_at: self.at,
            finish_reason: None,
            input_tokens: 0,
            output_tokens: 0,
            citations: Vec::new(),
            reasoning: String::new(),
            reasoning_ms: None,
            tool_events: Vec::new(),
            error_code: None,
            error: None,
        }
    }
}

/// Where a turn goes.
#[derive(Clone, Debug)]
pub enum Place {
    New {
        conversation_id: ConversationId,
        title: String,
        /// It is erased some time after its last message.
        temporary: bool,
    },
    /// After the leaf of the selected branch.
    Next(ConversationId),
    /// After this answer: another branch, unless nothing follows it yet.
    After(ConversationId, MessageId),
    /// Beside the first message.
    Root(ConversationId),
    /// Beside the answers that the person's message `user_message_id` has.
    Again,
    /// The same, at once, also while one other answer to that message is being written.
    Beside,
}

/// What became of a [`NewTurn`].
#[derive(Clone, Debug, PartialEq)]
pub enum TurnOutcome {
    Created(Turn),
    /// The client's key was used before with the same body: this is that turn.
    Repeated(Turn),
    /// The client's key was used before with another body.
    Conflict,
    /// No such conversation or parent for this principal.
    NotFound,
    /// Too many turns run or wait already.
    Busy,
}

/// A turn as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub conversation_id: ConversationId,
    pub user_message_id: MessageId,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
    pub state: GenerationState,
    pub epoch: Epoch,
    pub model: String,
    pub model_name: String,
    pub routing: Option<Routing>,
    /// How many turns of the conversation come before it; 0 when it runs.
    pub waiting_behind: u64,
}
