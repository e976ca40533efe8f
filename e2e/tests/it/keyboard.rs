//! The whole flow of UI.md without a pointer, at 200 % zoom, and without motion.

use fantoccini::key::Key;
use serde_json::json;

use crate::axe;
use crate::browser::{Browser, DESKTOP};
use crate::picker;
use crate::server::Server;

async fn key(browser: &Browser, key: Key) {
    browser.type_text(&key.to_string()).await;
}

/// Presses Tab, or with Shift, until the focus is in an element of this name; it must be visible.
async fn tab_to(browser: &Browser, name: &str, back: bool) {
    let tab = if back {
        format!("{}{}{}", Key::Shift, Key::Tab, Key::Null)
    } else {
        Key::Tab.to_string()
    };
    let here = format!(
        "const e = document.activeElement;
         const named = (e.getAttribute('aria-label') || e.textContent || '').trim() === {name:?};
         const style = getComputedStyle(e);
         const box = e.getBoundingClientRect();
         return named && {{ seen: box.width > 0 && Number(getComputedStyle(e.parentElement).opacity) > 0,
           ring: e.id === 'message' || style.outlineStyle !== 'none' || style.boxShadow !== 'none' }};"
    );
    let mut passed = Vec::new();
    for _ in 0..60 {
        let found = browser.script(&here).await;
        if found.is_object() {
            assert_eq!(found, json!({ "seen": true, "ring": true }), "{name}");
            return;
        }
        browser.type_text(&tab).await;
        let now = browser
            .script("return document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.slice(0, 40)")
            .await;
        passed.push(now.to_string());
    }
    panic!("no way to {name:?} with the keyboard: {passed:?}");
}

async fn yours(browser: &Browser, texts: &[&str]) {
    let expected = serde_json::to_string(texts).unwrap();
    let script = format!(
        "const texts = [...document.querySelectorAll('article[aria-label=\"You\"] .bubble')];
         return JSON.stringify(texts.map(e => e.innerText.trim())) === {expected:?};"
    );
    browser.until(&format!("the messages {expected}"), &script).await;
}

async fn the_whole_flow(browser: &Browser, server: &Server) {
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b10$/.test(text)").await;
    // Stop.
    browser.focused("textbox", "Message").await;
    key(browser, Key::Escape).await;
    browser.answer_ended().await;
    server.standin.open_gate("go");
    // Edit makes a branch.
    tab_to(browser, "Edit", true).await;
    browser.enter().await;
    browser.focused("textbox", "Message").await;
    browser.type_text(&format!("{}a{}", Key::Control, Key::Null)).await;
    browser.type_text("Count for her").await;
    browser.enter().await;
    yours(browser, &["Count for her"]).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    tab_to(browser, "Previous version", true).await;
    browser.enter().await;
    yours(browser, &["Count for me"]).await;
    // Another model, by the picker.
    let opener = picker::opener(browser).await;
    tab_to(browser, &opener, false).await;
    browser.enter().await;
    browser.find("listbox", "Models").await;
    browser.type_text("echo").await;
    browser.enter().await;
    browser.focused("button", "Model: Echo").await;
    tab_to(browser, "Message", true).await;
    browser.type_text("Say this").await;
    browser.enter().await;
    yours(browser, &["Count for me", "Say this"]).await;
    browser.answer_when("text === 'Say this'").await;
    browser.answer_ended().await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow_needs_no_pointer() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = Browser::start(DESKTOP).await;
    the_whole_flow(&browser, &server).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow_works_at_200_percent_zoom() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = Browser::start(DESKTOP).await;
    let half = json!({"width": 720, "height": 450, "deviceScaleFactor": 2, "mobile": false});
    browser.devtools("Emulation.setDeviceMetricsOverride", half).await;
    the_whole_flow(&browser, &server).await;
    let overflow =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.script(overflow).await, 0, "nothing sticks out");
    axe::check(&browser, "at 200 % zoom").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_for_those_who_do_not_want_it() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = Browser::start(DESKTOP).await;
    let reduced = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    browser.devtools("Emulation.setEmulatedMedia", reduced).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b10$/.test(text)").await;
    let blinks = "return getComputedStyle(document.querySelector('.cursor')).animationName";
    assert_eq!(browser.script(blinks).await, "none");
    let moves = "
        const time = text => Math.max(...text.split(',').map(t => parseFloat(t) * (t.includes('ms') ? 1 : 1000)));
        return [...document.querySelectorAll('*')].filter(e => {
          const style = getComputedStyle(e);
          return time(style.transitionDuration) > 1
            || (style.animationName !== 'none' && time(style.animationDuration) > 1);
        }).map(e => e.outerHTML.slice(0, 80));";
    assert_eq!(browser.script(moves).await, json!([]));
    server.standin.open_gate("go");
    browser.answer_ended().await;
    browser.close().await;
}
