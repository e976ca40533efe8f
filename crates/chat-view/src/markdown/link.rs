//! Which addresses become links, and which bare addresses and citation marks a text holds.

use std::fmt::Write as _;

use super::context::Context;
use super::escape::escape;

const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];
const INLINE_IMAGES: [&str; 4] =
    ["data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;"];

/// The address to link to, or `None` when it may run something or leads nowhere.
///
/// A browser drops control characters from an address before it reads the scheme, so none may be
/// in it.
pub(super) fn allowed(address: &str) -> Option<&str> {
    let address = address.trim();
    if address.is_empty() || address.chars().any(char::is_control) {
        return None;
    }
    match address.find([':', '/', '?', '#']) {
        Some(at) if address.as_bytes().get(at) == Some(&b':') => {
            let scheme = &address[..at];
            SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)).then_some(address)
        }
        _ => Some(address),
    }
}

/// The longest image in an address, in bytes.
const INLINE_IMAGE: usize = 1 << 20;

/// Whether an image is in the address itself, so that showing it asks nobody.
pub(super) fn is_inline_image(address: &str) -> bool {
    address.len() <= INLINE_IMAGE && INLINE_IMAGES.iter().any(|start| address.starts_with(start))
}

/// Opens a link to an address that [`allowed`] let through.
pub(super) fn open(out: &mut String, address: &str, title: &str) {
    out.push_str("<a href=\"");
    escape(out, address);
    if !title.is_empty() {
        out.push_str("\" title=\"");
        escape(out, title);
    }
    if address.starts_with('#') {
        out.push_str("\">");
    } else {
        out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
    }
}

/// Opens a link that stands for an image elsewhere.
pub(super) fn open_image(out: &mut String, address: &str) {
    open(out, address, "");
    let inside = out.trim_end_matches('>').len();
    out.insert_str(inside, " class=\"image\"");
}

/// Appends text whose bare addresses become links and whose citation marks become chips.
pub(super) fn write_text(out: &mut String, text: &str, context: &Context) {
    let (mut from, mut at) = (0, 0);
    while let Some(step) = text[at..].find(['[', 'h']) {
        at += step;
        if let Some((index, end)) = citation(text, at, context) {
            escape(out, &text[from..at]);
            let _ = write!(
                out,
                "<button type=\"button\" class=\"cite\" data-cite=\"{index}\" \
                 aria-label=\"{}\">{index}</button>",
                crate::texts::source(index.into())
            );
            (from, at) = (end, end);
        } else if let Some(end) = bare_address(text, at) {
            escape(out, &text[from..at]);
            open(out, &text[at..end], "");
            escape(out, &text[at..end]);
            out.push_str("</a>");
            (from, at) = (end, end);
        } else {
            at += 1;
        }
    }
    escape(out, &text[from..]);
}

/// A mark like `[12]` at that place, when the message has that citation: its index and its end.
fn citation(text: &str, at: usize, context: &Context) -> Option<(u32, usize)> {
    let inside = text[at..].strip_prefix('[')?;
    let digits = inside.bytes().take(9).take_while(u8::is_ascii_digit).count();
    let index = inside[..digits].parse().ok()?;
    let marked = inside[digits..].starts_with(']') && context.cited.contains(&index);
    marked.then_some((index, at + digits + 2))
}

/// The end of an address like `https://…` that begins there and nowhere inside a word.
fn bare_address(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
    if text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let full = rest
        .find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`'));
    let mut address = &rest[..full.unwrap_or(rest.len())];
    let mut surplus = parentheses(address);
    while let Some(last) = address.chars().next_back() {
        let cut = match last {
            ')' if surplus > 0 => {
                surplus -= 1;
                true
            }
            '?' | '!' | '.' | ',' | ':' | ';' | '*' | '_' | '~' | '\'' | '|' | ']' | '[' => true,
            _ => false,
        };
        if !cut {
            break;
        }
        address = &address[..address.len() - 1];
    }
    (address.len() > scheme.len()).then_some(at + address.len())
}

/// How many `)` are more than there are `(`.
fn parentheses(text: &str) -> usize {
    let count = |c| text.bytes().filter(|byte| *byte == c).count();
    count(b')').saturating_sub(count(b'('))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_schemes_are_links() {
        for good in ["https://a.example", "HTTP://a", "mailto:a@b", "tel:1", "/a:b", "#x", "a?b:c"]
        {
            assert_eq!(allowed(good), Some(good));
        }
        for bad in
            ["javascript:x", " JaVaScRiPt:x", "java\nscript:x", "data:text/html,x", "vbs:", ""]
        {
            assert_eq!(allowed(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bare_address_ends_before_the_sentence_does() {
        let text = "(see https://a.example/b_(c)). ";
        let at = text.find("https").unwrap();
        assert_eq!(&text[at..bare_address(text, at).unwrap()], "https://a.example/b_(c)");
        assert_eq!(bare_address("xhttps://a", 1), None);
        assert_eq!(bare_address("https://", 0), None);
    }
}
