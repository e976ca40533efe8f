//! What is inside a line: emphasis, code, links, images, math, citation marks.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use super::context::Context;
use super::escape::escape;
use super::{link, math};

/// Emphasis deeper than this is not shown.
const DEPTH: usize = 32;
/// More tags than this make one line or paragraph too slow in a page: it is shown as it was written.
const TAGS: usize = 16 * 1024;
/// The longest name of a task's checkbox, in Unicode scalar values.
const NAME_CHARS: usize = 200;

type Events<'e, 'a> = &'e [(Event<'a>, Range<usize>)];

/// Writes the events of one paragraph, heading or cell. `source` is what their ranges refer to.
pub(super) fn write(
    out: &mut String,
    events: Events<'_, '_>,
    source: &str,
    cell: bool,
    context: &mut Context,
) {
    let start = out.len();
    let math = math_ends(events, source);
    let mut writer =
        Inline { out, source, context, cell, text: String::new(), open: Vec::new(), links: 0 };
    let mut at = 0;
    while let Some((event, range)) = events.get(at) {
        at = match (event, math.get(at)) {
            (_, Some(Some(end))) => writer.bracketed_math(events, at, *end),
            (Event::Start(Tag::Image { dest_url, .. }), _) => writer.image(events, at, dest_url),
            (Event::TaskListMarker(done), _) => {
                writer.task(*done, &plain_text(&events[at + 1..], NAME_CHARS));
                at + 1
            }
            _ => {
                writer.event(event, range);
                at + 1
            }
        };
    }
    writer.flush();
    // What is no tag is escaped.
    if out[start..].bytes().filter(|byte| *byte == b'<').count() > TAGS
        && let (Some((_, first)), Some((_, last))) = (events.first(), events.last())
    {
        out.truncate(start);
        escape(out, &source[first.start..last.end]);
    }
}

struct Inline<'w> {
    out: &'w mut String,
    source: &'w str,
    context: &'w mut Context,
    cell: bool,
    /// Text that was met and not written yet: marks and addresses may span events.
    text: String,
    open: Vec<Open>,
    /// How many links are open.
    links: usize,
}

struct Open {
    close: Cow<'static, str>,
    link: bool,
}

