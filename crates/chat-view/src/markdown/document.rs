//! A message's Markdown while it grows.

use std::collections::BTreeSet;

use unbroken_protocol::Citation;

use super::block::{self, Block, Live, Part, Piece, Tail};
use super::context::{Context, Footnotes};
use super::fence::{self, Fence};
use super::intake::Intake;
use super::parser;
use super::repair::repair;

/// How many bytes may be parsed again for each byte that arrives while the open block is large.
const CREDIT: usize = 8;
const PLAIN: &str = "<p class=\"plain\" dir=\"auto\" data-live></p>";
const PLAIN_ITEM: &str = "<li dir=\"auto\"><p class=\"plain\" dir=\"auto\" data-live></p></li>";
const PLAIN_ROW: &str = "<tr><td class=\"plain\" dir=\"auto\" data-live></td></tr>";

/// Markdown that arrives in pieces of any size.
///
/// [`push`](Self::push) takes text and does nothing else; [`advance`](Self::advance), once per frame,
/// settles what is complete and renders the tail. What is settled does not change until
/// [`finish`](Self::finish), which parses the whole text once if it defines something: references
/// that were defined late may then give single blocks other HTML, and with it another id.
#[derive(Debug, Default)]
pub struct Document {
    context: Context,
    intake: Intake,
    source: String,
    /// How much of the source was looked at: the rest waits for the next frames.
    taken: usize,
    blocks: Vec<Block>,
    /// The blocks of another text, which this one replaces with the next frame.
    replaced: Option<Vec<Block>>,
    /// The line on which each of them begins, as an offset in the source. Not part of a block: one
    /// that stays the same may move.
    starts: Vec<usize>,
    next_id: u64,
    /// Everything before is settled. The start of a line.
    cut: usize,
    /// The end of the last complete line that was taken.
    complete: usize,
    /// How far the search for complete blocks has looked, and whether it found a reason to parse.
    looked: usize,
    due: bool,
    credit: usize,
    /// The list or table that the settled blocks end in, when it still goes on.
    group: Option<Group>,
    fence: Option<Fence>,
    large: Large,
    /// The id of an open block that is shown plain.
    plain: Option<u64>,
    inside: String,
    html: String,
    finished: bool,
    parsed: u64,
}

/// An open block above this many bytes is not parsed whole again for every piece of text.
#[derive(Debug)]
struct Large(usize);

impl Default for Large {
    fn default() -> Self {
        Self(8 * 1024)
    }
}

#[derive(Debug)]
enum Group {
    List,
    /// With the two lines of its head, without which a row is no row.
    Table(String),
}

impl Group {
    fn head(&self) -> &str {
        match self {
            Self::List => "",
            Self::Table(head) => head,
        }
    }
}

impl Document {
    /// `prefix` goes before every id in the HTML, so that messages do not share one.
    pub fn new(prefix: impl Into<String>) -> Self {
        let context = Context { prefix: prefix.into(), ..Context::default() };
        Self { context, ..Self::default() }
    }

    /// With another limit for a large block, so that a test reaches it with short texts.
    #[cfg(test)]
    pub(super) fn with_limit(prefix: &str, bytes: usize) -> Self {
        Self { large: Large(bytes), ..Self::new(prefix) }
    }

