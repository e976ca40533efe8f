//! Words, as a search sees them: without case and accents. Scripts that put no blanks between words
//! count by the character.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A longer word is known by its beginning: nobody types more, and a file in a message is one word.
const WORD_CHARS: usize = 64;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) folded: String,
    /// Where it stands, in bytes.
    pub(crate) place: Range<usize>,
}

/// The words of a text, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut rest = text.char_indices().peekable();
    let all = std::iter::from_fn(move || {
        let (start, first) = rest.find(|(_, char)| char.is_alphanumeric())?;
        let stands_alone = is_alone(first);
        let mut end = start + first.len_utf8();
        while let Some((at, char)) = rest.next_if(|(_, char)| {
            is_combining_mark(*char)
                || (!stands_alone && char.is_alphanumeric() && !is_alone(*char))
        }) {
            end = at + char.len_utf8();
        }
        Some(Word { folded: fold(&text[start..end]), place: start..end })
    });
    all.filter(|word| !word.folded.is_empty())
}

/// The words of a text with one blank between them.
pub(crate) fn folded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for word in words(text) {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word.folded);
    }
    all
}

/// Whether a character is of a script that is written without blanks.
fn is_alone(char: char) -> bool {
    matches!(char,
        // Thai and Lao; Myanmar; Khmer
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Kana; Han
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word[..word.len().min(WORD_CHARS)].to_ascii_lowercase();
    }
    let plain = word.nfkd().filter(|char| !is_combining_mark(*char)).flat_map(char::to_lowercase);
    // Lower case can have a mark of its own (İ), and what is compatible can be no letter.
    plain
        .filter(|char| char.is_alphanumeric() && !is_combining_mark(*char))
        .take(WORD_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_have_no_case_no_accents_and_no_signs() {
        assert_eq!(all("Don't  PANIC, Zoë—x2!"), ["don", "t", "panic", "zoe", "x2"]);
        assert_eq!(all("u\u{308}ber = über, ΣΊΣΥΦΟΣ, İ"), ["uber", "uber", "σισυφοσ", "i"]);
        assert_eq!(all(" \"*-:()' "), [""; 0]);
    }

    #[test]
    fn scripts_without_blanks_count_by_the_character() {
        assert_eq!(all("去北京abc"), ["去", "北", "京", "abc"]);
        assert_eq!(all("한국어 검색").len(), 2);
    }

    #[test]
    fn a_word_knows_its_place_and_a_long_one_only_its_beginning() {
        let text = format!("– é{} z", "a".repeat(100));
        let found: Vec<_> = words(&text).collect();
        assert_eq!(&text[found[0].place.clone()], &text["– ".len().."– é".len() + 100]);
        assert_eq!(found[0].folded, format!("e{}", "a".repeat(63)));
        assert_eq!(found[1].folded, "z");
    }
}
