//! A paragraph that is longer than one frame can bear, of 100 KB, say. It is laid out unseen, a
//! piece in each frame, while its text is still shown as it was written; then it takes that place.

use unbroken_chat_view::markdown::Block;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::prose::create;

/// Bytes of text in a piece. All the pieces so far are broken into lines again with each of them.
const PIECE: usize = 8 * 1024;

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

    /// Takes the next piece in; `true` when there was none left.
    pub(super) fn go_on(&self) -> bool {
        let mut room = PIECE;
        let mut is_whole = true;
        while let Some(node) = self.rest.first_child().filter(|_| room > 0) {
            room = room.saturating_sub(node.text_content().map_or(1, |text| text.len()).max(1));
            let _ = self.element.append_child(&node);
            is_whole = false;
        }
        is_whole
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
