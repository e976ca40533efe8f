//! A `content_chunk` without building a tree of its JSON: it is most of what a server sends.
//!
//! Only the spelling that our server writes is known here, without spaces and with the text first.
//! Any other goes the long way, through the protocol's types.

use memchr::memchr2;
use memchr::memmem::find;
use unbroken_protocol::{Epoch, Seq};

const BEGIN: &[u8] = br#"{"type":"content_chunk","content":""#;

/// What of a `content_chunk` is looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    /// The inside of the JSON string.
    pub(super) content: &'a [u8],
    pub(super) generation_id: &'a [u8],
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    pub(super) seq_from: Seq,
}

impl<'a> Chunk<'a> {
    pub(super) fn read(json: &'a [u8]) -> Option<Self> {
        let text = json.strip_prefix(BEGIN)?;
        let (content, rest) = text.split_at(string_end(text)?);
        let seq = number(rest, br#""seq":"#)?;
        Some(Self {
            content,
            generation_id: after(rest, br#""generation_id":""#)?.get(..36)?,
            epoch: number(rest, br#""epoch":"#)?.try_into().ok()?,
            seq,
            seq_from: number(rest, br#""seq_from":"#).unwrap_or(seq),
        })
    }
}

/// Where the quote is that ends a JSON string.
pub(super) fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn after<'a>(json: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    json.get(find(json, key)? + key.len()..)
}

fn number(json: &[u8], key: &[u8]) -> Option<u64> {
    let digits = after(json, key)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{
        At, ContentChunk, ConversationId, Event, GenerationId, MessageId, Timestamp,
    };

    use super::*;

    fn event(content: &str, seq_from: Option<u64>) -> (Event, String) {
        let at = At {
            generation_id: GenerationId::new(),
            conversation_id: ConversationId::new(),
            message_id: MessageId::new(),
            epoch: 3,
            seq: 41,
        };
        let (content, timestamp) = (content.to_owned(), Timestamp::from_millis(0));
        let chunk = ContentChunk { content, chunk_id: 41, timestamp, at, seq_from, offset: 7 };
        (Event::ContentChunk(chunk), at.generation_id.to_string())
    }

    #[test]
    fn what_the_server_writes_is_read_the_short_way() {
        for (content, inside, seq_from) in [
            ("17 ", "17 ", None),
            ("19 20\n", r"19 20\n", Some(40)),
            (r#"a "seq":9, \"#, r#"a \"seq\":9, \\"#, Some(39)),
        ] {
            let (event, generation) = event(content, seq_from);
            let json = serde_json::to_vec(&event).unwrap();
            let expected = Chunk {
                content: inside.as_bytes(),
                generation_id: generation.as_bytes(),
                epoch: 3,
                seq: 41,
                seq_from: seq_from.unwrap_or(41),
            };
            assert_eq!(Chunk::read(&json), Some(expected));
        }
    }

    #[test]
    fn another_spelling_goes_the_long_way() {
        for json in [
            r#"{"content":"1 ","type":"content_chunk","epoch":1,"seq":1}"#,
            r#"{"type":"content_chunk","content":"1 "#,
            r#"{"type":"content_chunk","content":"1 \"#,
            r#"{"type":"content_chunk","content":"1 ","seq":1"#,
            r#"{"type":"heartbeat"}"#,
        ] {
            assert_eq!(Chunk::read(json.as_bytes()), None, "{json}");
        }
    }
}
