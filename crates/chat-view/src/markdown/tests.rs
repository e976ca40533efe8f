//! What a document promises, for texts cut anywhere.

use proptest::prelude::*;
use unbroken_protocol::Citation;

use super::*;

/// Bytes that a frame takes: all that came.
const ALL: usize = usize::MAX;

pub(super) fn citation(index: u32) -> Citation {
    Citation {
        index,
        source_type: "guide".to_owned(),
        title: "Models".to_owned(),
        url: None,
        file_id: None,
        page: None,
        passage: None,
        quote: String::new(),
        score: None,
    }
}

fn html(text: &str) -> String {
    render(text, "m", &[citation(1), citation(2)])
}

fn streamed(pieces: &[&str]) -> Document {
    streamed_by(Document::new("m"), pieces)
}

fn streamed_by(mut document: Document, pieces: &[&str]) -> Document {
    document.set_citations(&[citation(1), citation(2)]);
    for piece in pieces {
        document.push(piece);
        document.advance(ALL);
    }
    document
}

/// Cuts a text at places given as fractions of its length.
pub(super) fn cut<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.retain(|at| text.is_char_boundary(*at));
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

const FRAGMENTS: &[&str] = &[
    "\n",
    "\n",
    "\n\n",
    "\n\n",
    "\n \n",
    "\r\n",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "2) ",
    "10. ",
    "  ",
    "    ",
    "\t",
    "> ",
    ">",
    "# ",
    "## ",
    "---\n",
    "===\n",
    "***\n",
    "```\n",
    "```rust\n",
    "````\n",
    "~~~\n",
    "   ```\n",
    "``",
    "`",
    "*",
    "**",
    "_",
    "~~",
    "[",
    "](",
    ")",
    "[x](https://a.example)",
    "![i](b.png)",
    "[1]",
    "[2]",
    "- [ ] ",
    "- [x] ",
    "| a | b |\n|---|:-:|\n",
    "| a | b |\n",
    "|---|---|\n",
    "| 1 | 2 |\n",
    "|",
    "a | b\n",
    "\\(",
    "\\)",
    "\\[",
    "\\]",
    "\\",
    "$",
    "$$",
    "$x$",
    "{",
    "}",
    "$\\frac{a}{b}$",
    "$$\n\\sum_{i=1}^n x_i\n$$",
    "\\(\\text{<b>}\\)",
    "\\begin{matrix} a & b \\\\ c \\end{matrix}",
    "$\\left(",
    "\\href{javascript:x}{y}$",
    "^{",
    "<b>",
    "</b>",
    "<!-- ",
    " -->",
    "<div>\n",
    "<script>",
    "</script>",
    "<br>",
    "&amp;",
    "<https://a.example>",
    "https://a.example/x",
    "word",
    "two words",
    "ä",
    "日本",
    "\u{202e}",
    "\0",
    "!",
    ".",
    "> [!NOTE]\n",
    "a",
    "b",
    "1",
    "5$",
    "- a\n",
    "- b\n",
    "  - c\n",
    "1. one\n",
    "text\n",
    "# head\n",
    "\n\nnew\n",
];
const DEFINITIONS: &[&str] = &[
    "[x]: https://a.example\n",
    "[x]",
    "[^1]: note\n",
    "[^1]",
    "\n\n[y]: /z \"t\"\n",
    "[y][x]",
    "[1]: /q\n",
    "[^1]: [^1]: ",
];

pub(super) fn markdown(with_definitions: bool) -> impl Strategy<Value = String> {
    let mut fragments = FRAGMENTS.to_vec();
    if with_definitions {
        fragments.extend(DEFINITIONS.repeat(4));
    }
    let fragment = prop_oneof![
        20 => proptest::sample::select(fragments).prop_map(str::to_owned),
        1 => proptest::string::string_regex("\\PC{0,12}").unwrap(),
    ];
    proptest::collection::vec(fragment, 0..40).prop_map(|fragments| fragments.concat())
}

pub(super) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(any::<usize>(), 0..24)
}

/// Above how many bytes an open block is large.
fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![Just(8192), 0..80_usize]
}

