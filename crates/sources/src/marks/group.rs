//! What stands between the brackets of a mark.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// The numbers and ranges of a mark, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group(Vec<RangeInclusive<u32>>);

/// A mark beside what was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// All of it was given.
    Whole,
    /// What of it was given, as a mark; empty when nothing was.
    Part { text: String, invented: usize },
}

/// Whether a mark may hold this character.
pub(super) fn may_hold(char: char) -> bool {
    matches!(char, '0'..='9' | ',' | ';' | ' ' | '-' | '–' | '—' | ']')
}

impl Group {
    /// Reads `[1, 2–4]`; `None` if that is no mark.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.split([',', ';']).map(item).collect::<Option<Vec<_>>>().map(Self)
    }

    pub(super) fn check(&self, given: &BTreeSet<u32>) -> Checked {
        let (mut text, mut invented) = (String::new(), 0);
        for item in &self.0 {
            let found = given.range(item.clone());
            if found.clone().count() == item.clone().count() {
                push(&mut text, item);
                continue;
            }
            invented += 1;
            for number in found {
                push(&mut text, &(*number..=*number));
            }
        }
        if invented == 0 {
            return Checked::Whole;
        }
        if !text.is_empty() {
            text.push(']');
        }
        Checked::Part { text, invented }
    }
}

fn push(text: &mut String, item: &RangeInclusive<u32>) {
    text.push_str(if text.is_empty() { "[" } else { ", " });
    let (first, last) = (item.start(), item.end());
    if first == last {
        write!(text, "{first}").expect("a String takes everything");
    } else {
        write!(text, "{first}–{last}").expect("a String takes everything");
    }
}

fn item(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once(['-', '–', '—']).unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..=last)
}

fn number(text: &str) -> Option<u32> {
    let digits = text.trim_matches(' ');
    let is_number = (1..=3).contains(&digits.len()) && !digits.starts_with('0');
    if is_number { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read() {
        let read = |text| Group::parse(text).map(|group| group.0);
        assert_eq!(read("[1]"), Some(vec![1..=1]));
        assert_eq!(read("[1, 2;3]"), Some(vec![1..=1, 2..=2, 3..=3]));
        assert_eq!(read("[1–3, 7 - 9]"), Some(vec![1..=3, 7..=9]));
    }

    #[test]
    fn what_is_no_mark_is_not_read() {
        for text in ["[]", "[ ]", "[0]", "[01]", "[2024]", "[3-1]", "[1-2-3]", "[1,]", "[-1]"] {
            assert_eq!(Group::parse(text), None, "{text}");
        }
    }
}
