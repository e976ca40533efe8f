//! Parts of the app that come when they are asked for, or do not come.

use serde_json::json;

use crate::axe;
use crate::browser::{Browser, DESKTOP};
use crate::server::Server;

async fn home(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser
}

/// Whether the page has loaded the chunk of that name.
async fn has_loaded(browser: &Browser, chunk: &str) -> bool {
    let loaded = format!(
        "return performance.getEntriesByType('resource').some(e => e.name.includes('/split_{chunk}-'))"
    );
    browser.script(&loaded).await == true
}

/// Lets no chunk through, or every one.
async fn hold_back(browser: &Browser, chunks: &[&str]) {
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({ "urls": chunks })).await;
}

#[tokio::test]
async fn settings_come_when_they_are_opened_and_not_before() {
    let server = Server::start("numbers:tokens=1").await;
    let browser = home(&server).await;
    assert!(!has_loaded(&browser, "settings").await);
    browser.press("button", "Settings").await;
    browser.find("dialog", "Settings").await;
    assert!(has_loaded(&browser, "settings").await && !has_loaded(&browser, "history").await);
    browser.press("button", "Close").await;
    browser.gone("dialog", "Settings").await;
    browser.press("button", "Settings").await;
    browser.find("dialog", "Settings").await;
    browser.press("button", "Close").await;

    browser.press("link", "History").await;
    browser.until("the page", "return document.querySelector('main .days .empty')").await;
    assert!(has_loaded(&browser, "history").await);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_part_that_does_not_come_is_told_of_and_comes_when_asked_again() {
    let server = Server::start("numbers:tokens=1").await;
    let browser = home(&server).await;
    hold_back(&browser, &["*/split_*"]).await;
    browser.press("button", "Settings").await;
    browser.find("dialog", "Settings").await;
    browser.find("button", "Try again").await;
    axe::check(&browser, "settings that did not come").await;
    hold_back(&browser, &[]).await;
    browser.press("button", "Try again").await;
    browser.find("radio", "Dark").await;
    browser.press("button", "Close").await;

    hold_back(&browser, &["*/split_*"]).await;
    browser.press("link", "History").await;
    browser.find("button", "Try again").await;
    axe::check(&browser, "history that did not come").await;
    hold_back(&browser, &[]).await;
    browser.press("button", "Try again").await;
    browser.until("the page", "return document.querySelector('main .days .empty')").await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_whose_server_has_another_app_by_now_is_loaded_anew_once() {
    let server = Server::start("numbers:tokens=1").await;
    let browser = home(&server).await;
    hold_back(&browser, &["*/split_*"]).await;
    let another = "window.old = true;
        const fetched = fetch;
        window.fetch = (what, ...how) =>
            what === '/' ? Promise.resolve(new Response('another app')) : fetched(what, ...how);";
    browser.script(another).await;
    browser.press("button", "Settings").await;
    browser.until("another page", "return document.readyState === 'complete' && !window.old").await;
    browser.focused("textbox", "Message").await;
    browser.script(another).await;
    browser.press("button", "Settings").await;
    browser.find("button", "Try again").await;
    assert_eq!(browser.script("return window.old").await, true, "loaded anew once");
    browser.close().await;
}
