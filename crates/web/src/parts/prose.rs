//! Puts a [`Document`] into the page. Settled blocks are appended once and never touched again;
//! only the tail is rewritten, and of text that only grows not even that.

use std::time::Duration;

use leptos::prelude::{TimeoutHandle, document, set_timeout_with_handle};
use unbroken_chat_view::markdown::{Block, Document, Part, Tail};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Text};

use super::colours::Colours;
use super::coming::Coming;
use crate::state::App;
use crate::words;

/// Elements on the way to the last word, and those of them that hold words.
const LEADS_TO_TEXT: &str = "p,li,ul,ol,blockquote,h2,h3,h4,h5,h6,pre,code,div,figure,table,tbody,\
    tr,td,.part";
const HOLDS_TEXT: &str = "p,li,blockquote,h2,h3,h4,h5,h6,code,td,.part,.tail";
/// Text that only grows is cut into parts of about this many bytes, code at a line's end, other
/// text after a word: what is laid out again is one part.
const PART: usize = 4096;

/// So much HTML at most goes into the page in one frame, unless a block is longer.
const FRAME: usize = 16 * 1024;
/// The first frame bears less: what it runs for the first time is not compiled yet. Each one that
/// was full tells how much the next may take.
const FIRST_FRAME: usize = 2 * 1024;
/// A full frame takes about so many milliseconds, with style, layout and paint; but none is made so
/// small that what every frame costs is most of it.
const FRAME_TIME: usize = 16;
const SMALLEST: usize = 4 * 1024;
/// Bytes of HTML from which on code comes piece by piece. As much has no colours, which need code in
/// one piece: see `colours.rs`.
const LONG_CODE: usize = 48 * 1024;

/// From so many rows on the columns of a table that grows stay as wide as they are. Otherwise one
/// cell may lay all the rows out again.
const LONG_TABLE: u32 = 128;
/// So many pixels wider, that is: numbers get longer.
const DIGIT: i32 = 10;

/// The cursor stands still until no text came for so long: each blink is a frame of its own.
const BLINK_AFTER: Duration = Duration::from_secs(1);

const HEADINGS: &str = "h2,h3,h4,h5,h6";
/// The page's own heading.
const PAGE_LEVEL: usize = 1;

/// The page's side of one document.
pub(crate) struct Prose {
    root: Element,
    blocks: Vec<Shown>,
    /// The block after them, which is too long for one frame.
    coming: Option<Coming>,
    tail: Element,
    /// What the tail put into the open list or table.
    inside: Vec<Element>,
    inside_html: String,
    tail_html: String,
    live: Option<Growing>,
    cursor: Option<Element>,
    /// Until the cursor blinks.
    blink: Option<TimeoutHandle>,
    outline: Outline,
    colours: Colours,
    seams: Vec<Element>,
    /// Somebody has seen it grow. What was there before is shown at once.
    grows: bool,
    /// Bytes of HTML that the next frame bears, and whether the last one was full.
    frame: usize,
    is_full: bool,
}

struct Shown {
    id: u64,
    element: Element,
    /// Where blocks that lie inside go.
    host: Option<Element>,
}

struct Growing {
    id: u64,
    slot: Element,
    /// The last part's.
    text: Text,
    /// Bytes that all parts hold, and those before the last one.
    shown: usize,
    before: usize,
    is_code: bool,
}

impl Growing {
    fn begin(id: u64, slot: Element) -> Self {
        slot.set_text_content(None);
        let is_code = is(&slot, "code");
        Self { id, text: part(&slot), slot, shown: 0, before: 0, is_code }
    }

    fn grow(&mut self, text: &str) {
        while let Some(new) = text.get(self.shown..).filter(|new| !new.is_empty()) {
            let room = PART.saturating_sub(self.shown - self.before);
            let ends = |byte| byte == b'\n' || byte == b' ' && !self.is_code;
            let cut = new.bytes().skip(room).position(ends);
            let end = cut.map_or(new.len(), |at| room + at + 1);
            let _ = self.text.append_data(&new[..end]);
            self.shown += end;
            if cut.is_some() {
                self.before = self.shown;
                self.text = part(&self.slot);
            }
        }
    }
}

