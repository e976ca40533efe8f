//! Picks what is wanted out of JSON that may be anything.

use serde_json::Value;
use unbroken_protocol::{Citation, Timestamp};

/// Pages that one entry refers to.
const CITATIONS: usize = 200;
/// Characters that are kept of what a page says.
const QUOTE_CHARS: usize = 1000;

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text that is not empty.
pub(super) fn word(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A time as seconds, as milliseconds, or as RFC 3339.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    if let Some(text) = value.as_str() {
        return serde_json::from_value(Value::from(text)).ok();
    }
    let number = value.as_f64().filter(|number| *number > 0.0)?;
    // No chat is older than 1970-04: what is larger than that in seconds counts milliseconds.
    let millis = if number < 1e11 { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "a cast keeps within the range")]
    Some(Timestamp::from_millis(millis.round() as i64))
}

/// Code as Markdown; nothing in it ends the fence.
pub(super) fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{fence}{language}\n{}\n{fence}", code.trim_end())
}

/// What stands for something that is not brought along.
pub(super) fn left_out(what: &str, name: &str) -> String {
    let name: String = name.chars().filter(|char| !char.is_control()).take(120).collect();
    if name.is_empty() {
        format!("[{what}: not imported]")
    } else {
        format!("[{what}: {name}, not imported]")
    }
}

/// Parts of a message with a blank line between them.
pub(super) fn joined(parts: Vec<String>) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    parts.join("\n\n")
}

/// The number of a page among those that a text refers to, to which it is added when it is new.
/// `None` when it is no page of the web.
pub(super) fn cited(citations: &mut Vec<Citation>, page: &Value) -> Option<u32> {
    let url = word(&page["url"]).filter(|url| is_web(url))?;
    let known = citations.iter().find(|citation| citation.url.as_deref() == Some(&*url));
    if let Some(known) = known {
        return Some(known.index);
    }
    if citations.len() >= CITATIONS {
        return None;
    }
    let index = u32::try_from(citations.len() + 1).ok()?;
    let said = word(&page["snippet"]).or_else(|| word(&page["cited_text"])).unwrap_or_default();
    citations.push(Citation {
        index,
        source_type: "web".into(),
        title: word(&page["title"]).unwrap_or_else(|| url.clone()),
        url: Some(url),
        file_id: None,
        page: None,
        passage: None,
        quote: said.chars().take(QUOTE_CHARS).collect(),
        score: None,
    });
    Some(index)
}

pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// Text out of HTML.
pub(super) fn unescaped(text: &str) -> String {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'")];
    let text = entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    // Last: what it stands for is no beginning of another one.
    text.replace("&amp;", "&")
}
