//! A document cut into passages: what is searched, given to a model and cited.

use serde::{Deserialize, Serialize};

use crate::{Block, Document, Kind};

/// Characters that a passage is to have.
const GOAL: usize = 1_200;

/// Characters that no passage exceeds, but for the blank lines between its blocks.
const MOST: usize = 1_800;

/// With fewer characters a passage goes on over a heading of a low level.
const SHORT: usize = 400;

/// Characters of a heading in the path to a passage.
const NAME: usize = 120;

/// A stretch of a document. Passages do not overlap: in order, and but for white space, they are
/// all the text of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// From 0.
    pub ordinal: u32,
    /// The page on which it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The headings over its beginning, as `Chapter > Section`; empty above the first.
    pub heading: String,
    pub text: String,
}

/// Cuts at pages and at headings of the first two levels, and else, where a passage gets long,
/// between paragraphs, sentences, lines or words, whichever is there. Takes time linear in the
/// text.
pub fn passages(document: &Document) -> Vec<Passage> {
    let mut cut = Cut { is_lines: is_lines(document.kind), ..Cut::default() };
    for block in &document.blocks {
        cut.add(block);
    }
    cut.end();
    cut.done
}

/// Whether a line is what belongs together.
fn is_lines(kind: Kind) -> bool {
    matches!(kind, Kind::Code | Kind::Csv | Kind::Xlsx | Kind::Ods)
}

#[derive(Default)]
struct Cut {
    done: Vec<Passage>,
    is_lines: bool,
    path: Vec<(u8, String)>,
    /// The page of the block before.
    at: Option<u32>,
    /// The passage that is open.
    text: String,
    characters: usize,
    page: Option<u32>,
    heading: String,
    /// There are only headings in it, which stay with what follows them.
    is_heading: bool,
}

impl Cut {
    fn add(&mut self, block: &Block) {
        let level = block.heading;
        let is_border = block.page != self.at
            || level.is_some_and(|level| level <= 2 || self.characters >= SHORT);
        self.at = block.page;
        if is_border && !self.is_heading {
            self.end();
        }
        if let Some(level) = level {
            self.path.retain(|(outer, _)| *outer < level);
            self.path.push((level, block.text.chars().take(NAME).collect()));
        }
        self.fill(block);
    }

    fn fill(&mut self, block: &Block) {
        let is_lines = self.is_lines || is_row(&block.text);
        let mut rest = block.text.as_str();
        while !rest.trim().is_empty() {
            let (goal, most) = (GOAL - self.characters.min(GOAL), MOST - self.characters.min(MOST));
            if !fits(rest, goal) && self.characters >= GOAL / 2 {
                self.end();
                continue;
            }
            if fits(rest, most) {
                return self.append(rest, block);
            }
            let end = end_of_piece(rest, goal, most, is_lines);
            self.append(&rest[..end], block);
            self.end();
            let blank: &[char] = if is_lines { &['\n', '\r'] } else { &['\n', '\r', ' ', '\t'] };
            rest = rest[end..].trim_start_matches(blank);
        }
    }

    fn append(&mut self, piece: &str, block: &Block) {
        let piece = piece.trim_end();
        let is_first = self.text.is_empty();
        if is_first {
            self.page = block.page;
            self.is_heading = true;
        } else {
            let is_list = piece.starts_with("- ")
                && self.text.rsplit('\n').next().is_some_and(|line| line.starts_with("- "));
            self.text.push_str(if is_list { "\n" } else { "\n\n" });
        }
        if is_first || (self.is_heading && block.heading.is_some()) {
            let path: Vec<_> = self.path.iter().map(|(_, name)| name.as_str()).collect();
            self.heading = path.join(" > ");
        }
        self.is_heading &= block.heading.is_some();
        self.characters += piece.chars().count();
        self.text.push_str(piece);
    }

    fn end(&mut self) {
        self.characters = 0;
        self.is_heading = false;
        let (text, heading) = (std::mem::take(&mut self.text), std::mem::take(&mut self.heading));
        if !text.is_empty() {
            let ordinal = u32::try_from(self.done.len()).unwrap_or(u32::MAX);
            self.done.push(Passage { ordinal, page: self.page, heading, text });
        }
    }
}

fn is_row(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.contains(" | "))
}

/// Looks at no more than the characters that may be.
fn fits(text: &str, characters: usize) -> bool {
    text.len() <= characters || text.chars().nth(characters).is_none()
}

/// Where to cut a text that has more than `most` characters: as near before `goal` as it can be,
/// else after it, else wherever there is white space.
fn end_of_piece(text: &str, goal: usize, most: usize, is_lines: bool) -> usize {
    let least = goal / 3;
    let (mut sentence, mut line, mut word, mut hard) = (None, None, None, text.len());
    let mut before = ['\0'; 2];
    for (count, (at, c)) in text.char_indices().enumerate().take(most) {
        let is_early = |found: Option<usize>| count <= goal || found.is_none();
        if count >= least {
            if ends_sentence(before, c) && is_early(sentence) {
                sentence = Some(at);
            }
            if c == '\n' && is_early(line) {
                line = Some(at);
            }
            if c.is_whitespace() {
                word = Some(at);
            }
        }
        if count == goal.max(1) {
            hard = at;
        }
        before = [before[1], c];
    }
    let (first, second) = if is_lines { (line, sentence) } else { (sentence, line) };
    first.or(second).or(word).unwrap_or(hard)
}

/// A sentence ends before this character, after a quotation mark or bracket at times. The scripts
/// of East Asia have no space after it.
fn ends_sentence(before: [char; 2], c: char) -> bool {
    let is_end = |c| matches!(c, '.' | '!' | '?' | '…' | '\u{964}' | '\u{6d4}' | '\u{61f}');
    let is_wide_end = |c| matches!(c, '。' | '！' | '？' | '｡');
    let closes = |c| matches!(c, '"' | '\'' | ')' | ']' | '»' | '“' | '”' | '’');
    let [early, last] = before;
    if is_wide_end(last) {
        return !matches!(c, '」' | '』' | '）' | '”');
    }
    (c.is_whitespace() && (is_end(last) || (closes(last) && is_end(early))))
        || (matches!(last, '」' | '』') && is_wide_end(early))
}
