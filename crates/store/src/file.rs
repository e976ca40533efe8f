//! Files that people bring, and what can be read in them.

use std::fmt;

use serde::Serialize;
use unbroken_protocol::{CollectionId, FileId, FileState, PrincipalId, Timestamp};

use crate::words::folded;

/// SHA-256 of the bytes of a file. What can be read in the same bytes is stored once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    pub fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash from what `Display` made of it.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let digits = hex.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// A file of a person, with what is known of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub file_id: FileId,
    pub principal_id: PrincipalId,
    pub name: String,
    pub media_type: String,
    pub bytes: u64,
    pub content: ContentHash,
    pub created_at: Timestamp,
    pub state: FileState,
    /// The code of a refusal.
    pub reason: Option<String>,
    /// What the file calls itself.
    pub title: Option<String>,
    pub pages: Option<u32>,
    /// How many passages it has, and Unicode scalar values of their texts.
    pub passages: u32,
    pub chars: u64,
}

/// A file whose bytes are stored.
#[derive(Clone, Debug)]
pub struct NewFile {
    pub file_id: FileId,
    pub principal_id: PrincipalId,
    pub name: String,
    pub media_type: String,
    pub bytes: u64,
    pub content: ContentHash,
    pub at: Timestamp,
}

/// What became of a [`NewFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// `is_new` says that these bytes have to be read: nobody had them, or they could not be read
    /// by the fault of the machine, perhaps.
    Created { file: File, is_new: bool },
    /// The person has these bytes already: this file.
    Repeated(File),
    /// The person would have more bytes than allowed.
    Full,
    /// The person has [`unbroken_protocol::limits::FILES`] files.
    TooMany,
}

/// A stretch of a document, as long as a paragraph or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// 0, 1, 2, … through the document.
    pub ordinal: u32,
    pub page: Option<u32>,
    /// The headings above it, from the outermost: `Chapter > Section`.
    pub heading: String,
    pub text: String,
}

/// Passages that come in together.
#[derive(Clone, Debug)]
pub struct ReadStep {
    pub(crate) content: ContentHash,
    pub(crate) attempt: u32,
    pub(crate) passages: Vec<Passage>,
    pub(crate) ready: Option<Ready>,
    /// Unicode scalar values of their texts.
    pub(crate) chars: u64,
    /// The same as JSON, with their words; made before the writer is kept waiting.
    pub(crate) rows: String,
}

/// A passage on its way into the tables.
#[derive(Serialize)]
struct Row<'a> {
    ordinal: u32,
    page: Option<u32>,
    heading: &'a str,
    text: &'a str,
    heading_words: String,
    words: String,
}

impl ReadStep {
    /// `attempt` as [`crate::Transaction::begin_reading`] said. With the last passages comes what
    /// is known of the document, which is `ready` then.
    pub fn new(
        content: ContentHash,
        attempt: u32,
        passages: Vec<Passage>,
        ready: Option<Ready>,
    ) -> Self {
        let row = |passage: &Passage| {
            let row = Row {
                ordinal: passage.ordinal,
                page: passage.page,
                heading: &passage.heading,
                text: &passage.text,
                heading_words: folded(&passage.heading),
                words: folded(&passage.text),
            };
            serde_json::to_string(&row).expect("a passage is plain data")
        };
        let rows: Vec<_> = passages.iter().map(row).collect();
        let chars = passages.iter().map(|passage| passage.text.chars().count() as u64).sum();
        let rows = format!("[{}]", rows.join(","));
        Self { content, attempt, passages, ready, chars, rows }
    }
}

/// What is known of a document that was read.
#[derive(Clone, Debug)]
pub struct Ready {
    pub title: Option<String>,
    pub media_type: String,
    pub pages: Option<u32>,
}

/// Whose passages are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of a document that no file has any more.
    Deleted,
    /// Of an earlier reading, for this attempt.
    Reading(u32),
}

/// A passage that fits a question; a higher score fits better.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub content: ContentHash,
    pub passage: Passage,
    pub score: f64,
}

/// A named set of a person's files and of addresses of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    pub collection_id: CollectionId,
    pub name: String,
    pub created_at: Timestamp,
    /// In the order of their ids.
    pub files: Vec<FileId>,
    pub urls: Vec<String>,
}

/// What becomes of a collection; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionChange {
    pub name: Option<String>,
    pub urls: Option<Vec<String>>,
}

/// What became of putting a file into a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    Done,
    /// No such collection or file of this person.
    NotFound,
    /// The collection holds as many as it may.
    Full,
}
