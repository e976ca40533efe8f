use url::Url;

use super::*;

fn fetched(media: Media, charset: Option<&str>, bytes: &[u8]) -> Fetched {
    Fetched {
        url: Url::parse("https://a.example/b").unwrap(),
        media,
        charset: charset.map(str::to_owned),
        bytes: bytes.to_vec(),
    }
}

fn html(html: &str) -> Page {
    page(&fetched(Media::Html, Some("utf-8"), html.as_bytes())).unwrap()
}

fn texts(page: &Page) -> Vec<(Option<u8>, &str)> {
    page.blocks.iter().map(|block| (block.heading, &*block.text)).collect()
}

const SENTENCE: &str = "A lighthouse warns ships of rocks, and shows them where the harbour is, \
                        with a light that is seen from far away, also in bad weather.";

#[test]
fn the_main_text_is_kept_and_what_stands_around_it_is_not() {
    let page = html(&format!(
        "<!doctype html><html><head><title>Lighthouses</title><style>p {{}}</style></head><body>
         <nav><ul><li><a href=/>Home</a></li><li><a href=/shop>Shop</a></li></ul></nav>
         <article><h1>Lighthouses</h1><p>{SENTENCE}</p><h2>How they work</h2>
         <p>{SENTENCE} <b>And</b> so\n on.</p><ul><li>{SENTENCE}</li></ul>
         <pre><code>let a = 1;\n    let b;</code></pre>
         <table><tr><th>Name</th><th>Height</th></tr><tr><td>Pharos</td><td>100 m</td></tr></table>
         <p>{SENTENCE}</p></article>
         <script>alert(1)</script><footer>All rights reserved</footer></body></html>"
    ));
    assert_eq!(page.title, "Lighthouses");
    assert_eq!(page.url, "https://a.example/b");
    let texts = texts(&page);
    assert!(texts.contains(&(None, SENTENCE)), "{texts:?}");
    assert!(texts.contains(&(Some(2), "How they work")), "{texts:?}");
    assert!(texts.contains(&(None, &*format!("{SENTENCE} And so on."))), "{texts:?}");
    assert!(texts.contains(&(None, &*format!("- {SENTENCE}"))), "{texts:?}");
    assert!(texts.contains(&(None, "let a = 1;\n    let b;")), "{texts:?}");
    assert!(texts.contains(&(None, "Pharos | 100 m")), "{texts:?}");
    let all = format!("{texts:?}");
    assert!(!["Shop", "alert", "reserved"].iter().any(|word| all.contains(word)), "{all}");
}

#[test]
fn a_short_page_is_read_all_the_same() {
    let page = html("<title>T</title><nav>Menu</nav><h1>Hi</h1><p>Short.<div>a<p>b</p>c</div>");
    assert_eq!(page.title, "T");
    let all = format!("{:?}", texts(&page));
    assert!(all.contains("Short.") && !all.contains("Menu"), "{all}");
}

#[test]
fn a_page_without_text_is_none() {
    for nothing in ["", "<p> </p>", "<script>alert(1)</script>"] {
        assert_eq!(page(&fetched(Media::Html, None, nothing.as_bytes())), None, "{nothing}");
    }
    assert_eq!(page(&fetched(Media::Pdf, None, b"%PDF")), None);
}

#[test]
fn a_text_is_cut_at_its_blank_lines() {
    let page = page(&fetched(Media::Text, None, b"One\r\ntwo\r\n\r\n\r\n  code\n\nThree\n"));
    let page = page.unwrap();
    assert_eq!(texts(&page), [(None, "One\ntwo"), (None, "  code"), (None, "Three")]);
    assert_eq!(page.title, "a.example");
}

#[test]
fn the_encoding_is_the_one_that_is_named() {
    let of = |charset, bytes: &[u8]| {
        page(&fetched(Media::Html, charset, bytes)).unwrap().blocks[0].text.clone()
    };
    assert_eq!(of(Some("windows-1252"), b"<p>caf\xe9 \x80"), "café €");
    assert_eq!(of(None, b"<meta charset=\"shift_jis\"><p>\x93\xfa"), "日");
    assert_eq!(of(None, "<p>café".as_bytes()), "café");
    assert_eq!(of(Some("windows-1252"), b"\xef\xbb\xbf<p>caf\xc3\xa9"), "café");
}

#[test]
fn a_page_nested_too_deep_is_not_parsed() {
    let nested = |depth| format!("{}{SENTENCE}", "<div>".repeat(depth));
    assert_eq!(html(&nested(500)).blocks[0].text, SENTENCE);
    let deep = nested(500_000);
    assert_eq!(page(&fetched(Media::Html, None, deep.as_bytes())), None);
}
