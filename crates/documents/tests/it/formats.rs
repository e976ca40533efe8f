//! What is read from a file of each kind.

use unbroken_documents::{Document, Kind, Limits, Refusal, detect, read};

use crate::files;

fn shown(bytes: &[u8], name: &str) -> Document {
    read(bytes, name, &Limits::default()).unwrap()
}

/// A line for each block: its page, its level as a heading, and its text.
fn lines(document: &Document) -> Vec<String> {
    let line = |block: &unbroken_documents::Block| {
        let page = block.page.map(|page| format!("{page} ")).unwrap_or_default();
        let heading = block.heading.map(|level| format!("h{level} ")).unwrap_or_default();
        format!("{page}{heading}{}", block.text)
    };
    document.blocks.iter().map(line).collect()
}

#[test]
fn every_kind_is_told_by_its_content() {
    let kinds = [
        Kind::Pdf,
        Kind::Docx,
        Kind::Pptx,
        Kind::Xlsx,
        Kind::Odt,
        Kind::Ods,
        Kind::Odp,
        Kind::Html,
        Kind::Markdown,
        Kind::Text,
        Kind::Csv,
        Kind::Epub,
        Kind::Email,
        Kind::Code,
    ];
    for ((name, bytes), kind) in files::all().into_iter().zip(kinds) {
        assert_eq!(detect(&bytes, name), Ok(kind));
        let is_text = matches!(kind, Kind::Markdown | Kind::Text | Kind::Csv | Kind::Code);
        let misnamed = if is_text { Ok(Kind::Text) } else { Ok(kind) };
        assert_eq!(detect(&bytes, "x"), misnamed, "{name}");
        assert_eq!(shown(&bytes, name).kind, kind);
    }
}

#[test]
fn a_pdf_gives_paragraphs_headings_rows_and_pages() {
    let document = shown(&files::pdf(), "a.pdf");
    assert_eq!(document.title.as_deref(), Some("On gardens"));
    assert_eq!(
        lines(&document),
        [
            "1 h1 Gardens of the north",
            "1 A garden needs little more than water, some patience and a lot of information about its soil. It gives more than it takes.",
            "1 h2 What grows",
            "1 Nearly everything grows if it is planted in time.",
            "1 Plant | Month\nBeans | May",
            "2 The second page ends here.",
        ]
    );
}

#[test]
fn two_columns_of_a_pdf_are_read_one_after_the_other() {
    let left = [
        "Once there was a river that",
        "ran through a wide valley and",
        "nobody knew where it came",
        "from or where it would end,",
        "until one day in early spring.",
    ];
    let right = [
        "The other column tells of hills",
        "and of the people who lived on",
        "top of them for many hundred",
        "years before they moved down",
        "to the banks of the river.",
    ];
    let mut page = vec![(72.0, 780.0, 20.0, 0, "A title that stands across both of the columns")];
    for (index, (left, right)) in left.iter().zip(&right).enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "few lines")]
        let y = 700.0 - 13.0 * index as f64;
        page.push((72.0, y, 10.0, 0, *left));
        page.push((310.0, y, 10.0, 0, *right));
    }
    page.push((
        72.0,
        600.0,
        10.0,
        0,
        "A line below that stands across both of them again, to the very end of the line.",
    ));
    let document = shown(&files::pdf_of(&[page]), "a.pdf");
    assert_eq!(
        lines(&document),
        [
            "1 h1 A title that stands across both of the columns".to_owned(),
            format!("1 {}", left.join(" ")),
            format!("1 {}", right.join(" ")),
            "1 A line below that stands across both of them again, to the very end of the line."
                .to_owned(),
        ]
    );
}

#[test]
fn spaces_in_a_pdf_come_from_the_places_of_the_letters() {
    let stream = "BT /F0 10 Tf 72 700 Td [(W) 80 (ater) -300 (and) -333 (w) 20 (ine)] TJ 0 -14 Td (next) Tj 3 Ts (2) Tj ET";
    let document = shown(&files::pdf_with(&[stream.to_owned()]), "a.pdf");
    assert_eq!(lines(&document), ["1 Water and wine next2"]);
}

