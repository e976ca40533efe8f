//! Events of the Markdown parser into pieces of HTML: blocks here, what is inside a line in `inline`.

use std::fmt::Write as _;
use std::ops::Range;

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};

use super::block::{BULLETS_CLOSE, NUMBERS_CLOSE, Part, Piece, TABLE_CLOSE};
use super::context::Context;
use super::escape::escape;
use super::{fence, inline};

/// Lists and quotes deeper than this are shown at this depth.
const DEPTH: usize = 48;

/// Parses a text and writes its blocks; also whether it ends inside code or raw HTML.
pub(super) fn pieces(text: &str, context: &mut Context) -> (Vec<Piece>, bool) {
    Writer::new(text, context).run()
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
}

struct Writer<'a, 'c> {
    text: &'a str,
    context: &'c mut Context,
    pieces: Vec<Piece>,
    /// The piece that is being written: where it starts, and its HTML so far.
    start: usize,
    out: String,
    fenced: bool,
    open: Vec<Open>,
    leaf: Option<Leaf<'a>>,
    /// Of the table that is being written; tables do not nest.
    alignments: Vec<Alignment>,
    column: usize,
    /// Whether the last leaf was code or raw HTML.
    verbatim: bool,
}

/// A block whose end has not come yet.
struct Open {
    kind: Kind,
    close: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    /// With the place in the HTML where its tag takes a class.
    Item(usize),
    Table,
    Head,
    Row,
    Code,
    /// A container that is not shown because it is too deep.
    Hidden,
    Other,
}

/// A paragraph, heading or cell: its events are gathered, then written together.
struct Leaf<'a> {
    close: &'static str,
    /// Text of a list item without blank lines: the parser does not say that it is a paragraph.
    implicit: bool,
    cell: bool,
    events: Vec<(Event<'a>, Range<usize>)>,
}

impl<'a, 'c> Writer<'a, 'c> {
    fn new(text: &'a str, context: &'c mut Context) -> Self {
        Self {
            text,
            context,
            pieces: Vec::new(),
            start: 0,
            out: String::new(),
            fenced: false,
            open: Vec::new(),
            leaf: None,
            alignments: Vec::new(),
            column: 0,
            verbatim: false,
        }
    }

    fn run(mut self) -> (Vec<Piece>, bool) {
        for (event, range) in Parser::new_ext(self.text, options()).into_offset_iter() {
            match event {
                Event::Start(tag) if is_block(&tag) => self.start(tag, &range),
                Event::End(end) if !is_inline_end(end) => self.end(end),
                Event::Rule => self.rule(&range),
                Event::Text(text) | Event::Html(text) if self.in_code() => {
                    escape(&mut self.out, &text);
                }
                Event::TaskListMarker(_) => {
                    self.mark_task();
                    self.gather(event, range);
                }
                _ => self.gather(event, range),
            }
        }
        (self.pieces, self.verbatim)
    }

    fn in_code(&self) -> bool {
        self.open.last().is_some_and(|open| open.kind == Kind::Code)
    }

    fn start(&mut self, tag: Tag<'a>, range: &Range<usize>) {
        self.end_implicit_leaf();
        let parent = self.open.last().map(|open| open.kind);
        let inside = matches!(
            (self.open.len(), parent, &tag),
            (1, Some(Kind::List), Tag::Item) | (1, Some(Kind::Table), Tag::TableRow)
        );
        if self.open.is_empty() || inside {
            self.begin(range.start);
        }
        let (kind, close) = self.tag(tag, parent);
        self.open.push(Open { kind, close });
        if self.open.len() == 1 && kind == Kind::List {
            let bullets = self.out.starts_with("<ul");
            let close = if bullets { BULLETS_CLOSE } else { NUMBERS_CLOSE };
            self.finish(Part::Open { close });
        }
    }

