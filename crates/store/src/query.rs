//! What a person searches for: words, "phrases", and a last word that may not be finished.

use std::ops::Range;

use crate::words::{Word, words};

/// Words in a query; what comes after them is left out.
const WORDS: usize = 32;
/// Shorter than this an unfinished word begins too many others, in characters.
const BEGINNING: usize = 2;

/// All of its phrases must be in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    phrases: Vec<Phrase>,
}

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Phrase {
    words: Vec<String>,
    /// The last word may go on.
    begins: bool,
}

impl Query {
    /// Reads what a person typed. Every text is a query; signs mean nothing but for quotes.
    ///
    /// `None` when there is no word in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut phrases = Vec::new();
        let mut left = WORDS;
        for (number, part) in text.split(['"', '“', '”', '„']).enumerate() {
            let is_quoted = number % 2 == 1;
            let pieces = if is_quoted { vec![part] } else { part.split_whitespace().collect() };
            for piece in pieces {
                let found: Vec<_> = words(piece).map(|word| word.folded).take(left).collect();
                left -= found.len();
                if !found.is_empty() {
                    phrases.push((Phrase { words: found, begins: false }, is_quoted));
                }
            }
        }
        let (last, is_quoted) = phrases.last_mut()?;
        let is_long = last.words.last().is_some_and(|word| word.chars().count() >= BEGINNING);
        last.begins = !*is_quoted && is_long;
        Some(Self { phrases: phrases.into_iter().map(|(phrase, _)| phrase).collect() })
    }

    /// Whether all phrases are in a text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<_> = words(text).collect();
        self.phrases.iter().all(|phrase| phrase.places(&text).next().is_some())
    }

    /// How often each phrase is in a text, and how many words the text has.
    pub fn counts(&self, text: &str) -> (Vec<usize>, usize) {
        let text: Vec<_> = words(text).collect();
        (self.phrases.iter().map(|phrase| phrase.places(&text).count()).collect(), text.len())
    }

    /// Where the phrases stand in a text, in bytes; in order, and none in another.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let text: Vec<_> = words(text).collect();
        let mut all: Vec<_> = self.phrases.iter().flat_map(|phrase| phrase.places(&text)).collect();
        all.sort_by_key(|place| (place.start, place.end));
        let mut places: Vec<Range<usize>> = Vec::with_capacity(all.len());
        for place in all {
            match places.last_mut() {
                Some(last) if place.start < last.end => last.end = last.end.max(place.end),
                _ => places.push(place),
            }
        }
        places
    }

    /// The query in the language of FTS5. Folded words hold no sign that means anything there.
    pub(crate) fn to_fts(&self) -> String {
        let phrase = |phrase: &Phrase| {
            let begins = if phrase.begins { " *" } else { "" };
            format!("\"{}\"{begins}", phrase.words.join(" "))
        };
        self.phrases.iter().map(phrase).collect::<Vec<_>>().join(" AND ")
    }
}

impl Phrase {
    fn places<'a>(&'a self, text: &'a [Word]) -> impl Iterator<Item = Range<usize>> + 'a {
        let here = text.windows(self.words.len()).filter(|here| self.is(here));
        here.filter_map(|here| Some(here.first()?.place.start..here.last()?.place.end))
    }

    fn is(&self, here: &[Word]) -> bool {
        let last = self.words.len() - 1;
        self.words.iter().zip(here).enumerate().all(|(number, (word, found))| {
            let goes_on = self.begins && number == last;
            if goes_on { found.folded.starts_with(word) } else { found.folded == *word }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fts(text: &str) -> String {
        Query::parse(text).map(|query| query.to_fts()).unwrap_or_default()
    }

    #[test]
    fn every_text_is_a_query_and_signs_mean_nothing() {
        assert_eq!(fts("Hello wor"), r#""hello" AND "wor" *"#);
        assert_eq!(fts(r#"a "deep  Blue, sea" b"#), r#""a" AND "deep blue sea" AND "b""#);
        assert_eq!(
            fts(r#"NOT x* OR principal:y -("#),
            r#""not" AND "x" AND "or" AND "principal y""#
        );
        assert_eq!(fts(r#"an "open phrase"#), r#""an" AND "open phrase""#);
        assert_eq!(fts("don't"), r#""don t""#);
        assert_eq!(fts(r#" "" * ( "#), "");
        assert_eq!(fts(&"w ".repeat(99)).matches('w').count(), WORDS);
    }

    #[test]
    fn places_are_whole_phrases_and_only_the_last_word_goes_on() {
        let found = |query: &str, text: &str| -> Vec<String> {
            let query = Query::parse(query).expect("it has words");
            query.places(text).into_iter().map(|place| text[place].to_owned()).collect()
        };
        assert_eq!(found("blue wh", "Blueish blue, WHALE where"), ["blue", "WHALE", "where"]);
        assert_eq!(found("\"a b\"", "a x b a  b"), ["a  b"]);
        assert_eq!(found("\"a b\" \"b c\" cc", "a b c"), ["a b c"], "one in another is one");
        assert!(!Query::parse("blue sea").expect("it has words").matches("blue"));
    }
}
