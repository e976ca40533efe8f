//! The command palette: what a few typed words find among actions, models and conversations, best
//! first, and which of it is active.

use crate::fold::fold;

/// How many entries of one kind are shown at once.
const SHOWN: usize = 8;

/// What an entry does when it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An action of the app.
    Action,
    /// Answers come from this model from now on.
    Model,
    /// A conversation whose title is known.
    Conversation,
    /// A conversation in which the server found what was typed.
    Found,
}

/// One line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// What it is by: an action's id, a model's id, a conversation's id.
    pub id: String,
    pub name: String,
    /// Further words by which it is found. They are not shown.
    pub also: String,
    /// What stands beside it: its keys, or a piece of a message.
    pub note: String,
}

/// The palette's state. Within a kind, entries come in the order in which they were used last.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    entries: Vec<Entry>,
    query: String,
    /// Indices into `entries`: what is shown, in order.
    shown: Vec<usize>,
    /// A place in `shown`.
    active: usize,
}

impl Palette {
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut palette = Self { entries, ..Self::default() };
        palette.rank();
        palette
    }

    pub fn query(&self) -> &str {
        &self.query
    }

    /// Shows what these words find; the best is active.
    pub fn search(&mut self, query: &str) {
        query.clone_into(&mut self.query);
        self.entries.retain(|entry| entry.kind != Kind::Found);
        self.active = 0;
        self.rank();
    }

    /// Adds what the server found for the query. What was active stays so.
    pub fn found(&mut self, found: Vec<Entry>) {
        let active = self.active().map(|entry| (entry.kind, entry.id.clone()));
        self.entries.retain(|entry| entry.kind != Kind::Found);
        let known: Vec<_> = self.shown().map(|entry| entry.id.clone()).collect();
        self.entries.extend(found.into_iter().filter(|entry| !known.contains(&entry.id)));
        self.rank();
        let place = |(kind, id): (Kind, String)| {
            self.shown().position(|entry| entry.kind == kind && entry.id == id)
        };
        self.active = active.and_then(place).unwrap_or(0);
    }

    /// What is shown, in order; entries of a kind stand together.
    pub fn shown(&self) -> impl Iterator<Item = &Entry> {
        self.shown.iter().filter_map(|at| self.entries.get(*at))
    }

    /// The entry that Enter chooses.
    pub fn active(&self) -> Option<&Entry> {
        self.entries.get(*self.shown.get(self.active)?)
    }

    /// The place of the active entry among those that are shown.
    pub fn active_place(&self) -> Option<usize> {
        (self.active < self.shown.len()).then_some(self.active)
    }

    pub fn set_active(&mut self, place: usize) {
        self.active = place.min(self.shown.len().saturating_sub(1));
    }

    /// Moves the active entry, around the ends. `true` when the key was one of ours.
    pub fn key(&mut self, key: &str) -> bool {
        let count = self.shown.len();
        if count == 0 {
            return false;
        }
        self.active = match key {
            "ArrowDown" => (self.active + 1) % count,
            "ArrowUp" => (self.active + count - 1) % count,
            "PageDown" => (self.active + SHOWN).min(count - 1),
            "PageUp" => self.active.saturating_sub(SHOWN),
            _ => return false,
        };
        true
    }

    fn rank(&mut self) {
        let words = words(&self.query);
        let scored = |(at, entry): (usize, &Entry)| Some((at, score(&words, entry)?));
        let found: Vec<(usize, u32)> = self.entries.iter().enumerate().filter_map(scored).collect();
        let mut kinds = [Kind::Action, Kind::Conversation, Kind::Model, Kind::Found].map(|kind| {
            let is_kind = |(at, _): &&(usize, u32)| self.entries[*at].kind == kind;
            let mut of: Vec<_> = found.iter().filter(is_kind).copied().collect();
            of.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
            of.truncate(SHOWN);
            of
        });
        // The kind with the best entry comes first; of equals the one that is named first.
        kinds.sort_by_key(|of| std::cmp::Reverse(of.first().map_or(0, |(_, score)| *score)));
        // Models are many, and their picker is a click away.
        let all_fit = !words.is_empty();
        self.shown = kinds
            .concat()
            .into_iter()
            .map(|(at, _)| at)
            .filter(|at| all_fit || self.entries[*at].kind != Kind::Model)
            .collect();
    }
}

/// The words of a text, in which upper and lower case are the same.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// How well an entry fits: every word must be somewhere in it, in whichever order. `None` when
/// one is not.
fn score(query: &[String], entry: &Entry) -> Option<u32> {
    if entry.kind == Kind::Found {
        // The server has looked further than a name.
        return Some(0);
    }
    let (name, also) = (words(&entry.name), words(&entry.also));
    let initials: String = name.iter().filter_map(|word| word.chars().next()).collect();
    query.iter().map(|word| of_word(word, &name, &also, &initials)).sum()
}

