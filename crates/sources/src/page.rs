//! A page as text.

use serde::{Deserialize, Serialize};

/// What a person can read on a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Page {
    /// Where it was in the end.
    pub url: String,
    pub title: String,
    /// In order; none is empty.
    pub blocks: Vec<Block>,
}

/// A stretch of text: a heading, a paragraph, a list's item, a table's row, a block of code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Block {
    pub text: String,
    /// The level of a heading, 1 to 6.
    pub heading: Option<u8>,
    /// The page of a paged document, from 1.
    pub page: Option<u32>,
}
