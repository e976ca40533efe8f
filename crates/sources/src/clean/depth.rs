//! How deep a page is nested, told from its tags alone.

/// Elements that hold nothing, or that the next of their kind ends.
const FLAT: [&str; 35] = [
    "area", "base", "basefont", "body", "br", "col", "colgroup", "dd", "dt", "embed", "frame",
    "head", "hr", "html", "img", "input", "keygen", "li", "link", "meta", "optgroup", "option",
    "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track",
    "wbr",
];

/// Whether more than `limit` elements are open somewhere. Counts no more than tags that open and
/// tags that close, so a page that leaves very many open counts as deep.
pub(super) fn is_deeper(html: &str, limit: usize) -> bool {
    let mut depth = 0_usize;
    for at in memchr::memchr_iter(b'<', html.as_bytes()) {
        let tag = &html[at + 1..];
        let (closes, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let name = &tag[..end.unwrap_or(tag.len())];
        let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_tag || FLAT.iter().any(|flat| name.eq_ignore_ascii_case(flat)) {
            continue;
        }
        depth = if closes { depth.saturating_sub(1) } else { depth + 1 };
        if depth > limit {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_elements_are_counted_and_flat_ones_are_not() {
        assert!(is_deeper(&"<div>".repeat(11), 10));
        assert!(!is_deeper(&"<div>".repeat(10), 10));
        assert!(!is_deeper(&"<DIV class=a></div>".repeat(100), 10));
        assert!(!is_deeper(&"<p>a<br><LI>1 < 2 <- <3".repeat(100), 10));
        assert!(is_deeper(&"<my-box>".repeat(11), 10));
        assert!(!is_deeper("<", 0));
    }
}
