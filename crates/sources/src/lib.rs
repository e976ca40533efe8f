//! What an answer is drawn from: web pages that are fetched safely, web search, embeddings, a reranker, and
//! the check of what the answer cites. Knows nothing of conversations and how they are stored.

mod client;
pub mod embed;
pub mod fetch;
pub mod fuse;
pub mod marks;
pub mod rerank;
pub mod search;
mod secret;

pub use secret::Secret;
