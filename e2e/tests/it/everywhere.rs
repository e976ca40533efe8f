//! What happens on one device is on every other at once, whatever carries it there.

use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP};
use crate::front::{Front, Habit};
use crate::server::Server;

/// Two browsers of one person, both on the same conversation.
async fn two(server: &Server, other_address: &str) -> (Browser, Browser) {
    let one = Browser::start(DESKTOP).await;
    one.open(&server.url("/")).await;
    one.focused("textbox", "Message").await;
    one.type_text("Count for me").await;
    one.enter().await;
    one.answer_when("/\\b10$/.test(text)").await;
    let pair = one.script("return [localStorage.device_id, localStorage.session_id]").await;
    let other = Browser::start(DESKTOP).await;
    other.open(&format!("{other_address}/health")).await;
    let sign_in = format!("[localStorage.device_id, localStorage.session_id] = {pair}");
    other.script(&sign_in).await;
    other.open(&format!("{other_address}{}", one.place().await)).await;
    other.answer_when("/\\b10$/.test(text)").await;
    (one, other)
}

/// Makes a call of the REST interface in that page; its answer.
async fn call(browser: &Browser, method: &str, path: &str, body: Value) -> Value {
    let script = format!(
        "const done = arguments[0];
         const {{ device_id, session_id }} = localStorage;
         const id = new URLSearchParams(location.search).get('conversation_id');
         fetch('{path}'.replace('ID', id) + '?' + new URLSearchParams({{ device_id, session_id }}), {{
           method: '{method}', headers: {{ 'content-type': 'application/json' }},
           body: JSON.stringify({{ ...{body}, device_id, session_id }}),
         }}).then(answer => answer.json()).then(done, error => done(String(error)));"
    );
    browser.client.execute_async(&script, vec![]).await.unwrap()
}

async fn yours(browser: &Browser, texts: &[&str]) {
    let expected = serde_json::to_string(texts).unwrap();
    let script = format!(
        "const texts = [...document.querySelectorAll('article[aria-label=\"You\"] .bubble')];
         return JSON.stringify(texts.map(e => e.innerText.trim())) === {expected:?};"
    );
    browser.until(&format!("the messages {expected}"), &script).await;
}

/// Everything that a person can do, done on one and seen on the other without a reload.
async fn everything_is_on_the_other(server: &Server, one: Browser, other: Browser) {
    other.script("window.same = true").await;
    server.standin.open_gate("go");
    other.answer_when("/\\b30$/.test(text)").await;
    other.answer_ended().await;
    one.answer_ended().await;

    call(&one, "PATCH", "/ai/conversations/ID", json!({ "title": "Numbers" })).await;
    other.find("heading", "Numbers").await;
    other.find("link", "Numbers").await;

    one.press("textbox", "Message").await;
    one.type_text("And again").await;
    one.enter().await;
    yours(&other, &["Count for me", "And again"]).await;
    other.answer_ended().await;
    one.answer_ended().await;

    one.press("button", "Regenerate").await;
    let two_of_two = "return [...document.querySelectorAll('main span')]
        .some(e => e.textContent === '2/2')";
    other.until("another version", two_of_two).await;
    one.until("another version", two_of_two).await;
    one.answer_ended().await;
    other.answer_ended().await;
    one.press("button", "Previous version").await;
    let one_of_two = "return [...document.querySelectorAll('main span')]
        .some(e => e.textContent === '1/2')";
    one.until("the first version", one_of_two).await;
    other.until("the first version", one_of_two).await;

    call(&one, "DELETE", "/ai/conversations/ID", json!({})).await;
    other.until("home", "return location.pathname === '/'").await;
    other.gone("link", "Numbers").await;
    assert_eq!(other.script("return window.same").await, true, "no reload");
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_does_is_on_the_other() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let (one, other) = two(&server, &server.url("")).await;
    everything_is_on_the_other(&server, one, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_there_too_where_no_socket_opens() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let front = Front::start(&server.address).await;
    front.turn(Habit::NoSockets);
    let (one, other) = two(&server, &format!("http://{}", front.address())).await;
    everything_is_on_the_other(&server, one, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_there_too_where_streams_are_held_back() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let front = Front::start(&server.address).await;
    front.turn(Habit::NoStreams);
    let (one, other) = two(&server, &format!("http://{}", front.address())).await;
    everything_is_on_the_other(&server, one, other).await;
}

/// Milliseconds from the answer to a rename to its being on the other device's page.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a few seconds, and no other load beside it"]
async fn figures_of_a_change_on_another_device() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let (one, other) = two(&server, &server.url("")).await;
    server.standin.open_gate("go");
    one.answer_ended().await;
    other.answer_ended().await;
    let watch = "
        window.titles = {};
        new MutationObserver(() => (window.titles[document.title] ??= Date.now()))
          .observe(document.head, { childList: true, subtree: true, characterData: true });";
    other.script(watch).await;
    let mut times = Vec::new();
    for turn in 0..20 {
        let title = format!("Title {turn}");
        call(&one, "PATCH", "/ai/conversations/ID", json!({ "title": title })).await;
        let answered = one.script("return Date.now()").await.as_i64().unwrap();
        let seen = other.until(&title, &format!("return window.titles[{title:?}]")).await;
        times.push(seen.as_i64().unwrap() - answered);
    }
    println!("{}", json!({ "milliseconds_after_the_answer": times }));
    one.close().await;
    other.close().await;
}
