//! The network fails in the middle of an answer. The page stays open, nobody presses reload, and
//! the text ends as if nothing had happened (RELIABILITY.md).

use std::path::Path;

use fantoccini::wd::WindowHandle;
use serde_json::{Value, json};
use unbroken_standin::{Mode, Proxy, numbered};

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::front::{Front, Habit};
use crate::server::Server;

/// Two halves of an answer with a gate between them.
const HALVES: &str = "numbers:tokens=200,rate=0,gate=half@100";
/// The same of a model that can go on from a beginning.
const GOES_ON: &str = "vllm-numbers:tokens=200,rate=0,gate=half@100";

fn shown(tokens: usize) -> String {
    numbered(tokens).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A condition for the text of an answer of which so much is shown.
fn ends_with(tokens: usize) -> String {
    format!("/\\b{tokens}$/.test(text)")
}

/// Asks a question on a page that says later whether it is still the same.
async fn ask(url: &str) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(url).await;
    browser.focused("textbox", "Message").await;
    watch(&browser).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser
}

/// Writes down what the status of the connection says, and when.
async fn watch(browser: &Browser) {
    browser
        .script(
            "const status = document.querySelector('[role=status][aria-label=Connection]');
             window.said = [];
             const note = () => said.push([performance.now(), status.innerText.trim()]);
             new MutationObserver(note).observe(status, { childList: true, subtree: true });",
        )
        .await;
}

async fn asked_through(proxy: &Proxy) -> Browser {
    ask(&format!("http://{}/", proxy.address())).await
}

/// What the system says when the network is back.
async fn tell_online(browser: &Browser) {
    browser.script("window.dispatchEvent(new Event('online'))").await;
}

/// The answer ends with every word once, on the page that was opened at first.
async fn ends_well(browser: &Browser, server: &Server, calls: usize) {
    browser.answer_when(&ends_with(200)).await;
    assert_eq!(browser.answer_ended().await, shown(200));
    assert_eq!(messages(browser).await, json!(["You", "Answer"]), "each message once");
    assert_eq!(browser.script("return Array.isArray(window.said)").await, true, "no reload");
    is_quiet(browser).await;
    assert_eq!(server.standin.calls().len(), calls, "asked for once");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
}

async fn messages(browser: &Browser) -> Value {
    let script = "return [...document.querySelectorAll('main article')]
        .map(article => article.getAttribute('aria-label') === 'You' ? 'You' : 'Answer')";
    browser.script(script).await
}

/// Waits until the status of the connection has nothing to say.
async fn is_quiet(browser: &Browser) {
    let script = "return document.querySelector('[role=status][aria-label=Connection]')
        .innerText.trim() === '';";
    browser.until("a connection that is not worth a word", script).await;
}

