//! An answer that ends while nobody looks: a mark in the title, and a notification for those who
//! asked for it.

use serde_json::json;

use crate::axe;
use crate::browser::{Browser, DESKTOP};
use crate::server::Server;

/// Writes down what the browser is told to show.
const LISTEN: &str = "
    window.told = [];
    window.Notification = class extends Notification {
      constructor(title, options) { super(title, options); told.push([title, options.body]); window.last = this; }
    };";

/// Hidden, as far as the page can see; and the answer has taken long.
const AWAY: &str = "
    Object.defineProperty(document, 'hidden', { get: () => window.away, configurable: true });
    window.away = true;
    const now = Date.now; Date.now = () => now() + 20000;";

async fn asked(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.devtools("Browser.grantPermissions", json!({ "permissions": ["notifications"] })).await;
    browser.script(LISTEN).await;
    browser
}

async fn send(browser: &Browser) {
    browser.press("textbox", "Message").await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b10$/.test(text)").await;
}

/// Opens another tab, lets the answer end, and comes back.
async fn ends_unseen(server: &Server, browser: &Browser) {
    let page = browser.client.window().await.unwrap();
    let other = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(other).await.unwrap();
    browser.open(&server.url("/health")).await;
    // The first model call stays before its gate until the tab has been hidden.
    server.standin.open_gate("go");
    browser.client.switch_to_window(page).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_switched_it_on_is_told_of_an_answer_that_ended_unseen() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server).await;
    browser.press("button", "Settings").await;
    browser.press("button", "Notifications").await;
    let choose = "
        const choices = [...document.querySelectorAll('fieldset')]
          .find(e => e.textContent.includes('Notify me'));
        choices?.querySelector('input[value=on]').click();
        return !!choices;";
    browser.until("the switch", choose).await;
    axe::check(&browser, "settings").await;
    browser.press("button", "Close").await;
    send(&browser).await;
    browser.script(AWAY).await;
    ends_unseen(&server, &browser).await;
    let told = browser.until("a notification", "return window.told.length && told").await;
    assert_eq!(told, json!([["Count for me", "The answer is ready."]]));
    browser.until("a mark in the title", "return document.title.startsWith('(1) ')").await;
    browser.script("last.onclick()").await;
    browser
        .script("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
        .await;
    browser.until("no mark", "return document.title === 'Count for me'").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_told_and_a_short_answer_that_was_seen_leaves_no_mark() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server).await;
    send(&browser).await;
    server.standin.open_gate("go");
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    assert_eq!(browser.script("return told").await, json!([]));
    assert_eq!(browser.script("return document.title").await, "Count for me");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_running_at_a_reload_is_told_of_also_where_only_the_worker_can() {
    // As on a phone.
    const BY_WORKER: &str = "
        window.told = [];
        window.Notification = class { constructor() { throw new TypeError('Illegal constructor'); } };
        Notification.permission = 'granted';
        ServiceWorkerRegistration.prototype.showNotification = async (title, options) => {
          told.push([title, options.body, location.search.endsWith(options.tag)]);
        };";
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server).await;
    browser.script("localStorage.notify = 'on'").await;
    send(&browser).await;
    browser.reload().await;
    browser.answer_when("/\\b10$/.test(text)").await;
    // The list says that it runs.
    browser.find("link", "Count for me").await;
    browser.find("img", "Answering").await;
    browser.script(BY_WORKER).await;
    browser.script(AWAY).await;
    server.standin.open_gate("go");
    let told = browser.until("a notification", "return window.told.length && told").await;
    assert_eq!(told, json!([["Count for me", "The answer is ready.", true]]));

    let click = "window.away = false;
        navigator.serviceWorker.dispatchEvent(
          new MessageEvent('message', { data: { open: '/history' } }));";
    browser.script(click).await;
    browser.find("link", "Count for me").await;
    browser.until("the page that was asked for", "return location.pathname === '/history'").await;
    browser.find("button", "Archive").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_switched_it_on_hears_that_the_browser_does_not_allow_it() {
    const WHY: &str = "/does not allow notifications/.test(document.body.innerText)";
    let server = Server::start("numbers:tokens=5,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let deny = "window.Notification = class { static requestPermission = async () => {
        Notification.permission = 'denied'; return 'denied'; } };
      Notification.permission = 'default';";
    browser.script(deny).await;
    browser.press("button", "Settings").await;
    browser.press("button", "Notifications").await;
    let choose = |value: &str| {
        format!(
            "const one = document.querySelector('input[name=notify][value={value}]');
            one?.click(); return !!one;"
        )
    };
    browser.until("the switch", &choose("on")).await;
    browser.until("why nothing will come", &format!("return {WHY}")).await;
    browser.until("the switch", &choose("off")).await;
    browser.until("no reason", &format!("return !{WHY}")).await;
    browser.close().await;
}