fn of_word(word: &str, name: &[String], also: &[String], initials: &str) -> Option<u32> {
    let begins = |text: &String| text.starts_with(word);
    let score = match name {
        _ if name.iter().any(|text| text == word) => 6,
        [first, ..] if begins(first) => 5,
        _ if name.iter().any(begins) => 4,
        _ if also.iter().any(begins) => 3,
        _ if initials.starts_with(word) => 2,
        _ if name.iter().any(|text| text.contains(word)) => 1,
        _ => return None,
    };
    Some(score)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(kind: Kind, name: &str) -> Entry {
        Entry {
            kind,
            id: name.to_owned(),
            name: name.to_owned(),
            also: String::new(),
            note: String::new(),
        }
    }

    fn palette(names: &[&str]) -> Palette {
        Palette::new(names.iter().map(|name| entry(Kind::Action, name)).collect())
    }

    fn found<'p>(palette: &'p mut Palette, query: &str) -> Vec<&'p str> {
        palette.search(query);
        palette.shown().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn beginnings_come_before_what_is_inside_a_word_and_initials_count() {
        let mut palette = palette(&["Renew", "Search news", "New chat", "Copy the last answer"]);
        assert_eq!(found(&mut palette, "new"), ["New chat", "Search news", "Renew"]);
        assert_eq!(found(&mut palette, "NC"), ["New chat"]);
        assert_eq!(found(&mut palette, "answer cop"), ["Copy the last answer"]);
        assert_eq!(found(&mut palette, "answer paste"), [""; 0]);
    }

    #[test]
    fn the_kind_with_the_best_entry_comes_first_and_models_only_when_asked_for() {
        let entries = vec![
            entry(Kind::Action, "Stop the answer"),
            entry(Kind::Model, "llama"),
            entry(Kind::Conversation, "Llamas, and what they answer"),
        ];
        let mut palette = Palette::new(entries);
        assert_eq!(found(&mut palette, ""), ["Stop the answer", "Llamas, and what they answer"]);
        assert_eq!(found(&mut palette, "llama"), ["llama", "Llamas, and what they answer"]);
        assert_eq!(found(&mut palette, "answer").first(), Some(&"Stop the answer"));
    }

    #[test]
    fn what_the_server_finds_comes_last_and_moves_nothing_that_is_active() {
        let mut palette = Palette::new(vec![
            entry(Kind::Conversation, "Slow readers"),
            entry(Kind::Conversation, "Slow cooking"),
        ]);
        palette.search("slow");
        palette.key("ArrowDown");
        palette.found(vec![entry(Kind::Found, "Backpressure"), entry(Kind::Found, "Slow readers")]);
        let names: Vec<_> = palette.shown().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["Slow readers", "Slow cooking", "Backpressure"], "each once");
        assert_eq!(palette.active().unwrap().name, "Slow cooking");
        palette.search("slo");
        assert_eq!(palette.shown().count(), 2, "the next search begins anew");
    }

    #[test]
    fn arrows_go_around_the_ends() {
        let mut palette = palette(&["a", "b", "c"]);
        assert!(palette.key("ArrowUp"));
        assert_eq!(palette.active().unwrap().name, "c");
        palette.key("ArrowDown");
        assert_eq!(palette.active().unwrap().name, "a");
        palette.search("nothing");
        assert!(!palette.key("ArrowDown") && palette.active().is_none());
    }

    const NAME: &str = "[a-dA-D ]{1,12}";

    proptest! {
        #[test]
        fn the_order_of_the_words_does_not_matter(
            names in prop::collection::vec(NAME, 0..8),
            query in prop::collection::vec("[a-d]{1,3}", 1..4),
        ) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let mut palette = palette(&names);
            let mut turned = query.clone();
            turned.reverse();
            let before: Vec<_> =
                found(&mut palette, &query.join(" ")).into_iter().map(str::to_owned).collect();
            prop_assert_eq!(before, found(&mut palette, &turned.join(" ")));
        }

        #[test]
        fn a_letter_more_never_finds_more(
            names in prop::collection::vec(NAME, 0..8),
            query in "[a-d ]{0,5}",
            letter in "[a-d ]",
        ) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let mut palette = palette(&names);
            let before: Vec<_> = found(&mut palette, &query).into_iter().map(str::to_owned).collect();
            for name in found(&mut palette, &format!("{query}{letter}")) {
                prop_assert!(before.iter().any(|known| known == name));
            }
        }

        #[test]
        fn every_entry_is_found_by_the_beginnings_of_its_words(
            names in prop::collection::vec(NAME, 1..8),
            which in any::<prop::sample::Index>(),
            length in 1_usize..4,
        ) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let name = which.get(&names);
            let begun: Vec<_> = words(name).iter().map(|w| w.chars().take(length).collect::<String>()).collect();
            let mut palette = palette(&names);
            prop_assert!(found(&mut palette, &begun.join(" ")).contains(name));
        }

        #[test]
        fn whatever_is_pressed_the_active_entry_is_one_that_is_shown(
            names in prop::collection::vec(NAME, 0..8),
            keys in prop::collection::vec(0_usize..6, 0..20),
        ) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let mut palette = palette(&names);
            for key in keys {
                match key {
                    0 => palette.search("a"),
                    1 => palette.search(""),
                    2 => palette.found(vec![entry(Kind::Found, "x")]),
                    3 => { palette.key("ArrowUp"); }
                    4 => { palette.key("ArrowDown"); }
                    _ => palette.set_active(7),
                }
                prop_assert_eq!(palette.active().is_some(), palette.shown().count() > 0);
            }
        }
    }
}
