//! What rendering a block needs to know of its message.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::fold::fold;

#[derive(Debug, Default)]
pub(super) struct Context {
    /// Put before every id.
    pub(super) prefix: String,
    /// Indices of the message's citations.
    pub(super) cited: BTreeSet<u32>,
    pub(super) footnotes: Footnotes,
}

/// Footnotes are numbered in the order in which they are first met.
#[derive(Debug, Default)]
pub(super) struct Footnotes {
    numbers: HashMap<String, usize>,
    references: HashMap<usize, usize>,
    defined: HashSet<usize>,
}

impl Footnotes {
    pub(super) fn number(&mut self, label: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(fold(label)).or_insert(next)
    }

    /// The footnote's number, and which of the references to it this is, from 1.
    pub(super) fn refer(&mut self, label: &str) -> (usize, usize) {
        let number = self.number(label);
        let count = self.references.entry(number).or_insert(0);
        *count += 1;
        (number, *count)
    }

    /// The footnote's number, and whether this is its first definition.
    pub(super) fn define(&mut self, label: &str) -> (usize, bool) {
        let number = self.number(label);
        (number, self.defined.insert(number))
    }
}