/// Waits until the status of the connection says this.
async fn says(browser: &Browser, text: &str) {
    let script = format!(
        "return document.querySelector('[role=status][aria-label=Connection]')
            .innerText.trim() === {text:?};"
    );
    browser.until(text, &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_in_the_middle_lose_and_double_nothing() {
    let server =
        Server::start("numbers:tokens=200,rate=0,gate=a@40,gate=b@80,gate=c@120,gate=d@160").await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    for (gate, tokens) in [("a", 40), ("b", 80), ("c", 120), ("d", 160)] {
        let text = browser.answer_when(&ends_with(tokens)).await;
        assert_eq!(text, shown(tokens));
        proxy.set_all(Mode::Cut);
        server.standin.open_gate(gate);
    }
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_connection_is_replaced_and_its_late_bytes_change_nothing() {
    let server = Server::start(HALVES).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(100)).await;
    proxy.set_all(Mode::Stalled);
    server.standin.open_gate("half");
    // Somebody comes back to the tab; the watchdog would take longer than this waits.
    let page = look_away(&browser).await;
    browser.client.switch_to_window(page).await.unwrap();
    browser.answer_when(&ends_with(200)).await;
    proxy.heal();
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_in_silence_is_found_dead_when_the_network_is_back() {
    let server = Server::start(HALVES).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(100)).await;
    proxy.set_all(Mode::Swallowed);
    server.standin.open_gate("half");
    browser.script("window.told = performance.now()").await;
    tell_online(&browser).await;
    browser.answer_when(&ends_with(200)).await;
    let took = browser.script("return performance.now() - window.told").await;
    assert!(took.as_f64().unwrap() >= 2990.0, "a probe has 3 s to be answered: {took}");
    ends_well(&browser, &server, 1).await;

    // What else the page asks for finds a living connection, too.
    browser.type_text("And again").await;
    browser.enter().await;
    let four = "return document.querySelectorAll('main article').length === 4";
    browser.until("four messages", four).await;
    browser.answer_when(&ends_with(200)).await;
    assert_eq!(browser.answer_ended().await, shown(200));
    assert_eq!(server.standin.calls().len(), 2, "one call a turn");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_restart_in_the_middle_goes_on_in_the_open_page() {
    let mut server = Server::start(GOES_ON).await;
    let browser = ask(&server.url("/")).await;
    browser.answer_when(&ends_with(100)).await;
    server.restart();
    server.standin.open_gate("half");
    ends_well(&browser, &server, 2).await;
    went_on(&server);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_behind_a_proxy_goes_on_in_the_open_page() {
    let mut server = Server::start(GOES_ON).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(100)).await;
    server.crash_and_restart();
    server.standin.open_gate("half");
    ends_well(&browser, &server, 2).await;
    went_on(&server);
    browser.close().await;
}

/// The second call asks for the rest, not for the answer again.
fn went_on(server: &Server) {
    let calls = server.standin.calls();
    let given = calls.iter().map(|call| call.given).collect::<Vec<_>>();
    assert_eq!(given, [None, Some(shown(100).chars().count())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_live_through_a_reset_with_the_same_text_title_and_list() {
    let server = Server::start(HALVES).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(100)).await;
    let url = format!("http://{}{}", proxy.address(), browser.place().await);
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(second.clone()).await.unwrap();
    browser.open(&url).await;
    watch(&browser).await;
    browser.answer_when(&ends_with(100)).await;
    browser.find("link", "Count for me").await;

    proxy.set_all(Mode::Cut);
    server.standin.open_gate("half");
    rename(&browser, "Numbers").await;
    for tab in [first, second] {
        browser.client.switch_to_window(tab).await.unwrap();
        browser.until("the title", "return document.title.startsWith('Numbers')").await;
        browser.find("heading", "Numbers").await;
        browser.find("link", "Numbers").await;
        browser.gone("link", "Count for me").await;
        ends_well(&browser, &server, 1).await;
    }
    browser.close().await;
}

/// Another program of the same person changes the title.
async fn rename(browser: &Browser, title: &str) {
    let script = format!(
        "const done = arguments[0];
         const id = new URLSearchParams(location.search).get('conversation_id');
         const {{ device_id, session_id }} = localStorage;
         fetch('/ai/conversations/' + id, {{
           method: 'PATCH', headers: {{ 'content-type': 'application/json' }},
           body: JSON.stringify({{ title: {title:?}, device_id, session_id }}),
         }}).then(answer => done(answer.status), () => done(0));"
    );
    let status = browser.client.execute_async(&script, vec![]).await.unwrap();
    assert_eq!(status, 200, "the title is changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_page_catches_up_when_it_wakes() {
    let server = Server::start(HALVES).await;
    let browser = ask(&server.url("/")).await;
    browser.answer_when(&ends_with(100)).await;
    // The browser hides the page, and cuts its socket without a word to it.
    freeze(&browser, "frozen").await;
    server.standin.open_gate("half");
    server.standin.wait_until(|calls| calls[0].tokens == 200).await;
    freeze(&browser, "active").await;
    // Somebody looks at it.
    let page = look_away(&browser).await;
    browser.client.switch_to_window(page).await.unwrap();
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

/// Opens another tab; the handle of the one that is hidden now.
async fn look_away(browser: &Browser) -> WindowHandle {
    let page = browser.client.window().await.unwrap();
    let other = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(other).await.unwrap();
    page
}

async fn freeze(browser: &Browser, state: &str) {
    browser.devtools("Page.setWebLifecycleState", json!({ "state": state })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_browser_says_so_and_goes_on_when_it_is_back() {
    let server = Server::start(HALVES).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(100)).await;
    offline(&browser, true).await;
    // Else it may come back at once: what the browser pretends does not hold sockets up.
    browser.until("no network", "return !navigator.onLine").await;
    proxy.set_all(Mode::Cut);
    says(&browser, "Offline").await;
    server.standin.open_gate("half");
    server.standin.wait_until(|calls| calls[0].tokens == 200).await;
    assert_eq!(browser.last_answer().await, shown(100), "there is no network");
    offline(&browser, false).await;
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

async fn offline(browser: &Browser, offline: bool) {
    browser
        .devtools(
            "Network.emulateNetworkConditions",
            json!({
                "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
            }),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_is_told_after_a_second_and_forgotten_when_it_is_over() {
    let server = Server::start(HALVES).await;
    let front = Front::start(&server.address).await;
    let browser = ask(&format!("http://{}/", front.address())).await;
    browser.answer_when(&ends_with(100)).await;
    browser.script("window.cut = performance.now()").await;
    front.turn(Habit::Down);
    says(&browser, "Reconnecting…").await;
    let first = "return said.find(([at, text]) => text === 'Reconnecting…')[0] - window.cut";
    let waited = browser.script(first).await;
    assert!(waited.as_f64().unwrap() >= 990.0, "a short drop is not worth a word: {waited}");
    assert!(browser.has("button", "Stop").await, "the answer still runs");
    pictures(&browser).await;
    front.turn(Habit::Good);
    server.standin.open_gate("half");
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

/// Pictures of the state go to the folder that `UNBROKEN_FAULT_PICTURES` names, if it does.
async fn pictures(browser: &Browser) {
    let Some(folder) = std::env::var_os("UNBROKEN_FAULT_PICTURES") else { return };
    for (name, scheme, size) in [
        ("light", "light", DESKTOP),
        ("dark", "dark", DESKTOP),
        ("phone-light", "light", PHONE),
        ("phone-dark", "dark", PHONE),
    ] {
        browser.prefer(scheme).await;
        browser.resize(size).await;
        let still = "return document.getAnimations().every(a => a.effect.getTiming().iterations \
                     === Infinity || a.playState === 'finished');";
        browser.until("the end of what moves", still).await;
        let path = Path::new(&folder).join(format!("reconnecting-{name}.png"));
        std::fs::write(path, browser.screenshot().await).unwrap();
    }
    browser.prefer("light").await;
    browser.resize(DESKTOP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_socket_opens_the_page_reads_a_stream_and_climbs_back() {
    let server =
        Server::start("numbers:tokens=200,rate=0,gate=a@40,gate=b@80,gate=c@120,gate=d@160").await;
    let front = Front::start(&server.address).await;
    let proxy = Proxy::start(front.address().to_string()).await.unwrap();
    let browser = asked_through(&proxy).await;
    browser.answer_when(&ends_with(40)).await;
    front.turn(Habit::NoSockets);
    // One for its own notices, one for the answer.
    front.wait_until(|open| open.streams == 2 && open.sockets == 0).await;
    server.standin.open_gate("a");
    assert_eq!(browser.answer_when(&ends_with(80)).await, shown(80));

    // A hidden tab holds none.
    let page = look_away(&browser).await;
    front.wait_until(|open| open.streams == 0).await;
    server.standin.open_gate("b");
    browser.client.switch_to_window(page).await.unwrap();
    assert_eq!(browser.answer_when(&ends_with(120)).await, shown(120));

    // One that died in silence cannot be probed; the watchdog would take longer than this waits.
    proxy.set_all(Mode::Swallowed);
    server.standin.open_gate("c");
    tell_online(&browser).await;
    assert_eq!(browser.answer_when(&ends_with(160)).await, shown(160));
    proxy.heal();
    is_quiet(&browser).await;

    front.turn(Habit::Good);
    tell_online(&browser).await;
    front.wait_until(|open| open.streams == 0 && open.sockets == 1).await;
    server.standin.open_gate("d");
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_streams_are_held_back_the_page_polls_and_climbs_back() {
    let server = Server::start("numbers:tokens=200,rate=0,gate=half@100,gate=more@150").await;
    let front = Front::start(&server.address).await;
    let browser = ask(&format!("http://{}/", front.address())).await;
    browser.answer_when(&ends_with(100)).await;
    front.turn(Habit::NoStreams);
    front.wait_until(|open| open.polls == 2 && open.sockets + open.streams == 0).await;
    server.standin.open_gate("half");
    let text = browser.answer_when(&ends_with(150)).await;
    assert_eq!(text, shown(150));
    is_quiet(&browser).await;

    front.turn(Habit::Good);
    tell_online(&browser).await;
    front.wait_until(|open| open.polls + open.streams == 0 && open.sockets == 1).await;
    server.standin.open_gate("more");
    ends_well(&browser, &server, 1).await;
    browser.close().await;
}

#[tokio::test]
async fn without_the_markdown_parser_text_is_shown_as_written_until_it_comes() {
    let server = Server::start("markdown:rate=0,first=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/markdown-*"]})).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    watch(&browser).await;
    browser.type_text("Show me everything").await;
    browser.enter().await;
    let written = browser.answer_ended().await;
    assert!(written.contains("**"), "{written}");

    browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await;
    let formatted = "return document.querySelector('main article strong')
        && !document.querySelector('main article .plain')";
    browser.until("the answer is formatted", formatted).await;
    assert_eq!(browser.script("return Array.isArray(window.said)").await, true, "no reload");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
}
