//! The blocks of a document while it is read, counted against the limit of its text.

use crate::{Block, Document, Kind, Limits, Refusal};

/// Bytes that a cell which is repeated may grow to.
pub(crate) const MOST_OF_A_ROW: usize = 1 << 20;

/// A block of table rows ends after the row that makes it longer than this, in bytes.
const ROWS: usize = 4_000;

/// Control characters and the invisible "tag" characters: no person reads them, but a model does.
pub(crate) fn is_unseen(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// Words with one space between them.
pub(crate) fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

/// The cells of a row on one line; empty cells keep their place, but not at the end.
pub(crate) fn row<S: AsRef<str>>(cells: &[S]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| squeeze(cell.as_ref())).collect();
    let end = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    cells[..end].join(" | ")
}

/// The longest title, in characters: it goes along with every passage that is cited.
const TITLE: usize = 200;

/// What a block costs besides its text, in bytes.
const BLOCK: usize = 64;

pub(crate) struct Blocks {
    done: Vec<Block>,
    page: Option<u32>,
    /// Rows of a table that have no block yet.
    table: String,
    /// Bytes of text that may still come.
    left: u64,
}

impl Blocks {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { done: Vec::new(), page: None, table: String::new(), left: limits.text }
    }

    /// What follows is on this page.
    pub(crate) fn turn_to(&mut self, page: usize) {
        self.end_table();
        self.page = u32::try_from(page).ok();
    }

    pub(crate) fn heading(&mut self, level: u8, text: &str) -> Result<(), Refusal> {
        self.push(squeeze(text), Some(level.clamp(1, 6)))
    }

    /// A paragraph as it stands, its lines included.
    pub(crate) fn paragraph(&mut self, text: &str) -> Result<(), Refusal> {
        self.push(text.trim().to_owned(), None)
    }

    /// Lines whose indentation means something.
    pub(crate) fn lines(&mut self, text: &str) -> Result<(), Refusal> {
        self.push(text.trim_end().trim_start_matches(['\n', '\r']).to_owned(), None)
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) -> Result<(), Refusal> {
        self.rows(&row(cells), 1)
    }

    /// The same row, several times.
    pub(crate) fn rows(&mut self, row: &str, times: usize) -> Result<(), Refusal> {
        if row.is_empty() {
            return Ok(());
        }
        (0..times).try_for_each(|_| self.add_row(row))
    }

    pub(crate) fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.table);
        self.add(rows, None);
    }

    pub(crate) fn finish(mut self, kind: Kind, title: Option<&str>) -> Result<Document, Refusal> {
        self.end_table();
        if self.done.is_empty() {
            return Err(Refusal::Empty);
        }
        let title = title.map(|title| squeeze(&seen(title.to_owned())));
        let title = title.map(|title| title.chars().take(TITLE).collect::<String>());
        let title = title.filter(|title| !title.is_empty());
        Ok(Document { kind, title, blocks: self.done })
    }

    fn add_row(&mut self, row: &str) -> Result<(), Refusal> {
        self.take(row.len() + 1)?;
        if !self.table.is_empty() {
            self.table.push('\n');
        }
        self.table.push_str(row);
        if self.table.len() > ROWS {
            self.end_table();
        }
        Ok(())
    }

    fn push(&mut self, text: String, heading: Option<u8>) -> Result<(), Refusal> {
        self.end_table();
        self.take(text.len() + BLOCK)?;
        self.add(text, heading);
        Ok(())
    }

    fn add(&mut self, text: String, heading: Option<u8>) {
        let text = seen(text);
        if !text.trim().is_empty() {
            self.done.push(Block { text, heading, page: self.page });
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(bytes as u64).ok_or(Refusal::TooMuchText)?;
        Ok(())
    }
}

fn seen(text: String) -> String {
    if text.contains(is_unseen) { text.replace(is_unseen, "") } else { text }
}
