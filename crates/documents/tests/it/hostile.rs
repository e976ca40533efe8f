//! Files that mean harm. Each goes through the process that reads, which stays within its limits
//! and says why it refuses.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use unbroken_documents::{Document, Limits, Refusal};

use crate::files;
use crate::process::read_apart;

mod pdf;

/// Seconds of processor time; builds for tests are slow.
const SECONDS: u64 = 2;

async fn outcome(bytes: &[u8], name: &str) -> Result<Document, Refusal> {
    within(bytes, name, Limits { seconds: SECONDS, ..Limits::default() }).await
}

async fn within(bytes: &[u8], name: &str, limits: Limits) -> Result<Document, Refusal> {
    let began = Instant::now();
    let outcome = read_apart(bytes, name, limits).await;
    // Others may be using the processors.
    assert!(began.elapsed() < Duration::from_secs(30 * SECONDS), "{:?}", began.elapsed());
    outcome
}

fn text(document: &Document) -> String {
    document.blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn docx_text(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn replace(bytes: &mut [u8], what: &[u8], with: &[u8]) {
    assert_eq!(what.len(), with.len());
    for at in 0..=bytes.len() - what.len() {
        if bytes[at..].starts_with(what) {
            bytes[at..at + with.len()].copy_from_slice(with);
        }
    }
}

#[tokio::test]
async fn what_unpacks_to_very_much_is_too_large() {
    let spaces = " ".repeat(6 << 20);
    assert_eq!(outcome(&files::docx_of(&spaces), "a.docx").await, Err(Refusal::TooLarge));
    let sheet = files::xlsx_of(&[("A", false, &spaces)], files::STRINGS);
    assert_eq!(outcome(&sheet, "a.xlsx").await, Err(Refusal::TooLarge));
    assert_eq!(outcome(&files::epub_of(&[&spaces]), "a.epub").await, Err(Refusal::TooLarge));
}

#[tokio::test]
async fn all_files_of_an_archive_together_are_bounded() {
    let chapter = format!("<p>{}</p>", "word ".repeat(100_000));
    let book = files::epub_of(&[chapter.as_str(); 20]);
    let limits = Limits { unpacked: 4 << 20, ..Limits::default() };
    assert_eq!(within(&book, "a.epub", limits).await, Err(Refusal::TooLarge));
}

#[tokio::test]
async fn an_archive_of_too_many_files_is_too_large() {
    let names: Vec<_> = (0..1_001).map(|index| format!("word/{index}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    let limits = Limits { entries: 1_000, ..Limits::default() };
    let outcome = within(&files::pack(&many), "a.docx", limits).await;
    assert_eq!(outcome, Err(Refusal::TooLarge));
}

#[tokio::test]
async fn a_size_that_is_a_lie_gains_nothing() {
    let spaces = " ".repeat(6 << 20);
    let mut archive = files::docx_of(&spaces);
    let size = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    // The document around the spaces makes it a little longer.
    let length = (6 << 20) + 282;
    let claims = (length - 200..length + 200)
        .filter(|length| archive.windows(4).filter(|window| *window == size(*length)).count() >= 2);
    for length in claims.collect::<Vec<_>>() {
        replace(&mut archive, &size(length), &size(100));
    }
    let outcome = outcome(&archive, "a.docx").await;
    assert!(matches!(outcome, Err(Refusal::TooLarge | Refusal::Damaged)), "{outcome:?}");
}

#[tokio::test]
async fn entities_do_not_grow() {
    let mut bomb = String::from("<!DOCTYPE d [<!ENTITY a0 \"ha\">");
    for level in 1..=9 {
        let ten = format!("&a{};", level - 1).repeat(10);
        let _ = write!(bomb, "<!ENTITY a{level} \"{ten}\">");
    }
    bomb += "<!ENTITY file SYSTEM \"file:///etc/passwd\">]>";
    let body = docx_text("before &a9;&file; after");
    let mut files = vec![
        ("[Content_Types].xml", "<Types/>".to_owned()),
        ("_rels/.rels", files::relations(&[("rId1", "officeDocument", "word/document.xml")])),
    ];
    files.push((
        "word/document.xml",
        format!("{bomb}<w:document><w:body>{body}</w:body></w:document>"),
    ));
    let document = outcome(&files::pack(&files), "a.docx").await.unwrap();
    assert_eq!(text(&document), "before  after");

    let strings = format!("{bomb}{}", files::STRINGS.replace("Item", "&a9;"));
    let sheet = files::xlsx_of(
        &[("A", false, r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>7</v></c></row>"#)],
        &strings,
    );
    if let Ok(document) = outcome(&sheet, "a.xlsx").await {
        assert!(text(&document).len() < 100, "{document:?}");
    }
    let book = files::epub_of(&["<p>&a9; text</p>"]);
    assert!(text(&outcome(&book, "a.epub").await.unwrap()).len() < 100);
}

#[tokio::test]
async fn a_sheet_of_the_largest_size_costs_what_is_in_it() {
    let data = r#"<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>"#;
    let sheet = files::xlsx_of(&[("A", false, data)], files::STRINGS);
    let document = outcome(&sheet, "a.xlsx").await.unwrap();
    assert!(text(&document).len() < 200, "{document:?}");

    let repeated = r#"<office:spreadsheet><table:table table:name="A"><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>"#;
    let media_type = "application/vnd.oasis.opendocument.spreadsheet";
    let sheet = files::odf_of(media_type, repeated);
    assert_eq!(outcome(&sheet, "a.ods").await, Err(Refusal::TooMuchText));
}

#[tokio::test]
async fn a_claimed_number_of_strings_takes_no_memory() {
    for count in ["18446744073709551615", "9223372036854775807", "100000000000"] {
        let strings =
            files::STRINGS.replace(r#"uniqueCount="2""#, &format!(r#"uniqueCount="{count}""#));
        let sheet =
            files::xlsx_of(&[("A", false, r#"<row r="1"><c r="A1"><v>1</v></c></row>"#)], &strings);
        let outcome = outcome(&sheet, "a.xlsx").await;
        assert!(
            matches!(outcome, Ok(_) | Err(Refusal::Damaged | Refusal::OutOfMemory)),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn deep_nesting_comes_to_an_end() {
    let deep = |open: &str, close: &str, times| {
        format!(
            "{}<w:p><w:r><w:t>deep</w:t></w:r></w:p>{}",
            open.repeat(times),
            close.repeat(times)
        )
    };
    let archives = [
        (files::docx_of(&deep("<w:p>", "</w:p>", 50_000)), "a.docx"),
        (files::docx_of(&deep("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>", 20_000)), "a.docx"),
        (
            files::odf_of(
                "application/vnd.oasis.opendocument.text",
                &format!(
                    "{}<text:p>deep</text:p>{}",
                    "<text:list><text:list-item>".repeat(20_000),
                    "</text:list-item></text:list>".repeat(20_000)
                ),
            ),
            "a.odt",
        ),
    ];
    for (bytes, name) in archives {
        assert!(text(&outcome(&bytes, name).await.unwrap()).contains("deep"));
    }
    for (source, name) in [
        (format!("<!doctype html>{}deep", "<div>".repeat(20_000)), "a.html"),
        (format!("<!doctype html>{}deep", "<table><tr><td>".repeat(5_000)), "a.html"),
        (format!("<!doctype html>{}deep", "<b><i><a>".repeat(1_000)), "a.html"),
        (format!("{}deep", "> ".repeat(50_000)), "a.md"),
        (format!("{}deep", "[".repeat(50_000)), "a.md"),
        (format!("{}deep", "*a **b ".repeat(20_000)), "a.md"),
        (format!("{}deep", "- ".repeat(50_000)), "a.md"),
    ] {
        let outcome = outcome(source.as_bytes(), name).await;
        let is_fine = outcome.as_ref().map_or_else(
            |refusal| matches!(refusal, Refusal::OutOfTime | Refusal::OutOfMemory),
            |document| text(document).contains("deep"),
        );
        assert!(is_fine, "{}: {:?}", &source[..40], outcome.err());
    }
}

#[tokio::test]
async fn a_mail_within_mails_comes_to_an_end() {
    let head = "From: a@example.org\r\nTo: b@example.org\r\nSubject: deep\r\n";
    let mut mail = String::new();
    for index in 0..5_000 {
        let _ = write!(
            mail,
            "{head}Content-Type: multipart/mixed; boundary=b{index}\r\n\r\n--b{index}\r\nContent-Type: message/rfc822\r\n\r\n"
        );
    }
    let outcome = outcome(mail.as_bytes(), "a.eml").await;
    assert!(
        matches!(outcome, Ok(_) | Err(Refusal::OutOfTime | Refusal::OutOfMemory)),
        "{:?}",
        outcome.err()
    );
}

#[tokio::test]
async fn names_in_an_archive_lead_nowhere() {
    let archive = |target: &str| {
        files::pack(&[
            ("[Content_Types].xml", "<Types/>".to_owned()),
            ("_rels/.rels", files::relations(&[("rId1", "officeDocument", target)])),
            ("word/other.xml", "<w:document/>".to_owned()),
            ("../../../../etc/passwd", docx_text("inside")),
            ("/etc/hostname", docx_text("inside")),
        ])
    };
    for target in ["../../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd"] {
        assert_eq!(outcome(&archive(target), "a.docx").await, Err(Refusal::Damaged));
    }
}

#[tokio::test]
async fn what_is_locked_is_said_to_be() {
    let mut zip = files::docx();
    // The flag of each file, in both places where it stands.
    for at in 0..zip.len() - 10 {
        if zip[at..].starts_with(b"PK\x03\x04") {
            zip[at + 6] |= 1;
        } else if zip[at..].starts_with(b"PK\x01\x02") {
            zip[at + 8] |= 1;
        }
    }
    let mut office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    office.resize(1024, 0);
    office.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let letter = files::pack(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", "\u{1}\u{2}\u{3}"),
        (
            "META-INF/manifest.xml",
            r#"<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"#,
        ),
    ]);
    let book = files::pack(&[
        ("mimetype", "application/epub+zip"),
        ("META-INF/container.xml", r#"<container><rootfile full-path="b.opf"/></container>"#),
        (
            "META-INF/encryption.xml",
            r#"<encryption><EncryptedData><CipherData><CipherReference URI="c.xhtml"/></CipherData></EncryptedData></encryption>"#,
        ),
        (
            "b.opf",
            r#"<package><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>"#,
        ),
        ("c.xhtml", "\u{1}\u{2}"),
    ]);
    let key = "00".repeat(32);
    let pdf = String::from_utf8(files::pdf()).unwrap().replace(
        "trailer\n<<",
        &format!("trailer\n<< /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >>"),
    );
    for (bytes, name) in [
        (zip, "a.docx"),
        (office, "b.docx"),
        (letter, "a.odt"),
        (book, "a.epub"),
        (pdf.into_bytes(), "a.pdf"),
    ] {
        assert_eq!(outcome(&bytes, name).await, Err(Refusal::Encrypted), "{name}");
    }
}

#[tokio::test]
async fn formulas_and_macros_are_not_run() {
    let data = r#"<row r="1"><c r="A1"><f>WEBSERVICE("http://127.0.0.1:1/")</f></c><c r="B1" t="str"><f>1+1</f><v>shown</v></c></row>"#;
    let sheet = files::xlsx_of(&[("A", false, data)], files::STRINGS);
    assert_eq!(text(&outcome(&sheet, "a.xlsm").await.unwrap()), "A\n | shown");
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_or_read_so_far() {
    for (name, bytes) in files::all() {
        for part in 1..6 {
            let cut = &bytes[..bytes.len() * part / 6];
            let outcome = outcome(cut, name).await;
            let is_archive = cut.starts_with(b"PK");
            let is_fine = match &outcome {
                Ok(_) => !is_archive,
                Err(Refusal::Damaged) => true,
                Err(refusal) => !is_archive && matches!(refusal, Refusal::Scanned | Refusal::Empty),
            };
            assert!(is_fine, "{part}/6 of {name}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let mut state = 1_u64;
    let garbage: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(200_000)
    .collect();
    for (head, refusals) in [
        (&b""[..], &[Refusal::Unsupported][..]),
        (b"%PDF-1.7\n", &[Refusal::Damaged]),
        (b"PK\x03\x04", &[Refusal::Damaged]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", &[Refusal::Unsupported]),
        (b"<!doctype html>", &[Refusal::Unsupported]),
        (b"From: a\r\nTo: b\r\nSubject: c\r\n\r\n", &[Refusal::Unsupported]),
    ] {
        let bytes = [head, &garbage].concat();
        let outcome = outcome(&bytes, "a.txt").await;
        assert!(
            outcome.as_ref().is_err_and(|refusal| refusals.contains(refusal)),
            "{head:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn long_lines_and_wide_rows_stay_within_the_limits() {
    let mut attributes = String::new();
    for index in 0..10_000 {
        let _ = write!(attributes, " a{index}=1");
    }
    for (bytes, name) in [
        (format!("a,b\n\"{}", "x\n".repeat(1 << 18)), "a.csv"),
        (",".repeat(1 << 20), "a.csv"),
        (format!("a,{}", "b,".repeat(1 << 18)), "a.csv"),
        (format!("<!doctype html><p{attributes}>text"), "a.html"),
        (
            format!(
                "From: a\r\nTo: b\r\nSubject: {}\r\n\r\ntext",
                "=?utf-8?q?a?= ".repeat(100_000)
            ),
            "a.eml",
        ),
        ("x".repeat(4 << 20), "a.md"),
        ("|".repeat(1 << 18), "a.md"),
        ("`".repeat(1 << 18), "a.md"),
    ] {
        let outcome = outcome(bytes.as_bytes(), name).await;
        let is_fine = matches!(
            outcome,
            Ok(_)
                | Err(Refusal::Empty
                    | Refusal::OutOfTime
                    | Refusal::OutOfMemory
                    | Refusal::TooMuchText)
        );
        assert!(is_fine, "{}: {:?}", &bytes[..20], outcome.err());
    }
}

#[tokio::test]
async fn more_text_than_is_wanted_is_too_much() {
    let limits = Limits { text: 10_000, ..Limits::default() };
    for (name, bytes) in [
        ("a.txt", "A line of words.\n\n".repeat(1_000).into_bytes()),
        ("a.csv", "one,two\n".repeat(10_000).into_bytes()),
        ("a.docx", files::docx_of(&docx_text("words").repeat(1_000))),
        (
            "a.pdf",
            files::pdf_with(&vec![
                "BT /F0 9 Tf 9 9 Td (words and more words) Tj ET".to_owned();
                600
            ]),
        ),
    ] {
        let outcome = within(&bytes, name, limits.clone()).await;
        assert_eq!(outcome, Err(Refusal::TooMuchText), "{name}");
    }
}
