//! Without a network: the app opens, what was read can be read, and what is written is sent once
//! when the network is back.

use serde_json::{Value, json};
use unbroken_standin::numbered;

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE};
use crate::front::{Front, Habit};
use crate::server::Server;

const WAITS: &str = "Will be sent when the network is back";

fn shown(tokens: usize) -> String {
    numbered(tokens).split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn visit(front: &Front) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&format!("http://{}/", front.address())).await;
    browser.focused("textbox", "Message").await;
    // Until the service worker has the page in its hands nothing is kept.
    let ready = "
        const done = arguments[0];
        navigator.serviceWorker.ready.then(() => {
          const step = () => (navigator.serviceWorker.controller ? done(true) : setTimeout(step, 5));
          step();
        });";
    browser.client.execute_async(ready, vec![]).await.unwrap();
    browser
}

async fn ask(browser: &Browser, question: &str) {
    browser.press("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
}

async fn cut(browser: &Browser, front: &Front) {
    front.turn(Habit::Down);
    offline(browser, true).await;
}

async fn back(browser: &Browser, front: &Front) {
    front.turn(Habit::Good);
    offline(browser, false).await;
}

async fn offline(browser: &Browser, offline: bool) {
    let conditions = json!({
        "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    });
    browser.devtools("Network.emulateNetworkConditions", conditions).await;
}

/// A page with one answer, which the service worker keeps.
async fn with_a_kept_answer() -> (Server, Front, Browser) {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let front = Front::start(&server.address).await;
    let browser = visit(&front).await;
    ask(&browser, "Count for me").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    browser.reload().await;
    browser.answer_when("/\\b30$/.test(text)").await;
    is_kept(&browser).await;
    (server, front, browser)
}

/// Waits until the service worker keeps the page of a conversation.
async fn is_kept(browser: &Browser) {
    let script = "
        const done = arguments[0];
        const step = async () => {
          const kept = await (await caches.open('read')).keys();
          if (kept.some(e => /conversations.[0-9a-f-]{36}/.test(e.url))) done(true);
          else setTimeout(step, 10);
        };
        step();";
    browser.client.execute_async(script, vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_can_be_installed() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let front = Front::start(&server.address).await;
    let browser = visit(&front).await;
    let manifest = browser.devtools("Page.getAppManifest", json!({})).await;
    assert_eq!(manifest["errors"], json!([]));
    assert!(manifest["url"].as_str().unwrap().ends_with("/manifest.webmanifest"));
    let manifest: Value = serde_json::from_str(manifest["data"].as_str().unwrap()).unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        let script = format!(
            "const done = arguments[0];
             const image = new Image();
             image.onload = () => done(image.naturalWidth);
             image.onerror = () => done(0);
             image.src = {};",
            icon["src"]
        );
        let width = browser.client.execute_async(&script, vec![]).await.unwrap();
        assert!(width.as_u64().unwrap() > 0, "{icon}");
    }
    let problems = browser.devtools("Page.getInstallabilityErrors", json!({})).await;
    assert_eq!(problems["installabilityErrors"], json!([]));
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_was_opened_can_be_read_without_a_network() {
    let (_server, front, browser) = with_a_kept_answer().await;

    cut(&browser, &front).await;
    browser.reload().await;
    assert_eq!(browser.answer_when("/\\b30$/.test(text)").await, shown(30));
    browser.find("link", "Count for me").await;
    for size in [DESKTOP, PHONE] {
        browser.resize(size).await;
        axe::check(&browser, "without a network").await;
    }
    let secret = browser
        .client
        .execute_async(
            "const done = arguments[0];
             caches.open('read').then(cache => cache.keys())
               .then(kept => done(kept.some(e => e.url.includes(localStorage.session_id))));",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(secret, false, "the session's secret is not in a name");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_whose_server_restarts_what_was_read_stays() {
    let (_server, front, browser) = with_a_kept_answer().await;
    front.turn(Habit::Away);
    for _ in 0..2 {
        browser.reload().await;
        assert_eq!(browser.answer_when("/\\b30$/.test(text)").await, shown(30));
    }
    front.turn(Habit::Good);
    front.wait_until(|open| open.sockets == 1).await;
    ask(&browser, "And again").await;
    browser
        .until("the answer", "return document.querySelectorAll('main article').length === 4")
        .await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_network_nobody_sees_the_page_that_is_kept() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let front = Front::start(&server.address).await;
    let browser = visit(&front).await;
    let old = "
        const done = arguments[0];
        (async () => {
          const name = (await caches.keys()).find(name => name.startsWith('files '));
          const files = await caches.open(name);
          await files.put('/', new Response('<title>old</title>', { headers: { 'content-type': 'text/html' } }));
          done(true);
        })();";
    browser.client.execute_async(old, vec![]).await.unwrap();
    browser.reload().await;
    browser.focused("textbox", "Message").await;
    cut(&browser, &front).await;
    browser.reload().await;
    browser.until("the page that is kept", "return document.title === 'old'").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_network_is_sent_once_when_it_is_back_also_after_a_reload() {
    let (server, front, browser) = with_a_kept_answer().await;

    cut(&browser, &front).await;
    let says_offline = "return document.querySelector('[role=status][aria-label=Connection]')
        .innerText.trim() !== '';";
    browser.until("a word on the connection", says_offline).await;
    ask(&browser, "And again").await;
    browser.find("list", WAITS).await;
    axe::check(&browser, "a message that waits for the network").await;
    if let Some(folder) = std::env::var_os("UNBROKEN_VIEW_PICTURES") {
        let path = std::path::Path::new(&folder).join("waits.png");
        std::fs::write(path, browser.screenshot().await).unwrap();
    }
    browser.reload().await;
    browser.find("list", WAITS).await;
    assert_eq!(server.standin.calls().len(), 1);

    back(&browser, &front).await;
    browser.gone("list", WAITS).await;
    browser
        .until("the answer", "return document.querySelectorAll('main article').length === 4")
        .await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    assert_eq!(server.standin.calls().len(), 2, "sent once");
    browser.reload().await;
    browser.answer_when("/\\b30$/.test(text)").await;
    assert_eq!(server.standin.calls().len(), 2, "and forgotten");
    browser.close().await;
}

/// Waits until the service worker keeps so many conversations.
async fn kept(browser: &Browser, count: usize) {
    let script = format!(
        "const done = arguments[0];
         const step = async () => {{
           const kept = await (await caches.open('read')).keys();
           const paths = kept.map(e => new URL(e.url).pathname);
           const all = paths.filter(path => /conversations.[0-9a-f-]{{36}}/.test(path));
           if (all.length === {count}) done(all);
           else setTimeout(step, 10);
         }};
         step();"
    );
    browser.client.execute_async(&script, vec![]).await.unwrap();
}

/// Deletes at the server itself, as another device does.
async fn delete_elsewhere(browser: &Browser, server: &Server, path: &str, body: &Value) {
    let pair = browser
        .script(
            "return new URLSearchParams(
               { session_id: localStorage.session_id, device_id: localStorage.device_id }).toString()",
        )
        .await;
    let page = browser.client.window().await.unwrap();
    let other = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(other).await.unwrap();
    browser.open(&server.url("/health")).await;
    let delete = "const done = arguments[3];
        fetch(arguments[0] + '?' + arguments[1], { method: 'DELETE',
          headers: { 'content-type': 'application/json' }, body: JSON.stringify(arguments[2]) })
          .then(answer => done(answer.status));";
    let arguments = vec![json!(path), pair, body.clone()];
    assert_eq!(browser.client.execute_async(delete, arguments).await.unwrap(), 200);
    browser.client.close_window().await.unwrap();
    browser.client.switch_to_window(page).await.unwrap();
}

/// A conversation more that the service worker keeps: its path at the server.
async fn keep_another(browser: &Browser, question: &str, count: usize) -> String {
    browser.press("button", "New chat").await;
    browser.find("heading", "What would you like to know?").await;
    ask(browser, question).await;
    browser.answer_ended().await;
    browser.find("link", question).await;
    browser.reload().await;
    browser.answer_ended().await;
    kept(browser, count).await;
    let place = browser.place().await;
    let (_, id) = place.split_once("conversation_id=").unwrap();
    format!("/ai/conversations/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_temporary_or_deleted_elsewhere_cannot_be_read_without_a_network() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let front = Front::start(&server.address).await;
    let browser = visit(&front).await;
    browser.press("button", "Temporary").await;
    ask(&browser, "A secret").await;
    browser.answer_ended().await;
    browser.reload().await;
    browser.answer_ended().await;
    // What comes later is kept, and the temporary one is not.
    let deleted = keep_another(&browser, "One", 1).await;
    let missed = keep_another(&browser, "Two", 2).await;
    keep_another(&browser, "Three", 3).await;

    browser.press("button", "New chat").await;
    delete_elsewhere(&browser, &server, &deleted, &json!({})).await;
    kept(&browser, 2).await;

    front.turn(Habit::Down);
    front.wait_until(|open| open.sockets == 0).await;
    delete_elsewhere(&browser, &server, &missed, &json!({})).await;
    front.turn(Habit::Good);
    kept(&browser, 1).await;

    let everything = json!({ "confirm": "delete everything" });
    delete_elsewhere(&browser, &server, "/ai/conversations", &everything).await;
    kept(&browser, 0).await;
    browser.close().await;
}
