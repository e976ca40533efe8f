//! What goes over the wire between Unbroken and its clients: ids, positions, events, frames, REST
//! bodies, error codes and limits, as docs/PROTOCOL.md defines them.
//!
//! No runtime, no transport, no storage: the crate builds for the server and for `wasm32`.

mod archive;
mod error;
mod event;
mod fields;
mod frame;
mod highlight;
mod id;
pub mod limits;
mod model;
mod moving;
pub mod path;
mod position;
mod prompt;
mod rest;
mod source;
mod time;

pub use archive::{
    ARCHIVE_FORMAT, ARCHIVE_VERSION, ArchivedAnswer, ArchivedConversation, ArchivedMessage,
};
pub use error::{ErrorBody, ErrorCode};
pub use event::{
    At, Citation, CompleteStatus, ConnectionEstablished, ContentChunk, ConversationEvent,
    ConversationOp, ConversationStarted, Credits, Done, Draining, ErrorFrame, Event, Following,
    GenerationStarted, GenerationState, GenerationStateEvent, Heartbeat, HelloOk, Means, Noticed,
    Pong, QueueEvent, ReasoningChunk, ResyncReason, Snapshot, SourceFound, StreamComplete,
    StreamError, StreamErrorStatus, StreamStart, ToolEvent, ToolStep,
};
pub use frame::{
    Capability, ClientFrame, Continue, Follow, FrameError, Hello, Incoming, Ping, StreamChat,
    Target,
};
pub use highlight::{Code, Colour, HighlightRequest, Highlighted, Spans};
pub use id::{
    ClientMessageId, ConversationId, DeviceId, GenerationId, MessageId, PrincipalId, PromptId,
    SessionId,
};
pub use model::{FinishReason, ModelInfo, Options, Source};
pub use moving::{
    DELETE_EVERYTHING, DeleteEverything, EverythingDeleted, ImportFault, ImportId, ImportList,
    ImportNote, ImportState, ImportView, ShareList, ShareRequest, ShareRevoked, ShareView,
    SharedMessage, SharedPage,
};
pub use position::{Epoch, Position, Seq};
pub use prompt::{Prompt, PromptEvent, PromptList, PromptRequest};
pub use rest::{
    ChatRequest, ChatResponse, ContinueRequest, ConversationDeleted, ConversationList,
    ConversationPage, ConversationPatch, ConversationSummary, DeviceSession, DeviceSessionRequest,
    EventBatch, GenerationReply, Health, InteractionMode, LinkCode, MessageView, ModelList,
    PreferenceReply, PreferenceRequest, QueueItem, QueueList, QueuePatch, Queued,
    RegenerateRequest, RequestType, Role, Routing, RoutingStats, SearchHit, SearchPage,
    StartRequest, StartResponse,
};
pub use source::{
    CollectionEvent, CollectionId, CollectionInfo, CollectionList, CollectionRequest, FileEvent,
    FileId, FileInfo, FileList, FileState, MessageSource, PassageList, PassageView, Received,
    UploadId, WEB,
};
pub use time::Timestamp;