#[test]
fn text_on_its_side_is_read() {
    let stream = "BT /F0 10 Tf 0 1 -1 0 100 100 Tm (turned to the left) Tj 0 -1 1 0 300 400 Tm (turned to the right) Tj ET";
    let document = shown(&files::pdf_with(&[stream.to_owned()]), "a.pdf");
    let mut lines = lines(&document);
    lines.sort();
    assert_eq!(lines, ["1 turned to the left", "1 turned to the right"]);
}

#[test]
fn letters_drawn_twice_are_read_once() {
    let stream = "BT /F0 10 Tf 2 Tr 72 700 Td (bold) Tj 0 Tr 1 0 0 1 72 686 Tm (too) Tj 1 0 0 1 72.3 686 Tm (too) Tj ET";
    let document = shown(&files::pdf_with(&[stream.to_owned()]), "a.pdf");
    assert_eq!(lines(&document), ["1 bold too"]);
}

#[test]
fn a_word_document_gives_headings_lists_tables_and_notes_and_nothing_hidden() {
    let document = shown(&files::docx(), "a.docx");
    assert_eq!(document.title.as_deref(), Some("Yearly report"));
    assert_eq!(
        lines(&document),
        [
            "h1 Harvest & weather",
            "The apples were early this year (note 2).",
            "h2 Numbers",
            "- first item",
            "Sort | Tons\nBoskoop | 12",
            "added",
            "In a box",
            "Note 2: Counted by hand.",
        ]
    );
}

#[test]
fn slides_come_in_the_order_of_the_show_with_their_notes() {
    let document = shown(&files::pptx(), "a.pptx");
    assert_eq!(
        lines(&document),
        [
            "1 h1 The first",
            "1 Welcome to all",
            "1 Speak slowly.",
            "2 h1 The second",
            "2 Quarter | Sold"
        ]
    );
}

#[test]
fn sheets_give_the_values_that_were_shown_and_nothing_hidden() {
    let document = shown(&files::xlsx(), "a.xlsx");
    assert_eq!(
        lines(&document),
        [
            "1 h1 Stock",
            "1 Item | Since |  | Share\nRed wine | 2024-01-31 | TRUE | 12.5% | 0.3",
            "3 h1 Totals",
            "3  | 7",
        ]
    );
}

#[test]
fn opendocument_text_gives_headings_lists_tables_and_notes() {
    let document = shown(&files::odt(), "a.odt");
    assert_eq!(document.title.as_deref(), Some("A letter"));
    assert_eq!(
        lines(&document),
        ["h2 Plan", "We meet  at noon (1: Or later.).", "- bread", "a | b | b"]
    );
}

#[test]
fn opendocument_sheets_and_slides_are_pages() {
    let sheets = shown(&files::ods(), "a.ods");
    assert_eq!(lines(&sheets), ["1 h1 Sums", "1 x |  |  |  | 1,5", "2 h1 More", "2 y | z"]);
    let slides = shown(&files::odp(), "a.odp");
    assert_eq!(lines(&slides), ["1 h1 Hello", "1 one point", "2 Bye"]);
}

#[test]
fn chapters_of_a_book_are_pages() {
    let document = shown(&files::epub(), "a.epub");
    assert_eq!(document.title.as_deref(), Some("The Orchard"));
    assert_eq!(lines(&document), ["1 h1 Spring", "1 Buds open.", "2 h1 Summer", "2 Bees & heat."]);
}

#[test]
fn an_email_gives_people_subject_text_and_the_names_of_attachments() {
    let document = shown(files::EMAIL.as_bytes(), "a.eml");
    assert_eq!(document.title.as_deref(), Some("Grüße from the sea"));
    assert_eq!(
        lines(&document),
        [
            "h1 Grüße from the sea",
            "From: Jürgen <jurgen@example.org>\nTo: ann@example.org, bob@example.org\nDate: 1997-11-21T09:55:06-06:00",
            "The café is open.",
            "Come soon!",
            "Attachment: menu.pdf",
        ]
    );
}

#[test]
fn an_email_gives_its_text_whatever_kind_of_text_it_is() {
    let mail = "From: ann@example.org\nSubject: Notes\nDate: Fri, 21 Nov 1997 09:55:06 -0600\n\
        Content-Type: text/asciidoc\n\nThe tide is low at six.\n";
    let document = shown(mail.as_bytes(), "a.txt");
    assert_eq!(lines(&document).last().unwrap(), "The tide is low at six.");
}

