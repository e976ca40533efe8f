//! What is done with JSON that a parser refuses.

use crate::pieces::Scan;

/// Text in which every character is one: U+FFFD stands for bytes that are none, and for halves of a
/// pair.
pub(super) fn characters(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    let (mut out, mut rest) = (String::with_capacity(text.len()), &*text);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let end = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            _ => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        let (escape, after) = escape.split_at(end);
        out.push_str(escape);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The number behind `\u`.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// How deeply values are nested.
pub(super) fn depth(json: &str) -> usize {
    let mut scan = Scan::default();
    json.bytes().map(|byte| scan.depth_after(byte)).max().unwrap_or_default()
}

/// What a conversation seems to be called that cannot be read.
pub(super) fn title(json: &str) -> String {
    let keys = ["\"title\"", "\"name\""].into_iter();
    let after = keys.filter_map(|key| json.split_once(key)).map(|(_, after)| after);
    // The longest begins first.
    let value = after.max_by_key(|after| after.len());
    let value = value.and_then(|value| value.trim_start().strip_prefix(':'));
    let mut texts = serde_json::Deserializer::from_str(value.unwrap_or_default()).into_iter();
    texts.next().and_then(Result::ok).unwrap_or_default()
}
