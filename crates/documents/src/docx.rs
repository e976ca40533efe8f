//! Word documents (ECMA-376, part 1, 17).

use std::collections::HashMap;

use crate::archive::Archive;
use crate::blocks::Blocks;
use crate::body::Body;
use crate::ooxml::{self, Relations};
use crate::xml::{self, Element, Node};
use crate::{Document, Kind, Limits, Refusal};

pub(crate) fn read(archive: &mut Archive<'_>, limits: &Limits) -> Result<Document, Refusal> {
    let main = ooxml::main_part(archive)?;
    let relations = Relations::of(&main, archive)?;
    let styles = match relations.part_of_type("styles") {
        Some(part) => headings(&archive.text(part)?.unwrap_or_default())?,
        None => HashMap::new(),
    };
    let mut blocks = Blocks::new(limits);
    story(&archive.needed(&main)?, &styles, &mut blocks)?;
    for notes in ["footnotes", "endnotes"] {
        if let Some(part) = relations.part_of_type(notes) {
            story(&archive.text(part)?.unwrap_or_default(), &styles, &mut blocks)?;
        }
    }
    let title = ooxml::title(archive)?;
    blocks.finish(Kind::Docx, title.as_deref())
}

/// The styles of headings, by id, with their level.
fn headings(source: &str) -> Result<HashMap<String, u8>, Refusal> {
    let mut levels = HashMap::new();
    let mut bases = HashMap::new();
    let mut id = String::new();
    xml::walk(source, |node| {
        let Node::Open(element) = node else { return Ok(()) };
        let value = || element.attribute("val").unwrap_or_default();
        match element.name() {
            "style" => id = element.attribute("styleId").unwrap_or_default(),
            "name" => {
                if let Some(level) = level_of_name(&value()) {
                    levels.insert(id.clone(), level);
                }
            }
            "basedOn" => {
                bases.insert(id.clone(), value());
            }
            "outlineLvl" => {
                if let Some(level) = level_of_outline(&value()) {
                    levels.entry(id.clone()).or_insert(level);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    // Word allows about ten styles in a row, and a ring of them ends here too.
    for _ in 0..10 {
        for (style, base) in &bases {
            if let (false, Some(level)) = (levels.contains_key(style), levels.get(base).copied()) {
                levels.insert(style.clone(), level);
            }
        }
    }
    Ok(levels)
}

/// Names of styles are the same in every language of Word; only what is shown is translated.
fn level_of_name(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("heading ") {
        Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
        None => (name == "title").then_some(1),
    }
}

/// Nine stands for text.
fn level_of_outline(value: &str) -> Option<u8> {
    value.parse().ok().filter(|level| *level < 9).map(|level: u8| level + 1)
}

#[derive(Default)]
struct Paragraph {
    text: String,
    heading: Option<u8>,
    is_item: bool,
}

struct Story<'a> {
    body: Body<'a>,
    styles: &'a HashMap<String, u8>,
    /// A text box is a paragraph within a paragraph.
    open: Vec<Paragraph>,
    is_in_run: bool,
    is_text: bool,
    is_hidden: bool,
    /// How deep it is within what is not shown.
    unshown: usize,
    note: Option<String>,
    /// Within a line that separates notes.
    is_line: bool,
}

/// What stands elsewhere, or not at all: the same again for old readers, and what was moved away.
const UNSHOWN: [&str; 3] = ["Fallback", "moveFrom", "del"];

fn story(source: &str, styles: &HashMap<String, u8>, blocks: &mut Blocks) -> Result<(), Refusal> {
    let mut story = Story {
        body: Body::new(blocks),
        styles,
        open: Vec::new(),
        is_in_run: false,
        is_text: false,
        is_hidden: false,
        unshown: 0,
        note: None,
        is_line: false,
    };
    xml::walk(source, |node| match node {
        Node::Open(element) => {
            story.open(element);
            Ok(())
        }
        Node::Close(name) => story.close(name),
        Node::Text(text) => {
            if story.is_text {
                story.push(text);
            }
            Ok(())
        }
    })
}

impl Story<'_> {
    fn open(&mut self, element: &Element<'_>) {
        let name = element.name();
        if UNSHOWN.contains(&name) {
            self.unshown += 1;
        }
        match name {
            "tbl" => self.body.open_table(),
            "tc" => self.body.open_cell(),
            "p" => self.open.push(Paragraph::default()),
            "r" => (self.is_in_run, self.is_hidden) = (true, false),
            "vanish" | "webHidden" if self.is_in_run => self.is_hidden = is_on(element),
            "t" => self.is_text = true,
            "tab" if self.is_in_run => self.push("\t"),
            "br" | "cr" => self.push("\n"),
            "noBreakHyphen" => self.push("-"),
            "footnoteReference" | "endnoteReference" => {
                let number = element.attribute("id").unwrap_or_default();
                self.push(&format!(" (note {number})"));
            }
            "footnote" | "endnote" => {
                // The lines that separate notes have a type.
                self.is_line = element.attribute("type").is_some_and(|kind| kind != "normal");
                self.unshown += usize::from(self.is_line);
                self.note = element.attribute("id");
            }
            _ => self.property(name, element),
        }
    }

    fn property(&mut self, name: &str, element: &Element<'_>) {
        let Some(paragraph) = self.open.last_mut() else { return };
        let value = || element.attribute("val").unwrap_or_default();
        match name {
            "pStyle" => paragraph.heading = self.styles.get(&value()).copied(),
            "outlineLvl" => paragraph.heading = level_of_outline(&value()).or(paragraph.heading),
            "numId" => paragraph.is_item = value() != "0",
            _ => {}
        }
    }

    fn close(&mut self, name: &str) -> Result<(), Refusal> {
        if UNSHOWN.contains(&name) {
            self.unshown = self.unshown.saturating_sub(1);
        }
        match name {
            "tbl" => self.body.close_table(),
            "tr" => self.body.close_row(1)?,
            "p" => self.end_paragraph()?,
            "r" => (self.is_in_run, self.is_hidden) = (false, false),
            "t" => self.is_text = false,
            "footnote" | "endnote" if std::mem::take(&mut self.is_line) => {
                self.unshown = self.unshown.saturating_sub(1);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_paragraph(&mut self) -> Result<(), Refusal> {
        let Some(paragraph) = self.open.pop() else { return Ok(()) };
        let mut text = paragraph.text;
        if paragraph.is_item && paragraph.heading.is_none() && !text.trim().is_empty() {
            text.insert_str(0, "- ");
        }
        if let Some(note) = self.note.take_if(|_| !text.trim().is_empty()) {
            text = format!("Note {note}: {}", text.trim_start());
        }
        self.body.paragraph(paragraph.heading, &text)
    }

    fn push(&mut self, text: &str) {
        if self.unshown == 0
            && !self.is_hidden
            && let Some(paragraph) = self.open.last_mut()
        {
            paragraph.text.push_str(text);
        }
    }
}

/// A switch without a value is on.
fn is_on(element: &Element<'_>) -> bool {
    element.attribute("val").is_none_or(|value| !matches!(value.as_str(), "0" | "false" | "off"))
}
