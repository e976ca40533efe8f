//! What a question is looked up by: its words, any of them, the more the better.

use crate::words::words;

/// Terms that are taken from a question; what comes after them is left out.
const TERMS: usize = 48;

/// Words that say nothing about what is asked.
const STOP_WORDS: &str = " a about all also am an and any are as at be been but by can could did do \
    does for from get give had has have he her here him his how i if in into is it its just know \
    let like make may me mean might more most my no not of on or our out please say she should so \
    some such tell than that the their them then there these they this those to too up us use want \
    was we were what when where which who whom why will with would yes you your ";

/// The words of a question, without those that every text has. Characters of scripts that are
/// written without blanks count by pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms(Vec<Vec<String>>);

impl Terms {
    /// `None` when there is no word in the question. One of stop words alone is taken as it is.
    pub fn of(question: &str) -> Option<Self> {
        let mut terms = terms(question, |word| !STOP_WORDS.contains(&format!(" {word} ")));
        if terms.is_empty() {
            terms = self::terms(question, |_| true);
        }
        (!terms.is_empty()).then_some(Self(terms))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The terms of this question, and then those of another that are not among them.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for term in other.0 {
            if self.0.len() < TERMS && !self.0.contains(&term) {
                self.0.push(term);
            }
        }
        self
    }

    /// Each term as its folded words.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The terms as an expression of FTS5: any of them.
    pub(crate) fn to_fts(&self) -> String {
        let phrase = |term: &Vec<String>| format!("\"{}\"", term.join(" "));
        self.0.iter().map(phrase).collect::<Vec<_>>().join(" OR ")
    }

    /// How many of the terms are in a text.
    pub(crate) fn count_in(&self, text: &str) -> usize {
        let text: Vec<_> = words(text).map(|word| word.folded).collect();
        let is_in = |term: &&Vec<String>| text.windows(term.len()).any(|part| part == **term);
        self.0.iter().filter(is_in).count()
    }
}

fn terms(question: &str, wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut terms: Vec<Vec<String>> = Vec::new();
    let mut before: Option<(String, usize)> = None;
    for word in words(question) {
        let (start, end) = (word.place.start, word.place.end);
        let is_alone = question[start..end].chars().count() == 1 && !word.folded.is_ascii();
        let pair = before.take().filter(|(_, ended)| is_alone && *ended == start);
        if is_alone {
            before = Some((word.folded.clone(), end));
        }
        let term = match pair {
            Some((first, _)) => {
                // The first of a pair does not stand by itself.
                if terms.last().is_some_and(|last| last.len() == 1 && last[0] == first) {
                    terms.pop();
                }
                vec![first, word.folded]
            }
            None => vec![word.folded],
        };
        if (term.len() > 1 || wanted(&term[0])) && !terms.contains(&term) {
            terms.push(term);
        }
        if terms.len() == TERMS {
            break;
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fts(question: &str) -> Option<String> {
        Terms::of(question).map(|terms| terms.to_fts())
    }

    #[test]
    fn a_question_becomes_any_of_its_words() {
        assert_eq!(fts("How do I add a Modèle?").as_deref(), Some(r#""add" OR "modele""#));
        assert_eq!(fts("\"a\" AND NEAR(model*)").as_deref(), Some(r#""near" OR "model""#));
        assert_eq!(fts("What can you do?").as_deref(), Some(r#""what" OR "can" OR "you" OR "do""#));
        assert_eq!(fts("¿?! \u{0}"), None);
    }

    #[test]
    fn scripts_without_blanks_count_by_pairs() {
        assert_eq!(fts("去北京 abc").as_deref(), Some(r#""去 北" OR "北 京" OR "abc""#));
        assert_eq!(fts("水").as_deref(), Some(r#""水""#));
        assert_eq!(Terms::of("去北京").unwrap().count_in("我们去北京了"), 2);
    }

    #[test]
    fn another_question_adds_what_is_new() {
        let both = Terms::of("second whale").unwrap().and(Terms::of("whale ship").unwrap());
        assert_eq!((both.count(), both.to_fts().as_str()), (3, r#""second" OR "whale" OR "ship""#));
    }

    proptest! {
        #[test]
        fn no_question_breaks_the_quotes(question in any::<String>()) {
            if let Some(query) = fts(&question) {
                for term in query.split(" OR ") {
                    let inner = &term[1..term.len() - 1];
                    prop_assert!(!inner.is_empty() && !inner.contains('"'));
                }
            }
        }
    }
}
