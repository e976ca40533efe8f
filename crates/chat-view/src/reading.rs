//! A file's text as it is read around a cited place: passages that come in stretches, with their
//! pages and headings.

use std::collections::BTreeMap;

use unbroken_protocol::{PassageList, PassageView};

/// How far from what is there the next stretch is asked for: half of what the server sends at once.
const STEP: u32 = 4;

/// What of a file is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// By their ordinals.
    passages: BTreeMap<u32, PassageView>,
    total: u32,
    /// The first cited passage.
    place: Option<u32>,
    /// What is cited: the text of one or of several passages.
    quote: String,
}

/// What is shown one below the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A page, slide, sheet or chapter begins; `at` is the ordinal of its first passage here.
    Page {
        at: u32,
        number: u32,
    },
    Heading {
        at: u32,
        text: String,
    },
    Text {
        at: u32,
        text: String,
        cited: bool,
        first: bool,
    },
}

impl Line {
    /// What it keeps while more comes before and after it.
    pub fn key(&self) -> (u32, u8, bool) {
        match self {
            Self::Page { at, .. } => (*at, 0, false),
            Self::Heading { at, .. } => (*at, 1, false),
            Self::Text { at, cited, .. } => (*at, 2, *cited),
        }
    }
}

impl Reading {
    /// Of a file in which nothing is there yet, and which is cited with that text from passage
    /// `place` on.
    pub fn of(place: Option<u32>, quote: String) -> Self {
        Self { place, quote, ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Takes in what came; `true` when some of it is before what was there.
    pub fn add(&mut self, list: PassageList) -> bool {
        let first = self.passages.keys().next().copied();
        self.total = list.total;
        self.passages.extend(list.passages.into_iter().map(|passage| (passage.ordinal, passage)));
        self.passages.keys().next().copied() < first
    }

    /// The passage around which to ask for what comes before; `None` at the beginning.
    pub fn before(&self) -> Option<u32> {
        let (&first, _) = self.passages.first_key_value()?;
        (first > 0).then(|| first.saturating_sub(STEP))
    }

    /// The passage around which to ask for what comes after; `None` at the end.
    pub fn after(&self) -> Option<u32> {
        let (&last, _) = self.passages.last_key_value()?;
        (last + 1 < self.total).then(|| (last + STEP).min(self.total - 1))
    }

    /// From the first passage that is there to the last, with what begins at each.
    pub fn lines(&self) -> Vec<Line> {
        let (mut lines, mut page, mut heading) = (Vec::new(), None, String::new());
        for (&at, passage) in &self.passages {
            if let Some(number) = passage.page.filter(|_| passage.page != page) {
                lines.push(Line::Page { at, number });
            }
            page = passage.page;
            if passage.heading != heading && !says(passage) {
                lines.push(Line::Heading { at, text: passage.heading.clone() });
            }
            heading.clone_from(&passage.heading);
            let cited = self.is_cited(passage);
            let first = Some(at) == self.place;
            lines.push(Line::Text { at, text: passage.text.clone(), cited, first });
        }
        lines
    }

    fn is_cited(&self, passage: &PassageView) -> bool {
        let Some(place) = self.place else { return false };
        passage.ordinal == place
            || passage.ordinal > place && self.quote.contains(passage.text.as_str())
    }
}

/// Whether its text begins with the heading right above it, if there is one.
fn says(passage: &PassageView) -> bool {
    let last = passage.heading.rsplit(" > ").next().unwrap_or_default();
    passage.text.starts_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(ordinal: u32, page: u32, heading: &str) -> PassageView {
        let text = format!("Text {ordinal}.");
        PassageView { ordinal, page: Some(page), heading: heading.into(), text }
    }

    fn list(ordinals: std::ops::Range<u32>) -> PassageList {
        let passages = ordinals.map(|at| passage(at, at / 3 + 1, "Chapter")).collect();
        PassageList { name: "a.pdf".into(), title: None, passages, total: 20 }
    }

    fn texts(reading: &Reading) -> Vec<(u32, bool)> {
        let texts = reading.lines().into_iter().filter_map(|line| match line {
            Line::Text { at, cited, .. } => Some((at, cited)),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn what_is_cited_is_marked_also_over_several_passages() {
        let mut reading = Reading::of(Some(5), "Text 5.\n\nText 6.".into());
        reading.add(list(3..9));
        let cited: Vec<u32> =
            texts(&reading).into_iter().filter_map(|(at, cited)| cited.then_some(at)).collect();
        assert_eq!(cited, [5, 6]);
    }

    #[test]
    fn stretches_join_to_the_beginning_and_the_end() {
        let mut reading = Reading::of(Some(9), String::new());
        assert!(!reading.add(list(6..13)), "there was nothing");
        while let Some(around) = reading.before().or(reading.after()) {
            let was_before = reading.before().is_some();
            let stretch = list(around.saturating_sub(3)..(around + 4).min(20));
            assert_eq!(reading.add(stretch), was_before);
        }
        let ordinals: Vec<u32> = texts(&reading).into_iter().map(|(at, _)| at).collect();
        assert_eq!(ordinals, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn pages_and_headings_stand_where_they_begin() {
        let mut reading = Reading::default();
        reading.add(list(2..5));
        let lines = reading.lines();
        assert!(matches!(&lines[0], Line::Page { number: 1, .. }));
        assert!(matches!(&lines[1], Line::Heading { text, .. } if text == "Chapter"));
        assert!(matches!(&lines[3], Line::Page { at: 3, number: 2 }));
        assert_eq!(lines.len(), 6, "the heading goes on");

        let mut said = passage(0, 1, "Book > Text 0");
        said.page = None;
        let mut reading = Reading::default();
        reading.add(PassageList { passages: vec![said], ..list(0..0) });
        assert_eq!(reading.lines().len(), 1, "the text says its heading itself");
    }
}
