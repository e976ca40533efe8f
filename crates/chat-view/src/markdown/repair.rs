//! Markdown that is cut off in the middle, as a person would read it so far.
//!
//! Only for what is shown while text still comes: bold that has begun is bold, a link has no address
//! yet, and a line that is nothing but markers waits until it says more.

use std::borrow::Cow;

/// The text with what was begun at its end closed or left out.
pub(super) fn repair(text: &str) -> Cow<'_, str> {
    let line = text.rfind('\n').map_or(0, |at| at + 1);
    let text = if is_bare_marker(&text[line..]) { &text[..line] } else { text };
    let paragraph = text.rfind("\n\n").map_or(0, |at| at + 2);
    let (head, body) = text.split_at(paragraph);
    let marks = Marks::read(body);
    if marks.cut.is_none() && marks.open.is_empty() && marks.code.is_none() {
        return Cow::Borrowed(text);
    }
    let mut repaired = String::with_capacity(text.len() + 8);
    repaired.push_str(head);
    match marks.link {
        // `[text](addr`: only the text.
        Some((open, close)) if marks.cut == Some(close) => {
            repaired.push_str(&body[..open]);
            repaired.push_str(&body[open + 1..close]);
        }
        _ => repaired.push_str(&body[..marks.cut.unwrap_or(body.len())]),
    }
    if let Some(run) = marks.code {
        repaired.push_str(&"`".repeat(run));
    }
    let end = repaired.trim_end().len();
    if marks.code.is_none() && !marks.open.is_empty() {
        repaired.truncate(end);
    }
    for mark in marks.open.iter().rev() {
        repaired.push_str(mark);
    }
    Cow::Owned(repaired)
}

/// A line of which nobody can say yet what it becomes: `-`, `##`, `1.`, ```` ```ru ````.
fn is_bare_marker(line: &str) -> bool {
    let line = line.trim();
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    (!line.is_empty() && line.chars().all(|c| "-=*_#+>|:`~ ".contains(c)))
        || (digits.len() < line.len() && matches!(digits, "." | ")"))
        || line.starts_with("```")
        || line.starts_with("~~~")
}

#[derive(Default)]
struct Marks {
    /// Emphasis that is open at the end.
    open: Vec<&'static str>,
    /// Backticks that open code which does not end.
    code: Option<usize>,
    /// Where the text is to be cut off.
    cut: Option<usize>,
    /// The last `[`, and the `](` that belongs to it.
    link: Option<(usize, usize)>,
}

impl Marks {
    fn read(text: &str) -> Self {
        let mut marks = Self::default();
        let bytes = text.as_bytes();
        let last_close = text.rfind(')').unwrap_or(0);
        let (mut at, mut bracket) = (0, None);
        while let Some(byte) = bytes.get(at) {
            let run = bytes[at..].iter().take_while(|next| *next == byte).count();
            let ends = at + run == bytes.len();
            match byte {
                b'\\' => at += 2,
                b'`' => match closing(bytes, at + run, run) {
                    Some(end) => at = end,
                    None if ends => {
                        marks.cut = Some(at);
                        break;
                    }
                    None => {
                        marks.code = Some(run);
                        break;
                    }
                },
                b'*' | b'_' | b'~' => {
                    if ends {
                        marks.cut = Some(at);
                    }
                    marks.emphasis(bytes, at, run);
                    at += run;
                }
                b'[' => {
                    bracket = Some(at);
                    at += 1;
                }
                b']' if bytes.get(at + 1) == Some(&b'(') => {
                    match (bracket.take(), last_close > at) {
                        (Some(open), false) => {
                            marks.link = Some((open, at));
                            marks.cut = Some(at);
                            break;
                        }
                        _ => at += 2,
                    }
                }
                _ => at += 1,
            }
        }
        marks
    }

    fn emphasis(&mut self, bytes: &[u8], at: usize, run: usize) {
        let mark = match (bytes[at], run) {
            (b'*', 1) => "*",
            (b'*', 2) => "**",
            (b'*', 3) => "***",
            (b'_', 1) => "_",
            (b'_', 2) => "__",
            (b'~', 2) => "~~",
            _ => return,
        };
        let space = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + run);
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if bytes[at] == b'_' && word(before) && word(after) {
            return;
        }
        if self.open.last() == Some(&mark) && !space(before) {
            self.open.pop();
        } else if !space(after) {
            self.open.push(mark);
        }
    }
}

/// The end of the code that a run of backticks opens.
fn closing(bytes: &[u8], from: usize, run: usize) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        let ticks = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
        if ticks == run {
            return Some(at + run);
        }
        at += ticks.max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_is_closed() {
        assert_eq!(repair("a **bold"), "a **bold**");
        assert_eq!(repair("a **bold*"), "a **bold**");
        assert_eq!(repair("*a **b** c"), "*a **b** c*");
        assert_eq!(repair("run `cargo bu"), "run `cargo bu`");
        assert_eq!(repair("a **"), "a ");
        assert_eq!(repair("see [the docs](https://exa"), "see the docs");
        assert_eq!(repair("**see [the docs](https://exa"), "**see the docs**");
        assert_eq!(repair("snake_case and 2 * 3"), "snake_case and 2 * 3");
        assert_eq!(repair("a **b** c"), "a **b** c");
    }

    #[test]
    fn a_line_of_markers_waits() {
        assert_eq!(repair("title\n--"), "title\n");
        assert_eq!(repair("a\n12."), "a\n");
        assert_eq!(repair("a\n```ru"), "a\n");
        assert_eq!(repair("a\n12"), "a\n12");
    }
}
