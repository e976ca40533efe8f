//! Markdown: its source, cut at its headings and blocks, as a model reads source well.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal, text};

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let source = text::decode(bytes);
    let mut blocks = Blocks::new(limits);
    let mut title = None;
    let mut end = 0;
    let mut depth = 0_usize;
    let mut words = String::new();
    for (event, range) in Parser::new_ext(&source, options()).into_offset_iter() {
        if depth == 0 {
            // What no event covers, as the definition of a link.
            blocks.lines(source.get(end..range.start).unwrap_or_default())?;
            end = end.max(range.end);
        }
        match event {
            Event::Start(tag) => {
                if matches!(tag, Tag::Heading { .. }) {
                    words.clear();
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    push(tag, &words, &source, range, &mut blocks)?;
                }
                if tag == TagEnd::Heading(pulldown_cmark::HeadingLevel::H1) && title.is_none() {
                    title = Some(words.clone());
                }
            }
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak => words.push(' '),
            _ if depth == 0 => blocks.lines(&source[range])?,
            _ => {}
        }
    }
    blocks.lines(&source[end..])?;
    blocks.finish(Kind::Markdown, title.as_deref())
}

fn push(
    tag: TagEnd,
    words: &str,
    source: &str,
    range: Range<usize>,
    blocks: &mut Blocks,
) -> Result<(), Refusal> {
    match tag {
        TagEnd::Heading(level) => blocks.heading(level as u8, words),
        _ => blocks.lines(&source[range]),
    }
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
}
