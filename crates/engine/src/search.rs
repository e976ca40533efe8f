//! Searching: which of a person's texts fit a query, which fit best, and the piece of each that
//! shows it.

use std::collections::HashSet;
use std::ops::Range;

use unbroken_protocol::{PrincipalId, SearchHit, SearchPage};
use unbroken_store::{Hit, Query};

use crate::Engine;
use crate::error::Refusal;

/// Hits in a page at most, and when nobody says.
const LIMIT: u32 = 100;
const LIMIT_DEFAULT: u32 = 20;

/// A snippet's length, and how much of it stands before the first mark, in characters.
const SNIPPET: usize = 200;
const BEFORE: usize = 60;

/// The constants of BM25: how soon more of the same word counts less, and how much length counts.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;

impl Engine {
    /// A page of a person's messages and titles in which all of `text` is, the best first.
    pub async fn search(
        &self,
        principal: PrincipalId,
        text: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<SearchPage, Refusal> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT) as usize;
        let unusable = |_| Refusal::BadRequest("The cursor is unusable: it is no number.".into());
        let skipped: usize = cursor.map_or(Ok(0), |cursor| cursor.parse().map_err(unusable))?;
        let Some(query) = Query::parse(text) else {
            return Ok(SearchPage { hits: Vec::new(), next_cursor: None });
        };
        self.inner.writer.indexed().await;
        let found = self.store().search(principal, &query).await?;
        let found = ranked(without_known_titles(found), &query);
        let left = found.len().saturating_sub(skipped);
        let next_cursor = (left > limit).then(|| (skipped + limit).to_string());
        let mut hits = Vec::with_capacity(left.min(limit));
        for hit in found.into_iter().skip(skipped).take(limit) {
            hits.push(self.show(hit, &query).await?);
        }
        Ok(SearchPage { hits, next_cursor })
    }

    async fn show(&self, hit: Hit, query: &Query) -> Result<SearchHit, Refusal> {
        let mut text = hit.beginning;
        let mut places = query.places(&text);
        // What was found may stand further on.
        if let Some((id, _)) = hit.message
            && places.is_empty()
            && let Some(message) = self.store().message(id).await?
        {
            text = message.content;
            places = query.places(&text);
        }
        let (snippet, marks) = snippet(&text, &places);
        Ok(SearchHit {
            conversation_id: hit.conversation_id,
            title: hit.title,
            message_id: hit.message.map(|(id, _)| id),
            role: hit.message.map(|(_, role)| role),
            timestamp: hit.at,
            snippet,
            marks,
        })
    }
}

/// A title is a hit only where no message of its conversation is: it is mostly such a message's
/// first line, and stands above every snippet anyway.
fn without_known_titles(mut hits: Vec<Hit>) -> Vec<Hit> {
    let messages = hits.iter().filter(|hit| hit.message.is_some());
    let known: HashSet<_> = messages.map(|hit| hit.conversation_id).collect();
    hits.retain(|hit| hit.message.is_some() || !known.contains(&hit.conversation_id));
    hits
}

/// As BM25 ranks, among the hits alone: each of them holds all of the query, so no phrase tells
/// more than another. What fits equally well stays in order, the newest first.
fn ranked(hits: Vec<Hit>, query: &Query) -> Vec<Hit> {
    let counts: Vec<_> = hits.iter().map(|hit| query.counts(&hit.beginning)).collect();
    let all: usize = counts.iter().map(|(_, words)| *words).sum();
    let average = real(all) / real(hits.len().max(1));
    let mut scored: Vec<_> = hits
        .into_iter()
        .zip(counts)
        .map(|(hit, (counts, words))| {
            let weight = SATURATION * (1.0 - LENGTH + LENGTH * real(words) / average.max(1.0));
            let count = |count: usize| real(count) / (real(count) + weight);
            (counts.into_iter().map(count).sum::<f64>(), hit)
        })
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored.into_iter().map(|(_, hit)| hit).collect()
}

#[expect(clippy::cast_precision_loss, reason = "words of 500 texts are far fewer than 2^52")]
fn real(count: usize) -> f64 {
    count as f64
}

/// A line of the text around the first place, and where the places are in it.
fn snippet(text: &str, places: &[Range<usize>]) -> (String, Vec<(usize, usize)>) {
    let first = places.first().map_or(0, |place| place.start);
    let start = start_of_snippet(text, first);
    let mut line: String = if start > 0 { "…".into() } else { String::new() };
    let mut places = places.iter().peekable();
    let mut marks = Vec::new();
    let mut length = line.chars().count();
    for (at, char) in text[start..].char_indices().map(|(at, char)| (start + at, char)) {
        if places.peek().is_some_and(|place| at >= place.end) {
            end_mark(&mut marks, length);
            places.next();
        }
        if length >= SNIPPET {
            line.push('…');
            break;
        }
        if places.peek().is_some_and(|place| place.start == at) {
            marks.push((length, SNIPPET));
        }
        line.push(if char.is_whitespace() || char.is_control() { ' ' } else { char });
        length += 1;
    }
    end_mark(&mut marks, length);
    (line, marks)
}

/// A mark that has no end yet gets one.
fn end_mark(marks: &mut [(usize, usize)], end: usize) {
    if let Some(last) = marks.last_mut() {
        last.1 = last.1.min(end);
    }
}

/// Some characters before `first`, at the beginning of a word.
fn start_of_snippet(text: &str, first: usize) -> usize {
    let Some((earliest, _)) = text[..first].char_indices().rev().nth(BEFORE) else { return 0 };
    let blank = text[earliest..first].find(char::is_whitespace);
    let after = |at: usize| {
        let rest = &text[earliest + at..first];
        earliest + at + (rest.len() - rest.trim_start().len())
    };
    blank.map_or(earliest, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(query: &str, text: &str) -> (String, Vec<String>) {
        let places = Query::parse(query).expect("it has words").places(text);
        let (line, marks) = snippet(text, &places);
        let cut = |(from, to): (usize, usize)| line.chars().skip(from).take(to - from).collect();
        let marked = marks.into_iter().map(cut).collect();
        (line, marked)
    }

    #[test]
    fn a_snippet_is_one_line_of_text_with_marks_as_ranges() {
        let (line, marked) = shown("zoe <b>", "Dear\n<b>Zoë</b>,\thow are you?");
        assert_eq!(line, "Dear <b>Zoë</b>, how are you?");
        assert_eq!(marked, ["b", "Zoë", "b"]);
    }

    #[test]
    fn a_snippet_begins_and_ends_where_the_words_are() {
        let text = format!("{}whale{}", "söme words ".repeat(50), " and möre".repeat(50));
        let (line, marked) = shown("whale", &text);
        assert!(line.starts_with("…") && line.ends_with('…'), "{line}");
        assert!(line.chars().count() <= SNIPPET + 1, "{line}");
        assert_eq!(marked, ["whale"]);
        let (line, marked) = shown("aa", &"a".repeat(500));
        assert_eq!((line.chars().count(), marked[0].chars().count()), (SNIPPET + 1, SNIPPET));
    }
}
