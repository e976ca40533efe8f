//! Everything that the server sends on a socket: the events of PROTOCOL A3 and B3, told apart by
//! `type`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Error, Value};

use crate::fields::{self, Fields, Read, deserialize, read, read_at};
use crate::model::FinishReason;
use crate::position::{Epoch, Position, Seq};
use crate::prompt::PromptEvent;
use crate::rest::{ConversationSummary, QueueItem};
use crate::source::{CollectionEvent, FileEvent};
use crate::{ClientMessageId, ConversationId, ErrorCode, GenerationId, MessageId, Timestamp};

/// One event or frame from the server.
///
/// What is rare and large is in a box: a token's event is moved often, and is as large as the largest.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    ConnectionEstablished(ConnectionEstablished),
    ConversationStarted(ConversationStarted),
    StreamStart(StreamStart),
    ContentChunk(ContentChunk),
    StreamComplete(Box<StreamComplete>),
    StreamError(Box<StreamError>),

    HelloOk(HelloOk),
    Following(Following),
    Snapshot(Box<Snapshot>),
    GenerationState(GenerationStateEvent),
    ReasoningChunk(ReasoningChunk),
    ToolEvent(Box<ToolEvent>),
    SourceFound(Box<SourceFound>),
    Heartbeat(Heartbeat),
    Pong(Pong),
    Draining(Draining),
    Error(ErrorFrame),
    Ok(Done),
    Conversation(Box<ConversationEvent>),
    Queue(QueueEvent),
    GenerationStarted(GenerationStarted),
    Prompt(PromptEvent),
    File(Box<FileEvent>),
    Collection(Box<CollectionEvent>),
    Noticed(Noticed),

    /// A type that this build does not know; a client ignores it.
    Unknown,
}

/// Which `type` is which variant, for writing and for reading.
macro_rules! kinds {
    ($($kind:literal => $event:ident,)*) => {
        impl Event {
            /// The `type`, as it is written on the wire.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$event(_) => $kind,)*
                    Self::Unknown => "unknown",
                }
            }

            fn read(fields: Fields) -> Result<Self, Error> {
                match fields.text("type").ok_or_else(|| Error::missing_field("type"))? {
                    $($kind => Read::read(fields).map(Self::$event),)*
                    _ => Ok(Self::Unknown),
                }
            }
        }
    };
}

kinds! {
    "connection_established" => ConnectionEstablished,
    "conversation_started" => ConversationStarted,
    "stream_start" => StreamStart,
    "content_chunk" => ContentChunk,
    "stream_complete" => StreamComplete,
    "stream_error" => StreamError,
    "hello_ok" => HelloOk,
    "following" => Following,
    "snapshot" => Snapshot,
    "generation_state" => GenerationState,
    "reasoning_chunk" => ReasoningChunk,
    "tool_event" => ToolEvent,
    "source_found" => SourceFound,
    "heartbeat" => Heartbeat,
    "pong" => Pong,
    "draining" => Draining,
    "error" => Error,
    "ok" => Ok,
    "conversation" => Conversation,
    "queue" => Queue,
    "generation_started" => GenerationStarted,
    "prompt" => Prompt,
    "file" => File,
    "collection" => Collection,
    "noticed" => Noticed,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fields::read_from(deserializer, Self::read)
    }
}

read! {
    ConnectionEstablished { timestamp }
    ConversationStarted { conversation_id, timestamp, generation_id, message_id, req }
    Credits { remaining, daily_total, used_today }
    Citation { index, source_type, title, url, file_id, page, passage, quote, score }
    ToolStep { call_id, phase, name; data }
    HelloOk { version, node, heartbeat_ms, max_frame, req }
    Following {
        generation_id, conversation_id, message_id, epoch, recovered, reason, from_seq, head_seq,
        offset, state, req
    }
    Heartbeat { t, heads }
    Pong { t, req }
    Draining { reconnect_after_ms }
    ErrorFrame { req, generation_id, code, message, retryable }
    Done { req }
    ConversationEvent { op, conversation }
    QueueEvent { conversation_id, items }
    GenerationStarted { conversation_id, generation_id, message_id, client_message_id }
    Noticed { after; missed }
}

read_at! {
    StreamStart { model, timestamp }
    ContentChunk { content, chunk_id, timestamp, seq_from, offset }
    StreamComplete {
        full_response, total_chunks, tokens, input_tokens, output_tokens, credits, timestamp,
        seq_from, status, finish_reason, content_chars, content_sha256; citations, invented_marks
    }
    Snapshot { content, state; reasoning, citations, tool_events }
    GenerationStateEvent { seq_from, state, code, message, means; can_continue }
    ReasoningChunk { seq_from, content, timestamp }
    ToolEvent { seq_from, call_id, phase, name, data }
    SourceFound { seq_from, citation }
}

deserialize! { StreamError }

impl Read for StreamError {
    fn read(mut fields: Fields) -> Result<Self, Error> {
        Ok(Self {
            error: fields.take("error")?,
            code: fields.take("code")?,
            retryable: fields.take("retryable")?,
            status: fields.take("status")?,
            retry_after_ms: fields.take("retry_after_ms")?,
            timestamp: fields.take("timestamp")?,
            at: fields.take_at().ok(),
            seq_from: fields.take("seq_from")?,
            req: fields.take("req")?,
        })
    }
}

