//! A long paragraph's HTML in stretches, of which each can be put into the page by itself.

/// Elements that have no end.
const VOID: [&str; 3] = ["br", "img", "input"];

/// The beginning of what is inside a paragraph: about so many bytes, up to where no element is open.
/// It ends after a word, but twice as long a one without a space is cut.
pub fn stretch(html: &str, bytes: usize) -> &str {
    let (mut open, mut at) = (0_usize, 0);
    while at < html.len() {
        let rest = &html[at..];
        if let Some((tag, _)) = rest.strip_prefix('<').and_then(|tag| tag.split_once('>')) {
            open = open.saturating_add_signed(step(tag));
            at += tag.len() + 2;
        } else {
            let next = rest.bytes().skip(1).position(|byte| byte == b'<');
            let text = &rest[..next.map_or(rest.len(), |at| at + 1)];
            let end = if open == 0 { end_in(text, bytes.saturating_sub(at), bytes) } else { None };
            if let Some(end) = end {
                return &html[..at + end];
            }
            at += text.len();
        }
        if open == 0 && at >= 2 * bytes {
            return &html[..at];
        }
    }
    html
}

/// How many more elements are open after this tag.
fn step(tag: &str) -> isize {
    let name = tag.split([' ', '/']).next().unwrap_or_default();
    match tag {
        _ if tag.starts_with('/') => -1,
        _ if tag.ends_with('/') || VOID.contains(&name) => 0,
        _ => 1,
    }
}

/// The end of the first word that ends after `from`, or of what is `bytes` longer.
fn end_in(text: &str, from: usize, bytes: usize) -> Option<usize> {
    let from = text.ceil_char_boundary(from);
    let most = text.floor_char_boundary(from + bytes);
    let space = |letter: char| letter.is_whitespace();
    if let Some(end) = text[from..most].find(space) {
        return Some(text.ceil_char_boundary(from + end + 1));
    }
    let cut = &text[..most];
    let entity = cut.rfind('&').filter(|start| !cut[*start..].contains(';'));
    (most < text.len()).then(|| entity.unwrap_or(most)).filter(|end| *end > 0)
}
