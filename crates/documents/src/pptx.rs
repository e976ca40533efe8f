//! Presentations (ECMA-376, part 1, 19): a slide is a page, its title a heading, its notes follow it.

use crate::archive::Archive;
use crate::blocks::Blocks;
use crate::body::Body;
use crate::ooxml::{self, Relations};
use crate::xml::{self, Element, Node};
use crate::{Document, Kind, Limits, Refusal};

pub(crate) fn read(archive: &mut Archive<'_>, limits: &Limits) -> Result<Document, Refusal> {
    let main = ooxml::main_part(archive)?;
    let relations = Relations::of(&main, archive)?;
    let mut blocks = Blocks::new(limits);
    for (index, id) in slides(&archive.needed(&main)?)?.into_iter().enumerate() {
        let Some(part) = relations.part(&id) else { continue };
        blocks.turn_to(index + 1);
        slide(&archive.needed(part)?, Shown::Slide, &mut blocks)?;
        if let Some(notes) = Relations::of(part, archive)?.part_of_type("notesSlide") {
            let source = archive.text(notes)?.unwrap_or_default();
            slide(&source, Shown::Notes, &mut blocks)?;
        }
    }
    let title = ooxml::title(archive)?;
    blocks.finish(Kind::Pptx, title.as_deref())
}

/// The slides by their relationships, in the order in which they are shown.
fn slides(source: &str) -> Result<Vec<String>, Refusal> {
    let mut ids = Vec::new();
    xml::walk(source, |node| {
        if let Node::Open(element) = node
            && element.name() == "sldId"
        {
            ids.extend(element.prefixed("id"));
        }
        Ok(())
    })?;
    Ok(ids)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Slide,
    Notes,
}

struct Slide<'a> {
    body: Body<'a>,
    shown: Shown,
    /// What the shape holds the place of, as `title` and `sldNum`.
    place: String,
    text: String,
    is_text: bool,
    fallback: usize,
    /// The title stands first, wherever its shape is; the rest waits for it.
    title: String,
    rest: Vec<Piece>,
}

enum Piece {
    Paragraph(String),
    OpenTable,
    OpenCell,
    CloseRow,
    CloseTable,
}

fn slide(source: &str, shown: Shown, blocks: &mut Blocks) -> Result<(), Refusal> {
    let mut slide = Slide {
        body: Body::new(blocks),
        shown,
        place: String::new(),
        text: String::new(),
        is_text: false,
        fallback: 0,
        title: String::new(),
        rest: Vec::new(),
    };
    xml::walk(source, |node| {
        match node {
            Node::Open(element) => slide.open(element),
            Node::Close(name) => slide.close(name),
            Node::Text(text) if slide.is_text => slide.text.push_str(text),
            Node::Text(_) => {}
        }
        Ok(())
    })?;
    slide.finish()
}

impl Slide<'_> {
    fn open(&mut self, element: &Element<'_>) {
        match element.name() {
            "Fallback" => self.fallback += 1,
            "sp" => self.place.clear(),
            "ph" => self.place = element.attribute("type").unwrap_or_else(|| "body".to_owned()),
            "p" => self.text.clear(),
            "t" => self.is_text = self.fallback == 0,
            "br" => self.text.push('\n'),
            "tab" => self.text.push('\t'),
            "tbl" => self.rest.push(Piece::OpenTable),
            "tc" => self.rest.push(Piece::OpenCell),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "Fallback" => self.fallback = self.fallback.saturating_sub(1),
            "t" => self.is_text = false,
            "p" => self.end_paragraph(),
            "sp" => self.place.clear(),
            "tr" => self.rest.push(Piece::CloseRow),
            "tbl" => self.rest.push(Piece::CloseTable),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        match (self.place.as_str(), self.shown) {
            ("sldNum" | "dt" | "ftr" | "hdr" | "sldImg", _) => {}
            ("title" | "ctrTitle", Shown::Slide) => {
                self.title.push(' ');
                self.title.push_str(&text);
            }
            // On the page of notes stands more than the notes.
            (place, Shown::Notes) if place != "body" => {}
            _ => self.rest.push(Piece::Paragraph(text)),
        }
    }

    fn finish(mut self) -> Result<(), Refusal> {
        self.body.paragraph(Some(1), &self.title)?;
        for piece in self.rest {
            match piece {
                Piece::Paragraph(text) => self.body.paragraph(None, &text)?,
                Piece::OpenTable => self.body.open_table(),
                Piece::OpenCell => self.body.open_cell(),
                Piece::CloseRow => self.body.close_row(1)?,
                Piece::CloseTable => self.body.close_table(),
            }
        }
        Ok(())
    }
}
