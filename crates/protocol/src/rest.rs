//! Bodies of the REST calls (PROTOCOL A1, A2, A4, A5, B1, B4, B5).

use serde::{Deserialize, Serialize};

use crate::event::{Citation, Credits, Event, GenerationState, ToolStep};
use crate::fields::read;
use crate::model::{FinishReason, ModelInfo, Options, Source};
use crate::position::{Epoch, Seq};
use crate::source::MessageSource;
use crate::{ConversationId, DeviceId, ErrorCode, GenerationId, MessageId, SessionId, Timestamp};

// Answers, which every client reads.
read! {
    DeviceSession {
        session_id, device_id, expires_at, max_conversations, plan, daily_credits,
        credits_remaining, message
    }
    StartResponse {
        conversation_id, model, model_name, transaction_id, status, message, websocket_route,
        routing, generation_id, message_id, user_message_id, epoch, after_seq, queued
    }
    Routing { selected_model, reason, confidence }
    Queued { queue_id, position }
    QueueItem { queue_id, position, message, message_id }
    ConversationList { conversations, total, owner_type, owner_id, next_cursor }
    ConversationSummary {
        conversation_id, title, topic, model, created_at, updated_at, message_count, total_tokens,
        session_type, selected_message_id, folder; running, pinned, archived, temporary
    }
    ConversationPage { conversation_id, title, messages, total; temporary }
    MessageView {
        message_id, role, content, timestamp, tokens_used, model, parent_id, generation_id, state,
        epoch, seq, finish_reason, reasoning_ms, error, code; sibling_ids, sources, citations, reasoning, seams,
        tool_events, can_continue
    }
    QueueList { conversation_id, items }
    ConversationDeleted { success, conversation_id }
    GenerationReply { success, generation_id, state }
    ModelList { models, total_count; web_search }
    RoutingStats {
        has_preference, preference_type, preferred_model, usage_count, available_models,
        total_models
    }
    PreferenceReply { success, message, current_preference }
    Health { status, version }
    EventBatch { events, next_after, up_to_date, closed }
}

/// `POST /auth/device-session`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeviceSessionRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// A live session to renew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Where the operator asks for one (`auth.access_code`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_code: Option<String>,
    /// A code from `POST /auth/link`: join the principal that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_code: Option<String>,
}

/// A device session (PROTOCOL A1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceSession {
    pub session_id: SessionId,
    pub device_id: DeviceId,
    pub expires_at: Timestamp,
    pub max_conversations: u64,
    pub plan: String,
    pub daily_credits: u64,
    pub credits_remaining: u64,
    pub message: String,
}

/// `POST /auth/link`: a one-time code for another device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCode {
    pub code: String,
    pub expires_at: Timestamp,
}

/// How a request says who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestType {
    /// By the pair `session_id`, `device_id` in body or query.
    Anonymous,
    /// By cookie or bearer token.
    Authenticated,
}

/// How the person entered the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionMode {
    Type,
    Dictation,
    Voice,
}

/// `POST /ai/chat/start` (PROTOCOL A2, B1). Ids are text: one that is no UUID names nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StartRequest {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_type: Option<RequestType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction_mode: Option<InteractionMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<Source>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
    /// Of a new conversation: in no list and no search, and erased a day after its last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary: Option<bool>,
}

/// The answer to a start: everything that is needed to follow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartResponse {
    pub conversation_id: ConversationId,
    /// The model's id, as it was resolved.
    pub model: String,
    pub model_name: String,
    pub transaction_id: String,
    /// Always `conversation_created`.
    pub status: String,
    pub message: String,
    /// Always `stream_chat`.
    pub websocket_route: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    pub generation_id: GenerationId,
    /// The assistant message that the generation writes.
    pub message_id: MessageId,
    /// The person's message, just stored.
    pub user_message_id: MessageId,
    pub epoch: Epoch,
    pub after_seq: Seq,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<Queued>,
}

/// Why this model answers, when the person left the choice to the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Routing {
    pub selected_model: String,
    pub reason: String,
    pub confidence: f64,
}

/// The turn waits behind others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queued {
    pub queue_id: GenerationId,
    /// 1 is next.
    pub position: u64,
}

/// A turn that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueItem {
    pub queue_id: GenerationId,
    /// 1 is next.
    pub position: u64,
    pub message: String,
    pub message_id: MessageId,
}

/// `POST /ai/chat` and its alias `POST /api/chat` (PROTOCOL A4).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChatRequest {
    #[serde(flatten)]
    pub start: StartRequest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_type: Option<String>,
}

