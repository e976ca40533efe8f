//! A paragraph or code that is longer than one frame can bear, of 100 KB, say. It is laid out unseen,
//! a stretch of it in each frame, while its text is still shown as it was written; then it takes that
//! place.

use unbroken_chat_view::markdown::{Block, stretch};
use web_sys::Element;

use super::prose::create;

/// Bytes of HTML in a stretch. Each is broken into lines by itself, and so begins on a line of its
/// own: as one, all of the block would be broken anew for each.
const STRETCH: usize = 8 * 1024;

pub(super) struct Coming {
    pub(super) id: u64,
    /// Without height until all is there. It stays around the block: whatever moves is laid out
    /// again.
    room: Element,
    /// Where the text goes.
    place: Element,
    /// Bytes of the inside of the block's HTML that are in the page.
    shown: usize,
}

impl Coming {
    /// Takes its place before that element.
    pub(super) fn begin(block: &Block, before: &Element) -> Option<Self> {
        let Parts { open, close, .. } = Parts::of(block)?;
        let room = create("div", "coming");
        room.set_inner_html(&format!("{open}{close}"));
        let place = room.query_selector("p, pre code").ok()??;
        room.set_attribute("aria-hidden", "true").ok()?;
        before.before_with_node_1(&room).ok()?;
        Some(Self { id: block.id, room, place, shown: 0 })
    }

    /// Takes the next stretch of that block in; `true` when there was none left.
    pub(super) fn go_on(&mut self, block: &Block) -> bool {
        let parts = Parts::of(block);
        let rest = parts.and_then(|parts| Some((parts.inside.get(self.shown..)?, parts.is_code)));
        let Some((rest, is_code)) = rest.filter(|(rest, _)| !rest.is_empty()) else { return true };
        let next = if is_code { lines(rest) } else { stretch(rest, STRETCH) };
        self.shown += next.len();
        let part = create("span", "part");
        part.set_inner_html(next);
        let _ = self.place.append_child(&part);
        false
    }

    /// All is there: shows it. What is the block in the page from now on.
    pub(super) fn show(&self) -> Element {
        let _ = self.room.remove_attribute("aria-hidden");
        self.room.set_class_name("");
        self.room.clone()
    }

    /// Another text has taken its place.
    pub(super) fn drop_it(self) {
        self.room.remove();
    }
}

/// The HTML of a long block: its tags, and what is inside.
struct Parts<'b> {
    open: &'b str,
    inside: &'b str,
    close: &'b str,
    is_code: bool,
}

impl<'b> Parts<'b> {
    fn of(block: &'b Block) -> Option<Self> {
        let html = block.html.as_str();
        let is_code = html.starts_with("<figure");
        let (last, close) =
            if is_code { ("<code>", "</code></pre></figure>") } else { (">", "</p>") };
        let (open, rest) = html.split_at(html.find(last)? + last.len());
        let inside = rest.strip_suffix(close)?;
        Some(Self { open, inside, close, is_code })
    }
}

/// About as much code, up to the end of a line.
fn lines(code: &str) -> &str {
    let end = code.bytes().skip(STRETCH).position(|byte| byte == b'\n');
    &code[..end.map_or(code.len(), |end| STRETCH + end + 1)]
}
