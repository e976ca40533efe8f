//! Every page in light and dark, on a desktop, a tablet and a phone: axe finds nothing, nothing
//! sticks out, and the pictures in `docs/images` are made from what is seen.

use std::path::PathBuf;

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE, Size, TABLET};
use crate::server::Server;

const SIZES: [(&str, Size); 3] = [("desktop", DESKTOP), ("tablet", TABLET), ("phone", PHONE)];

/// Pictures go to `docs/images` when `UNBROKEN_PICTURES` is set, else nowhere.
async fn picture(browser: &Browser, name: &str) {
    if std::env::var_os("UNBROKEN_PICTURES").is_none() {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), browser.screenshot().await).unwrap();
}

async fn nothing_sticks_out(browser: &Browser, state: &str) {
    let overflow =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.script(overflow).await, 0, "{state} scrolls sideways");
}

async fn look_at(browser: &Browser, page: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for (name, size) in SIZES {
            browser.resize(size).await;
            let state = format!("{page}-{scheme}-{name}");
            nothing_sticks_out(browser, &state).await;
            axe::check(browser, &state).await;
            picture(browser, &state).await;
        }
    }
    browser.prefer("light").await;
    browser.resize(DESKTOP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_in_every_theme_and_size() {
    let server = Server::start().await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.until("the models", "return document.querySelector('[aria-label^=\"Model:\"]')").await;
    look_at(&browser, "home").await;

    browser.type_text("How do I add a model?").await;
    let name = browser
        .script(
            "return document.querySelector('[aria-label^=\"Model:\"]').getAttribute('aria-label')",
        )
        .await;
    browser.press("button", name.as_str().unwrap()).await;
    browser.find("listbox", "Models").await;
    look_at(&browser, "picker").await;
    browser.type_text("markdown").await;
    browser.enter().await;
    browser.find("button", "Model: Markdown").await;

    browser.press("textbox", "Message").await;
    browser.enter().await;
    browser.answer_ended().await;
    look_at(&browser, "chat").await;

    browser.open(&server.url("/history")).await;
    browser.find("link", "How do I add a model?").await;
    look_at(&browser, "history").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}
