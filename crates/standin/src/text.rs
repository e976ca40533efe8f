//! The texts that the stand-in answers with, cut into tokens.

use std::{borrow::Cow, fmt::Write as _};

/// A document with every kind of GitHub-flavoured Markdown, and some that a renderer must refuse.
pub const MARKDOWN: &str = include_str!("markdown.md");

/// Tokens of running text end after white space, and at this many characters at the latest.
const LONGEST_TOKEN: usize = 16;

/// What `utf8=1` mixes in: two, three and four bytes, combining marks, joined and flagged emoji.
const MULTI_BYTE: [&str; 6] = ["ü", "漢字", "👩‍👩‍👧", "e\u{301}", "🇨🇭", "مرحبا"];

/// The whole text of the model `numbers` with this many tokens.
///
/// Token `i`, counted from 1, is `"{i} "`, with a line feed instead of the space at every 20th.
pub fn numbered(tokens: usize) -> String {
    collect(tokens, push_number)
}

/// The whole text of `numbers` with `utf8=1`: each number is followed by multi-byte characters.
pub fn numbered_utf8(tokens: usize) -> String {
    collect(tokens, push_utf8_number)
}

/// The whole reasoning of a model with `reasoning=tokens`: token `i`, counted from 1, is `"r{i} "`.
pub fn reasoned(tokens: usize) -> String {
    collect(tokens, push_thought)
}

/// What of `numbered(tokens)` follows `given`, wherever that was cut; all of it when it begins in
/// another way.
pub fn numbered_from(given: &str, tokens: usize) -> String {
    rest(numbered(tokens), given)
}

/// What of `text` follows `given`; all of it when it begins in another way.
pub(crate) fn rest(text: String, given: &str) -> String {
    text.strip_prefix(given).map(str::to_owned).unwrap_or(text)
}

fn collect(tokens: usize, push: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    for i in 1..=tokens {
        push(&mut text, i);
    }
    text
}

fn push_number(text: &mut String, i: usize) {
    let end = if i.is_multiple_of(20) { '\n' } else { ' ' };
    write!(text, "{i}{end}").expect("a String takes everything");
}

fn push_utf8_number(text: &mut String, i: usize) {
    write!(text, "{i}{}", MULTI_BYTE[i % MULTI_BYTE.len()]).expect("a String takes everything");
    text.push(if i.is_multiple_of(20) { '\n' } else { ' ' });
}

pub(crate) fn push_thought(text: &mut String, i: usize) {
    write!(text, "r{i} ").expect("a String takes everything");
}

/// Puts `@{nanos}` before the white space that ends each token: `17 ` becomes `17@1234567890 `.
pub(crate) fn stamp(text: &mut String, nanos: i64) {
    let bare = std::mem::take(text);
    let mut is_inside = false;
    for c in bare.chars() {
        if is_inside && c.is_whitespace() {
            write!(text, "@{nanos}").expect("a String takes everything");
        }
        is_inside = !c.is_whitespace();
        text.push(c);
    }
}

/// A text that is read token by token.
pub(crate) enum Tokens {
    Numbers { next: usize, end: usize },
    Utf8Numbers { next: usize, end: usize },
    Running { text: Cow<'static, str>, at: usize, left: usize },
}

impl Tokens {
    pub(crate) fn numbers(tokens: usize, utf8: bool) -> Self {
        if utf8 {
            Self::Utf8Numbers { next: 1, end: tokens }
        } else {
            Self::Numbers { next: 1, end: tokens }
        }
    }

    pub(crate) fn running(text: impl Into<Cow<'static, str>>, tokens: usize) -> Self {
        Self::Running { text: text.into(), at: 0, left: tokens }
    }

    /// Appends the next token to `out`; false when there is none.
    pub(crate) fn push_next(&mut self, out: &mut String) -> bool {
        match self {
            Self::Numbers { next, end } if *next <= *end => {
                push_number(out, *next);
                *next += 1;
            }
            Self::Utf8Numbers { next, end } if *next <= *end => {
                push_utf8_number(out, *next);
                *next += 1;
            }
            Self::Running { text, at, left } if *left > 0 && *at < text.len() => {
                let token = first_token(&text[*at..]);
                out.push_str(token);
                *at += token.len();
                *left -= 1;
            }
            _ => return false,
        }
        true
    }
}

fn first_token(text: &str) -> &str {
    let mut seen_space = false;
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count == LONGEST_TOKEN || (seen_space && !c.is_whitespace()) {
            return &text[..at];
        }
        seen_space |= c.is_whitespace();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut tokens: Tokens) -> (String, usize) {
        let (mut text, mut count) = (String::new(), 0);
        while tokens.push_next(&mut text) {
            count += 1;
        }
        (text, count)
    }

    #[test]
    fn every_twentieth_number_ends_its_line() {
        assert!(numbered(41).starts_with("1 2 3 "));
        assert!(numbered(41).contains("19 20\n21 "));
        assert!(numbered(41).ends_with("40\n41 "));
    }

    #[test]
    fn a_text_read_token_by_token_is_the_text() {
        assert_eq!(read(Tokens::numbers(41, false)), (numbered(41), 41));
        assert_eq!(read(Tokens::numbers(41, true)), (numbered_utf8(41), 41));
        assert_eq!(read(Tokens::running(MARKDOWN, usize::MAX)).0, MARKDOWN);
        assert_eq!(read(Tokens::running("one two  three", 2)), ("one two  ".into(), 2));
    }

    #[test]
    fn the_rest_follows_wherever_the_beginning_was_cut() {
        let text = numbered(41);
        for cut in 0..=text.len() {
            assert_eq!(numbered_from(&text[..cut], 41), text[cut..]);
        }
        assert_eq!(numbered_from("One", 41), text);
    }

    #[test]
    fn a_stamp_stands_at_the_end_of_every_token() {
        let mut text = "19 20\n21 ".to_owned();
        stamp(&mut text, 77);
        assert_eq!(text, "19@77 20@77\n21@77 ");
    }

    #[test]
    fn a_text_without_spaces_has_tokens_all_the_same() {
        assert_eq!(read(Tokens::running("漢".repeat(40), usize::MAX)).1, 3);
    }
}
