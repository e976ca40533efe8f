//! The text of a tree of HTML, block by block.

use dom_query::NodeRef;

use crate::page::Block;

/// Elements that begin and end a block.
const BLOCKS: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

const UNSHOWN: [&str; 4] = ["script", "style", "template", "head"];

/// Walks without recursion: a page may be nested as deep as it likes.
pub(super) fn blocks(root: &NodeRef<'_>) -> Vec<Block> {
    let mut flow = Flow::default();
    let mut next = root.first_child();
    while let Some(node) = next {
        let is_shown = flow.open(&node);
        let child = if is_shown { node.first_child() } else { None };
        next = child.or_else(|| flow.leave(node, root));
    }
    flow.end_block();
    flow.blocks
}

#[derive(Default)]
struct Flow {
    blocks: Vec<Block>,
    text: String,
    heading: Option<u8>,
    /// Elements around that keep white space.
    pre: usize,
    is_item: bool,
}

impl Flow {
    /// Ends a node and those around it that end with it; the node that follows.
    fn leave<'a>(&mut self, mut node: NodeRef<'a>, root: &NodeRef<'_>) -> Option<NodeRef<'a>> {
        loop {
            self.close(&node);
            if let Some(next) = node.next_sibling() {
                return Some(next);
            }
            node = node.parent().filter(|parent| parent.id != root.id)?;
        }
    }

    /// Whether what is inside is shown.
    fn open(&mut self, node: &NodeRef<'_>) -> bool {
        if node.is_text() {
            self.add(&node.text());
            return false;
        }
        let name = name(node);
        if UNSHOWN.contains(&&*name) {
            return false;
        }
        match &*name {
            "br" if self.pre == 0 => self.text.push(' '),
            "br" => self.text.push('\n'),
            "td" | "th" if !self.text.trim().is_empty() => self.text.push_str(" | "),
            _ => {}
        }
        if BLOCKS.contains(&&*name) {
            self.end_block();
            self.heading = level(&name);
            self.pre += usize::from(name == "pre");
            self.is_item |= name == "li";
        }
        true
    }

    fn close(&mut self, node: &NodeRef<'_>) {
        let name = name(node);
        if BLOCKS.contains(&&*name) {
            self.end_block();
            self.heading = None;
            self.pre -= usize::from(name == "pre");
            self.is_item &= name != "li";
        }
    }

    fn add(&mut self, text: &str) {
        if self.pre > 0 {
            self.text.push_str(text);
            return;
        }
        for char in text.chars() {
            if !char.is_whitespace() {
                self.text.push(char);
            } else if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
        }
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = if self.pre > 0 { text.trim_matches('\n').trim_end() } else { text.trim() };
        if text.trim().is_empty() {
            return;
        }
        // The first block of an item has its mark.
        let mark = if std::mem::take(&mut self.is_item) { "- " } else { "" };
        self.blocks.push(Block {
            text: format!("{mark}{text}"),
            heading: self.heading,
            page: None,
        });
    }
}

fn name(node: &NodeRef<'_>) -> String {
    node.node_name().map(|name| name.to_string()).unwrap_or_default()
}

fn level(name: &str) -> Option<u8> {
    let digit = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&digit).then_some(digit)
}
