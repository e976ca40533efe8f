//! One message, two models: both answers at once, side by side, until one is chosen.

use serde_json::json;

use crate::browser::{Browser, DESKTOP, PHONE, Size};
use crate::looks::look_at;
use crate::server::Server;

/// The texts of the two columns, in order.
async fn columns(browser: &Browser, condition: &str) {
    let script = format!(
        "const [left, right] = [...document.querySelectorAll('[aria-label=\"Two answers\"] article')]
           .map(e => e.querySelector('.prose').textContent.trim());
         return left !== undefined && right !== undefined && ({condition});"
    );
    browser.until(&format!("two answers with {condition}"), &script).await;
}

async fn asked(server: &Server, size: Size) -> Browser {
    ask(server, size, "Say it twice").await
}

async fn ask(server: &Server, size: Size, question: &str) -> Browser {
    let browser = Browser::start(size).await;
    browser.open(&server.url("/")).await;
    browser.press("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
    browser
}

async fn ask_another(browser: &Browser, model: &str) {
    browser.press("button", "Ask another model").await;
    browser.find("group", "Ask another model").await;
    browser.press("button", model).await;
    browser.find("group", "Two answers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_models_answer_side_by_side_and_one_is_chosen() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, DESKTOP).await;
    browser.answer_when("/\\b10$/.test(text)").await;
    ask_another(&browser, "Echo").await;
    columns(&browser, "/\\b10$/.test(left) && right === 'Say it twice'").await;
    look_at(&browser, "side-by-side").await;

    // The same after a reload, in the middle.
    browser.reload().await;
    columns(&browser, "/\\b10$/.test(left) && right === 'Say it twice'").await;
    server.standin.open_gate("go");
    columns(&browser, "/\\b30$/.test(left)").await;
    browser.answer_ended().await;
    browser.reload().await;
    columns(&browser, "/\\b30$/.test(left) && right === 'Say it twice'").await;

    browser.press("button", "Use this one: test-model").await;
    browser.gone("group", "Two answers").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    assert!(!browser.place().await.contains("beside"));
    browser.press("textbox", "Message").await;
    browser.type_text("And on").await;
    browser.enter().await;
    browser
        .until("the next answer", "return document.querySelectorAll('main article').length === 4")
        .await;
    browser.answer_ended().await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

const QUESTION: &str = "What is a write-ahead log good for?";
const LONG: &str = "A write-ahead log makes one promise: **what was confirmed is still there after a \
     crash**.\n\n1. The change is appended to the log.\n2. The log is flushed to the disk.\n3. Only \
     then the writer says *done*.\n\nThe tables are brought up to date later, and after a crash the log \
     is read once more:\n\n```rust\nfor record in log.since(checkpoint) {\n    tables.apply(record)?;\n\
     }\n```\n";
const SHORT: &str = "For three things:\n\n- **Durability.** A crash loses nothing that was confirmed.\n\
     - **Speed.** Appending at the end is the cheapest write there is.\n- **Copies.** Whoever reads \
     the log has the same data, a moment later.\n\nIts price is that the log must be cut now and then.\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_answers_hold_in_every_theme_and_size() {
    let models = json!({ "test-model": [{ "text": LONG }], "small-model": [{ "text": SHORT }] });
    let server = Server::start_with(models).await;
    let browser = ask(&server, DESKTOP, QUESTION).await;
    browser.answer_ended().await;
    browser.press("button", "Ask another model").await;
    browser.press("checkbox", "Side by side").await;
    browser.press("button", "small-model").await;
    columns(&browser, "left.includes('once more') && right.includes('now and then')").await;
    browser.answer_ended().await;
    look_at(&browser, "two answers").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_two_answers_has_its_own_stop() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, DESKTOP).await;
    browser.answer_when("/\\b10$/.test(text)").await;
    // The same model may answer twice.
    ask_another(&browser, "test-model").await;
    columns(&browser, "/\\b10$/.test(left) && /\\b10$/.test(right)").await;
    assert!(browser.has("button", "Stop test-model").await);
    browser.press("button", "Stop test-model").await;
    browser
        .until(
            "one that runs",
            "return document.querySelectorAll('article[aria-busy=\"true\"]').length === 1",
        )
        .await;
    server.standin.open_gate("go");
    columns(&browser, "/\\b10$/.test(left) && /\\b30$/.test(right)").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_one_of_two_answers_is_shown_at_a_time() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = asked(&server, PHONE).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    browser.press("button", "Ask another model").await;
    browser.press("checkbox", "Side by side").await;
    browser.press("button", "Echo").await;
    browser.find("article", "test-model").await;
    browser.gone("article", "Echo").await;
    browser.press("button", "Echo").await;
    browser.find("article", "Echo").await;
    browser.gone("article", "test-model").await;
    browser.press("button", "Use this one: Echo").await;
    browser.gone("group", "Two answers").await;
    browser.answer_when("text === 'Say it twice'").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_answers_instead() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = asked(&server, DESKTOP).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    browser.press("button", "Ask another model").await;
    browser.press("button", "Echo").await;
    browser.answer_when("text === 'Say it twice'").await;
    browser.find("article", "Echo").await;
    assert!(!browser.has("group", "Two answers").await);
    browser.press("button", "Previous version").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}