/// A new part at the end of growing text.
fn part(slot: &Element) -> Text {
    let (part, text) = (create("span", "part"), document().create_text_node(""));
    let _ = part.append_child(&text);
    let _ = slot.append_child(&part);
    text
}

impl Prose {
    /// An empty document in that element. What it holds at first is shown at once unless it `grows`.
    pub(crate) fn new(app: App, root: Element, grows: bool) -> Self {
        let tail = create("div", "tail");
        let _ = root.append_child(&tail);
        Self {
            root,
            blocks: Vec::new(),
            coming: None,
            tail,
            inside: Vec::new(),
            inside_html: String::new(),
            tail_html: String::new(),
            live: None,
            cursor: None,
            blink: None,
            outline: Outline::default(),
            colours: Colours::new(app),
            seams: Vec::new(),
            grows,
            frame: FIRST_FRAME,
            is_full: false,
        }
    }

    /// Shows what the document holds now; `writing` says whether more may come, `last_frame` what the
    /// last frame took. `false` when there is more to show than one frame can bear.
    pub(crate) fn commit(
        &mut self,
        content: &Document,
        writing: bool,
        last_frame: Duration,
    ) -> bool {
        if self.is_full {
            self.frame = next_frame(self.frame, last_frame);
        }
        let most = if self.grows { self.frame } else { usize::MAX };
        let is_whole = self.settle(content.blocks(), most);
        self.is_full = !is_whole && self.coming.is_none();
        let nothing = Tail { inside: "", html: "", live: None };
        // The tail still shows the text of a block that is coming.
        if self.coming.is_none() {
            self.write_tail(if is_whole { content.tail() } else { nothing });
        }
        self.place_cursor(writing);
        self.grows |= writing;
        is_whole
    }

    /// Marks the blocks in which the answer goes on after a break; their number is the tail. After
    /// [`Self::commit`] of the document that they belong to.
    pub(crate) fn mark_seams(&mut self, blocks: &[usize]) {
        self.seams.drain(blocks.len().min(self.seams.len())..).for_each(|mark| mark.remove());
        self.seams.resize_with(blocks.len(), seam);
        for (mark, block) in self.seams.iter().zip(blocks) {
            let marked = self.blocks.get(*block).map_or(&self.tail, |shown| &shown.element);
            if mark.next_element_sibling().as_ref() != Some(marked) {
                let _ = self.root.insert_before(mark, Some(marked));
            }
        }
    }

    fn settle(&mut self, blocks: &[Block], most: usize) -> bool {
        let same = self.blocks.iter().zip(blocks).take_while(|(a, b)| a.id == b.id).count();
        let is_next = |coming: &mut Coming| blocks.get(same).is_some_and(|b| b.id == coming.id);
        if let Some(other) = self.coming.take_if(|coming| !is_next(coming)) {
            other.drop_it();
        }
        if same == self.blocks.len() && same == blocks.len() {
            return true;
        }
        self.clear_inside();
        if same == self.blocks.len() {
            return self.append(&blocks[same..], most);
        }
        for gone in self.blocks.drain(same..).rev() {
            gone.element.remove();
        }
        self.outline = Outline::default();
        self.blocks.iter().for_each(|shown| self.outline.heed(&shown.element));
        // At once: the page must not shrink and grow again.
        self.append(&blocks[same..], usize::MAX)
    }

    /// Appends at most about so many bytes; `false` when blocks are left.
    fn append(&mut self, blocks: &[Block], most: usize) -> bool {
        let mut room = most;
        let is_long = |block: &Block| most != usize::MAX && is_long(block);
        let together =
            |a: &Block, b: &Block| is_inside(a) == is_inside(b) && !is_long(a) && !is_long(b);
        for run in blocks.chunk_by(together) {
            if is_long(&run[0]) {
                if room < most || !self.bring(&run[0]) {
                    return false;
                }
                room = 0;
                continue;
            }
            let mut html = String::new();
            let fits = run.iter().take_while(|block| {
                let fits = html.len() < room;
                if fits {
                    html.push_str(&block.element());
                }
                fits
            });
            let fits = fits.count();
            self.put(&run[..fits], &html);
            room = room.saturating_sub(html.len());
            if fits < run.len() {
                return false;
            }
        }
        true
    }

