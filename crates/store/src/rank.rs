//! How well passages fit a question that are in no store.

use crate::words::words;
use crate::{Passage, Terms};

/// How soon further mentions of a word count less, and how much a long passage counts less: the
/// usual values of BM25.
const K: f64 = 1.2;
const B: f64 = 0.75;

/// The passages in which a word of the question is, the best first: their places in the list, and
/// how well they fit. Ranked by BM25 over folded words, without stems (Robertson and Zaragoza,
/// 2009).
pub fn rank(passages: &[Passage], terms: &Terms) -> Vec<(usize, f64)> {
    let counted: Vec<_> = passages.iter().map(|passage| Counted::of(passage, terms)).collect();
    let all = as_f64(counted.len());
    let mean = counted.iter().map(|counted| as_f64(counted.words)).sum::<f64>() / all.max(1.0);
    let mut scores = vec![0.0; counted.len()];
    for term in 0..terms.count() {
        let with = as_f64(counted.iter().filter(|counted| counted.terms[term] > 0).count());
        let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
        for (score, counted) in scores.iter_mut().zip(&counted) {
            let count = as_f64(counted.terms[term]);
            let length = 1.0 - B + B * as_f64(counted.words) / mean.max(1.0);
            *score += rarity * count * (K + 1.0) / (count + K * length);
        }
    }
    let mut ranked: Vec<_> =
        scores.into_iter().enumerate().filter(|(_, score)| *score > 0.0).collect();
    // The sort is stable: of equals the earlier one comes first.
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked
}

/// What of a passage counts.
struct Counted {
    words: usize,
    /// How often each term is in it.
    terms: Vec<usize>,
}

impl Counted {
    fn of(passage: &Passage, terms: &Terms) -> Self {
        let said = words(&passage.heading).chain(words(&passage.text));
        let said: Vec<String> = said.map(|word| word.folded).collect();
        let count = |term: &[String]| said.windows(term.len()).filter(|part| *part == term).count();
        Self { words: said.len(), terms: terms.iter().map(count).collect() }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53 words")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(ordinal: u32, heading: &str, text: &str) -> Passage {
        Passage { ordinal, page: None, heading: heading.into(), text: text.into() }
    }

    #[test]
    fn rare_words_and_headings_count_and_passages_without_any_are_left_out() {
        let passages = [
            passage(0, "", "The sea is wide and the whales are many."),
            passage(1, "", "Nothing of the kind."),
            passage(2, "", "Whales eat krill."),
            passage(3, "Krill", "It is small, and lives in the sea."),
        ];
        let ranked = |question| -> Vec<usize> {
            let ranked = rank(&passages, &Terms::of(question).unwrap());
            assert!(ranked.is_sorted_by(|(_, one), (_, other)| one >= other));
            ranked.into_iter().map(|(at, _)| at).collect()
        };
        assert_eq!(ranked("Which krill do whales eat?")[0], 2);
        assert_eq!(ranked("krill"), [2, 3]);
        assert_eq!(ranked("WHALES"), [2, 0], "the shorter one says more of them");
        assert_eq!(ranked("elephants"), [0_usize; 0]);
        assert_eq!(rank(&[], &Terms::of("krill").unwrap()), []);
    }
}