impl Event {
    /// The place of a record in its log; `None` for a frame of one connection.
    pub fn record(&self) -> Option<Position> {
        let at = match self {
            Self::ContentChunk(event) => event.at,
            Self::ReasoningChunk(event) => event.at,
            Self::ToolEvent(event) => event.at,
            Self::SourceFound(event) => event.at,
            Self::GenerationState(event) => event.at,
            Self::StreamComplete(event) => event.at,
            Self::StreamError(event) if event.status == Some(StreamErrorStatus::Failed) => {
                event.at?
            }
            _ => return None,
        };
        Some(at.position())
    }
}

/// Which generation an event is about, and the position that this connection holds with it (B1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: Epoch,
    pub seq: Seq,
}

impl At {
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }
}

/// First on every connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionEstablished {
    pub timestamp: Timestamp,
}

/// The answer to a `stream_chat` that was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationStarted {
    pub conversation_id: ConversationId,
    pub timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<GenerationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

/// Once per generation and connection, before its first record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamStart {
    pub model: String,
    pub timestamp: Timestamp,
    #[serde(flatten)]
    pub at: At,
}

/// Visible text. `content` begins `offset` Unicode scalar values into the visible text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContentChunk {
    pub content: String,
    /// Equals `seq`.
    pub chunk_id: Seq,
    pub timestamp: Timestamp,
    #[serde(flatten)]
    pub at: At,
    /// The frame covers `seq_from..=seq`; one record when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub offset: u64,
}

/// The last event of a generation that ended well or was stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamComplete {
    pub full_response: String,
    /// How many `content_chunk` records the log holds.
    pub total_chunks: u64,
    /// `input_tokens + output_tokens`.
    pub tokens: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    pub timestamp: Timestamp,
    #[serde(flatten)]
    pub at: At,
    /// The frame covers `seq_from..=seq`, hidden records before it among them; one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub status: CompleteStatus,
    pub finish_reason: FinishReason,
    /// Length of `full_response` in Unicode scalar values.
    pub content_chars: u64,
    /// SHA-256 of `full_response` as UTF-8, in lower-case hexadecimal.
    pub content_sha256: String,
    /// How many marks like `[7]` the model made up, which the text does not hold.
    #[serde(skip_serializing_if = "is_zero")]
    pub invented_marks: u64,
}

// Where addresses have 32 bits a reference is the smaller one.
#[cfg_attr(
    target_pointer_width = "64",
    expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompleteStatus {
    Completed,
    Stopped,
}

/// The last event of a generation that failed, or a request that was refused (then without `at`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamError {
    /// One sentence that a person can act on.
    pub error: String,
    pub code: ErrorCode,
    pub retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StreamErrorStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    pub timestamp: Timestamp,
    #[serde(flatten)]
    pub at: Option<At>,
    /// The frame covers `seq_from..=seq`, hidden records before it among them; one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamErrorStatus {
    /// Terminal: the record that seals the log.
    Failed,
    /// A frame to a connection without `hello`; the log stays open.
    Interrupted,
}

/// Credits left, when quotas are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credits {
    pub remaining: u64,
    pub daily_total: u64,
    pub used_today: u64,
}

/// A passage that the answer refers to as `[index]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    pub index: u32,
    /// `guide`, `file`, `web` or `url`.
    pub source_type: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Of a file: which of its passages this is or begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passage: Option<u32>,
    /// The text that the model was given.
    pub quote: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HelloOk {
    pub version: u32,
    /// Which run of the server answers; another name after a reconnect means that it restarted.
    pub node: String,
    pub heartbeat_ms: u64,
    pub max_frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

/// The answer to `follow`: from where records come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Following {
    pub generation_id: GenerationId,
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: Epoch,
    /// `false`: one `snapshot` follows and replaces what the client has.
    pub recovered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ResyncReason>,
    /// The first seq that will be sent.
    pub from_seq: Seq,
    pub head_seq: Seq,
    /// Unicode scalar values of visible text before `from_seq`.
    pub offset: u64,
    pub state: GenerationState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

/// Why a follower cannot go on from its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The record at that seq was written by another run.
    Epoch,
    /// The log is shorter than that.
    Ahead,
    /// More than [`crate::limits::REPLAY_BYTES`] behind.
    TooFar,
}

/// Everything up to `seq` but a terminal record; the client replaces what it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    #[serde(flatten)]
    pub at: At,
    pub content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reasoning: String,
    pub citations: Vec<Citation>,
    pub tool_events: Vec<ToolStep>,
    pub state: GenerationState,
}

/// States of a generation (PROTOCOL B7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationState {
    Queued,
    Running,
    Interrupted,
    Completed,
    Stopped,
    Failed,
}

