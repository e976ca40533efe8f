//! HTML: the text that a browser would show, by its elements alone. Nothing of it is run or
//! fetched, and styles are not looked at.

use ego_tree::iter::Edge;
use scraper::{Html, Node};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, text};

const UNSHOWN: [&str; 14] = [
    "head", "script", "style", "template", "noscript", "svg", "iframe", "object", "select",
    "textarea", "button", // What stands around the text of a page.
    "nav", "aside", "footer",
];

const INLINE: [&str; 33] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "tt", "u", "var",
];

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut blocks = Blocks::new(limits);
    let title = flow(&decode(bytes), &mut blocks)?;
    blocks.finish(Kind::Html, title.as_deref())
}

/// The encoding that the page itself names, if it is not told by a mark and is not UTF-8.
fn decode(bytes: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let named = beginning.split_once("charset=").and_then(|(_, after)| {
        let label = after.trim_start_matches(['"', '\'']);
        let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c));
        encoding_rs::Encoding::for_label(&label.as_bytes()[..end.unwrap_or(label.len())])
    });
    match named {
        Some(encoding) if std::str::from_utf8(bytes).is_err() => encoding.decode(bytes).0.into(),
        _ => text::decode(bytes),
    }
}

/// Appends what a page shows, and says its title.
pub(crate) fn flow(source: &str, blocks: &mut Blocks) -> Result<Option<String>, Refusal> {
    let page = Html::parse_document(source);
    let mut flow = Flow {
        blocks,
        line: String::new(),
        marker: String::new(),
        tables: Vec::new(),
        lists: Vec::new(),
        pre: 0,
    };
    let mut hidden = 0_usize;
    let mut title = None;
    for edge in page.tree.root().traverse() {
        let (node, opens) = match edge {
            Edge::Open(node) => (node, true),
            Edge::Close(node) => (node, false),
        };
        match node.value() {
            Node::Element(element) => {
                let name = element.name();
                if name == "title" && opens && title.is_none() {
                    title = node
                        .first_child()
                        .and_then(|child| child.value().as_text())
                        .map(|text| text.to_string());
                }
                if UNSHOWN.contains(&name) || element.attr("hidden").is_some() {
                    hidden = if opens { hidden + 1 } else { hidden.saturating_sub(1) };
                } else if hidden == 0 && opens {
                    flow.open(name)?;
                } else if hidden == 0 {
                    flow.close(name)?;
                }
            }
            Node::Text(text) if opens && hidden == 0 => flow.text(text),
            _ => {}
        }
    }
    flow.end_line()?;
    Ok(title)
}

struct Flow<'a> {
    blocks: &'a mut Blocks,
    /// The text since the last element that begins a line of its own.
    line: String,
    tables: Vec<Table>,
    /// The number of the next item, where items have one.
    lists: Vec<Option<u32>>,
    /// What stands before the first line of the item that is open.
    marker: String,
    /// How many `<pre>` are open.
    pre: usize,
}

#[derive(Default)]
struct Table {
    cells: Vec<String>,
    /// It arranges a page: its cells hold tables or headings, so they are no row of values.
    arranges: bool,
}

impl Flow<'_> {
    fn text(&mut self, text: &str) {
        if self.pre > 0 {
            self.line.push_str(text);
            return;
        }
        if text.starts_with(|c: char| c.is_whitespace()) {
            self.space();
        }
        for (index, word) in text.split_whitespace().enumerate() {
            if index > 0 {
                self.line.push(' ');
            }
            self.line.push_str(word);
        }
        if text.ends_with(|c: char| c.is_whitespace()) {
            self.space();
        }
    }

    fn space(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with([' ', '\n']) {
            self.line.push(' ');
        }
    }

    fn open(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "br" => self.line.push('\n'),
            "table" => {
                self.arrange()?;
                self.end_line()?;
                self.tables.push(Table::default());
            }
            "td" | "th" if self.line.trim().is_empty() => self.line.clear(),
            "td" | "th" => self.end_cell()?,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.arrange()?;
                self.end_line()?;
            }
            "pre" => {
                self.end_line()?;
                self.pre += 1;
            }
            "ul" | "ol" => {
                self.end_line()?;
                self.lists.push((name == "ol").then_some(1));
            }
            "li" => {
                self.end_line()?;
                self.begin_item();
            }
            name if INLINE.contains(&name) => {}
            _ => self.end_line()?,
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "br" => {}
            "table" => {
                self.end_row()?;
                self.tables.pop();
                self.blocks.end_table();
            }
            "td" | "th" => self.end_cell()?,
            "tr" => self.end_row()?,
            "caption" => {
                let text = std::mem::take(&mut self.line);
                self.blocks.paragraph(&text)?;
            }
            "li" => {
                self.end_line()?;
                self.marker.clear();
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let text = std::mem::take(&mut self.line);
                self.blocks.heading(name.as_bytes()[1] - b'0', &text)?;
            }
            "pre" => {
                let text = std::mem::take(&mut self.line);
                self.blocks.lines(&text)?;
                self.pre = self.pre.saturating_sub(1);
            }
            "ul" | "ol" => {
                self.end_line()?;
                self.lists.pop();
            }
            name if INLINE.contains(&name) => {}
            _ => self.end_line()?,
        }
        Ok(())
    }

    fn begin_item(&mut self) {
        self.marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        if self.is_in_row() {
            self.line.push_str(&std::mem::take(&mut self.marker));
        }
    }

    fn is_in_row(&self) -> bool {
        self.tables.last().is_some_and(|table| !table.arranges)
    }

    fn end_line(&mut self) -> Result<(), Refusal> {
        if self.is_in_row() {
            self.space();
            return Ok(());
        }
        let text = std::mem::take(&mut self.line);
        if text.trim().is_empty() {
            return Ok(());
        }
        let marker = std::mem::take(&mut self.marker);
        self.blocks.paragraph(&(marker + text.trim()))
    }

    fn end_cell(&mut self) -> Result<(), Refusal> {
        let Some(table) = self.tables.last_mut().filter(|table| !table.arranges) else {
            return self.end_line();
        };
        let text = std::mem::take(&mut self.line);
        table.cells.push(text);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Refusal> {
        if !self.is_in_row() {
            return self.end_line();
        }
        if !self.line.trim().is_empty() {
            self.end_cell()?;
        }
        let cells = self.tables.last_mut().map(|table| std::mem::take(&mut table.cells));
        self.blocks.row(&cells.unwrap_or_default())
    }

    /// The table around here only arranges the page: what its row has so far are paragraphs.
    fn arrange(&mut self) -> Result<(), Refusal> {
        let Some(table) = self.tables.last_mut().filter(|table| !table.arranges) else {
            return Ok(());
        };
        table.arranges = true;
        for cell in std::mem::take(&mut table.cells) {
            self.blocks.paragraph(&cell)?;
        }
        Ok(())
    }
}

/// XHTML with every `<name/>` as `<name></name>`: to an HTML parser the first one only opens.
pub(crate) fn without_short_tags(source: &str) -> String {
    const VOID: [&str; 13] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
        "track", "wbr",
    ];
    let mut opened = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(end) = rest.find("/>") {
        let (before, after) = (&rest[..end], &rest[end + 2..]);
        opened.push_str(before);
        let tag = before.rfind('<').map_or("", |start| &before[start + 1..]);
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if name.is_empty() || VOID.contains(&name) || tag.contains('>') {
            opened.push_str("/>");
        } else {
            opened.extend(["></", name, ">"]);
        }
        rest = after;
    }
    opened + rest
}
