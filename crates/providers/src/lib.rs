//! Model APIs of many shapes as one stream of events: request in, [`Event`]s out.
//!
//! The engine knows only this file's types; each provider keeps its JSON to itself.

pub mod catalogue;
mod continuation;
pub mod discover;
mod given;
mod http;
mod openai;
mod plain;
mod quotes;
pub mod scripted;
pub mod seam;
pub mod sse;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use unbroken_protocol::{
    Citation, ErrorCode, FinishReason, Means, ModelInfo, Options, Role, ToolStep,
};

pub use catalogue::{BEST, Catalogue, CatalogueSettings, Choice, Health, ProviderStatus};
pub use continuation::{GoOnError, Partial};
pub use discover::{ConfigError, Continuation, Kind, ProviderConfig, Secret};
pub use given::Given;
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
    /// Passages that the answer is to draw on and cite; empty for most.
    pub sources: Arc<[Given]>,
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
    Source(Box<Citation>),
    /// A step of a tool call: what the model asks for, or what a server that runs tools by itself
    /// says of them.
    Tool(Box<ToolStep>),
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

    /// As [`Self::generate`], under a name that no other call has, by which the answer can be
    /// reattached to ([`Partial::cursor`]). Where the provider keeps such an answer running,
    /// dropping the stream leaves it: [`Self::end`] ends it.
    fn generate_as(&self, request: Request, _cursor: &str) -> EventStream {
        self.generate(request)
    }

    /// Ends the answer of that cursor, where the provider keeps it running. Ending one that is not
    /// there changes nothing.
    fn end<'a>(&'a self, _cursor: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// The best means by which an answer of this model goes on, as far as is known now (PROTOCOL
    /// B7). Engines are recognised by their list of models: ask for [`Self::models`] first.
    fn means(&self, _model: &str) -> Means {
        Means::None
    }

    /// Goes on with an answer of `request` that broke off after `partial`. For
    /// [`Means::Prefill`] and [`Means::Prompt`] this is a further call, which costs what a call
    /// costs. The stream repeats of the partial what the provider repeats: [`seam::join`] makes of
    /// it what is to be appended.
    ///
    /// A refusal is told from a failure ([`GoOnError`]). A provider that refuses a means for good
    /// is remembered, and [`Self::means`] falls to the next one for that model.
    fn go_on<'a>(
        &'a self,
        _request: Request,
        _partial: &'a Partial,
        _means: Means,
    ) -> BoxFuture<'a, Result<EventStream, GoOnError>> {
        Box::pin(async { Err(GoOnError::Refused { next: Means::None }) })
    }
}
