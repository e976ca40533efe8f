//! OpenDocument (ISO/IEC 26300): text, spreadsheets and presentations in one vocabulary.

use crate::archive::Archive;
use crate::blocks::Blocks;
use crate::body::Body;
use crate::xml::{self, Element, Node};
use crate::{Document, Kind, Limits, Refusal};

/// What is not part of the text: what was deleted, what was remarked, what a form offers.
const UNSHOWN: [&str; 5] = ["tracked-changes", "annotation", "annotation-end", "forms", "scripts"];

pub(crate) fn read(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut archive = Archive::open(bytes, limits)?;
    let manifest = archive.text("META-INF/manifest.xml")?.unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(Refusal::Encrypted);
    }
    let mut blocks = Blocks::new(limits);
    let mut content = Content {
        kind,
        body: Body::new(&mut blocks),
        open: Vec::new(),
        cells: Vec::new(),
        rows: Vec::new(),
        tables: 0,
        pages: 0,
        unshown: 0,
        lists: 0,
        is_title: false,
        is_in_notes: false,
    };
    let source = archive.needed("content.xml")?;
    xml::walk(&source, |node| match node {
        Node::Open(element) => content.open(element),
        Node::Close(name) => content.close(name),
        Node::Text(text) => {
            content.push(&squeezed(text));
            Ok(())
        }
    })?;
    let meta = archive.text("meta.xml")?.unwrap_or_default();
    blocks.finish(kind, xml::text_of(&meta, "title")?.as_deref())
}

struct Paragraph {
    heading: Option<u8>,
    text: String,
}

struct Content<'a> {
    kind: Kind,
    body: Body<'a>,
    /// A note is a paragraph within a paragraph.
    open: Vec<Paragraph>,
    /// How often the cells and rows that are open stand there.
    cells: Vec<usize>,
    rows: Vec<usize>,
    tables: usize,
    pages: usize,
    unshown: usize,
    lists: usize,
    /// Within the frame that holds a slide's title.
    is_title: bool,
    is_in_notes: bool,
}

impl Content<'_> {
    fn open(&mut self, element: &Element<'_>) -> Result<(), Refusal> {
        let name = element.name();
        if UNSHOWN.contains(&name) {
            self.unshown += 1;
        }
        match name {
            "h" => {
                let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                self.begin(Some(level.unwrap_or(1)));
            }
            "p" => {
                let heading = (self.is_title && !self.is_in_notes).then_some(1);
                self.begin(heading);
            }
            "s" => self.push(&" ".repeat(times(element, "c").min(100))),
            "tab" => self.push("\t"),
            "line-break" => self.push("\n"),
            "note" => self.push(" ("),
            "list-item" => self.lists += 1,
            "table" => self.open_table(element)?,
            "table-row" => self.rows.push(times(element, "number-rows-repeated")),
            "table-cell" | "covered-table-cell" => {
                self.body.open_cell();
                self.cells.push(times(element, "number-columns-repeated"));
            }
            "page" if self.kind == Kind::Odp => self.turn(),
            "frame" => {
                self.is_title = element.attribute("class").is_some_and(|class| class == "title");
            }
            "notes" => self.is_in_notes = true,
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Refusal> {
        if UNSHOWN.contains(&name) {
            self.unshown = self.unshown.saturating_sub(1);
        }
        match name {
            "h" | "p" => self.end()?,
            "note" => self.push(")"),
            "note-citation" => self.push(": "),
            "list-item" => self.lists = self.lists.saturating_sub(1),
            "table" => {
                self.tables = self.tables.saturating_sub(1);
                self.body.close_table();
            }
            "table-row" => {
                let times = self.rows.pop().unwrap_or(1);
                self.body.close_row(times)?;
            }
            "table-cell" | "covered-table-cell" => {
                let times = self.cells.pop().unwrap_or(1);
                self.body.repeat_cell(times)?;
            }
            "frame" => self.is_title = false,
            "notes" => self.is_in_notes = false,
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, heading: Option<u8>) {
        self.open.push(Paragraph { heading, text: String::new() });
    }

    /// The text of a note stands where its number is.
    fn end(&mut self) -> Result<(), Refusal> {
        let Some(mut paragraph) = self.open.pop() else { return Ok(()) };
        if let Some(outer) = self.open.last_mut() {
            outer.text.push_str(paragraph.text.trim());
            return Ok(());
        }
        if self.lists > 0 && self.kind == Kind::Odt && !paragraph.text.trim().is_empty() {
            paragraph.text.insert_str(0, "- ");
        }
        self.body.paragraph(paragraph.heading, &paragraph.text)
    }

    fn open_table(&mut self, element: &Element<'_>) -> Result<(), Refusal> {
        if self.kind == Kind::Ods && self.tables == 0 {
            self.turn();
            let name = element.attribute("name").unwrap_or_default();
            self.body.blocks.heading(1, &name)?;
        }
        self.tables += 1;
        self.body.open_table();
        Ok(())
    }

    fn turn(&mut self) {
        self.pages += 1;
        self.body.blocks.turn_to(self.pages);
    }

    fn push(&mut self, text: &str) {
        if self.unshown == 0
            && let Some(paragraph) = self.open.last_mut()
        {
            let text = if paragraph.text.is_empty() { text.trim_start_matches(' ') } else { text };
            paragraph.text.push_str(text);
        }
    }
}

fn times(element: &Element<'_>, name: &str) -> usize {
    element.attribute(name).and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// White space is one space (part 3, 6.1.2).
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_whitespace() { ' ' } else { c };
        if c != ' ' || !squeezed.ends_with(' ') {
            squeezed.push(c);
        }
    }
    squeezed
}