impl Inline<'_> {
    fn event(&mut self, event: &Event<'_>, range: &Range<usize>) {
        match event {
            Event::InlineHtml(tag) | Event::Html(tag) if self.cell && is_break(tag) => {
                self.push("<br>");
            }
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => {
                self.text.push_str(text);
            }
            Event::SoftBreak => self.text.push('\n'),
            Event::HardBreak => self.push("<br>"),
            Event::Code(code) => {
                self.push("<code>");
                escape(self.out, code);
                self.out.push_str("</code>");
            }
            Event::InlineMath(tex) if self.digit_follows(range.end) || is_money(tex) => {
                // "$5-$10", "$10, or 5$".
                let _ = write!(self.text, "${tex}$");
            }
            Event::InlineMath(tex) => self.math(tex, false),
            Event::DisplayMath(tex) => self.math(tex, true),
            Event::FootnoteReference(label) => self.footnote(label),
            Event::Start(tag) => self.start(tag),
            Event::End(_) => self.end(),
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        self.flush();
        let (open, close) = match tag {
            Tag::Link { link_type, dest_url, title, .. } => {
                return self.link(*link_type, dest_url, title);
            }
            _ if self.open.len() >= DEPTH => ("", ""),
            Tag::Emphasis => ("<em>", "</em>"),
            Tag::Strong => ("<strong>", "</strong>"),
            Tag::Strikethrough => ("<del>", "</del>"),
            _ => ("", ""),
        };
        self.out.push_str(open);
        self.open.push(Open { close: close.into(), link: false });
    }

    /// An address that may not be a link is shown beside its text.
    fn link(&mut self, link_type: LinkType, address: &str, title: &str) {
        let mail = format!("mailto:{address}");
        let address = if link_type == LinkType::Email { &mail } else { address };
        match link::allowed(address) {
            Some(address) if self.links == 0 => {
                link::open(self.out, address, title);
                self.links += 1;
                self.open.push(Open { close: "</a>".into(), link: true });
            }
            _ => {
                let mut close = String::new();
                if link_type != LinkType::Autolink && !address.is_empty() {
                    close.push_str(" (");
                    escape(&mut close, address);
                    close.push(')');
                }
                self.open.push(Open { close: close.into(), link: false });
            }
        }
    }

    fn end(&mut self) {
        self.flush();
        if let Some(open) = self.open.pop() {
            self.out.push_str(&open.close);
            self.links -= usize::from(open.link);
        }
    }

    /// An image from elsewhere becomes a link, so that nobody learns that the answer was read.
    fn image(&mut self, events: Events<'_, '_>, at: usize, address: &CowStr<'_>) -> usize {
        let mut depth = 0_usize;
        let length = events[at..].iter().position(|(event, _)| {
            match event {
                Event::Start(Tag::Image { .. }) => depth += 1,
                Event::End(TagEnd::Image) => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = length.map_or(events.len(), |length| at + length + 1);
        let alt = plain_text(&events[at..end], usize::MAX);
        self.flush();
        if link::is_inline_image(address) {
            self.out.push_str("<img loading=\"lazy\" src=\"");
            escape(self.out, address);
            self.out.push_str("\" alt=\"");
            escape(self.out, &alt);
            self.out.push_str("\">");
            return end;
        }
        let name = if alt.is_empty() { crate::texts::image() } else { &alt };
        match link::allowed(address) {
            Some(address) if self.links == 0 => {
                link::open_image(self.out, address);
                escape(self.out, name);
                self.out.push_str("</a>");
            }
            _ => escape(self.out, name),
        }
        end
    }

    fn task(&mut self, done: bool, name: &str) {
        self.push("<input type=\"checkbox\" disabled");
        self.out.push_str(if done { " checked" } else { "" });
        self.out.push_str(" aria-label=\"");
        escape(self.out, if name.is_empty() { crate::texts::task() } else { name });
        self.out.push_str("\"> ");
    }

    fn footnote(&mut self, label: &str) {
        let (number, count) = self.context.footnotes.refer(label);
        let mut id = String::new();
        escape(&mut id, &self.context.prefix);
        self.push("<sup class=\"footnote-ref\">");
        let again = if count == 1 { String::new() } else { format!("-{count}") };
        let _ = if self.links == 0 {
            write!(
                self.out,
                "<a id=\"{id}-fnref-{number}{again}\" href=\"#{id}-fn-{number}\" \
                 aria-label=\"{}\">{number}</a></sup>",
                crate::texts::footnote(number as u64)
            )
        } else {
            write!(self.out, "{number}</sup>")
        };
    }

    /// `\(…\)` or `\[…\]`: what is between is taken from the source, as it was written.
    fn bracketed_math(&mut self, events: Events<'_, '_>, at: usize, end: usize) -> usize {
        let (from, to) = (events[at].1.start, events[end].1.start);
        let display = self.source[from..].starts_with('[');
        let tex = self.source[from + 1..to - 1].replace("\n>", "\n");
        self.math(&tex, display);
        for (event, _) in &events[at + 1..end] {
            match event {
                Event::Start(_) => self.open.push(Open { close: "".into(), link: false }),
                Event::End(_) => self.end(),
                _ => {}
            }
        }
        if let Event::Text(text) = &events[end].0 {
            self.text.push_str(&text[1..]);
        }
        end + 1
    }

    /// The one place where math becomes HTML.
    fn math(&mut self, tex: &str, display: bool) {
        self.flush();
        math::write(self.out, tex, display);
    }

    fn digit_follows(&self, at: usize) -> bool {
        self.source.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
    }

    fn push(&mut self, html: &str) {
        self.flush();
        self.out.push_str(html);
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.links > 0 {
            escape(self.out, &text);
        } else {
            link::write_text(self.out, &text, self.context);
        }
    }
}

/// Whether what stands between two `$` is an amount and words, not a formula.
fn is_money(tex: &str) -> bool {
    let word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    tex.starts_with(|first: char| first.is_ascii_digit())
        && !tex.contains(['\\', '^', '_', '=', '{', '+', '<', '>'])
        && tex.split_whitespace().any(word)
}

/// For every event that opens math with `\(` or `\[`: the event that begins with its end.
/// Empty when there is no such math.
fn math_ends(events: Events<'_, '_>, source: &str) -> Vec<Option<usize>> {
    let mut ends = Vec::new();
    let (mut round, mut square) = (None, None);
    for (at, (event, range)) in events.iter().enumerate().rev() {
        let end = match escaped_bracket(event, range, source) {
            Some(b'(') => round.take(),
            Some(b'[') => square.take(),
            Some(b')') => {
                round = Some(at);
                None
            }
            Some(b']') => {
                square = Some(at);
                None
            }
            _ => None,
        };
        if let Some(end) = end {
            ends.resize(events.len(), None);
            ends[at] = Some(end);
        }
    }
    ends
}

/// The bracket with which a text begins, when a backslash escapes it.
fn escaped_bracket(event: &Event<'_>, range: &Range<usize>, source: &str) -> Option<u8> {
    let Event::Text(text) = event else { return None };
    let first = *text.as_bytes().first()?;
    let written = matches!(first, b'(' | b')' | b'[' | b']')
        && source.as_bytes().get(range.start) == Some(&first);
    let before = source.as_bytes().get(..range.start).filter(|_| written)?;
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    (backslashes % 2 == 1).then_some(first)
}

/// The text without any markup, at most so many characters.
fn plain_text(events: Events<'_, '_>, chars: usize) -> String {
    let mut plain = String::new();
    for (event, _) in events {
        match event {
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => plain.push_str(text),
            Event::SoftBreak | Event::HardBreak => plain.push(' '),
            _ => {}
        }
        if plain.len() / 4 > chars {
            break;
        }
    }
    plain.trim().chars().take(chars).collect()
}

fn is_break(tag: &str) -> bool {
    ["<br>", "<br/>", "<br />"].iter().any(|known| known.eq_ignore_ascii_case(tag))
}
