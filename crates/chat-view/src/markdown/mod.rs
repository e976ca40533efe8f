//! Markdown that arrives piece by piece, as HTML that is safe to put into the page.
//!
//! [`Document`] settles every block once and keeps only the last one open. The HTML is written here,
//! event by event: nothing of a model's text reaches it unescaped.

mod block;
mod context;
mod document;
mod escape;
mod exchange;
mod fence;
#[cfg(feature = "parser")]
mod inline;
mod intake;
#[cfg(feature = "parser")]
mod link;
#[cfg(feature = "parser")]
mod math;
mod parser;
mod repair;
mod stretch;
#[cfg(feature = "parser")]
mod writer;

#[cfg(test)]
mod tests;

use unbroken_protocol::Citation;

pub use block::{Block, Live, Part, Tail};
pub use document::Document;
#[cfg(feature = "parser")]
pub use exchange::{serve, warm_up};
pub use parser::use_parser;
pub use stretch::stretch;

/// What a parser in another module is asked for a text that stands alone.
pub fn question(text: &str) -> Vec<u8> {
    exchange::question(text, &context::Context::default())
}

/// The HTML of a whole text at once. `prefix` keeps the ids of one message apart from another's.
pub fn render(text: &str, prefix: &str, citations: &[Citation]) -> String {
    let mut document = Document::new(prefix);
    document.set_citations(citations);
    document.replace(text);
    document.finish(usize::MAX);
    document.html()
}
