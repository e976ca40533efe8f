//! What answers are made of beyond plain text: code in colours, formulas, tables; and answers that
//! mean harm.

use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP};
use crate::looks::look_at;
use crate::picker;
use crate::server::Server;

async fn ask(browser: &Browser, server: &Server, question: &str) {
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
}

fn says(texts: &[&str]) -> Value {
    texts.iter().map(|text| json!({ "text": text })).collect()
}

/// The page does what a person asks of it.
async fn answers_a_click(browser: &Browser) {
    let opener = picker::opener(browser).await;
    browser.press("button", &opener).await;
    browser.find("listbox", "Models").await;
    browser.press("button", &opener).await;
    browser.gone("listbox", "Models").await;
}

const CODE: &str = "```rust\nfn main() {\n    let text = \"<b>𝄞</b>\"; // a comment\n}\n```\n\n\
                    1. one\n\n   ```py\n   def f(): return 1\n   ```\n\n```martian\nlet it be\n```\n\nEnd.";

#[tokio::test(flavor = "multi_thread")]
async fn code_gets_its_colours_and_stays_the_same_text() {
    let server = Server::start(says(&[CODE])).await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Show me code").await;
    browser.answer_ended().await;
    let colours = "const all = [...document.querySelectorAll('figure.code code')];
        return all.length === 3 && all[0].querySelector('.hl-kw') && all[1].querySelector('.hl-kw')
          && all.map(code => code.textContent);";
    let code = json!([
        "fn main() {\n    let text = \"<b>𝄞</b>\"; // a comment\n}\n",
        "def f(): return 1\n",
        "let it be\n"
    ]);
    assert_eq!(browser.until("colours", colours).await, code);
    let of = "return ['kw', 'str', 'com'].map(
        name => document.querySelector('.hl-' + name).textContent.trim())";
    assert_eq!(browser.script(of).await, json!(["fn", "\"<b>𝄞</b>\"", "// a comment"]));
    assert_eq!(browser.script("return document.querySelector('code b')").await, Value::Null);
    browser.reload().await;
    assert_eq!(browser.until("colours after a reload", colours).await, code);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

const FORMULAS: &str = "Inline $e^{i\\pi}$, \\(a_1\\), prices of $5 and $10, wrong $\\nosuch{a}$.\n\n\
    $$\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}$$\n\n\\[\n\\boxed{x} \\textcolor{red}{y}\n\\]\n\n\
    | a | b |\n| --- | --: |\n| $x^2$, say | =1+1 |\n| two<br>lines | \"so\" |\n\nEnd.";