#[test]
fn a_title_is_no_longer_than_a_line() {
    let html = format!("<title>{}</title><p>Sweet.</p>", "pear ".repeat(1000));
    let document = shown(html.as_bytes(), "a.html");
    assert_eq!(document.title.unwrap().chars().count(), 200);
}

#[test]
fn html_gives_what_a_browser_would_show() {
    let document = shown(files::HTML.as_bytes(), "a.html");
    assert_eq!(document.title.as_deref(), Some("Pears and plums"));
    assert_eq!(
        lines(&document),
        [
            "h1 Pears",
            "They are sweet, and soft.\nEat them soon.",
            "- Conference",
            "- Williams",
            "1. wash",
            "2. cut",
            "Sort | Price\nPlum | 2 €",
            "  keep\n    this",
            "h2 In a frame",
            "of a table",
        ]
    );
}

#[test]
fn html_is_decoded_as_it_says_itself() {
    let page = b"<html><head><meta charset='windows-1251'></head><body><p>\xcf\xf0\xe8\xe2\xe5\xf2</p></body></html>";
    assert_eq!(lines(&shown(page, "a.html")), ["Привет"]);
}

#[test]
fn markdown_stays_source_under_its_headings() {
    let document = shown(files::MARKDOWN.as_bytes(), "a.md");
    assert_eq!(document.title.as_deref(), Some("Bread"));
    assert_eq!(
        lines(&document),
        [
            "h1 Bread",
            "Flour and *water*,\nand time.",
            "h2 Steps",
            "- mix\n- wait",
            "```\nlet x = 1;\n\nlet y = 2;\n```",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "[link]: https://example.org",
        ]
    );
}

#[test]
fn text_is_cut_at_blank_lines() {
    let text = "One line.\r\n\r\nAnother paragraph,\nof two lines.\n";
    let document = shown(text.as_bytes(), "notes");
    assert_eq!(lines(&document), ["One line.", "Another paragraph,\nof two lines."]);
}

#[test]
fn code_is_cut_between_its_items_and_keeps_its_indentation() {
    let document = shown(files::CODE.as_bytes(), "main.rs");
    assert_eq!(
        lines(&document),
        [
            "use std::io;",
            "/// Adds.\nfn add(a: u8, b: u8) -> u8 {\n    let sum = a + b;\n\n    sum\n}",
            "fn main() {}",
        ]
    );
}

#[test]
fn values_are_separated_by_what_stands_in_every_line() {
    for (source, rows) in [
        ("name;sum\n\"Smith; Ann\";1,5\n", "name | sum\nSmith; Ann | 1,5"),
        ("a,b\n\"two\nlines\",\"say \"\"x\"\"\"\n", "a | b\ntwo lines | say \"x\""),
        ("a\tb\n1, 2\t3\n", "a | b\n1, 2 | 3"),
    ] {
        assert_eq!(lines(&shown(source.as_bytes(), "a.csv")), [rows]);
    }
}

#[test]
fn what_no_person_sees_is_not_told_to_a_model() {
    let text = "Seen\u{e0041}\u{e0042}\u{7} text.";
    assert_eq!(lines(&shown(text.as_bytes(), "a.txt")), ["Seen text."]);
}

#[test]
fn a_file_without_text_is_refused() {
    for (bytes, name, refusal) in [
        (Vec::new(), "a.txt", Refusal::Empty),
        (b" \n\t\n".to_vec(), "a.md", Refusal::Empty),
        (b"<html><body><script>x</script></body></html>".to_vec(), "a.html", Refusal::Empty),
        (files::pdf_with(&["0 0 100 100 re f".to_owned()]), "a.pdf", Refusal::Scanned),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0".to_vec(), "a.txt", Refusal::Unsupported),
        (b"{\\rtf1 text}".to_vec(), "a.rtf", Refusal::Unsupported),
        (files::pack(&[("readme.txt", "x")]), "a.zip", Refusal::Unsupported),
    ] {
        let read = read(&bytes, name, &Limits::default()).map(|document| lines(&document));
        assert_eq!(read, Err(refusal), "{name}");
    }
}
