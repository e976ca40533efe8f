//! Model APIs of many shapes as one stream of events: request in, [`Event`]s out.
//!
//! The engine knows only this file's types; each provider keeps its JSON to itself.

pub mod catalogue;
pub mod discover;
mod http;
mod openai;
mod quotes;
pub mod scripted;
pub mod sse;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use unbroken_protocol::{Citation, ErrorCode, FinishReason, ModelInfo, Options, Role};

pub use catalogue::{BEST, Catalogue, CatalogueSettings, Choice, Health, ProviderStatus};
pub use discover::{ConfigError, Kind, ProviderConfig, Secret};
pub use http::Http;
pub use openai::{Listed, OpenAi, Patience};
pub use quotes::{QUOTES, Quotes};

/// One call of a model.
#[derive(Clone, Debug)]
pub struct Request {
    /// The model as its provider names it.
    pub model: String,
    /// The conversation so far, oldest first; the last one is what the person asks.
    pub messages: Arc<[Message]>,
    pub options: Options,
}

/// A message of the conversation, as a model is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

/// What a model says, in order. A stream that ends well ends with [`Event::Finish`].
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Visible text; never empty.
    Content(String),
    /// Text of the model's reasoning; never empty.
    Reasoning(String),
    /// A passage that the answer may cite.
    Source(Citation),
    /// Tokens so far; a later one replaces an earlier one.
    Usage(Usage),
    /// The model is done. Nothing follows.
    Finish(FinishReason),
}

/// Tokens that a call cost, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// Why a model cannot answer, or cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub code: ErrorCode,
    /// One sentence that a person can act on. Holds no key and nothing of the conversation.
    pub message: String,
    /// How long the provider asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

/// A running answer. Dropping it ends the call at the provider.
///
/// After an `Err` nothing follows. An end without `Finish` and without `Err` cannot happen: a
/// provider reports it as `provider_truncated`.
pub type EventStream = BoxStream<'static, Result<Event, Failure>>;

/// A service that runs models.
pub trait Provider: Send + Sync + 'static {
    /// A short, stable name: `openai`, `ollama`, `quotes`.
    fn id(&self) -> &str;

    /// The name that a person knows: "Ollama on this machine".
    fn name(&self) -> &str;

    /// The models that it offers now.
    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, Failure>>;

    /// Starts an answer. Returns at once; what goes wrong comes as the stream's `Err`.
    fn generate(&self, request: Request) -> EventStream;
}
