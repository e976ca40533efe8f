//! What the quotes model writes. Pure.

use std::fmt::Write as _;

use unbroken_protocol::Citation;

use super::guide::{Passage, topics};
use super::index::Hit;

const WHO_SPEAKS: &str = "I am not a language model: I quote Unbroken's own guide. To talk with a \
    model, set `OPENAI_API_KEY` or `OPENAI_BASE_URL` and restart, or start Ollama on this machine.";

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
