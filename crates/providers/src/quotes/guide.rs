//! The user guide, `docs/guide/*.md`, cut into passages along its headings.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The pages in reading order: name of the file, Markdown.
const PAGES: [(&str, &str); 12] = [
    ("what-it-is", include_str!("../../../../docs/guide/what-it-is.md")),
    ("first-steps", include_str!("../../../../docs/guide/first-steps.md")),
    ("add-a-model", include_str!("../../../../docs/guide/add-a-model.md")),
    ("choose-a-model", include_str!("../../../../docs/guide/choose-a-model.md")),
    (
        "answers-that-do-not-break",
        include_str!("../../../../docs/guide/answers-that-do-not-break.md"),
    ),
    ("configuration", include_str!("../../../../docs/guide/configuration.md")),
    ("open-it-to-a-network", include_str!("../../../../docs/guide/open-it-to-a-network.md")),
    ("your-data", include_str!("../../../../docs/guide/your-data.md")),
    ("bring-your-chats", include_str!("../../../../docs/guide/bring-your-chats.md")),
    ("answer-from-your-files", include_str!("../../../../docs/guide/answer-from-your-files.md")),
    ("the-quotes-model", include_str!("../../../../docs/guide/the-quotes-model.md")),
    ("troubleshooting", include_str!("../../../../docs/guide/troubleshooting.md")),
];

/// What stands under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The title of its page.
    pub(crate) page: String,
    /// Its own heading; the page's title for what stands before the first one.
    pub(crate) heading: String,
    /// Markdown without the heading.
    pub(crate) body: String,
}

impl Passage {
    pub(crate) fn title(&self) -> String {
        if self.heading == self.page {
            self.page.clone()
        } else {
            format!("{}: {}", self.page, self.heading)
        }
    }
}

/// All passages, in reading order.
pub(crate) fn passages() -> Vec<Passage> {
    PAGES.iter().flat_map(|(_, text)| cut(text)).collect()
}

/// The titles of the pages.
pub(crate) fn topics() -> Vec<String> {
    let mut topics: Vec<String> = passages().into_iter().map(|passage| passage.page).collect();
    topics.dedup();
    topics
}

fn cut(text: &str) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut heading: Option<String> = None;
    let mut begin = 0;
    let end_passage = |passages: &mut Vec<Passage>, body: &str| {
        if let Some(last) = passages.last_mut() {
            body.trim().clone_into(&mut last.body);
        }
    };
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                end_passage(&mut passages, &text[begin..range.start]);
                heading = Some(String::new());
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let heading = heading.take().unwrap_or_default();
                let page = passages.first().map_or(&heading, |first| &first.page).clone();
                passages.push(Passage { page, heading, body: String::new() });
                begin = range.end;
            }
            _ => {}
        }
    }
    end_passage(&mut passages, &text[begin..]);
    passages.retain(|passage| !passage.body.is_empty());
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_along_its_headings() {
        let page =
            "# Add `it`\nHow.\n\n## Here\n```sh\n# no heading\n```\n\n## Empty\n### There\nb\n";
        let cut: Vec<_> =
            cut(page).into_iter().map(|passage| (passage.title(), passage.body)).collect();
        assert_eq!(
            cut,
            [
                ("Add it".into(), "How.".into()),
                ("Add it: Here".into(), "```sh\n# no heading\n```".into()),
                ("Add it: There".into(), "b".into()),
            ]
        );
    }

    #[test]
    fn every_page_of_the_guide_is_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".md").map(String::from))
            .collect();
        let mut pages = PAGES.map(|(name, _)| name.to_owned()).to_vec();
        files.sort();
        pages.sort();
        assert_eq!(pages, files);
    }

    #[test]
    fn a_passage_is_short_enough_to_quote() {
        for passage in passages() {
            assert!(passage.body.len() < 1200, "{}", passage.title());
        }
    }
}