impl GenerationState {
    /// Whether the log is sealed: nothing will ever be appended.
    pub fn is_sealed(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped | Self::Failed)
    }

    /// The state as it is written on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// A change of state inside the log: a run began, or broke off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerationStateEvent {
    #[serde(flatten)]
    pub at: At,
    /// The frame covers `seq_from..=seq`, hidden records before it among them; one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub state: GenerationState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// One sentence for a person, when the run broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub can_continue: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<Means>,
}

/// By which means an answer goes on after a break (PROTOCOL B7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    Reattach,
    Prefill,
    Prompt,
    None,
}

/// Text of the model's reasoning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasoningChunk {
    #[serde(flatten)]
    pub at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub content: String,
    pub timestamp: Timestamp,
}

/// A step of a tool call, at its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolEvent {
    #[serde(flatten)]
    pub at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub call_id: String,
    pub phase: String,
    pub name: String,
    pub data: Value,
}

/// A step of a tool call, as snapshots, history and exports list it (PROTOCOL B1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolStep {
    /// Names the call within its answer; later steps of it say the same.
    pub call_id: String,
    /// `call`, `result` or `error`. Whoever does not know another word passes the step over.
    pub phase: String,
    pub name: String,
    /// Of a call `arguments`, of a result `output`, of an error `message`, and `cut: true` where
    /// that is not all of it.
    pub data: Value,
}

impl ToolStep {
    /// About how much room it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let data = serde_json::to_string(&self.data).map_or(0, |data| data.len());
        self.call_id.len() + self.name.len() + data
    }
}

impl From<ToolEvent> for ToolStep {
    fn from(event: ToolEvent) -> Self {
        let ToolEvent { call_id, phase, name, data, .. } = event;
        Self { call_id, phase, name, data }
    }
}

/// A passage was found that the answer may cite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceFound {
    #[serde(flatten)]
    pub at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_from: Option<Seq>,
    pub citation: Citation,
}

/// A sign of life after silence, with the heads of the logs that this connection follows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heartbeat {
    /// The server's clock, milliseconds since 1970.
    pub t: i64,
    pub heads: std::collections::BTreeMap<GenerationId, Seq>,
}

/// The answer to `ping`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pong {
    pub t: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

/// The server is about to restart; connect again after that many milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draining {
    pub reconnect_after_ms: u64,
}

/// A frame from the client was refused, or a followed generation cannot go on for now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorFrame {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<GenerationId>,
    pub code: ErrorCode,
    pub message: String,
    pub retryable: bool,
}

/// A command with `req` and no other reply was carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req: Option<Value>,
}

/// A conversation of this principal changed or was deleted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationEvent {
    pub op: ConversationOp,
    pub conversation: ConversationSummary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationOp {
    Upsert,
    Delete,
}

/// The turns that wait in a conversation, in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueEvent {
    pub conversation_id: ConversationId,
    pub items: Vec<QueueItem>,
}

/// A new turn of this principal, from whichever device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GenerationStarted {
    pub conversation_id: ConversationId,
    pub generation_id: GenerationId,
    /// The assistant message that the generation writes.
    pub message_id: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
}

/// How far the notices before this lead: the place to come back to, in a `hello` or a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noticed {
    /// `epoch.seq` of the notices, which has nothing to do with any log.
    pub after: String,
    /// Some are gone that the client was not sent: it reads its lists again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_is_ignored_and_unknown_fields_too() {
        let event: Event = serde_json::from_str(r#"{"type":"from_the_future","x":1}"#).unwrap();
        assert_eq!(event, Event::Unknown);
        let event: Event =
            serde_json::from_str(r#"{"type":"draining","reconnect_after_ms":5,"x":1}"#).unwrap();
        assert_eq!(event, Event::Draining(Draining { reconnect_after_ms: 5 }));
    }

    #[test]
    fn a_kind_is_what_serde_writes() {
        let at = At {
            generation_id: GenerationId::new(),
            conversation_id: ConversationId::new(),
            message_id: MessageId::new(),
            epoch: 2,
            seq: 7,
        };
        let timestamp = Timestamp::from_millis(0);
        let chunk = Event::ReasoningChunk(ReasoningChunk {
            at,
            seq_from: None,
            content: "hm".into(),
            timestamp,
        });
        let start = Event::StreamStart(StreamStart { model: "m".into(), timestamp, at });
        let established = Event::ConnectionEstablished(ConnectionEstablished { timestamp });
        for event in [&chunk, &start, &established, &Event::Ok(Done { req: None })] {
            assert_eq!(serde_json::to_value(event).unwrap()["type"], event.kind());
        }
        assert_eq!(chunk.record(), Some(Position::new(2, 7)));
        assert_eq!(start.record(), None, "a frame has no place");
    }

    #[test]
    fn a_refusal_carries_no_generation() {
        let refusal = Event::StreamError(Box::new(StreamError {
            error: "no".into(),
            code: ErrorCode::BadRequest,
            retryable: false,
            status: None,
            retry_after_ms: None,
            timestamp: Timestamp::from_millis(0),
            at: None,
            seq_from: None,
            req: None,
        }));
        let json = serde_json::to_value(&refusal).unwrap();
        assert!(json.get("generation_id").is_none());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), refusal);
    }
}
