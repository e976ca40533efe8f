//! What a person can read in a file: its bytes become text with its headings and pages.
//!
//! Pure: it reads the bytes that it is given, opens nothing and runs nothing, no formula and no
//! macro. Every file is untrusted, so [`read`] runs in a process of its own: [`worker`] is that
//! process and [`reader`] starts it, feeds it and ends it.

mod archive;
mod blocks;
mod body;
mod csv;
mod detect;
mod docx;
mod email;
mod epub;
mod html;
mod limits;
mod markdown;
mod odf;
mod ooxml;
mod pdf;
mod pptx;
mod refusal;
mod text;
mod xlsx;
mod xml;

mod passages;
pub mod reader;
pub mod worker;

pub use limits::Limits;
pub use passages::{Passage, passages};
pub use refusal::Refusal;

use serde::{Deserialize, Serialize};

/// What a person can read in a file, in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub kind: Kind,
    /// What the file itself says that it is called; never its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub blocks: Vec<Block>,
}

/// A stretch of text: a heading, a paragraph, a list item, a table, a piece of code.
///
/// A table has a line for each row, with ` | ` between its cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Never empty, and trimmed.
    pub text: String,
    /// The level of a heading, 1 to 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<u8>,
    /// The page of a PDF, the slide, the sheet or the chapter, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Odt,
    Odp,
    Ods,
    Html,
    Markdown,
    Text,
    Csv,
    Epub,
    Email,
    Code,
}

impl Kind {
    /// The media type under which a file of this kind is stored and sent.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Odp => "application/vnd.oasis.opendocument.presentation",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Html => "text/html",
            Self::Markdown => "text/markdown",
            Self::Csv => "text/csv",
            Self::Epub => "application/epub+zip",
            Self::Email => "message/rfc822",
            Self::Text | Self::Code => "text/plain",
        }
    }
}

/// Which kind of file this is, by its content; the name only decides between kinds of plain text.
pub fn detect(bytes: &[u8], name: &str) -> Result<Kind, Refusal> {
    detect::detect(bytes, name, &Limits::default())
}

/// The text of a file.
///
/// It may panic and it may take long: what a file can do to a parser is bounded by the process
/// that [`worker`] sets up, not here.
pub fn read(bytes: &[u8], name: &str, limits: &Limits) -> Result<Document, Refusal> {
    if bytes.len() as u64 > limits.bytes {
        return Err(Refusal::TooLarge);
    }
    match detect::detect(bytes, name, limits)? {
        Kind::Pdf => pdf::read(bytes, limits),
        kind @ (Kind::Docx | Kind::Pptx | Kind::Xlsx) => ooxml::read(kind, bytes, limits),
        kind @ (Kind::Odt | Kind::Odp | Kind::Ods) => odf::read(kind, bytes, limits),
        Kind::Html => html::read(bytes, limits),
        Kind::Markdown => markdown::read(bytes, limits),
        Kind::Text => text::read(bytes, limits),
        Kind::Code => text::code(bytes, limits),
        Kind::Csv => csv::read(bytes, limits),
        Kind::Epub => epub::read(bytes, limits),
        Kind::Email => email::read(bytes, limits),
    }
}
