//! The gate that every text passes on its way into a document, in pieces of any size.
//!
//! Line ends become `\n`, and hostile depth is flattened: more than [`MARKERS`] list or quote
//! markers at the start of one line, and more than [`COLUMNS`] of indentation. Both bound how deep
//! blocks can nest, and with it the work of every line.

const MARKERS: usize = 64;
const COLUMNS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Intake {
    after_return: bool,
    line: Line,
}

/// What the current line has held so far.
#[derive(Debug, Default)]
struct Line {
    /// Past its indentation and markers.
    body: bool,
    columns: usize,
    markers: usize,
    /// Where in the output the word begins that may turn out to be a marker.
    word: Option<usize>,
}

impl Intake {
    pub(super) fn append(&mut self, to: &mut String, text: &str) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if self.line.body && !matches!(first, '\n' | '\r') {
                let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
                to.push_str(&rest[..end]);
                rest = &rest[end..];
                self.after_return = false;
                continue;
            }
            self.start(to, first);
            rest = &rest[first.len_utf8()..];
        }
    }

    /// One character of a line's start, or a line's end.
    fn start(&mut self, to: &mut String, c: char) {
        let after_return = std::mem::replace(&mut self.after_return, c == '\r');
        match c {
            '\n' if after_return => {}
            '\n' | '\r' => {
                to.push('\n');
                self.line = Line::default();
            }
            ' ' | '\t' => self.space(to, c),
            _ => self.word(to, c),
        }
    }

    fn space(&mut self, to: &mut String, c: char) {
        if let Some(from) = self.line.word.take() {
            self.line.markers += 1;
            self.line.body = !is_marker(&to[from..]);
        }
        self.line.columns += if c == '\t' { 4 } else { 1 };
        if self.line.columns <= COLUMNS {
            to.push(c);
        }
    }

    fn word(&mut self, to: &mut String, c: char) {
        if self.line.markers >= MARKERS && "-+*>[0123456789".contains(c) {
            to.push('\\');
            self.line.body = true;
        }
        let begins = self.line.word.is_none();
        let from = *self.line.word.get_or_insert(to.len());
        to.push(c);
        if begins && c == '>' {
            self.line.markers += 1;
            self.line.word = None;
        } else {
            self.line.body |= !may_be_marker(&to[from..]);
        }
    }
}

/// A bullet, a number, or the label of a footnote.
fn is_marker(word: &str) -> bool {
    matches!(word, "-" | "+" | "*")
        || word.strip_suffix(['.', ')']).is_some_and(is_number)
        || (word.starts_with("[^") && word.ends_with("]:"))
}

fn may_be_marker(word: &str) -> bool {
    matches!(word, "-" | "+" | "*" | "[")
        || is_number(word.trim_end_matches(['.', ')']))
        || (word.starts_with("[^") && word.len() < 256)
}

fn is_number(word: &str) -> bool {
    (1..=9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pieces: &[&str]) -> String {
        let (mut intake, mut out) = (Intake::default(), String::new());
        for piece in pieces {
            intake.append(&mut out, piece);
        }
        out
    }

    #[test]
    fn every_line_end_becomes_one() {
        assert_eq!(taken(&["a\r", "\nb\rc\n", "\r\n", "d"]), "a\nb\nc\n\nd");
        assert_eq!(taken(&["a\r", "b\nc"]), "a\nb\nc");
    }

    #[test]
    fn depth_is_bounded_and_ordinary_lines_pass_unchanged() {
        let ordinary = "  > - [x] 1. a > b - c\n        1 2.5 --- -\n> - - - -\n1 2 3\n";
        assert_eq!(taken(&[ordinary]), ordinary);
        let deep = taken(&["> ".repeat(10_000).as_str()]);
        assert_eq!(deep.find('\\'), Some(2 * MARKERS));
        let deep = taken(&["1. - ".repeat(10_000).as_str()]);
        assert_eq!(deep.find('\\'), Some(5 * MARKERS / 2));
        assert_eq!(taken(&[" ".repeat(1000).as_str(), "x"]).len(), COLUMNS + 1);
    }
}
