//! One message, two models: both answers at once, side by side, until one is chosen.

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE, Size, TABLET};
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

async fn look_at(browser: &Browser, state: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for (name, size) in [("desktop", DESKTOP), ("tablet", TABLET), ("phone", PHONE)] {
            browser.resize(size).await;
            let state = format!("{state}-{scheme}-{name}");
            let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.script(overflow).await, 0, "{state} scrolls sideways");
            axe::check(browser, &state).await;
            if let Some(folder) = std::env::var_os("UNBROKEN_VIEW_PICTURES") {
                let path = std::path::Path::new(&folder).join(format!("{state}.png"));
                std::fs::write(path, browser.screenshot().await).unwrap();
            }
        }
    }
    browser.prefer("light").await;
    browser.resize(DESKTOP).await;
}

async fn asked(server: &Server, size: Size) -> Browser {
    let browser = Browser::start(size).await;
    browser.open(&server.url("/")).await;
    browser.press("textbox", "Message").await;
    browser.type_text("Say it twice").await;
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
