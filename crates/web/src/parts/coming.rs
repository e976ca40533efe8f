//! A paragraph that is longer than one frame can bear, of 100 KB, say. It is laid out unseen, a
//! stretch of it in each frame, while its text is still shown as it was written; then it takes that
//! place.

use unbroken_chat_view::markdown::Block;
use wasm_bindgen::JsCast;
use web_sys::{Element, Node, Text};

use super::prose::create;

/// Bytes of text in a stretch. Each is broken into lines by itself, and so begins on a line of its
/// own: as one, all of the paragraph would be broken anew for each.
const STRETCH: usize = 8 * 1024;

pub(super) struct Coming {
    pub(super) id: u64,
    /// Without height until all is there. It stays around the block: whatever moves is laid out
    /// again.
    room: Element,
    element: Element,
    /// The same element, outside the page, with what is still to come.
    rest: Element,
}

impl Coming {
    /// Takes its place before that element.
    pub(super) fn begin(block: &Block, before: &Element) -> Option<Self> {
        let (parsed, room) = (create("div", ""), create("div", "coming"));
        parsed.set_inner_html(&block.html);
        let rest = parsed.first_element_child()?;
        let element: Element = rest.clone_node().ok()?.dyn_into().ok()?;
        room.set_attribute("aria-hidden", "true").ok()?;
        room.append_child(&element).ok()?;
        before.before_with_node_1(&room).ok()?;
        Some(Self { id: block.id, room, element, rest })
    }

    /// Takes the next stretch in; `true` when there was none left.
    pub(super) fn go_on(&self) -> bool {
        if !self.rest.has_child_nodes() {
            return true;
        }
        let stretch = create("span", "stretch");
        let mut room = STRETCH;
        while let Some(node) = self.rest.first_child().filter(|_| room > 0) {
            cut(&node, room);
            room = room.saturating_sub(node.text_content().map_or(1, |text| text.len()).max(1));
            let _ = stretch.append_child(&node);
        }
        let _ = self.element.append_child(&stretch);
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

/// Cuts a text that is longer than that after its last word that fits; the rest follows it.
fn cut(node: &Node, most: usize) {
    let Some(text) = node.dyn_ref::<Text>() else { return };
    let data = text.data();
    if data.len() > most {
        let fits = &data[..data.floor_char_boundary(most)];
        let end = fits.rfind(char::is_whitespace).filter(|end| *end > 0).unwrap_or(fits.len());
        let units = fits[..end].encode_utf16().count();
        let _ = text.split_text(u32::try_from(units).unwrap_or(u32::MAX));
    }
}
