//! Tool calls in an answer: a line each, which unfolds.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP};
use crate::looks::{look_at, nothing_sticks_out};
use crate::server::Server;

async fn ask(browser: &Browser, server: &Server, question: &str) {
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
}

fn executed(tool: &Value) -> Value {
    json!({"delta": {"executed_tools": [tool]}})
}

/// Waits until these are the lines, folded or not.
async fn lines(browser: &Browser, expected: &[&str]) {
    let script = format!(
        "const all = [...document.querySelectorAll('details.tool > summary')];
         return JSON.stringify(all.map(line => line.innerText.trim())) === {:?}",
        json!(expected).to_string()
    );
    browser.until(&format!("the lines {expected:?}"), &script).await;
}

/// Goes back with Shift+Tab until that is in focus.
async fn tab_back_to(browser: &Browser, selector: &str) {
    let there = format!("return document.activeElement.matches({selector:?})");
    for _ in 0..20 {
        browser.type_text(&format!("{}{}{}", Key::Shift, Key::Tab, Key::Null)).await;
        if browser.script(&there).await == true {
            return;
        }
    }
    panic!("the keyboard does not reach {selector}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_is_a_line_that_unfolds_and_stays() {
    let search = json!({"index": 0, "type": "search", "arguments": "{\"query\":\"rain in Rome\",\"most\":3}"});
    let mut found = search.clone();
    found["output"] = json!("Title: Rome\nRain until noon.");
    let failed = json!({"index": 1, "type": "visit", "arguments": "{\"url\":\"https://rome.example\"}",
        "error": "The page did not answer."});
    let function = json!({"index": 0, "id": "c", "function": {"name": "order_coat", "arguments": "{\"size\":\"M\"}"}});
    let server = Server::start(json!({"with": "finish=tool_calls", "steps": [
        executed(&search),
        {"gate": "found"},
        executed(&found),
        executed(&failed),
        {"text": "Rain until noon. "},
        {"text": "I can order a coat."},
        {"delta": {"tool_calls": [function]}},
        {"gate": "end"},
    ]}))
    .await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Do I need a coat in Rome?").await;
    lines(&browser, &["Using search…"]).await;
    tab_back_to(&browser, "details.tool > summary").await;
    browser.enter().await;
    let arguments = "const pre = document.querySelector('details.tool[open] pre');
        return pre?.checkVisibility() && pre.textContent";
    let shown = browser.until("the arguments", arguments).await;
    assert_eq!(shown, "{\n  \"most\": 3,\n  \"query\": \"rain in Rome\"\n}");

    // What comes later changes the line, and leaves it open and in focus.
    browser.script("document.querySelector('details.tool').dataset.same = 1").await;
    server.standin.open_gate("found");
    browser.answer_when("text.endsWith('coat.')").await;
    lines(&browser, &["Used search", "visit failed"]).await;
    let is_open = "const line = document.querySelector('details.tool[data-same][open]');
        return line?.querySelectorAll('pre').length === 2
          && document.activeElement === line.firstElementChild
          && line.querySelector('[aria-label=Output]').textContent";
    let output = browser.until("the output", is_open).await;
    assert_eq!(output, "Title: Rome\nRain until noon.");
    server.standin.open_gate("end");
    browser.answer_ended().await;
    let all = ["Used search", "visit failed", "Asked for order_coat"];
    lines(&browser, &all).await;

    look_at(&browser, "tool calls folded but one").await;
    browser
        .script("document.querySelectorAll('details.tool').forEach(line => line.open = true)")
        .await;
    look_at(&browser, "tool calls").await;
    browser.reload().await;
    browser.answer_ended().await;
    lines(&browser, &all).await;
    assert_eq!(browser.script("return document.querySelectorAll('details[open]').length").await, 0);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_that_means_harm_is_a_text_in_its_box() {
    let name = "<script>window.ran=1</script>\u{202e}evil";
    let harm =
        "<img src=x onerror=window.ran=2> [a](javascript:window.ran=3)\n\u{202e}live\n**b**\n";
    let long = format!("{harm}{}", "m".repeat(40 << 10));
    let lines_of = format!("{harm}{}", "a line\n".repeat(200));
    let server = Server::start(json!([
        executed(&json!({"index": 0, "type": name, "arguments": harm, "output": long})),
        executed(&json!({"index": 1, "type": "y".repeat(400), "output": lines_of})),
        {"text": "After it abcdef stands."},
    ]))
    .await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, "Harm me").await;
    browser.answer_ended().await;
    let shown = format!("Used {}", name.replace('\u{202e}', ""));
    lines(&browser, &[&shown, &format!("Used {}", "y".repeat(200))]).await;
    browser
        .script("document.querySelectorAll('details.tool').forEach(line => line.open = true)")
        .await;
    let found = browser
        .script(
            "const all = [...document.querySelectorAll('.tool pre')];
             const page = document.querySelector('.transcript');
             const elements = [...document.querySelectorAll('.tool *')].filter(e => !e.matches(
               'summary, svg, path, bdi, div, p, pre'));
             return {
               ran: window.ran || null,
               elements: elements.map(e => e.tagName),
               boxes: all.map(pre => pre.clientHeight
                 <= 16 * parseFloat(getComputedStyle(pre).lineHeight) + 1),
               scrolls: all.map(pre => pre.scrollHeight > pre.clientHeight),
               wraps: all.every(pre => pre.scrollWidth <= pre.clientWidth),
               page: page.scrollWidth <= page.clientWidth,
               starts: all[0].textContent.startsWith('<img src=x'),
               notes: [...document.querySelectorAll('.tool p')].map(p => p.textContent),
             };",
        )
        .await;
    let expected = json!({
        "ran": null, "elements": [], "boxes": [true, true, true], "scrolls": [false, true, true],
        "wraps": true, "page": true, "starts": true,
        "notes": ["Arguments", "Output", "The rest was too long to be kept.", "Output"],
    });
    assert_eq!(found, expected);
    look_at(&browser, "tool calls that mean harm").await;
    nothing_sticks_out(&browser, "a tool call that means harm").await;
    browser.reload().await;
    browser.answer_ended().await;
    assert_eq!(browser.script("return window.ran || null").await, Value::Null);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}
