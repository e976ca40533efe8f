//! Where code is in a text of Markdown that comes character by character: fences and code spans, as
//! CommonMark 0.31 has them in 4.5 and 6.1, as far as that can be told without looking ahead.

/// Follows a text. What it says of a character depends on what came before it alone, so a span that
/// is never closed counts as code until its paragraph ends.
#[derive(Debug, Default)]
pub(super) struct Code {
    place: Place,
    /// Backticks or tildes that stand together, so far.
    run: Option<Run>,
    line: Line,
    /// The character before was a backslash that escapes.
    escapes: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    Span {
        ticks: usize,
    },
    /// The line that opens a fence.
    Opening(Run),
    Fence(Run),
    /// A line of a fence that ends it, if nothing but white space follows.
    Closing(Run),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    char: char,
    length: usize,
    /// What stood before it in its line.
    line: Line,
}

/// What a line holds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// White space and marks of quotations.
    #[default]
    Blank,
    /// And what may be the marker of a list's item: a fence can follow.
    Marker,
    Text,
}

impl Line {
    fn after(self, char: char) -> Self {
        match char {
            '\n' => Self::Blank,
            '>' => self,
            _ if char.is_whitespace() => self,
            '-' | '*' | '+' | '.' | ')' | '0'..='9' => self.max(Self::Marker),
            _ => Self::Text,
        }
    }

    fn max(self, other: Self) -> Self {
        if self == Self::Text { self } else { other }
    }
}

impl Code {
    /// Whether a line begins here, but for white space.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.line == Line::Blank
    }

    /// Takes the next character; whether it is text, neither code nor escaped.
    pub(super) fn take(&mut self, char: char) -> bool {
        let is_escaped = std::mem::take(&mut self.escapes);
        let is_text = match char {
            '`' | '~' if !is_escaped => {
                self.lengthen(char);
                false
            }
            _ => {
                self.end_run();
                self.step(char, is_escaped)
            }
        };
        self.line = self.line.after(char);
        is_text
    }

    /// Takes a text at once, if that needs no look at every character of it.
    pub(super) fn skip(&mut self, text: &str) -> bool {
        if self.place != Place::Text || self.run.is_some() || self.escapes || has_code(text) {
            return false;
        }
        let last = memchr::memrchr(b'\n', text.as_bytes());
        let line = if last.is_some() { Line::Blank } else { self.line };
        if line != Line::Text || last.is_some() {
            let tail = &text[last.map_or(0, |at| at + 1)..];
            self.line = tail.chars().fold(line, Line::after);
        }
        true
    }

    fn lengthen(&mut self, char: char) {
        match &mut self.run {
            Some(run) if run.char == char => run.length += 1,
            _ => {
                self.end_run();
                self.run = Some(Run { char, length: 1, line: self.line });
            }
        }
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        let is_fence = run.length >= 3 && run.line != Line::Text;
        let is_ticks = run.char == '`';
        self.place = match self.place {
            Place::Text if is_fence => Place::Opening(run),
            Place::Text if is_ticks => Place::Span { ticks: run.length },
            Place::Span { ticks } if is_ticks && ticks == run.length => Place::Text,
            Place::Span { .. } if is_fence => Place::Opening(run),
            // Backticks in the line that opens a fence of backticks: it was a span.
            Place::Opening(open) if is_ticks && open.char == '`' => {
                if open.length == run.length {
                    Place::Text
                } else {
                    Place::Span { ticks: open.length }
                }
            }
            Place::Fence(open) if closes(open, run) => Place::Closing(open),
            Place::Closing(open) => Place::Fence(open),
            place => place,
        };
    }

    fn step(&mut self, char: char, is_escaped: bool) -> bool {
        self.place = match self.place {
            Place::Text => {
                self.escapes = char == '\\' && !is_escaped;
                return !is_escaped;
            }
            Place::Span { .. } if char == '\n' && self.line == Line::Blank => Place::Text,
            Place::Opening(open) if char == '\n' => Place::Fence(open),
            Place::Closing(_) if char == '\n' => Place::Text,
            Place::Closing(open) if !char.is_whitespace() => Place::Fence(open),
            place => place,
        };
        false
    }
}

fn closes(open: Run, run: Run) -> bool {
    run.char == open.char && run.length >= open.length && run.line == Line::Blank
}

fn has_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr3(b'`', b'~', b'\\', bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with everything that is not text as dots.
    fn shown(text: &str) -> String {
        let mut code = Code::default();
        text.chars().map(|c| if code.take(c) || c == '\n' { c } else { '.' }).collect()
    }

    #[test]
    fn spans_and_fences_are_told_from_text() {
        for (text, expected) in [
            ("a `b` c", "a ... c"),
            ("a ``b`c`` d", "a ....... d"),
            ("a\n```rust\nb\n```\nc", "a\n.......\n.\n...\nc"),
            ("a\n~~~\n```\n~~~~ \nc", "a\n...\n...\n.....\nc"),
            ("```\na\n``\n``` b\n```", "...\n.\n..\n.....\n..."),
            ("> ```\n> a\n> ```\n> c", "> ...\n...\n.....\n> c"),
            ("- ```\n  a\n  ```\n- c", "- ...\n...\n.....\n- c"),
            ("```a``` c", "....... c"),
            (r"a \` c \[ d", r"a \. c \. d"),
            (r"a \\`b` c", r"a \.... c"),
            ("a ~b~ c", "a .b. c"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_span_that_is_not_closed_ends_with_its_paragraph() {
        assert_eq!(shown("a `b\nc\n\nd"), "a ..\n.\n\nd");
        assert_eq!(shown("a `b\n```\nc\n```\nd"), "a ..\n...\n.\n...\nd");
    }
}
