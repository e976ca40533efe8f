//! PDF files that mean harm.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use unbroken_documents::{Limits, Refusal};

use super::{SECONDS, outcome, text, within};
use crate::files;

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_pdf_that_turns_in_a_ring_comes_to_an_end() {
    let pages = |kids: &str| format!("<< /Type /Pages /Count 1 /Kids [{kids}] >>");
    let catalog = "<< /Type /Catalog /Pages 2 0 R >>".to_owned();
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>".to_owned();
    let stream = |dict: &str, data: &str| {
        format!("<< {dict} /Length {} >>\nstream\n{data}\nendstream", data.len())
    };
    let form =
        "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>";
    for objects in [
        vec![catalog.clone(), pages("2 0 R")],
        vec![catalog.clone(), pages("3 0 R 3 0 R"), pages("2 0 R 3 0 R")],
        vec![
            catalog.clone(),
            pages("3 0 R"),
            page.clone(),
            stream("", "/X Do"),
            stream(form, "/X Do /X Do"),
        ],
        vec![catalog.clone(), pages("3 0 R"), page.clone(), "4 0 R".to_owned()],
        vec![catalog.clone(), pages("3 0 R"), page, "[".repeat(100_000)],
        vec!["<< /Type /Catalog /Pages 1 0 R >>".to_owned()],
    ] {
        let outcome = outcome(&files::pdf_of_objects(&objects, "/Root 1 0 R"), "a.pdf").await;
        assert!(outcome.is_err(), "{outcome:?}");
    }
    let mut ring = String::from_utf8(files::pdf()).unwrap();
    let start = ring.rfind("xref\n0").unwrap();
    ring = ring.replace("trailer\n<<", &format!("trailer\n<< /Prev {start}"));
    assert!(text(&outcome(ring.as_bytes(), "a.pdf").await.unwrap()).contains("Gardens"));
}

#[tokio::test]
async fn a_pdf_that_unpacks_to_very_much_ends_at_a_limit() {
    let packed = deflated(&deflated(&vec![b' '; 64 << 20]));
    let mut pdf = Vec::new();
    pdf.extend_from_slice(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents [4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R] >>\nendobj\n4 0 obj\n");
    pdf.extend_from_slice(
        format!("<< /Filter [/FlateDecode /FlateDecode] /Length {} >>\nstream\n", packed.len())
            .as_bytes(),
    );
    pdf.extend_from_slice(&packed);
    pdf.extend_from_slice(b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF");
    let limits = Limits { seconds: SECONDS, memory: 256 << 20, ..Limits::default() };
    let outcome = within(&pdf, "a.pdf", limits).await;
    assert!(matches!(outcome, Err(Refusal::OutOfMemory | Refusal::OutOfTime)), "{outcome:?}");
}

#[tokio::test]
async fn pages_that_show_the_same_again_and_again_are_too_much() {
    let line = "(All work and no play makes a long document.) Tj T* ".repeat(200);
    let pdf = files::pdf_of_pages(&format!("BT /F0 10 Tf 12 TL 20 800 Td {line} ET"), 4_000);
    let outcome = outcome(&pdf, "a.pdf").await;
    assert!(matches!(outcome, Err(Refusal::TooMuchText | Refusal::OutOfTime)), "{outcome:?}");
}