    /// Brings a long block into the page, piece by piece; `true` when all of it is there.
    fn bring(&mut self, block: &Block) -> bool {
        let Some(coming) = &mut self.coming else {
            self.coming = Coming::begin(block, &self.tail);
            if self.coming.is_none() {
                self.put(std::slice::from_ref(block), &block.html);
            }
            return self.coming.is_none();
        };
        if !coming.go_on(block) {
            return false;
        }
        let element = coming.show();
        self.coming = None;
        self.outline.heed(&element);
        self.blocks.push(Shown { id: block.id, element, host: None });
        true
    }

    /// Where what lies inside goes.
    fn host(&self) -> Option<Element> {
        self.blocks.iter().rev().find_map(|shown| shown.host.clone())
    }

    /// Puts blocks into the page that go to one place, each of them one element.
    fn put(&mut self, run: &[Block], html: &str) {
        let inside = run.first().is_some_and(is_inside);
        let mut next = if let Some(host) = self.host().filter(|_| inside) {
            if self.grows && host.child_element_count() >= LONG_TABLE {
                keep_columns(&host);
            }
            let last = host.last_element_child();
            let _ = host.insert_adjacent_html("beforeend", html);
            last.map_or_else(|| host.first_element_child(), |last| last.next_element_sibling())
        } else {
            let last = self.tail.previous_element_sibling();
            let _ = self.tail.insert_adjacent_html("beforebegin", html);
            last.map_or_else(|| self.root.first_element_child(), |last| last.next_element_sibling())
        };
        for block in run {
            let Some(element) = next else { return };
            next = element.next_element_sibling();
            self.outline.heed(&element);
            self.colours.watch(&element);
            let host = matches!(block.part, Part::Open { .. }).then(|| {
                element.query_selector("tbody").ok().flatten().unwrap_or_else(|| element.clone())
            });
            self.blocks.push(Shown { id: block.id, element, host });
        }
    }

    fn write_tail(&mut self, tail: Tail<'_>) {
        if tail.inside != self.inside_html || self.inside.iter().any(|e| !e.is_connected()) {
            self.clear_inside();
            self.fill_inside(tail.inside);
        }
        if tail.html != self.tail_html {
            self.tail.set_inner_html(tail.html);
            self.outline.clone().heed(&self.tail);
            tail.html.clone_into(&mut self.tail_html);
            self.live = None;
        }
        match tail.live {
            Some(live) => self.grow(live.id, live.text),
            None => self.live = None,
        }
    }

    fn fill_inside(&mut self, html: &str) {
        html.clone_into(&mut self.inside_html);
        let Some(host) = self.host().filter(|_| !html.is_empty()) else { return };
        let before = host.child_element_count();
        let _ = host.insert_adjacent_html("beforeend", html);
        let children = host.children();
        self.inside.extend((before..children.length()).filter_map(|at| children.item(at)));
    }

    fn clear_inside(&mut self) {
        self.inside.drain(..).for_each(|element| element.remove());
        self.inside_html.clear();
    }

    fn grow(&mut self, id: u64, text: &str) {
        if self.live.as_ref().is_none_or(|live| live.id != id) {
            let slot = self.root.query_selector("[data-live]").ok().flatten();
            self.live = slot.map(|slot| Growing::begin(id, slot));
        }
        if let Some(live) = &mut self.live {
            live.grow(text);
        }
    }

    fn place_cursor(&mut self, writing: bool) {
        self.blink.take().iter().for_each(TimeoutHandle::clear);
        if !writing {
            if let Some(cursor) = self.cursor.take() {
                cursor.remove();
            }
            return;
        }
        let cursor = self.cursor.get_or_insert_with(|| {
            let cursor = create("span", "cursor");
            let _ = cursor.set_attribute("aria-hidden", "true");
            cursor
        });
        let mut place = last_child(&self.tail, cursor)
            .or_else(|| self.inside.last().cloned())
            .filter(|element| is(element, LEADS_TO_TEXT))
            .unwrap_or_else(|| self.tail.clone());
        while let Some(deeper) = last_child(&place, cursor).filter(|e| is(e, LEADS_TO_TEXT)) {
            place = deeper;
        }
        let place = if is(&place, HOLDS_TEXT) { &place } else { &self.tail };
        let stands = |last: web_sys::Node| last.is_same_node(Some(cursor));
        if !place.last_child().is_some_and(stands) {
            let _ = place.append_child(cursor);
        }
        if cursor.class_name() != "cursor" {
            cursor.set_class_name("cursor");
        }
        let cursor = cursor.clone();
        let blink = move || cursor.set_class_name("cursor waits");
        self.blink = set_timeout_with_handle(blink, BLINK_AFTER).ok();
    }
}

