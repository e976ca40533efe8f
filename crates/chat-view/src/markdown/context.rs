//! What rendering a block needs to know of its message.

use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Default)]
pub(super) struct Context {
    /// Put before every id.
    pub(super) prefix: String,
    /// Indices of the message's citations.
    pub(super) cited: BTreeSet<u32>,
    pub(super) footnotes: Footnotes,
}

/// Footnotes by their labels, without regard to case. They are numbered in the order in which they
/// are first met.
#[derive(Debug, Default)]
pub(super) struct Footnotes(pub(super) HashMap<String, Footnote>);

#[derive(Debug)]
pub(super) struct Footnote {
    pub(super) number: usize,
    /// How many references to it there were.
    pub(super) references: usize,
    pub(super) defined: bool,
}

#[cfg(feature = "parser")]
impl Footnotes {
    fn get(&mut self, label: &str) -> &mut Footnote {
        let number = self.0.len() + 1;
        let new = Footnote { number, references: 0, defined: false };
        self.0.entry(crate::fold::fold(label)).or_insert(new)
    }

    /// The footnote's number, and which of the references to it this is, from 1.
    pub(super) fn refer(&mut self, label: &str) -> (usize, usize) {
        let footnote = self.get(label);
        footnote.references += 1;
        (footnote.number, footnote.references)
    }

    /// The footnote's number, and whether this is its first definition.
    pub(super) fn define(&mut self, label: &str) -> (usize, bool) {
        let footnote = self.get(label);
        (footnote.number, !std::mem::replace(&mut footnote.defined, true))
    }
}
