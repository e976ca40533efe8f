//! Tells reasoning from the answer where a server leaves both in one text: `<think>…</think>` at
//! the answer's beginning, with markers that may be split over chunks.

use std::borrow::Cow;

const MARKERS: [(&str, &str); 3] =
    [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<mm:think>", "</mm:think>")];

/// A piece of text and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Content(Cow<'a, str>),
    Reasoning(Cow<'a, str>),
}

/// Splits the text of one answer.
#[derive(Debug)]
pub(crate) struct Splitter {
    state: State,
    /// What may be the beginning of a marker, or white space whose fate is open.
    held: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Opening {
        reasoning_seen: bool,
    },
    /// Inside a marker's pair; `begun` once it held anything but white space.
    Inside {
        close: &'static str,
        begun: bool,
    },
    /// After the reasoning: white space before the answer is dropped.
    Between,
    Answer,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self { state: State::Opening { reasoning_seen: false }, held: String::new() }
    }

    /// Reasoning came in a field of its own. Some servers then leak the closing marker into the
    /// text that follows (vllm#55195).
    pub(crate) fn reasoning_came_apart(&mut self) {
        if let State::Opening { reasoning_seen } = &mut self.state {
            *reasoning_seen = true;
        }
    }

    pub(crate) fn push(&mut self, text: &str, mut on_piece: impl FnMut(Piece<'_>)) {
        if self.state == State::Answer {
            if !text.is_empty() {
                on_piece(Piece::Content(Cow::Borrowed(text)));
            }
            return;
        }
        self.held.push_str(text);
        while self.step(&mut on_piece) {}
    }

    /// No more text comes: what was held is what it was held for.
    pub(crate) fn end(&mut self, mut on_piece: impl FnMut(Piece<'static>)) {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return;
        }
        match self.state {
            State::Inside { begun: false, .. } if held.trim().is_empty() => {}
            State::Inside { .. } => on_piece(Piece::Reasoning(Cow::Owned(held))),
            State::Between => {}
            State::Opening { .. } | State::Answer => on_piece(Piece::Content(Cow::Owned(held))),
        }
    }

    /// One move over `held`; false when it must wait for more text.
    fn step(&mut self, on_piece: &mut impl FnMut(Piece<'_>)) -> bool {
        match self.state {
            State::Opening { reasoning_seen } => self.open(reasoning_seen),
            State::Inside { close, begun } => self.inside(close, begun, on_piece),
            State::Between => {
                let start = self.held.len() - self.held.trim_start().len();
                self.held.drain(..start);
                if self.held.is_empty() {
                    return false;
                }
                self.state = State::Answer;
                true
            }
            State::Answer => {
                if !self.held.is_empty() {
                    on_piece(Piece::Content(Cow::Owned(std::mem::take(&mut self.held))));
                }
                false
            }
        }
    }

    fn open(&mut self, reasoning_seen: bool) -> bool {
        let text = self.held.trim_start();
        let start = self.held.len() - text.len();
        for (open, close) in MARKERS {
            if text.starts_with(open) {
                self.held.drain(..start + open.len());
                self.state = State::Inside { close, begun: false };
                return true;
            }
            if reasoning_seen && text.starts_with(close) {
                self.held.drain(..start + close.len());
                self.state = State::Between;
                return true;
            }
        }
        let may_open = MARKERS.iter().any(|(open, close)| {
            open.starts_with(text) || (reasoning_seen && close.starts_with(text))
        });
        if may_open {
            return false;
        }
        self.state = State::Answer;
        true
    }

    fn inside(
        &mut self,
        close: &'static str,
        begun: bool,
        on_piece: &mut impl FnMut(Piece<'_>),
    ) -> bool {
        if !begun {
            let start = self.held.len() - self.held.trim_start().len();
            self.held.drain(..start);
        }
        let found = self.held.find(close);
        let keep = found.unwrap_or_else(|| self.held.len() - overlap(&self.held, close));
        if keep > 0 {
            on_piece(Piece::Reasoning(Cow::Owned(self.held[..keep].to_owned())));
            self.held.drain(..keep);
            self.state = State::Inside { close, begun: true };
        }
        if found.is_some() {
            self.held.drain(..close.len());
            self.state = State::Between;
        }
        found.is_some()
    }
}

/// How many bytes at the end of `text` are a beginning of `marker`.
fn overlap(text: &str, marker: &str) -> usize {
    (1..marker.len()).rev().find(|&len| text.ends_with(&marker[..len])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reasoning and content of a text that comes in these chunks.
    fn split<'a>(chunks: impl IntoIterator<Item = &'a str>) -> (String, String) {
        let (mut reasoning, mut content) = (String::new(), String::new());
        let mut splitter = Splitter::new();
        let mut keep = |piece: Piece<'_>| match piece {
            Piece::Reasoning(text) => {
                assert!(content.is_empty(), "reasoning comes first");
                assert!(!text.is_empty());
                reasoning.push_str(&text);
            }
            Piece::Content(text) => {
                assert!(!text.is_empty());
                content.push_str(&text);
            }
        };
        for chunk in chunks {
            splitter.push(chunk, &mut keep);
        }
        splitter.end(&mut keep);
        (reasoning, content)
    }

    #[test]
    fn a_tag_that_opens_the_answer_is_reasoning() {
        for (open, close) in MARKERS {
            let text = format!("\n{open}\nhm, 2<3</b>{close}\n\nFour.");
            assert_eq!(split([text.as_str()]), ("hm, 2<3</b>".into(), "Four.".into()));
        }
    }

    #[test]
    fn a_tag_later_in_the_answer_is_text() {
        let text = "Write <think>x</think>.";
        assert_eq!(split([text]), (String::new(), text.into()));
    }

    #[test]
    fn what_only_looks_like_a_tag_is_text() {
        for text in ["<thin", "<thinner> x", "  <b>x</b>", " ", "</think> x"] {
            assert_eq!(split([text]), (String::new(), text.into()));
        }
    }

    #[test]
    fn empty_reasoning_gives_nothing() {
        assert_eq!(split(["<think>\n\n</think>\n\nYes"]), (String::new(), "Yes".into()));
        assert_eq!(split(["<think>\n"]), (String::new(), String::new()));
    }

    #[test]
    fn reasoning_that_never_closes_stays_reasoning() {
        assert_eq!(split(["<think>a</thi"]), ("a</thi".into(), String::new()));
    }

    #[test]
    fn a_leaked_closing_marker_is_dropped_after_reasoning_in_a_field() {
        let mut splitter = Splitter::new();
        splitter.reasoning_came_apart();
        let mut content = String::new();
        for chunk in ["</th", "ink>\n", "Yes"] {
            splitter.push(chunk, |piece| match piece {
                Piece::Content(text) => content.push_str(&text),
                Piece::Reasoning(_) => panic!("no reasoning in the text"),
            });
        }
        assert_eq!(content, "Yes");
    }

    proptest! {
        #[test]
        fn any_cut_of_the_text_splits_the_same(
            text in "[ \n]{0,2}(<think>|<thinking>|<mm:think>|<thin|)[ \n]{0,2}[a<>/中🦀]{0,6}\
                     (</think>|</thinking>|</mm:think>|)[ \n]{0,2}[a<>/ß]{0,6}",
        ) {
            let each: Vec<String> = text.chars().map(String::from).collect();
            let whole = split([text.as_str()]);
            prop_assert_eq!(&split(each.iter().map(String::as_str)), &whole);
            for cut in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                prop_assert_eq!(&split([&text[..cut], &text[cut..]]), &whole);
            }
        }
    }
}
