//! What the quotes model writes. Pure.

use std::fmt::Write as _;

use unbroken_protocol::Citation;

use crate::Given;

use super::guide::{Passage, topics};
use super::index::Hit;

const WHO_SPEAKS: &str = "I am not a language model: I quote Unbroken's own guide. To talk with a \
    model, set `OPENAI_API_KEY` or `OPENAI_BASE_URL` and restart, or start Ollama on this machine.";

const WHO_QUOTES: &str = "I am not a language model: I quote the sources that you chose. To have \
    them explained, choose a model.";

/// How many passages of given sources are quoted.
const QUOTED: usize = 3;

/// The passages that are quoted: the best, and others that come near it.
pub(crate) fn worth_quoting(mut hits: Vec<Hit>) -> Vec<Hit> {
    let best = hits.first().map_or(0.0, |hit| hit.score);
    hits.retain(|hit| hit.score >= best * 0.5);
    hits
}

pub(crate) fn citation(index: u32, passage: &Passage, score: f64) -> Citation {
    Citation {
        index,
        source_type: "guide".to_owned(),
        title: passage.title(),
        url: None,
        file_id: None,
        page: None,
        passage: None,
        quote: passage.body.clone(),
        score: Some(score),
    }
}

/// The whole answer as Markdown.
pub(crate) fn text(passages: &[&Passage]) -> String {
    let mut text = WHO_SPEAKS.to_owned();
    if passages.is_empty() {
        text.push_str("\n\nI found nothing about that in the guide. Its topics are:\n");
        for topic in topics() {
            let _ = write!(text, "\n- {topic}");
        }
        return text;
    }
    for (index, passage) in (1..).zip(passages) {
        let _ = write!(text, "\n\n**{}** [{index}]\n\n{}", passage.title(), quoted(&passage.body));
    }
    text
}

/// The whole answer from passages that were given: those that fit the question best, or else the
/// first ones.
pub(crate) fn from_sources(given: &[Given]) -> String {
    let mut best: Vec<&Given> = given.iter().collect();
    best.sort_by(|one, other| other.score.unwrap_or(0.0).total_cmp(&one.score.unwrap_or(0.0)));
    let least = best.first().and_then(|best| best.score).unwrap_or(0.0) * 0.5;
    best.retain(|given| given.score.unwrap_or(0.0) >= least);
    let mut text = WHO_QUOTES.to_owned();
    if least <= 0.0 {
        text.push_str(" No word of your question is in them; this is how they begin:");
    }
    for given in best.into_iter().take(QUOTED) {
        let page = given.page.map(|page| format!(", page {page}")).unwrap_or_default();
        let (title, number) = (plain(&given.title), given.number);
        let _ = write!(text, "\n\n**{title}{page}** [{number}]\n\n{}", quoted(&given.text));
    }
    text
}

/// A name that says nothing to Markdown.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii_punctuation() && !".,-()".contains(char) {
            plain.push('\\');
        }
        plain.push(char);
    }
    plain
}

/// The text as it is streamed: each word with the white space after it.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

fn quoted(body: &str) -> String {
    let lines = body.lines().map(|line| format!("> {line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage() -> Passage {
        Passage { page: "Page".into(), heading: "Part".into(), body: "One.\n\n- two".into() }
    }

    #[test]
    fn a_passage_is_quoted_with_its_mark_and_heading() {
        let text = text(&[&passage()]);
        assert!(text.starts_with("I am not a language model"), "{text}");
        assert!(text.ends_with("\n\n**Page: Part** [1]\n\n> One.\n>\n> - two"), "{text}");
    }

    #[test]
    fn nothing_found_lists_the_topics() {
        let text = text(&[]);
        assert!(text.contains("I found nothing") && text.contains("\n- Add a model"), "{text}");
    }

    #[test]
    fn the_words_are_the_text() {
        let text = text(&[&passage()]);
        assert_eq!(words(&text).collect::<String>(), text);
    }
}
