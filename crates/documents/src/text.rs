//! Plain text and source code, and the encoding of any text.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::blocks::Blocks;
use crate::{Document, Kind, Limits, Refusal};

/// Enough of a text to guess its encoding.
const SAMPLE: usize = 64 * 1024;

/// The text of bytes whose encoding is told by a mark at their beginning, or else guessed.
pub(crate) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(encoding) = wide(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(SAMPLE)], bytes.len() <= SAMPLE);
    let encoding = detector.guess(None, Utf8Detection::Allow);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-16 without a mark: every other byte of Western text is zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(512) & !1];
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (first, second, half) = (zeros(0), zeros(1), sample.len() / 2);
    match (first * 10 > half * 7, second * 10 > half * 7) {
        (true, false) if second == 0 => Some(UTF_16BE),
        (false, true) if first == 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// A paragraph is what stands between blank lines.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut blocks = Blocks::new(limits);
    paragraphs(&decode(bytes), &mut blocks)?;
    blocks.finish(Kind::Text, None)
}

pub(crate) fn paragraphs(text: &str, blocks: &mut Blocks) -> Result<(), Refusal> {
    each_group(text, |_| true, |group| blocks.paragraph(group))
}

/// A piece of code ends at a blank line before a line that is not indented.
pub(crate) fn code(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    let mut blocks = Blocks::new(limits);
    let begins = |line: &str| !line.starts_with([' ', '\t', '}', ')', ']']);
    each_group(&decode(bytes), begins, |group| blocks.lines(group))?;
    blocks.finish(Kind::Code, None)
}

/// Cuts at the blank lines after which a line stands that `begins` a group.
fn each_group(
    text: &str,
    begins: impl Fn(&str) -> bool,
    mut each: impl FnMut(&str) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let (mut start, mut at, mut after_blank) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let is_blank = line.trim().is_empty();
        if after_blank && !is_blank && begins(line) {
            each(&text[start..at])?;
            start = at;
        }
        after_blank = is_blank;
        at += line.len();
    }
    each(&text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_or_guessed() {
        assert_eq!(decode(b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe"), "Grüße");
        assert_eq!(decode(b"\xff\xfeG\0r\0\xfc\0"), "Grü");
        assert_eq!(decode(b"\0G\0r\0\xfc\0n\0e\0 \0B\0a\0u\0m"), "Grüne Baum");
        assert_eq!(
            decode(b"Die gr\xfcnen \xc4pfel kosten f\xfcnf Euro."),
            "Die grünen Äpfel kosten fünf Euro."
        );
        let (russian, _, _) =
            encoding_rs::WINDOWS_1251.encode("Привет, это обычный текст на русском языке.");
        assert_eq!(decode(&russian), "Привет, это обычный текст на русском языке.");
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode("これは普通の日本語の文章です。");
        assert_eq!(decode(&japanese), "これは普通の日本語の文章です。");
    }
}