/// The whole answer at once. After a failure `error`, `message`, `code` and `retryable` are there,
/// and `response` holds the text so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatResponse {
    pub conversation_id: ConversationId,
    pub generation_id: GenerationId,
    pub response: String,
    #[serde(default)]
    pub tokens_used: u64,
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub model_name: String,
    #[serde(default)]
    pub response_time_ms: u64,
    pub timestamp: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
}

/// `GET /ai/conversations`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationList {
    /// The one that changed last comes first.
    pub conversations: Vec<ConversationSummary>,
    pub total: u64,
    /// Always `device_session` for now.
    pub owner_type: String,
    pub owner_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One line of the list of conversations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationSummary {
    pub conversation_id: ConversationId,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The model of the newest answer.
    pub model: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub message_count: u64,
    pub total_tokens: u64,
    /// Always `chat` for now.
    pub session_type: String,
    /// The last message of the branch that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_message_id: Option<MessageId>,
    /// Whether an answer is being written.
    pub running: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// The name of the folder in which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Only in the answer to a change: no list holds it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub temporary: bool,
}

/// `GET /ai/conversations/{id}`: the selected branch, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationPage {
    pub conversation_id: ConversationId,
    pub title: String,
    pub messages: Vec<MessageView>,
    /// Messages of the branch, of which this may be a page.
    pub total: u64,
    /// In no list and no search, and erased a day after its last message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub temporary: bool,
}

/// A message as history shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageView {
    pub message_id: MessageId,
    pub role: Role,
    /// The text; of an answer that is not sealed, the text so far.
    pub content: String,
    pub timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_used: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sibling_ids: Vec<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<GenerationId>,
    /// Of a person's message: what its answers may look things up in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<MessageSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<GenerationState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The head of the log that `content` covers: follow from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// The model's reasoning so far.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    /// How long the reasoning took, from its first to its last record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_ms: Option<u64>,
    /// Steps of tool calls so far, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_events: Vec<ToolStep>,
    /// Where a further run went on: lengths of the text before it, in Unicode scalar values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seams: Vec<u64>,
    /// `continue` would be taken now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub can_continue: bool,
    /// Why the answer failed or was interrupted, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
}

/// `PATCH /ai/conversations/{id}`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConversationPatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// The name of a folder; an empty one takes the conversation out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Show the branch that goes through this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_message_id: Option<String>,
}

/// `POST /ai/messages/{user_message_id}/generate`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RegenerateRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// At once, also while one other answer to the message is being written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// `POST /ai/generations/{id}/continue`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ContinueRequest {
    /// Of a sibling that is made: the same key makes it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// `GET /ai/conversations/{id}/queue`: the turns that wait, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueList {
    pub conversation_id: ConversationId,
    pub items: Vec<QueueItem>,
}

/// `PATCH /ai/conversations/{id}/queue/{queue_id}`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct QueuePatch {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// `GET /ai/search`: what fits best comes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    pub hits: Vec<SearchHit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A message that was found, or the title of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    pub conversation_id: ConversationId,
    /// The title of the conversation.
    pub title: String,
    /// Absent when the title was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub timestamp: Timestamp,
    /// A piece of the text, in one line.
    pub snippet: String,
    /// What was searched for in `snippet`: from, and up to, in Unicode scalar values.
    pub marks: Vec<(usize, usize)>,
}

/// `DELETE /ai/conversations/{id}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConversationDeleted {
    pub success: bool,
    pub conversation_id: ConversationId,
}

/// `POST /ai/generations/{id}/stop` and `/continue`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GenerationReply {
    pub success: bool,
    pub generation_id: GenerationId,
    pub state: GenerationState,
}

/// `GET /routing/models`, alias `GET /api/models`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelList {
    pub models: Vec<ModelInfo>,
    pub total_count: u64,
    /// Whether a message may have `web` among its sources.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub web_search: bool,
}

/// `GET /routing/stats`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoutingStats {
    pub has_preference: bool,
    /// `user_override`, `auto_select`, or null.
    pub preference_type: Option<String>,
    pub preferred_model: Option<String>,
    pub usage_count: u64,
    pub available_models: Vec<String>,
    pub total_models: u64,
}

/// `POST /routing/preferences`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PreferenceRequest {
    pub model_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
}

/// The answer to a change of the preference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreferenceReply {
    pub success: bool,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_preference: Option<String>,
}

/// `GET /health` and `GET /health/ready`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `ok`, or why not ready: `draining`, `storage`.
    pub status: String,
    pub version: String,
}

/// `GET /ai/generations/{id}/events` as JSON: one step of a long poll (PROTOCOL B4).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventBatch {
    pub events: Vec<Event>,
    /// `epoch.seq`
    pub next_after: String,
    pub up_to_date: bool,
    pub closed: bool,
}