    /// Takes text. Shown after the next [`advance`](Self::advance).
    pub fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.finished {
            self.begin_again();
        }
        self.intake.append(&mut self.source, text);
    }

    /// Settles what is complete of the next `most` bytes, and renders the tail: at most once per
    /// frame. `false` when there is more. Costs no more for a long text than for a short one, but
    /// for one that was [replaced](Self::replace): that is shown at once.
    pub fn advance(&mut self, most: usize) -> bool {
        if !self.finished {
            let replaced = self.replaced.take();
            self.take(if replaced.is_some() { usize::MAX } else { most });
            while self.settle() {}
            if let Some(replaced) = replaced {
                self.keep_ids(&replaced);
            }
            self.show();
        }
        self.taken == self.source.len()
    }

    /// The text is over: settles everything, as soon as the frames before have taken it. `false`
    /// when they have not. Without a parser all of it stays the tail.
    pub fn finish(&mut self, most: usize) -> bool {
        if self.finished {
            return true;
        }
        if !parser::is_there() {
            return self.advance(most);
        }
        if self.replaced.is_none() {
            self.take(most);
            while self.settle() {}
            if self.taken < self.source.len() {
                self.show();
                return false;
            }
        }
        self.finished = true;
        if self.replaced.is_some() || may_define(&self.source) {
            self.settle_whole();
        } else {
            self.settle_rest();
        }
        true
    }

    /// The text is another one. Blocks that stay the same keep their ids.
    pub fn replace(&mut self, whole: &str) {
        let mut source = String::with_capacity(whole.len());
        let mut intake = Intake::default();
        intake.append(&mut source, whole);
        if source == self.source {
            return;
        }
        self.source = source;
        self.intake = intake;
        self.begin_again();
    }

    /// Which `[1]` marks are citations.
    pub fn set_citations(&mut self, citations: &[Citation]) {
        let cited: BTreeSet<_> = citations.iter().map(|citation| citation.index).collect();
        let old = std::mem::replace(&mut self.context.cited, cited);
        let changed = old.symmetric_difference(&self.context.cited);
        let text = &self.source[..self.cut];
        if changed.into_iter().any(|index| text.contains(&format!("[{index}]"))) {
            self.begin_again();
        }
    }

    /// What no longer changes, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What follows the settled blocks, as of the last [`advance`](Self::advance).
    pub fn tail(&self) -> Tail<'_> {
        let live = match (&self.fence, self.plain) {
            (Some(fence), _) => Some(Live { id: fence.id, text: &fence.code }),
            (None, Some(id)) => Some(Live { id, text: self.open() }),
            (None, None) => None,
        };
        Tail { inside: &self.inside, html: &self.html, live }
    }

    /// How long [`source`](Self::source) is when it holds this text.
    pub fn source_len(text: &str) -> usize {
        let mut source = String::with_capacity(text.len());
        Intake::default().append(&mut source, text);
        source.len()
    }

    /// The block that goes into the answer by itself and holds the first letter after this place
    /// of the source: its index in [`blocks`](Self::blocks), or their number for the tail.
    pub fn block_at(&self, place: usize) -> usize {
        let rest = self.source.get(place..).unwrap_or_default();
        let letter = self.source.len() - rest.trim_start().len();
        if letter >= self.cut && self.group.is_none() && !self.finished {
            return self.blocks.len();
        }
        let starts = self.blocks.iter().zip(&self.starts);
        let mut holds = starts.map(|(block, start)| block.part != Part::Inside && *start <= letter);
        holds.rposition(|holds| holds).unwrap_or(self.blocks.len())
    }

    /// The settled blocks as one text of HTML.
    pub fn html(&self) -> String {
        block::join(self.blocks.iter().map(|block| (block.part, block.html.as_str())))
    }

    /// The text, with line ends as `\n`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it has nothing to show before the next [`advance`](Self::advance): its text is another
    /// one.
    pub fn is_replaced(&self) -> bool {
        self.replaced.is_some()
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Bytes that were given to the parser so far: what this document cost.
    pub fn parsed_bytes(&self) -> u64 {
        self.parsed
    }

    /// Takes one step; `true` when there may be another.
    fn settle(&mut self) -> bool {
        if !parser::is_there() {
            return false;
        }
        if let Some(fence) = &mut self.fence {
            let open = &self.source[self.cut..self.taken];
            let Some(end) = fence.feed(open) else { return false };
            self.settle_fence(end);
            return true;
        }
        let Some(end) = self.complete_blocks() else { return false };
        let head = self.group.as_ref().map_or(0, |group| group.head().len());
        let text = format!(
            "{}{}",
            self.group.as_ref().map_or("", Group::head),
            &self.source[self.cut..end]
        );
        let mut pieces = self.parse(&text);
        self.continue_group(&mut pieces);
        let Some(last) = pieces.pop() else { return false };
        self.group = self.group_at(&pieces, &last, &text);
        let moved = last.start.saturating_sub(head);
        for piece in &mut pieces {
            piece.start = self.cut + piece.start.saturating_sub(head);
        }
        self.move_cut(moved);
        self.add_all(pieces);
        if last.fenced {
            let id = self.take_id();
            self.fence = Fence::open(self.open(), id);
        }
        self.fence.is_some()
    }

    /// The end of the text in which complete blocks are to be looked for, when it is time to.
    fn complete_blocks(&mut self) -> Option<usize> {
        let end = self.decided();
        let large = self.open().len() > self.large.0;
        if end > self.looked {
            let from = self.looked.max(self.cut);
            self.due |= !large || may_start_block(&self.source, from, end);
            self.looked = end;
        }
        let cost = end.saturating_sub(self.cut);
        if !self.due || cost == 0 || (large && self.credit < cost) {
            return None;
        }
        self.due = false;
        if large {
            self.credit -= cost;
        }
        Some(end)
    }

    /// The end of the last complete line; or of the text, where its last line begins a block for
    /// sure, whatever comes.
    fn decided(&self) -> usize {
        let after_blank = self.source[..self.complete].ends_with("\n\n");
        // Once the last line was looked at, more of it changes nothing.
        let new = self.looked <= self.complete;
        if new && after_blank && surely_starts_block(&self.source[self.complete..self.taken]) {
            self.taken
        } else {
            self.complete.max(self.looked)
        }
    }

    /// Drops the opening piece of a list or table that the settled blocks opened already.
    fn continue_group(&mut self, pieces: &mut Vec<Piece>) {
        if self.group.is_none() {
            return;
        }
        if pieces.first().is_some_and(|first| matches!(first.part, Part::Open { .. })) {
            pieces.remove(0);
        } else {
            self.group = None;
        }
    }

    /// The list or table in which the last piece lies.
    fn group_at(&mut self, settled: &[Piece], last: &Piece, text: &str) -> Option<Group> {
        if last.part != Part::Inside {
            return None;
        }
        let Some(at) = settled.iter().rposition(|piece| piece.part != Part::Inside) else {
            return self.group.take();
        };
        if settled[at].html.starts_with("<div") {
            let first = settled.get(at + 1).unwrap_or(last);
            Some(Group::Table(text[settled[at].start..first.start].to_owned()))
        } else {
            Some(Group::List)
        }
    }

    fn settle_fence(&mut self, end: usize) {
        self.fence = None;
        let text = self.source[self.cut..self.cut + end].to_owned();
        let mut pieces = self.parse(&text);
        for piece in &mut pieces {
            piece.start += self.cut;
        }
        self.move_cut(end);
        self.due = true;
        self.looked = self.looked.max(self.cut);
        self.add_all(pieces);
    }

    fn move_cut(&mut self, by: usize) {
        if by > 0 {
            self.plain = None;
        }
        self.cut += by;
    }

    fn add_all(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            let id = self.take_id();
            self.blocks.push(Block { id, part: piece.part, html: piece.html });
            self.starts.push(piece.start);
        }
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn parse(&mut self, text: &str) -> Vec<Piece> {
        self.parsed += text.len() as u64;
        parser::parse(text, &mut self.context).0
    }

    fn show(&mut self) {
        self.inside.clear();
        self.html.clear();
        if let Some(fence) = &self.fence {
            let (open, close) = fence::frame(&fence.language, true);
            self.html = open + close;
        } else if self.is_shown_plain() {
            if self.plain.is_none() {
                self.plain = Some(self.take_id());
            }
            match self.group {
                None => self.html.push_str(PLAIN),
                Some(Group::List) => self.inside.push_str(PLAIN_ITEM),
                Some(Group::Table(_)) => self.inside.push_str(PLAIN_ROW),
            }
        } else {
            self.plain = None;
            self.show_parsed();
        }
    }

    /// Whether what is open is too large to be parsed for every frame, or cannot be parsed yet.
    fn is_shown_plain(&self) -> bool {
        let open = self.open();
        open.len() > self.large.0 || !(open.is_empty() || parser::is_there())
    }

    fn show_parsed(&mut self) {
        let open = self.open();
        if open.trim().is_empty() {
            return;
        }
        let head = self.group.as_ref().map_or("", Group::head);
        let repaired = format!("{head}{}", repair(open));
        let whole = format!("{head}{open}");
        // What a tail shows must not count: its footnotes are met again when it settles.
        let footnotes = std::mem::take(&mut self.context.footnotes);
        self.parsed += repaired.len() as u64;
        let (mut pieces, verbatim) = parser::parse(&repaired, &mut self.context);
        if verbatim && repaired != whole {
            pieces = self.parse(&whole);
        }
        self.context.footnotes = footnotes;
        if self.group.is_some()
            && pieces.first().is_some_and(|first| matches!(first.part, Part::Open { .. }))
        {
            let after = pieces[1..].iter().position(|piece| piece.part != Part::Inside);
            let rest = pieces.split_off(after.map_or(pieces.len(), |at| at + 1));
            self.inside = block::join_pieces(&pieces[1..]);
            self.html = block::join_pieces(&rest);
        } else {
            self.html = block::join_pieces(&pieces);
        }
    }

    /// What is not settled, as far as it was taken.
    fn open(&self) -> &str {
        &self.source[self.cut..self.taken]
    }

    fn take(&mut self, most: usize) {
        let end = self.taken.saturating_add(most).min(self.source.len());
        let end = self.source.ceil_char_boundary(end);
        let new = &self.source[self.taken..end];
        if let Some(end) = new.rfind('\n') {
            self.complete = self.taken + end + 1;
        }
        self.credit = self.credit.saturating_add(new.len().saturating_mul(CREDIT));
        self.taken = end;
    }

    /// Renders everything anew with the next frame.
    fn begin_again(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        self.replaced.get_or_insert(blocks);
        self.finished = false;
        self.restart();
    }

    fn restart(&mut self) {
        self.context.footnotes = Footnotes::default();
        self.starts.clear();
        (self.taken, self.cut, self.complete, self.looked) = (0, 0, 0, 0);
        (self.due, self.credit) = (false, 0);
        (self.group, self.fence, self.plain) = (None, None, None);
    }

    fn settle_whole(&mut self) {
        let settled = std::mem::take(&mut self.blocks);
        let before = self.replaced.take().unwrap_or(settled);
        self.restart();
        self.settle_rest();
        self.keep_ids(&before);
    }

    /// Nothing goes on after it.
    fn settle_rest(&mut self) {
        let head = self.group.as_ref().map_or("", Group::head);
        let (text, head) = (format!("{head}{}", &self.source[self.cut..]), head.len());
        let mut pieces = self.parse(&text);
        self.continue_group(&mut pieces);
        for piece in &mut pieces {
            piece.start = self.cut + piece.start.saturating_sub(head);
        }
        self.add_all(pieces);
        self.taken = self.source.len();
        self.cut = self.taken;
        (self.group, self.fence, self.plain) = (None, None, None);
        self.inside.clear();
        self.html.clear();
    }

    /// Gives blocks that were there before their old ids: those at the same place from the front,
    /// or from the back, in order. What lies in a list or table that is new is new itself.
    fn keep_ids(&mut self, old: &[Block]) {
        let count = self.blocks.len();
        let (mut free, mut parent_kept) = (0, false);
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let from_back = (at + old.len()).checked_sub(count);
            let was = [Some(at), from_back].into_iter().flatten().find(|was| {
                *was >= free
                    && (block.part != Part::Inside || parent_kept)
                    && old.get(*was).is_some_and(|old| old.is_like(block))
            });
            if block.part != Part::Inside {
                parent_kept = was.is_some();
            }
            if let Some(was) = was {
                block.id = old[was].id;
                free = was + 1;
            }
        }
    }
}

