//! A model server for tests, benchmarks and demonstrations. It speaks OpenAI chat completions over
//! real TCP, and what it does is chosen by the model's name, such as
//! `numbers:tokens=200,rate=50,first=300ms,cut_at=120`, or by a script file.
//!
//! Beside it stands [`Proxy`], a network that fails on demand.
//!
//! It also answers `/search` in SearXNG's form, and serves the pages that this finds, and embeds
//! texts at `/v1/embeddings` and `/api/embed`, and reranks them at `/v1/rerank`.
//!
//! Every text is numbered, so that a reader can tell loss, doubling and order.

mod answer;
mod calls;
mod chat;
mod continuation;
mod embed;
mod error;
mod gates;
mod models;
mod plan;
mod proxy;
mod script;
mod search;
mod server;
mod spec;
mod sse;
mod streams;
mod text;

pub use calls::{Call, CallState, Continuation};
pub use proxy::{Mode, Proxy};
pub use script::{ScriptError, Scripts, Step};
pub use server::{Options, Standin};
pub use text::{MARKDOWN, numbered, numbered_from, numbered_utf8, reasoned};