/// Bytes that a frame takes.
fn most() -> impl Strategy<Value = usize> {
    prop_oneof![Just(ALL), 1..80_usize]
}

/// While streaming, in frames of `most` bytes: settled blocks stay, live text grows. The settled
/// blocks before the end.
fn watch(text: &str, cuts: &[usize], limit: usize, most: usize) -> (Document, Vec<Block>) {
    let mut document = streamed_by(Document::with_limit("m", limit), &[]);
    let (mut settled, mut live): (Vec<Block>, Option<(u64, String)>) = (Vec::new(), None);
    let mut look = |document: &Document| {
        assert!(document.blocks().starts_with(&settled), "a settled block changed");
        settled = document.blocks().to_vec();
        let tail = document.tail();
        if let (Some(now), Some((id, before))) = (tail.live, &live) {
            assert!(now.id != *id || now.text.starts_with(before), "live text was taken back");
        }
        assert_eq!(
            tail.live.is_some(),
            format!("{}{}", tail.inside, tail.html).contains(" data-live")
        );
        live = tail.live.map(|live| (live.id, live.text.to_owned()));
    };
    for piece in cut(text, cuts) {
        document.push(piece);
        document.advance(most);
        look(&document);
    }
    while !document.finish(most) {
        look(&document);
    }
    let kept = |block: &Block| document.blocks().iter().find(|now| now.id == block.id);
    assert!(settled.iter().all(|block| kept(block).is_none_or(|now| now == block)));
    let unique: std::collections::BTreeSet<_> = document.blocks().iter().map(|b| b.id).collect();
    assert_eq!(unique.len(), document.blocks().len(), "an id came twice");
    (document, settled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_cuts_give_the_html_of_the_whole_text(text in markdown(true), cuts in cuts(), limit in limit(), most in most()) {
        let (document, _) = watch(&text, &cuts, limit, most);
        prop_assert_eq!(document.html(), html(&text));
    }

    #[test]
    fn without_definitions_what_is_settled_is_final(text in markdown(false), cuts in cuts(), limit in limit(), most in most()) {
        prop_assume!(!text.contains("]:"));
        let (document, settled) = watch(&text, &cuts, limit, most);
        prop_assert!(
            document.blocks().starts_with(&settled),
            "{:?}\nsettled {:#?}\nfinal {:#?}", text, settled, document.blocks()
        );
    }

    #[test]
    fn arbitrary_text_is_streamed_as_it_is_rendered(text in "(?s).{0,200}", cuts in cuts(), limit in limit(), most in most()) {
        let (document, settled) = watch(&text, &cuts, limit, most);
        prop_assert_eq!(document.html(), html(&text));
        if !text.contains("]:") {
            prop_assert!(document.blocks().starts_with(&settled));
        }
    }

    #[test]
    fn only_known_tags_and_attributes_come_out_balanced(text in markdown(true), cuts in cuts()) {
        let mut document = streamed(&cut(&text, &cuts));
        for part in [document.tail().html.to_owned(), document.tail().inside.to_owned()] {
            check_html(&part);
        }
        document.finish(ALL);
        check_html(&document.html());
    }

    #[test]
    fn every_stretch_of_a_paragraph_is_balanced_and_all_are_the_paragraph(
        text in markdown(true), bytes in 1..40_usize
    ) {
        let html = html(&text);
        let mut rest = html.as_str();
        while !rest.is_empty() {
            let next = stretch(rest, bytes);
            prop_assert!(!next.is_empty());
            check_html(next);
            rest = &rest[next.len()..];
        }
    }

    #[test]
    fn a_replaced_text_is_rendered_as_if_it_had_come_first(
        before in markdown(true), text in markdown(true), rest in markdown(true), end in any::<bool>()
    ) {
        let mut document = streamed(&[&before]);
        if end {
            document.finish(ALL);
        }
        document.replace(&text);
        document.push(&rest);
        document.advance(ALL);
        document.finish(ALL);
        prop_assert_eq!(document.html(), html(&format!("{text}{rest}")));
    }
}

/// `PROPTEST_CASES` may ask for more.
pub(super) fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(512)
}