/// Whether a text may define what its other blocks refer to: the target of a link, a footnote. It
/// stands in brackets at the beginning of a line, be it inside lists and quotes, before a colon.
fn may_define(source: &str) -> bool {
    let leads = |c: char| c.is_ascii_digit() || c.is_whitespace() || ">-+*.)".contains(c);
    let mut lines = source.lines();
    source.contains("]:") && lines.any(|line| line.trim_start_matches(leads).starts_with('['))
}

/// Whether a line between these places may begin a block, or end one.
fn may_start_block(source: &str, from: usize, to: usize) -> bool {
    let mut blank = source[..from].ends_with("\n\n");
    source[from..to].lines().any(|line| {
        let text = line.trim_start_matches(' ');
        let after_blank = std::mem::replace(&mut blank, text.is_empty());
        let mark = text.starts_with(|c: char| c.is_ascii_digit() || "#>-+*_`~|<=".contains(c));
        !text.is_empty() && (after_blank || mark)
    })
}

/// Whether a line after a blank one begins a block of its own, however it goes on: it is not
/// indented, and no list marker.
fn surely_starts_block(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some('-' | '+' | '*') => chars.next().is_some_and(|c| !c.is_whitespace()),
        Some(c) if c.is_ascii_digit() => {
            let rest = chars.as_str().trim_start_matches(|c: char| c.is_ascii_digit());
            !rest.is_empty() && !rest.starts_with(['.', ')'])
        }
        Some(c) => !c.is_whitespace(),
        None => false,
    }
}
