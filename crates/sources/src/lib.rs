//! What an answer is drawn from: web pages that are fetched safely, web search, and the check of
//! what the answer cites. Knows nothing of conversations and how they are stored.

pub mod clean;
pub mod fetch;
pub mod fuse;
pub mod marks;
mod page;
pub mod search;
mod secret;
pub mod web;

pub use page::{Block, Page};
pub use secret::Secret;