#[tokio::test(flavor = "multi_thread")]
async fn formulas_are_laid_out_and_a_table_is_copied_as_csv() {
    let server = Server::start(says(&[FORMULAS])).await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Show me formulas").await;
    browser.answer_ended().await;
    let laid_out = "const all = [...document.querySelectorAll('math')];
        return all.length === 5 && all.every(math => math.getBoundingClientRect().width > 4)";
    browser.until("formulas", laid_out).await;
    let text = browser.last_answer().await;
    assert!(text.contains("prices of $5 and $10, wrong"), "{text}");
    let wrong = "return document.querySelector('.math > code').textContent";
    assert_eq!(browser.script(wrong).await, "\\nosuch{a}");
    let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.devtools("Browser.grantPermissions", permissions).await;
    browser.press("button", "Copy as CSV").await;
    browser.find("button", "Copied").await;
    let read = "navigator.clipboard.readText().then(arguments[0])";
    let copied = browser.client.execute_async(read, vec![]).await.unwrap();
    assert_eq!(copied, "a,b\r\n\"x^2, say\",=1+1\r\n\"two\nlines\",\"\"\"so\"\"\"\r\n");
    browser.find("button", "Copy as CSV").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

const HARM: [&str; 8] = [
    "<script>window.ran = 1</script>\n\n<img src=x onerror=\"window.ran = 2\"> inline \
     <svg/onload=window.ran=3> and <iframe srcdoc=\"<script>parent.ran=4</script>\"></iframe>\n\n",
    "[a](javascript:window.ran=5) [b](JaVa\tScRiPt:window.ran=6) [c](&#106;avascript:window.ran=7) \
     [d](data:text/html,<script>opener.ran=8</script>) [e](vbscript:x) [f](\u{1}javascript:x) \
     [g](<java&#10;script:window.ran=9>) <javascript:window.ran=10> [h][r]\n\n[r]: javascript:x\n\n",
    "![x](javascript:window.ran=11) ![x](https://evil.invalid/pixel.png) \
     ![\"><script>window.ran=12</script>](x.png \"\\\" onload=window.ran=13\") \
     ![s](data:image/svg+xml,<svg/onload=window.ran=14>)\n\n",
    "[t](https://a.example \"\\\" onmouseover=\\\"window.ran=15\") `</code><script>window.ran=16</script>`\n\n",
    "```\"><script>window.ran=17</script>\n</code></pre><script>window.ran=18</script>\n```\n\n\
     ```rust\" onclick=\"window.ran=19\nlet a;\n```\n\n",
    "$\\href{javascript:window.ran=20}{x}$ $\\text{<img src=x onerror=window.ran=21>}$ \
     $$\\style{background:url(https://evil.invalid)}{x}$$\n\n",
    "| <script>window.ran=22</script> | [x](javascript:window.ran=23) |\n| --- | --- |\n| <br onclick=x> | b |\n\n\
     Note[^<img src=x onerror=window.ran=24>]\n\n[^<img src=x onerror=window.ran=24>]: <b onclick=x>\n\n",
    "After `\u{202e}evil` abcdef and \u{202e}gnorw\n\nThe next paragraph stands.\n\nEnd.",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_means_harm_neither_runs_nor_fetches_nor_turns_the_page_around() {
    let evil = "<img src=x onerror=window.ran=25>\u{202e}";
    let server = Server::start_with(json!({ "test-model": says(&HARM), evil: says(&["x"]) })).await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "<script>window.ran=26</script>\u{202e} title").await;
    browser.answer_when("text.endsWith('End.')").await;
    browser.answer_ended().await;
    browser.until("the code", "return document.querySelectorAll('figure.code').length === 2").await;
    let opener = picker::opener(&browser).await;
    browser.press("button", &opener).await;
    browser.find("listbox", "Models").await;
    let found = browser
        .script(
            "const all = [...document.body.querySelectorAll('*')];
             const allowed = ['http:', 'https:', 'mailto:', 'tel:'];
             return {
               ran: window.ran || null,
               handlers: all.filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length,
               elements: all.filter(e => e.closest('article') && e.matches(
                 'script, iframe, object, embed, svg svg, form, style, link, base, meta')).length,
               links: all.filter(e => e.href !== undefined && e.closest('article')
                 && e.tagName === 'A' && !allowed.includes(e.protocol)).length,
               images: all.filter(e => e.tagName === 'IMG').length,
               foreign: performance.getEntriesByType('resource')
                 .filter(entry => new URL(entry.name).origin !== location.origin).length,
             };",
        )
        .await;
    let nothing = json!({
        "ran": null, "handlers": 0, "elements": 0, "links": 0, "images": 0, "foreign": 0
    });
    assert_eq!(found, nothing);
    browser.press("button", &opener).await;
    let in_order = "const p = [...document.querySelectorAll('article p')]
          .find(p => p.textContent.startsWith('After'));
        const text = [...p.childNodes].find(n => n.nodeType === 3 && n.data.includes('abcdef'));
        const at = text.data.indexOf('abcdef');
        const left = offset => {
          const range = document.createRange();
          range.setStart(text, at + offset);
          range.setEnd(text, at + offset + 1);
          return range.getBoundingClientRect().left;
        };
        return left(0) < left(1) && left(1) < left(5);";
    assert_eq!(browser.script(in_order).await, true, "code that turns around turns only itself");
    answers_a_click(&browser).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Such an answer is shown to its end, is nested in bounds, and the page does what it is asked.
async fn leaves_the_page_alive(texts: &[&str]) {
    let server = Server::start(says(texts)).await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Go on for ever").await;
    browser.answer_ended().await;
    browser.until("the end", "return document.body.textContent.includes('End.')").await;
    let deepest = "let deepest = 0;
        for (const e of document.querySelectorAll('.prose *')) {
          let depth = 0;
          for (let at = e; at; at = at.parentElement) depth += 1;
          deepest = Math.max(deepest, depth);
        }
        return deepest < 200;";
    assert_eq!(browser.script(deepest).await, true, "nothing is nested without an end");
    answers_a_click(&browser).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_two_megabytes_leaves_the_page_alive() {
    let piece = "lorem ipsum ".repeat(4500);
    let mut texts = vec![piece.as_str(); 38];
    texts.push("\n\nEnd.");
    leaves_the_page_alive(&texts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paragraph_of_150_000_emphases_leaves_the_page_alive() {
    let piece = "*a* ".repeat(5000);
    let mut texts = vec![piece.as_str(); 30];
    texts.push("\n\nEnd.");
    leaves_the_page_alive(&texts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_marks_of_every_kind_leave_the_page_alive() {
    let marks = ["- ", "> ", "1. ", "*", "[", "![", "$", "`", "{", "[^a]: ", "|"];
    let lines = marks.map(|mark| mark.repeat(10_000));
    let mut texts: Vec<_> = lines.iter().flat_map(|line| [line.as_str(), "\n\n"]).collect();
    texts.push("x\n\nEnd.");
    leaves_the_page_alive(&texts).await;
}

const FLOW: &str = "Like this:\n\n```mermaid\nflowchart LR\n  A[Browser] -->|append| B{Durable?}\n  \
    B -->|yes| C[Shown]\n  B -->|no| D[\"<script>alert(1)</script>\"]\n";
const FENCE: &str = "```\n\nThat is all";
const SEQUENCE: &str = ".\n\nAnd in time:\n\n```mermaid\nsequenceDiagram\n  participant Reader\n  \
    participant Log\n  Reader->>+Log: read after 7\n  Note over Log: from the disk\n  Log-->>-Reader: 8, 9\n```\n\n\
    ```mermaid\nflowchart TD\n  A[Start --> B{\n```\n\nEnd.";

#[tokio::test(flavor = "multi_thread")]
async fn a_diagram_is_drawn_once_it_is_whole_and_a_broken_one_stays_code() {
    let [flow, fence, sequence] = [FLOW, FENCE, SEQUENCE].map(|text| json!({ "text": text }));
    let steps = json!([flow, { "gate": "whole" }, fence, { "gate": "rest" }, sequence]);
    let server = Server::start(steps).await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Draw it").await;
    browser.answer_when("text.includes('alert(1)')").await;
    assert!(!browser.has("img", "Diagram: flowchart LR").await, "it is not whole");
    server.standin.open_gate("whole");
    browser.find("img", "Diagram: flowchart LR").await;
    look_at(&browser, "a diagram").await;
    server.standin.open_gate("rest");
    browser.find("img", "Diagram: sequenceDiagram").await;
    browser.answer_ended().await;
    let sizes = "return [...document.querySelectorAll('.diagram img')]
        .every(img => img.complete && img.naturalWidth > 100 && img.naturalHeight > 50)";
    browser.until("pictures with a size", sizes).await;
    let code = "return [...document.querySelectorAll('figure.code pre')]
        .filter(pre => pre.checkVisibility()).map(pre => pre.textContent)";
    assert_eq!(browser.script(code).await, json!(["flowchart TD\n  A[Start --> B{\n"]));
    let inside = "return document.querySelectorAll('.diagram :is(svg, script)').length";
    assert_eq!(browser.script(inside).await, 0, "a picture is an image");
    look_at(&browser, "diagrams").await;

    browser.press("button", "Show source").await;
    browser.gone("img", "Diagram: flowchart LR").await;
    let source = "return document.querySelector('figure.code pre').checkVisibility()";
    assert_eq!(browser.script(source).await, true);
    browser.press("button", "Show diagram").await;
    browser.find("img", "Diagram: flowchart LR").await;
    browser.reload().await;
    browser.find("img", "Diagram: sequenceDiagram").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// The next worker begins to draw and does not end; what waits for that long waits no more.
const HANGS: &str = "const [wait, Real] = [setTimeout, Worker];
    window.setTimeout = (work, time) => wait(work, time === 5000 ? 0 : time);
    window.Worker = class {
      postMessage() { this.onmessage({ data: 'begun' }); }
      terminate() { [window.setTimeout, window.Worker, window.ended] = [wait, Real, true]; }
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_diagram_that_takes_too_long_is_code_and_the_next_one_is_drawn() {
    // Whichever is asked for first is the slow one; the broken one would be no picture anyway.
    let (whole, _broken) = SEQUENCE.split_once("```mermaid\nflowchart TD").unwrap();
    let answer = format!("{FLOW}{FENCE}{whole}");
    let server = Server::start(says(&[&answer])).await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.script(HANGS).await;
    browser.type_text("Draw it").await;
    browser.enter().await;
    let note = "return document.querySelector('.drawn')
        && document.querySelector('.diagram-note')?.closest('figure:not(.drawn)').innerText";
    let slow = browser.until("one that took too long, and one that did not", note).await;
    let slow = slow.as_str().unwrap();
    assert!(slow.contains("took too long"), "{slow}");
    assert!(slow.contains("Browser") | slow.contains("Reader"), "its code: {slow}");
    assert_eq!(browser.script("return window.ended").await, true, "its worker");
    look_at(&browser, "a diagram that took too long").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_module_a_diagram_is_code_and_nothing_else_suffers() {
    let answer = format!("{FLOW}{FENCE}{SEQUENCE}");
    let server = Server::start(says(&[&answer])).await;
    let browser = Browser::start(DESKTOP).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/drawing-*"]})).await;
    ask(&browser, &server, "Draw it").await;
    browser.answer_ended().await;
    browser.find("button", "Copy").await;
    answers_a_click(&browser).await;
    assert!(!browser.has("img", "Diagram: flowchart LR").await);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reasoning_folds_away_with_how_long_it_took() {
    let server = Server::start("reasoning:tokens=5,reasoning=4,rate=20").await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Think").await;
    browser.answer_ended().await;
    let said = "const summary = document.querySelector('details.reasoning:not([open]) > summary');
        return /^Reasoned for [1-9][0-9.]* m?s$/.test(summary?.innerText);";
    browser.until("how long it took", said).await;
    browser.reload().await;
    browser.answer_ended().await;
    browser.until("how long it took, after a reload", said).await;
    browser.close().await;
}
