//! The search: what was asked for, what was found, and answers that come too late.

use unbroken_protocol::{ConversationId, SearchHit, SearchPage};

/// A search that is under way or done.
#[derive(Clone, Debug, Default)]
pub struct Search {
    query: String,
    /// Counts what was asked for: only the answer to the last question counts.
    asked: u64,
    /// The question that is shown.
    answered: u64,
    hits: Vec<SearchHit>,
    next_cursor: Option<String>,
    failed: bool,
}

/// What is to be asked: for `number`, the page after `cursor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub number: u64,
    pub query: String,
    pub cursor: Option<String>,
}

/// What was found in one conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub conversation_id: ConversationId,
    pub title: String,
    pub hits: Vec<SearchHit>,
}

/// A piece of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub marked: bool,
}

impl Search {
    /// Another text in the field. What to ask, unless it is empty or the same.
    pub fn type_text(&mut self, text: &str) -> Option<Question> {
        let query = text.trim();
        if query == self.query {
            return None;
        }
        query.clone_into(&mut self.query);
        self.asked += 1;
        if query.is_empty() {
            *self = Self { asked: self.asked, answered: self.asked, ..Self::default() };
            return None;
        }
        Some(Question { number: self.asked, query: self.query.clone(), cursor: None })
    }

    /// Whether this is still what is wanted.
    pub fn wants(&self, question: &Question) -> bool {
        question.number == self.asked
    }

    /// What to ask for more, while there is more.
    pub fn more(&mut self) -> Option<Question> {
        if self.is_waiting() {
            return None;
        }
        let cursor = self.next_cursor.take()?;
        self.asked += 1;
        Some(Question { number: self.asked, query: self.query.clone(), cursor: Some(cursor) })
    }

    /// An answer, which counts only when nothing was asked since. `None` is a failure.
    pub fn answer(&mut self, question: &Question, page: Option<SearchPage>) {
        if !self.wants(question) {
            return;
        }
        self.answered = question.number;
        self.failed = page.is_none();
        let page = page.unwrap_or(SearchPage { hits: Vec::new(), next_cursor: None });
        if question.cursor.is_none() {
            self.hits.clear();
        }
        self.hits.extend(page.hits);
        self.next_cursor = page.next_cursor;
    }

    pub fn query(&self) -> &str {
        &self.query
    }

    pub fn is_waiting(&self) -> bool {
        self.asked != self.answered
    }

    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// What was found by conversation: first those whose title it is, else as the server ranks.
    pub fn found(&self) -> Vec<Found> {
        let (titles, messages): (Vec<_>, Vec<_>) =
            self.hits.iter().partition(|hit| hit.message_id.is_none());
        let mut all: Vec<Found> = Vec::new();
        for hit in titles.into_iter().chain(messages) {
            let id = hit.conversation_id;
            match all.iter_mut().find(|found| found.conversation_id == id) {
                Some(found) => found.hits.push(hit.clone()),
                None => all.push(Found {
                    conversation_id: id,
                    title: hit.title.clone(),
                    hits: vec![hit.clone()],
                }),
            }
        }
        all
    }
}

/// A snippet cut at its marks, which may be anything.
pub fn pieces(hit: &SearchHit) -> Vec<Piece> {
    let chars: Vec<char> = hit.snippet.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    let mut push = |from: usize, to: usize, marked: bool| {
        let text: String = chars.get(from..to).unwrap_or_default().iter().collect();
        if !text.is_empty() {
            all.push(Piece { text, marked });
        }
    };
    for &(from, to) in &hit.marks {
        let (from, to) = (from.clamp(at, chars.len()), to.clamp(at, chars.len()));
        push(at, from, false);
        push(from, to.max(from), true);
        at = to.max(from);
    }
    push(at, chars.len(), false);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unbroken_protocol::{MessageId, Timestamp};

    use super::*;

    fn hit(conversation: u8, message: Option<u8>) -> SearchHit {
        SearchHit {
            conversation_id: ConversationId::from_bytes([conversation; 16]),
            title: format!("Title {conversation}"),
            message_id: message.map(|id| MessageId::from_bytes([id; 16])),
            role: None,
            timestamp: Timestamp::from_millis(0),
            snippet: "a whale at sea".into(),
            marks: vec![(2, 7)],
        }
    }

    fn page(hits: Vec<SearchHit>, next: Option<&str>) -> SearchPage {
        SearchPage { hits, next_cursor: next.map(str::to_owned) }
    }

    #[test]
    fn an_old_answer_never_overtakes_a_new_one() {
        let mut search = Search::default();
        let old = search.type_text("wha").unwrap();
        let new = search.type_text(" whale ").unwrap();
        assert_eq!((new.query.as_str(), search.type_text("whale")), ("whale", None));
        search.answer(&new, Some(page(vec![hit(1, Some(1))], None)));
        search.answer(&old, Some(page(vec![hit(2, Some(2)), hit(3, None)], None)));
        assert_eq!(search.found().len(), 1);
        assert!(!search.is_waiting());
        let late = search.type_text("whales").unwrap();
        assert_eq!(search.type_text(""), None);
        search.answer(&late, Some(page(vec![hit(2, None)], None)));
        assert!(search.found().is_empty() && !search.is_waiting());
    }

    #[test]
    fn more_goes_behind_what_is_there_and_is_asked_once() {
        let mut search = Search::default();
        let first = search.type_text("whale").unwrap();
        assert_eq!(search.more(), None, "the first is not there yet");
        search.answer(&first, Some(page(vec![hit(1, Some(1)), hit(2, None)], Some("2"))));
        let more = search.more().unwrap();
        assert_eq!((more.cursor.as_deref(), search.more()), (Some("2"), None));
        search.answer(&more, Some(page(vec![hit(1, Some(3))], None)));
        let shown: Vec<_> =
            search.found().iter().map(|found| (found.title.clone(), found.hits.len())).collect();
        assert_eq!(shown, [("Title 2".to_owned(), 1), ("Title 1".to_owned(), 2)]);
        assert_eq!(search.more(), None);
    }

    #[test]
    fn a_failure_is_told_until_something_else_is_asked() {
        let mut search = Search::default();
        let question = search.type_text("whale").unwrap();
        search.answer(&question, None);
        assert!(search.has_failed() && search.found().is_empty());
        let again = search.type_text("whales").unwrap();
        search.answer(&again, Some(page(vec![], None)));
        assert!(!search.has_failed());
    }

    proptest! {
        #[test]
        fn pieces_are_the_snippet_whatever_the_marks(
            snippet in ".{0,40}",
            marks in prop::collection::vec((0..50_usize, 0..50_usize), 0..5),
        ) {
            let found = SearchHit { snippet: snippet.clone(), marks, ..hit(1, None) };
            let text: String = pieces(&found).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(text, snippet);
        }
    }
}
