//! The paragraphs and tables of an Office document on their way to blocks.

use crate::Refusal;
use crate::blocks::{self, Blocks};

pub(crate) struct Body<'a> {
    pub(crate) blocks: &'a mut Blocks,
    /// The row that is open in each open table, outermost first.
    rows: Vec<Vec<String>>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(blocks: &'a mut Blocks) -> Self {
        Self { blocks, rows: Vec::new() }
    }

    pub(crate) fn paragraph(&mut self, heading: Option<u8>, text: &str) -> Result<(), Refusal> {
        if let Some(row) = self.rows.last_mut() {
            append(row, text);
            return Ok(());
        }
        match heading {
            Some(level) => self.blocks.heading(level, text),
            None => self.blocks.paragraph(text),
        }
    }

    pub(crate) fn open_table(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(crate) fn open_cell(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.push(String::new());
        }
    }

    /// Ends the cell that is open; it stands there `times`.
    pub(crate) fn repeat_cell(&mut self, times: usize) -> Result<(), Refusal> {
        let Some(row) = self.rows.last_mut() else { return Ok(()) };
        let Some(cell) = row.last().cloned() else { return Ok(()) };
        if cell.len().saturating_mul(times) > blocks::MOST_OF_A_ROW {
            return Err(Refusal::TooMuchText);
        }
        row.extend(std::iter::repeat_n(cell, times.saturating_sub(1)));
        Ok(())
    }

    /// Ends the row that is open; it stands there `times`.
    pub(crate) fn close_row(&mut self, times: usize) -> Result<(), Refusal> {
        let Some(cells) = self.rows.last_mut().map(std::mem::take) else { return Ok(()) };
        let outer = self.rows.len().checked_sub(2).and_then(|outer| self.rows.get_mut(outer));
        match (outer, cells.as_slice()) {
            (Some(outer), cells) => append(outer, &blocks::row(cells)),
            // A table of one column arranges the page, as a box around paragraphs.
            (None, [only]) => only.lines().try_for_each(|line| self.blocks.paragraph(line))?,
            // Worked out once: a row of empty cells may be repeated a million times.
            (None, cells) => self.blocks.rows(&blocks::row(cells), times)?,
        }
        Ok(())
    }

    pub(crate) fn close_table(&mut self) {
        self.rows.pop();
        if self.rows.is_empty() {
            self.blocks.end_table();
        }
    }
}

fn append(row: &mut Vec<String>, text: &str) {
    if row.is_empty() {
        row.push(String::new());
    }
    if let Some(cell) = row.last_mut().filter(|_| !text.trim().is_empty()) {
        if !cell.is_empty() {
            cell.push('\n');
        }
        cell.push_str(text);
    }
}
