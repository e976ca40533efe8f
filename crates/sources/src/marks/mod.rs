//! The check of an answer's marks `[1]` against the passages that were given, while it is written.
//!
//! A mark is one of `[1]`, `[1, 2]`, `[1; 2]`, `[1-3]`, `[1–3]`, with numbers of at most three
//! digits that count from 1. What it says that was not given is removed: `[1, 9]` becomes `[1]`, and
//! `[9]` vanishes with the one space before it. Everything else stays as it is:
//!
//! - in code, after a backslash, as the text of a link `[1](…)`, as a definition `[1]: …`, directly
//!   after another bracket that is no mark (`[text][1]`, `[[1]]`);
//! - directly after an identifier, such as `arr[9]` or `word[9]`, which nobody can tell apart. A mark
//!   too many is plain text that leads nowhere; an index too few is a false answer. A number
//!   (`2019[9]`) and a word that ends outside ASCII (`漢字[9]`) are no identifiers;
//! - `[0, 1]`, `[2024]`, `[01]`, and anything longer than [`HELD`]: those are intervals, years, lists.
//!
//! A block of code that is only indented is read as text.

mod code;
mod group;

use std::collections::BTreeSet;

use code::Code;
use group::{Checked, Group};

/// The most characters that are held back, a space before the mark among them.
pub const HELD: usize = 16;

/// Checks the marks of one answer.
#[derive(Debug)]
pub struct Marks {
    given: BTreeSet<u32>,
    code: Code,
    before: Before,
    state: State,
    held: String,
    invented: usize,
}

/// What was passed on last, as far as a bracket after it is another thing for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Identifier,
    Number,
    /// A bracket that belongs to no mark.
    Bracket,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is held, or the one space that may stand before a mark.
    Passing,
    /// A mark may have begun.
    Inside { at_line_start: bool },
    /// A whole mark is held: what follows may make a link of it.
    Whole { at_line_start: bool },
}

impl Before {
    fn then(self, char: char) -> Self {
        match char {
            '0'..='9' if self != Self::Identifier => Self::Number,
            '0'..='9' | 'a'..='z' | 'A'..='Z' | '_' => Self::Identifier,
            '[' | ']' => Self::Bracket,
            _ => Self::Other,
        }
    }

    fn may_precede_a_mark(self) -> bool {
        matches!(self, Self::Number | Self::Other)
    }
}

impl Marks {
    /// For an answer that was given passages of these numbers.
    pub fn new(given: impl IntoIterator<Item = u32>) -> Self {
        Self {
            given: given.into_iter().collect(),
            code: Code::default(),
            before: Before::Other,
            state: State::Passing,
            held: String::new(),
            invented: 0,
        }
    }

    /// For an answer that goes on after `stored`, which was checked before.
    #[must_use]
    pub fn after(given: impl IntoIterator<Item = u32>, stored: &str) -> Self {
        let mut marks = Self::new(given);
        drop(marks.push(stored.to_owned()));
        Self { state: State::Passing, held: String::new(), invented: 0, ..marks }
    }

    /// How many numbers and ranges were removed so far, in whole or in part.
    pub fn invented(&self) -> usize {
        self.invented
    }

    /// Takes the next piece of the answer; returns what can be passed on. A piece without brackets
    /// and code comes back at once, but for a space at its end.
    pub fn push(&mut self, mut text: String) -> String {
        if self.skip(&mut text) {
            return text;
        }
        let mut out = String::with_capacity(self.held.len() + text.len());
        for char in text.chars() {
            self.take(char, &mut out);
        }
        out
    }

    /// The answer is over: returns what was still held.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        if let State::Whole { .. } = self.state {
            self.judge(false, &mut out);
        }
        self.release(&mut out);
        out
    }

    /// Whether `text` could be passed on as it is; then it holds what is to be passed on.
    fn skip(&mut self, text: &mut String) -> bool {
        let is_plain = self.state == State::Passing
            && memchr::memchr(b'[', text.as_bytes()).is_none()
            && self.code.skip(text);
        if !is_plain || text.is_empty() {
            return is_plain;
        }
        if !self.held.is_empty() {
            text.insert_str(0, &self.held);
            self.held.clear();
        }
        if text.ends_with(' ') {
            self.held.extend(text.pop());
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let word = text.bytes().rev().take_while(|byte| is_word(byte)).count();
        let tail = &text[text.len() - word..];
        let before = if word == text.len() { self.before } else { Before::Other };
        self.before = match text.as_bytes().last() {
            Some(b']') => Before::Bracket,
            _ => tail.chars().fold(before, Before::then),
        };
        true
    }

    fn take(&mut self, char: char, out: &mut String) {
        let at_line_start = self.code.is_at_line_start();
        let is_text = self.code.take(char);
        if let State::Whole { at_line_start } = self.state {
            if char == '(' || (char == ':' && at_line_start) {
                self.release(out);
            } else {
                self.judge(char == '[' && is_text, out);
            }
        }
        if let State::Inside { at_line_start } = self.state {
            if self.held.chars().count() < HELD && group::may_hold(char) {
                self.held.push(char);
                if char == ']' {
                    self.close(at_line_start, out);
                }
                return;
            }
            self.release(out);
        }
        let is_first = !self.held.is_empty() || self.before.may_precede_a_mark();
        match char {
            '[' if is_text && is_first => {
                self.held.push('[');
                self.state = State::Inside { at_line_start };
            }
            ' ' if is_text => {
                self.release(out);
                self.held.push(' ');
            }
            _ => {
                self.release(out);
                self.pass(char, out);
            }
        }
    }

    fn close(&mut self, at_line_start: bool, out: &mut String) {
        if Group::parse(self.held.trim_start()).is_some() {
            self.state = State::Whole { at_line_start };
        } else {
            self.release(out);
        }
    }

    /// What is held is a mark. A mark that follows it directly takes over the space before it, if
    /// nothing stays between the two.
    fn judge(&mut self, another_follows: bool, out: &mut String) {
        let (space, text) = self.held.split_at(self.held.len() - self.held.trim_start().len());
        let checked = Group::parse(text).map(|group| group.check(&self.given));
        match checked {
            Some(Checked::Part { text, invented }) => {
                self.invented += invented;
                if !text.is_empty() {
                    self.held = format!("{space}{text}");
                } else if another_follows {
                    self.held.truncate(space.len());
                    self.state = State::Passing;
                    return;
                } else {
                    self.held.clear();
                }
            }
            Some(Checked::Whole) | None => {}
        }
        let is_kept = !self.held.is_empty();
        self.release(out);
        if is_kept {
            self.before = Before::Other;
        }
    }

    fn release(&mut self, out: &mut String) {
        self.state = State::Passing;
        let held = std::mem::take(&mut self.held);
        for char in held.chars() {
            self.pass(char, out);
        }
    }

    fn pass(&mut self, char: char, out: &mut String) {
        self.before = self.before.then(char);
        out.push(char);
    }
}

#[cfg(test)]
mod tests;