/// Keeps the columns of the table with that body about as wide as they are.
fn keep_columns(body: &Element) {
    let table = body.closest("table:not(.steady)").ok().flatten();
    let Some(table) = table.and_then(|table| table.dyn_into::<HtmlElement>().ok()) else { return };
    let Ok(heads) = table.query_selector_all("th") else { return };
    let heads = (0..heads.length()).filter_map(|at| heads.item(at)?.dyn_into().ok());
    // All are measured before one is changed: that is one layout.
    let widths: Vec<(HtmlElement, i32)> =
        heads.map(|head: HtmlElement| (head.clone(), head.offset_width() + DIGIT)).collect();
    let all: i32 = widths.iter().map(|(_, width)| width).sum();
    let is_wide =
        table.parent_element().is_some_and(|room| table.offset_width() > room.client_width());
    for (head, width) in widths {
        let share = f64::from(width) / f64::from(all) * 100.0;
        let _ = head.style().set_property("width", &format!("{share:.3}%"));
    }
    // One that is wider than its place stays so.
    if is_wide {
        let _ = table.style().set_property("width", &format!("{all}px"));
    }
    let _ = table.class_list().add_1("steady");
}

/// The outline so far: the headings, as they were written, that the next one may lie under.
///
/// Models skip levels, and whoever hears the outline must not.
#[derive(Clone, Debug, Default)]
struct Outline(Vec<u8>);

impl Outline {
    /// Gives every heading in the element the level that it has in the outline.
    fn heed(&mut self, element: &Element) {
        if is(element, HEADINGS) {
            self.heed_one(element);
        } else if let Ok(found) = element.query_selector_all(HEADINGS) {
            let headings = (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok());
            headings.for_each(|heading: Element| self.heed_one(&heading));
        }
    }

    fn heed_one(&mut self, heading: &Element) {
        let written = heading.tag_name().as_bytes().get(1).map_or(0, |digit| digit - b'0');
        while self.0.last().is_some_and(|above| *above >= written) {
            self.0.pop();
        }
        self.0.push(written);
        let level = PAGE_LEVEL + self.0.len();
        if level != usize::from(written) {
            let _ = heading.set_attribute("aria-level", &level.to_string());
        }
    }
}

/// How much the next frame bears, when the last one was full and took so long.
fn next_frame(last: usize, cost: Duration) -> usize {
    let cost = usize::try_from(cost.as_millis()).unwrap_or(usize::MAX).max(1);
    let next = (last * FRAME_TIME / cost).clamp(last / 2, last * 2);
    next.clamp(last.min(SMALLEST), FRAME)
}

/// Whether a block is laid out as one, and too long for that.
fn is_long(block: &Block) -> bool {
    let is_longer = |tag, most| block.html.starts_with(tag) && block.html.len() > most;
    is_longer("<p", FRAME) || is_longer("<figure", LONG_CODE)
}

fn is_inside(block: &Block) -> bool {
    block.part == Part::Inside
}

fn is(element: &Element, selector: &str) -> bool {
    element.matches(selector).unwrap_or(false)
}

/// The last child, if nothing but the cursor stands after it.
fn last_child(element: &Element, cursor: &Element) -> Option<Element> {
    let mut last = element.last_child()?;
    if last.is_same_node(Some(cursor)) {
        last = last.previous_sibling()?;
    }
    last.dyn_into().ok()
}

/// Says that the answer went on here.
fn seam() -> Element {
    let mark = create("span", "seam");
    let _ = mark.set_attribute("title", words::seam());
    let _ = mark.set_attribute("role", "img");
    let _ = mark.set_attribute("aria-label", words::seam());
    mark
}

pub(crate) fn create(tag: &str, class: &str) -> Element {
    let element = document().create_element(tag).expect("a tag's name is valid");
    element.set_class_name(class);
    element
}
