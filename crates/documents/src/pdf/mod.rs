//! PDF: the glyphs of each page by their places, put together to lines and paragraphs. Nothing is
//! drawn, and no script, form action or embedded file is looked at.

mod glyphs;
mod layout;
mod paragraphs;

use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt as _, interpret_page,
};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, text};
use glyphs::Glyphs;
use layout::Line;

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => Refusal::Encrypted,
        LoadPdfError::Invalid => Refusal::Damaged,
    })?;
    let pages = pages(&pdf, limits)?;
    let mut blocks = Blocks::new(limits);
    paragraphs::put_together(&pages, &mut blocks)?;
    let title = pdf.metadata().title.as_deref().map(text_string);
    match blocks.finish(Kind::Pdf, title.as_deref()) {
        Err(Refusal::Empty) if !pages.is_empty() => Err(Refusal::Scanned),
        read => read,
    }
}

fn pages(pdf: &Pdf, limits: &Limits) -> Result<Vec<Vec<Line>>, Refusal> {
    let cache = InterpreterCache::new();
    let mut pages = Vec::new();
    let mut left = limits.text;
    for page in pdf.pages().iter() {
        let upright = page.initial_transform(true).to_kurbo();
        let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
        let settings = InterpreterSettings::default();
        let mut context = Context::new(upright, bounds, &cache, pdf.xref(), settings);
        let mut glyphs = Glyphs::default();
        interpret_page(page, &mut context, &mut glyphs);
        let lines = layout::lines(glyphs.runs());
        let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
        left = left.checked_sub(bytes as u64).ok_or(Refusal::TooMuchText)?;
        pages.push(lines);
    }
    Ok(pages)
}

/// A text string (ISO 32000-2, 7.9.2.2); what is written without a mark is nearly Windows-1252.
fn text_string(bytes: &[u8]) -> String {
    if encoding_rs::Encoding::for_bom(bytes).is_some() {
        return text::decode(bytes);
    }
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}