    /// Writes a block's opening tag; gives its kind and its closing tag.
    fn tag(&mut self, tag: Tag<'a>, parent: Option<Kind>) -> (Kind, String) {
        let too_deep = self.open.len() >= DEPTH;
        let (kind, close) = match tag {
            Tag::Paragraph => return self.leaf("<p dir=\"auto\">", "</p>", false),
            Tag::Heading { level, .. } => return self.heading(level),
            Tag::CodeBlock(kind) => return self.code(&kind),
            Tag::HtmlBlock => {
                self.verbatim = true;
                self.out.push_str("<p class=\"raw\" dir=\"auto\">");
                (Kind::Code, "</p>")
            }
            Tag::BlockQuote(_) | Tag::List(_) | Tag::FootnoteDefinition(_) if too_deep => {
                (Kind::Hidden, "")
            }
            Tag::Item if parent == Some(Kind::Hidden) => (Kind::Hidden, ""),
            Tag::BlockQuote(kind) => {
                self.out.push_str(quote(kind));
                (Kind::Other, "</blockquote>")
            }
            Tag::List(None) => {
                self.out.push_str("<ul>");
                (Kind::List, BULLETS_CLOSE)
            }
            Tag::List(Some(1)) => {
                self.out.push_str("<ol>");
                (Kind::List, NUMBERS_CLOSE)
            }
            Tag::List(Some(first)) => {
                let _ = write!(self.out, "<ol start=\"{first}\">");
                (Kind::List, NUMBERS_CLOSE)
            }
            Tag::Item => {
                self.out.push_str("<li");
                let class = self.out.len();
                self.out.push_str(" dir=\"auto\">");
                (Kind::Item(class), "</li>")
            }
            Tag::FootnoteDefinition(label) => return self.footnote(&label),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                let _ = write!(
                    self.out,
                    "<div class=\"table-frame\"><button type=\"button\" data-action=\"csv\">{}</button>\
                     <div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>",
                    crate::texts::copy_csv(),
                    crate::texts::table()
                );
                (Kind::Table, TABLE_CLOSE)
            }
            Tag::TableHead => {
                self.column = 0;
                self.out.push_str("<thead><tr>");
                (Kind::Head, "</tr></thead><tbody>")
            }
            Tag::TableRow => {
                self.column = 0;
                self.out.push_str("<tr>");
                (Kind::Row, "</tr>")
            }
            Tag::TableCell => return self.cell(parent == Some(Kind::Head)),
            _ => (Kind::Other, ""),
        };
        (kind, close.to_owned())
    }

    fn leaf(&mut self, open: &str, close: &'static str, cell: bool) -> (Kind, String) {
        self.verbatim = false;
        self.out.push_str(open);
        self.leaf = Some(Leaf { close, implicit: false, cell, events: Vec::new() });
        (Kind::Other, String::new())
    }

    /// One level down: the page has a first heading of its own.
    fn heading(&mut self, level: HeadingLevel) -> (Kind, String) {
        let (open, close) = match level {
            HeadingLevel::H1 => ("<h2 dir=\"auto\">", "</h2>"),
            HeadingLevel::H2 => ("<h3 dir=\"auto\">", "</h3>"),
            HeadingLevel::H3 => ("<h4 dir=\"auto\">", "</h4>"),
            HeadingLevel::H4 => ("<h5 dir=\"auto\">", "</h5>"),
            HeadingLevel::H5 | HeadingLevel::H6 => ("<h6 dir=\"auto\">", "</h6>"),
        };
        self.leaf(open, close, false)
    }

    fn cell(&mut self, head: bool) -> (Kind, String) {
        let (element, close) = if head { ("th scope=\"col\"", "</th>") } else { ("td", "</td>") };
        let align = match self.alignments.get(self.column) {
            Some(Alignment::Center) => " data-align=\"center\"",
            Some(Alignment::Right) => " data-align=\"right\"",
            _ => "",
        };
        self.column += 1;
        let open = format!("<{element} dir=\"auto\"{align}>");
        self.leaf(&open, close, true)
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>) -> (Kind, String) {
        self.verbatim = true;
        let info = match kind {
            CodeBlockKind::Fenced(info) => {
                self.fenced = self.open.is_empty();
                info
            }
            CodeBlockKind::Indented => "",
        };
        let (open, close) = fence::frame(fence::language(info), false);
        self.out.push_str(&open);
        (Kind::Code, close.to_owned())
    }

    fn footnote(&mut self, label: &str) -> (Kind, String) {
        let (number, first) = self.context.footnotes.define(label);
        let mut id = String::new();
        escape(&mut id, &self.context.prefix);
        self.out.push_str("<div class=\"footnote\"");
        if first {
            let _ = write!(self.out, " id=\"{id}-fn-{number}\"");
        }
        let _ = write!(self.out, "><span class=\"footnote-mark\">{number}</span>");
        let close = format!(
            "<a class=\"footnote-back\" href=\"#{id}-fnref-{number}\" aria-label=\"{}\">↩</a></div>",
            crate::texts::back_to_reference(number as u64)
        );
        (Kind::Other, close)
    }

    fn end(&mut self, end: TagEnd) {
        if self.leaf.as_ref().is_some_and(|leaf| !leaf.implicit) {
            self.end_leaf();
        } else {
            self.end_implicit_leaf();
        }
        let Some(Open { kind, close }) = self.open.pop() else { return };
        if matches!(end, TagEnd::HtmlBlock) && self.out.ends_with('\n') {
            self.out.pop();
        }
        let (depth, parent) = (self.open.len(), self.open.last().map(|open| open.kind));
        match (depth, kind, parent) {
            // The opening piece of a list or table carries the closing tag.
            (0, Kind::List | Kind::Table, _) => {}
            (0, ..) => self.close(&close, Part::Whole),
            (1, Kind::Head, _) => self.close(&close, Part::Open { close: TABLE_CLOSE }),
            (1, Kind::Item(_), Some(Kind::List)) | (1, Kind::Row, _) => {
                self.close(&close, Part::Inside);
            }
            _ => self.out.push_str(&close),
        }
    }

    fn rule(&mut self, range: &Range<usize>) {
        self.end_implicit_leaf();
        self.verbatim = false;
        if self.open.is_empty() {
            self.begin(range.start);
            self.close("<hr>", Part::Whole);
        } else {
            self.out.push_str("<hr>");
        }
    }

    fn mark_task(&mut self) {
        let item = self.open.iter().rev().find_map(|open| match open.kind {
            Kind::Item(class) => Some(class),
            _ => None,
        });
        if let Some(class) = item.filter(|class| *class <= self.out.len()) {
            self.out.insert_str(class, " class=\"task\"");
        }
    }

    fn gather(&mut self, event: Event<'a>, range: Range<usize>) {
        let out = &mut self.out;
        let leaf = self.leaf.get_or_insert_with(|| {
            out.push_str("<p dir=\"auto\">");
            Leaf { close: "</p>", implicit: true, cell: false, events: Vec::new() }
        });
        leaf.events.push((event, range));
        self.verbatim = false;
    }

    fn end_implicit_leaf(&mut self) {
        if self.leaf.as_ref().is_some_and(|leaf| leaf.implicit) {
            self.end_leaf();
        }
    }

    fn end_leaf(&mut self) {
        if let Some(leaf) = self.leaf.take() {
            inline::write(&mut self.out, &leaf.events, self.text, leaf.cell, self.context);
            self.out.push_str(leaf.close);
        }
    }

    fn begin(&mut self, at: usize) {
        self.start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        self.out.clear();
        self.fenced = false;
    }

    fn close(&mut self, close: &str, part: Part) {
        self.out.push_str(close);
        self.finish(part);
    }

    fn finish(&mut self, part: Part) {
        let html = std::mem::take(&mut self.out);
        self.pieces.push(Piece { start: self.start, part, fenced: self.fenced, html });
    }
}

fn quote(kind: Option<BlockQuoteKind>) -> &'static str {
    match kind {
        None => "<blockquote>",
        Some(BlockQuoteKind::Note) => "<blockquote data-kind=\"note\">",
        Some(BlockQuoteKind::Tip) => "<blockquote data-kind=\"tip\">",
        Some(BlockQuoteKind::Important) => "<blockquote data-kind=\"important\">",
        Some(BlockQuoteKind::Warning) => "<blockquote data-kind=\"warning\">",
        Some(BlockQuoteKind::Caution) => "<blockquote data-kind=\"caution\">",
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    !is_inline_end(tag.to_end())
}

fn is_inline_end(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}