const TAGS: &[&str] = &[
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "figure",
    "figcaption",
    "span",
    "button",
    "pre",
    "code",
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "hr",
    "br",
    "em",
    "strong",
    "del",
    "a",
    "sup",
    "input",
    "img",
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mspace",
    "mfrac",
    "msqrt",
    "mroot",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "mpadded",
    "mmultiscripts",
    "mprescripts",
];
const VOID: &[&str] = &["hr", "br", "input", "img"];

/// Every `<` begins a tag that we write, in balance.
fn check_html(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag that ends");
        let (closing, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(TAGS.contains(&name), "<{tag}>");
        let bare: String = tag.split('"').step_by(2).collect();
        assert!(!bare.to_ascii_lowercase().contains(" on"), "<{tag}>");
        assert!(!tag.contains("=\"javascript"), "<{tag}>");
        if closing {
            assert_eq!(open.pop(), Some(name), "{html}");
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open in {html}");
}

#[test]
fn blocks_are_written_as_the_style_sheet_expects() {
    let cases = [
        ("# One\n###### Six", "<h2 dir=\"auto\">One</h2><h6 dir=\"auto\">Six</h6>"),
        ("a *b* **c** ~~d~~", "<p dir=\"auto\">a <em>b</em> <strong>c</strong> <del>d</del></p>"),
        (
            "- a\n\n- b",
            "<ul><li dir=\"auto\"><p dir=\"auto\">a</p></li><li dir=\"auto\"><p dir=\"auto\">b</p></li></ul>",
        ),
        ("3. a", "<ol start=\"3\"><li dir=\"auto\"><p dir=\"auto\">a</p></li></ol>"),
        (
            "- [x] **Buy** tea",
            "<ul><li class=\"task\" dir=\"auto\"><p dir=\"auto\"><input type=\"checkbox\" disabled checked \
             aria-label=\"Buy tea\"> <strong>Buy</strong> tea</p></li></ul>",
        ),
        (
            "```rust,ignore\na < b\n```",
            "<figure class=\"code\" data-lang=\"rust\"><figcaption><span>rust</span>\
             <button type=\"button\" data-action=\"wrap\">Wrap</button>\
             <button type=\"button\" data-action=\"copy\">Copy</button></figcaption>\
             <pre tabindex=\"0\"><code>a &lt; b\n</code></pre></figure>",
        ),
        (
            "| a | b |\n|---|--:|\n| 1<br>2 | 3 |",
            "<div class=\"table-frame\"><button type=\"button\" data-action=\"csv\">Copy as CSV</button>\
             <div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table><thead><tr>\
             <th scope=\"col\" dir=\"auto\">a</th><th scope=\"col\" dir=\"auto\" data-align=\"right\">b</th>\
             </tr></thead><tbody><tr><td dir=\"auto\">1<br>2</td><td dir=\"auto\" data-align=\"right\">3</td>\
             </tr></tbody></table></div></div>",
        ),
        ("<b onclick=x>y", "<p dir=\"auto\">&lt;b onclick=x&gt;y</p>"),
        ("<div>\nx", "<p class=\"raw\" dir=\"auto\">&lt;div&gt;\nx</p>"),
        ("> [!NOTE]\n> a", "<blockquote data-kind=\"note\"><p dir=\"auto\">a</p></blockquote>"),
    ];
    for (text, expected) in cases {
        assert_eq!(html(text), expected, "{text}");
    }
}

#[test]
fn links_are_safe_and_images_from_elsewhere_are_links() {
    let link = "target=\"_blank\" rel=\"noopener noreferrer nofollow\"";
    let cases = [
        ("[a](https://b.example)", format!("<a href=\"https://b.example\" {link}>a</a>")),
        (
            "https://b.example.",
            format!("<a href=\"https://b.example\" {link}>https://b.example</a>."),
        ),
        ("<x@b.example>", format!("<a href=\"mailto:x@b.example\" {link}>x@b.example</a>")),
        (
            "![alt *t*](https://b.example/i)",
            format!("<a href=\"https://b.example/i\" {link} class=\"image\">alt t</a>"),
        ),
        ("[![alt](https://i)](https://b)", format!("<a href=\"https://b\" {link}>alt</a>")),
        ("[a](#b)", "<a href=\"#b\">a</a>".to_owned()),
        ("[a](javascript:b)", "a (javascript:b)".to_owned()),
        ("[a](<java\tscript:b>)", "a (java\tscript:b)".to_owned()),
        ("<javascript:b>", "javascript:b".to_owned()),
        ("![a](data:text/html,b)", "a".to_owned()),
        (
            "![a](data:image/png;base64,b)",
            "<img loading=\"lazy\" src=\"data:image/png;base64,b\" alt=\"a\">".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(html(text), format!("<p dir=\"auto\">{expected}</p>"), "{text}");
    }
}

#[test]
fn citation_marks_become_chips_outside_code_and_links() {
    let chip =
        "<button type=\"button\" class=\"cite\" data-cite=\"1\" aria-label=\"Source 1\">1</button>";
    assert_eq!(html("so [1][3]"), format!("<p dir=\"auto\">so {chip}[3]</p>"));
    assert!(!html("`[1]` and [see [1]](https://a)").contains("cite"));
}

#[test]
fn math_is_laid_out_and_keeps_its_source() {
    let inline = "<p dir=\"auto\"><span class=\"math\" data-tex=\"a_1*b_2\"><math";
    for text in ["$a_1*b_2$", "\\(a_1*b_2\\)"] {
        assert!(html(text).starts_with(inline), "{text}: {}", html(text));
    }
    let display = "<p dir=\"auto\"><span class=\"math\" data-display tabindex=\"0\" role=\"group\" \
                   aria-label=\"Formula\" data-tex=\"a_1*b_2\"><math display=\"block\"";
    for text in ["$$a_1*b_2$$", "\\[\na_1*b_2\n\\]"] {
        assert!(html(text).starts_with(display), "{text}: {}", html(text));
    }
    assert!(html("costs $5 and $10, or 5$ and 10$.").contains("costs $5 and $10, or 5$ and 10$."));
    assert_eq!(html("$5-$10 \\(no end"), "<p dir=\"auto\">$5-$10 (no end</p>");
    let crossed = html("*a \\(b* c\\) d");
    assert!(crossed.starts_with("<p dir=\"auto\"><em>a <span class=\"math\""), "{crossed}");
    assert!(crossed.ends_with("</math></span></em> d</p>"), "{crossed}");
}

#[test]
fn footnotes_refer_back_and_belong_to_their_message() {
    let page = html("a[^n] b[^n]\n\n[^n]: note");
    assert_eq!(
        page,
        "<p dir=\"auto\">a<sup class=\"footnote-ref\"><a id=\"m-fnref-1\" href=\"#m-fn-1\" aria-label=\"Footnote 1\">1</a></sup> \
         b<sup class=\"footnote-ref\"><a id=\"m-fnref-1-2\" href=\"#m-fn-1\" aria-label=\"Footnote 1\">1</a></sup></p>\
         <div class=\"footnote\" id=\"m-fn-1\"><span class=\"footnote-mark\">1</span><p dir=\"auto\">note</p>\
         <a class=\"footnote-back\" href=\"#m-fnref-1\" aria-label=\"Back to reference 1\">↩</a></div>"
    );
}

#[test]
fn a_late_definition_replaces_only_the_block_that_it_changes() {
    let text = "one\n\nsee [x]\n\n- a\n- b\n\nthree\n\n[x]: https://a.example\n\nfour\n\n";
    let mut document = streamed(&text.split_inclusive('\n').collect::<Vec<_>>());
    let before = document.blocks().to_vec();
    document.finish(ALL);
    let changed: Vec<_> = before
        .iter()
        .zip(document.blocks())
        .filter(|(old, new)| old.id != new.id)
        .map(|(old, _)| &old.html)
        .collect();
    assert_eq!(changed, ["<p dir=\"auto\">see [x]</p>"]);
}

#[test]
fn late_citations_replace_only_the_blocks_that_have_marks() {
    let mut document = streamed(&["one\n\n- a\n- b [7]\n- c\n\nend\n\nx"]);
    let before = document.blocks().to_vec();
    document.set_citations(&[citation(7)]);
    document.advance(ALL);
    let same = before.iter().zip(document.blocks()).filter(|(old, new)| old == new).count();
    assert_eq!((document.blocks().len(), same), (before.len(), before.len() - 1));
}

#[test]
fn what_is_unfinished_shows_no_raw_markers() {
    let tail = |text: &str| streamed(&[text]).tail().html.to_owned();
    assert_eq!(tail("a **bo"), "<p dir=\"auto\">a <strong>bo</strong></p>");
    assert_eq!(tail("a [b](https://c.exa"), "<p dir=\"auto\">a b</p>");
    assert_eq!(tail("title\n--"), "<p dir=\"auto\">title</p>");
    assert!(tail("    code **a").contains("code **a<"), "code is left alone");
}

#[test]
fn an_open_list_grows_inside_its_element() {
    let document = streamed(&["- a\n- b\n- c"]);
    let parts: Vec<_> = document.blocks().iter().map(|block| block.part).collect();
    assert_eq!(parts, [Part::Open { close: "</ul>" }, Part::Inside]);
    assert_eq!(document.blocks()[0].element(), "<ul></ul>");
    assert_eq!(
        document.tail().inside,
        "<li dir=\"auto\"><p dir=\"auto\">b</p></li><li dir=\"auto\"><p dir=\"auto\">c</p></li>"
    );
    let document = streamed(&["| a |\n|---|\n| 1 |\n| 2 |\n| 3"]);
    assert_eq!(document.tail().html, "");
    assert!(document.tail().inside.contains("<td dir=\"auto\">3</td>"));
}

#[test]
fn an_open_fence_gives_its_code_as_growing_text() {
    let document = streamed(&["text\n\n```py\nprint(1)\nprin"]);
    assert!(document.tail().html.contains("<code data-live></code>"));
    assert_eq!(document.tail().live.unwrap().text, "print(1)\nprin");
    let document = streamed(&["```py\nprint(1)\n``", "`\n"]);
    assert_eq!((document.blocks().len(), document.tail().live), (1, None));
}

#[test]
fn a_paragraph_starts_a_block_before_its_line_ends() {
    let document = streamed(&["- a\n- b\n\n", "Then"]);
    assert_eq!(document.blocks().len(), 3);
    assert_eq!(document.tail().html, "<p dir=\"auto\">Then</p>");
    assert_eq!(document.tail().inside, "");
}

/// What 100 KB in pieces of 25 bytes cost, in bytes parsed: the first and the second half.
fn halves(text: &str) -> (u64, u64) {
    let mut document = Document::new("m");
    let pieces: Vec<_> =
        text.as_bytes().chunks(25).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    let mut costs = [0, 0];
    for (at, piece) in pieces.iter().enumerate() {
        let before = document.parsed_bytes();
        document.push(piece);
        document.advance(ALL);
        costs[at * 2 / pieces.len()] += document.parsed_bytes() - before;
    }
    document.finish(ALL);
    assert_eq!(document.html(), render(text, "m", &[]));
    (costs[0], costs[1])
}

#[test]
fn a_token_costs_no_more_at_the_end_than_at_the_beginning() {
    let code = format!("```rust\n{}", "let x = 1; // a line of code\n".repeat(3500));
    let list = "- an item of a long list\n".repeat(4000);
    let nested = format!("- a\n{}", "  - an item of a long list\n".repeat(3800));
    let table = format!("| a | b |\n|---|---|\n{}", "| some cell | another |\n".repeat(4000));
    let paragraph = "words without an end ".repeat(5000);
    let lines = "a line of one long paragraph\n".repeat(3500);
    let quote = "> a line of a quote\n".repeat(5000);
    let mixed = "# Head\n\nText with **bold**.\n\n- a\n- b\n\n```\ncode\n```\n\n".repeat(1900);
    for text in [code, list, nested, table, paragraph, lines, quote, mixed] {
        let (first, second) = halves(&text);
        let name = &text[..20];
        assert!(second <= first * 2, "{name:?}: {first}, {second}");
        assert!(first + second < 400 * text.len() as u64, "{name:?}: {first}, {second}");
    }
}

#[test]
fn after_a_long_paragraph_the_next_block_settles_at_once() {
    let document = streamed(&["word ".repeat(4000).as_str(), "\n\n", "Next"]);
    assert_eq!(document.blocks().len(), 1);
    assert_eq!(document.tail().html, "<p dir=\"auto\">Next</p>");
}

/// Hostile texts that come in pieces, at two sizes: what is parsed and what comes out may grow with
/// the size, not with its square.
#[test]
fn hostile_texts_cost_in_proportion_to_their_size() {
    let units = [
        "word ",
        "> ",
        "- ",
        "1. ",
        "[^a]: ",
        "*",
        "**a ",
        "_a ",
        "`",
        "`a",
        "[",
        "](",
        "![",
        "[a](",
        "<",
        "<a ",
        "<!--",
        "&",
        "$",
        "$a",
        "{$}",
        "\\(",
        "\\[",
        "\\(a\\)",
        "|",
        "a|",
        "~~a",
        "https://)",
        "[1]",
        "\n",
        "- a\n",
        "> a\n",
        "[a]: b\n",
        "[^1] ",
        "| a |\n|---|\n",
        "<b>",
        "```\n",
        "\0",
        "\u{202e}",
        "x@y.",
        "_",
        "\\",
        "\"",
        "((",
        "[[",
        "]]",
    ];
    for unit in units {
        let cost = |bytes: usize| {
            let text = unit.repeat(bytes / unit.len());
            let mut document = Document::with_limit("m", 512);
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.ceil_char_boundary(50));
                document.push(piece);
                document.advance(ALL);
                rest = after;
            }
            document.finish(ALL);
            (document.parsed_bytes(), document.html().len())
        };
        let (small, large) = (cost(8 * 1024), cost(64 * 1024));
        assert!(large.0 < 12 * small.0, "{unit:?}: parsed {}, then {} bytes", small.0, large.0);
        assert!(large.1 < 12 * small.1.max(1024), "{unit:?}: {} bytes, then {}", small.1, large.1);
    }
}

#[test]
fn ten_thousand_nested_lists_or_quotes_are_flattened() {
    let mut steps = String::new();
    for depth in 0..1000 {
        steps.push_str(&"  ".repeat(depth));
        steps.push_str(
            "- x
",
        );
    }
    for text in
        ["> ".repeat(10_000), "- ".repeat(10_000), format!("{}x", "1. ".repeat(10_000)), steps]
    {
        let page = html(&format!("{text}x{}", "\n".repeat(10_000)));
        check_html(&page);
        assert!(page.matches("<blockquote").count() + page.matches("<ul").count() < 200);
    }
    check_html(&html(&format!("{}a{}", "*".repeat(20_000), "*".repeat(20_000))));
}

#[test]
fn a_paragraph_of_too_many_elements_is_shown_as_it_was_written() {
    let most = 8 * 1024;
    let cases = [
        ("*a* ".repeat(most), "<em>a</em> <em>a</em>"),
        ("*a* ".repeat(most + 1), "*a* *a*"),
        ("`<` ".repeat(148_000), "`&lt;` `&lt;`"),
        ("> a [1]\n".repeat(most + 1), "a [1]\n&gt; a [1]"),
    ];
    for (long, shown) in cases {
        let text = format!("{long}\n\n*End*\n");
        let whole = html(&text);
        assert!(whole.contains(shown), "{shown}");
        assert!(whole.ends_with("<p dir=\"auto\"><em>End</em></p>"), "the next is as always");
        let pieces = text.as_bytes().chunks(4099).map(|piece| str::from_utf8(piece).unwrap());
        let mut document = streamed(&pieces.collect::<Vec<_>>());
        document.finish(ALL);
        assert!(document.html() == whole, "{shown}");
    }
}

#[test]
fn a_line_of_two_megabytes_is_parsed_once() {
    let text = "lorem *ipsum* ".repeat(150_000);
    let mut document = Document::new("m");
    for piece in text.as_bytes().chunks(4096) {
        document.push(std::str::from_utf8(piece).unwrap());
        document.advance(ALL);
    }
    assert!(document.tail().live.is_some());
    document.finish(ALL);
    assert!(document.parsed_bytes() < 2 * text.len() as u64);
}
