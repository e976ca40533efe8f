//! How well passages fit a question that are in no store.

use crate::words::words;
use crate::{Passage, Terms};

/// How soon further mentions of a word count less, and how much a long passage counts less: the
/// usual values of BM25.
const K: f64 = 1.2;
const B: f64 = 0.75;

/// The passages in which a word of the question is, the best first: their places in the list.
/// Ranked by BM25 over folded words, without stems (Robertson and Zaragoza, 2009).
pub fn rank(passages: &[Passage], terms: &Terms) -> Vec<usize> {
    let texts = passages.iter().map(|passage| {
        let said = words(&passage.heading).chain(words(&passage.text));
        said.map(|word| word.folded).collect::<Vec<_>>()
    });
    let texts: Vec<Vec<String>> = texts.collect();
    let all: usize = texts.iter().map(Vec::len).sum();
    let mean = as_f64(all) / as_f64(texts.len()).max(1.0);
    let mut scores = vec![0.0; texts.len()];
    for term in terms.iter() {
        let counts: Vec<f64> = texts
            .iter()
            .map(|text| as_f64(text.windows(term.len()).filter(|part| *part == term).count()))
            .collect();
        let with = as_f64(counts.iter().filter(|count| **count > 0.0).count());
        let rarity = (1.0 + (as_f64(texts.len()) - with + 0.5) / (with + 0.5)).ln();
        for ((score, count), text) in scores.iter_mut().zip(&counts).zip(&texts) {
            let length = 1.0 - B + B * as_f64(text.len()) / mean.max(1.0);
            *score += rarity * count * (K + 1.0) / (count + K * length);
        }
    }
    let mut places: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > 0.0).collect();
    // The sort is stable: of equals the earlier one comes first.
    places.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    places
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
        let ranked = |question| rank(&passages, &Terms::of(question).unwrap());
        assert_eq!(ranked("Which krill do whales eat?")[0], 2);
        assert_eq!(ranked("krill"), [2, 3]);
        assert_eq!(ranked("WHALES"), [2, 0], "the shorter one says more of them");
        assert_eq!(ranked("elephants"), [0_usize; 0]);
        assert_eq!(rank(&[], &Terms::of("krill").unwrap()), [0_usize; 0]);
    }
}
