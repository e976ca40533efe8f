//! The cut of documents into passages.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use unbroken_documents::{Block, Document, Kind, Passage, passages};

fn block(text: &str, heading: Option<u8>, page: Option<u32>) -> Block {
    Block { text: text.to_owned(), heading, page }
}

fn document(blocks: Vec<Block>) -> Document {
    Document { kind: Kind::Docx, title: None, blocks }
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What holds for every document.
fn hold(document: &Document, passages: &[Passage]) {
    let all: String = document.blocks.iter().map(|block| bare(&block.text)).collect();
    let cut: String = passages.iter().map(|passage| bare(&passage.text)).collect();
    assert!(all == cut, "text is lost, doubled or out of order");
    for (index, passage) in passages.iter().enumerate() {
        assert_eq!(passage.ordinal as usize, index);
        assert!(!passage.text.trim().is_empty());
        // Blank lines between blocks come on top, at most one for each character.
        let length = bare(&passage.text).chars().count();
        assert!(length <= 1_800, "{length} characters");
    }
}

#[test]
fn a_passage_knows_its_page_and_the_headings_over_it() {
    let cut = passages(&document(vec![
        block("Before all.", None, Some(1)),
        block("Part", Some(1), Some(1)),
        block("Chapter", Some(2), Some(1)),
        block("One.", None, Some(1)),
        block("Detail", Some(3), Some(1)),
        block("Two.", None, Some(1)),
        block("Three.", None, Some(2)),
        block("Other", Some(2), Some(2)),
        block("Four.", None, Some(3)),
    ]));
    let cut: Vec<_> = cut
        .iter()
        .map(|passage| (passage.page, passage.heading.as_str(), passage.text.as_str()))
        .collect();
    assert_eq!(
        cut,
        [
            (Some(1), "", "Before all."),
            (Some(1), "Part > Chapter", "Part\n\nChapter\n\nOne.\n\nDetail\n\nTwo."),
            (Some(2), "Part > Chapter > Detail", "Three."),
            (Some(2), "Part > Other", "Other\n\nFour."),
        ]
    );
}

#[test]
fn a_long_paragraph_is_cut_where_a_sentence_ends() {
    let text = "A sentence of some length, with e.g. a short form in it. \"Is it?\" ".repeat(60);
    let document = document(vec![block(text.trim(), None, None)]);
    let cut = passages(&document);
    hold(&document, &cut);
    assert!(cut.len() > 2);
    for passage in &cut {
        assert!(passage.text.ends_with(['.', '"']), "{}", passage.text);
        assert!((600..=1_800).contains(&passage.text.len()) || passage == cut.last().unwrap());
    }
}

#[test]
fn rows_and_lines_of_code_are_not_cut() {
    let rows: Vec<_> = (0..300).map(|row| format!("Row {row}. | some value | {row}")).collect();
    let table = document(vec![block(&rows.join("\n"), None, Some(1))]);
    let code: Vec<_> = (0..300).map(|line| format!("    call({line}); // Done. Really.")).collect();
    let code = Document { kind: Kind::Code, ..document(vec![block(&code.join("\n"), None, None)]) };
    for (document, start) in [(table, "Row "), (code, "    call(")] {
        let cut = passages(&document);
        hold(&document, &cut);
        assert!(cut.iter().all(|passage| passage.text.starts_with(start)), "{cut:#?}");
    }
}

#[test]
fn text_of_east_asia_is_cut_at_its_full_stops() {
    let document = document(vec![block(&"これは文章です。".repeat(500), None, None)]);
    let cut = passages(&document);
    hold(&document, &cut);
    assert!(cut.iter().all(|passage| passage.text.ends_with('。')));
}

#[test]
fn a_heading_does_not_end_a_passage() {
    let mut blocks = Vec::new();
    for index in 0..50 {
        blocks.push(block(&format!("Heading {index}"), Some(3), None));
        blocks.push(block(&"Some words to fill it up. ".repeat(index), None, None));
    }
    blocks.retain(|block| !block.text.is_empty());
    blocks.push(block("End.", None, None));
    let document = document(blocks);
    let cut = passages(&document);
    hold(&document, &cut);
    for passage in &cut {
        assert!(!passage.text.lines().last().unwrap().starts_with("Heading"), "{}", passage.text);
    }
}

#[test]
fn time_is_linear_in_the_text() {
    let lines = [
        "x".repeat(10 << 20),
        "x ".repeat(1 << 18),
        "é".repeat(1 << 18),
        "\n".repeat(1 << 18) + "x",
    ];
    let mut documents: Vec<_> =
        lines.iter().map(|line| document(vec![block(line, None, None)])).collect();
    let headings = (1..=6).cycle().map(|level| block("A heading", Some(level), Some(7)));
    documents.push(document(headings.take(100_000).collect()));
    let short = (0..100_000).map(|_| block("x", None, None));
    documents.push(document(short.collect()));
    documents.push(document(vec![block(&"H".repeat(1 << 18), Some(1), None)]));
    for document in documents {
        let began = Instant::now();
        let cut = passages(&document);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        hold(&document, &cut);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_is_lost_and_its_order_is_kept(
        kind in prop_oneof![Just(Kind::Pdf), Just(Kind::Code), Just(Kind::Csv)],
        blocks in prop::collection::vec(
            (
                prop_oneof![
                    "[a-zé。 .!?\n|-]{1,60}",
                    ("[a-zé。.!?]{1,9}[ \n]{0,2}", 1_usize..900).prop_map(|(word, times)| word.repeat(times)),
                ],
                prop::option::weighted(0.3, 1_u8..=6),
                prop::option::of(1_u32..4),
            ),
            0..30,
        ),
    ) {
        let blocks = blocks
            .into_iter()
            .map(|(text, heading, page)| block(text.trim(), heading, page))
            .filter(|block| !block.text.is_empty());
        let document = Document { kind, title: None, blocks: blocks.collect() };
        hold(&document, &passages(&document));
    }
}
