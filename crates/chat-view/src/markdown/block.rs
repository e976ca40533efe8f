//! What a view shows: settled blocks, and the tail that is still open.

/// A piece of the answer that no longer changes.
///
/// Blocks are in the order of the text. A list is one [`Part::Open`] followed by its items, a table
/// one followed by its rows, so that both grow without being laid out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Unique in its document. The same id always carries the same HTML.
    pub id: u64,
    pub part: Part,
    /// Of an [`Part::Open`] without its closing tags; [`Block::element`] has them.
    pub html: String,
}

impl Block {
    /// The HTML of the block as an element of its own; of a list or table, still empty.
    pub fn element(&self) -> String {
        match self.part {
            Part::Open { close } => format!("{}{close}", self.html),
            Part::Whole | Part::Inside => self.html.clone(),
        }
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.part == other.part && self.html == other.html
    }
}

pub(super) const BULLETS_CLOSE: &str = "</ul>";
pub(super) const NUMBERS_CLOSE: &str = "</ol>";
pub(super) const TABLE_CLOSE: &str = "</tbody></table></div></div>";
/// What closes a [`Part::Open`].
pub(super) const CLOSES: [&str; 3] = [BULLETS_CLOSE, NUMBERS_CLOSE, TABLE_CLOSE];

/// A block as it comes out of one parse.
#[derive(Debug)]
pub(super) struct Piece {
    /// The line on which it begins, as an offset in the text that was parsed.
    pub(super) start: usize,
    pub(super) part: Part,
    /// A fenced code block.
    pub(super) fenced: bool,
    pub(super) html: String,
}

/// Where a block goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Into the answer.
    Whole,
    /// Into the answer; the [`Part::Inside`] blocks that follow go into it: into its `tbody` if it
    /// has one, otherwise into the element itself.
    Open { close: &'static str },
    /// Into the last [`Part::Open`].
    Inside,
}

/// What is shown after the settled blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail<'a> {
    /// Goes to the end of the last [`Part::Open`], whose list or table is not yet over.
    pub inside: &'a str,
    /// Goes after the settled blocks.
    pub html: &'a str,
    /// Present when the open block is long or is code: then its text only grows.
    pub live: Option<Live<'a>>,
}

/// Text that only grows. It goes into the one element with `data-live` in the tail's HTML, which
/// stays the same as long as the id does: a view appends what is new to a text node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live<'a> {
    pub id: u64,
    pub text: &'a str,
}

/// Joins blocks to one text of HTML.
pub(super) fn join<'a>(parts: impl IntoIterator<Item = (Part, &'a str)>) -> String {
    let mut out = String::new();
    let mut open = "";
    for (part, html) in parts {
        if part != Part::Inside {
            out.push_str(std::mem::take(&mut open));
        }
        out.push_str(html);
        if let Part::Open { close } = part {
            open = close;
        }
    }
    out.push_str(open);
    out
}

pub(super) fn join_pieces(pieces: &[Piece]) -> String {
    join(pieces.iter().map(|piece| (piece.part, piece.html.as_str())))
}
