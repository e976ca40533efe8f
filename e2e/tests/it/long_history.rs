//! A conversation of thousands of messages: opens at its end, keeps few of them in the page, and
//! nothing moves under the eyes while others come and go.

use serde_json::{Value, json};

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE, Size};
use crate::server::{Filled, Server};

/// So many articles are in the page at most, however long the conversation.
const MOST: u64 = 120;

async fn signed_in(server: &Server, filled: &Filled, size: Size) -> Browser {
    let browser = Browser::start(size).await;
    // A page that gets no session of its own; it has no icon either, which is no fault of the app's.
    browser.open(&server.url("/health")).await;
    browser.console_errors().await;
    let pair =
        format!("localStorage.device_id = 'fill'; localStorage.session_id = {:?};", filled.session);
    browser.script(&pair).await;
    browser.console_errors().await;
    browser
}

async fn open(server: &Server, filled: &Filled, size: Size) -> Browser {
    let browser = signed_in(server, filled, size).await;
    browser.open(&server.url(&format!("/chat/{}", filled.long))).await;
    browser.until("the end of the conversation", AT_END).await;
    browser
}

const AT_END: &str = "
    const all = document.querySelectorAll('main article');
    const view = document.querySelector('.transcript');
    return all.length > 3 && view.scrollHeight - view.clientHeight - view.scrollTop < 33;";

/// The article at the middle of the window: its key, and where it is.
const MIDDLE: &str = "
    const view = document.querySelector('.transcript').getBoundingClientRect();
    const middle = view.top + view.height / 2;
    const found = [...document.querySelectorAll('main article')].find(e => {
      const box = e.getBoundingClientRect();
      return box.top <= middle && middle <= box.bottom + 24;
    });
    return found && { key: found.dataset.key, top: found.getBoundingClientRect().top };";

async fn articles(browser: &Browser) -> u64 {
    let count = browser.script("return document.querySelectorAll('main article').length").await;
    count.as_u64().unwrap()
}

async fn total(browser: &Browser) -> Value {
    browser.script("return document.querySelector('.transcript').scrollHeight").await
}

/// Scrolls by so much, and waits until the page is still.
async fn scroll_by(browser: &Browser, pixels: i32) {
    let script = format!(
        "const done = arguments[0];
         document.querySelector('.transcript').scrollBy(0, {pixels});
         let frames = 4;
         const step = () => (frames-- ? requestAnimationFrame(step) : done(true));
         step();"
    );
    browser.client.execute_async(&script, vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_opens_at_its_end_with_few_articles_in_the_page() {
    let (server, filled) = Server::start_with_history(5000).await;
    for size in [DESKTOP, PHONE] {
        let browser = open(&server, &filled, size).await;
        assert!(articles(&browser).await <= MOST);
        axe::check(&browser, "a long conversation").await;
        assert_eq!(browser.console_errors().await, Vec::<String>::new());
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_stays_where_it_is_while_earlier_messages_load() {
    let (server, filled) = Server::start_with_history(1000).await;
    let browser = open(&server, &filled, DESKTOP).await;
    let (mut moved, mut last) = (0, Value::Null);
    for _ in 0..120 {
        scroll_by(&browser, -700).await;
        let before = browser.script(MIDDLE).await;
        // What loads and is measured meanwhile moves nothing.
        scroll_by(&browser, 0).await;
        let after = browser.script(MIDDLE).await;
        if before["key"] == after["key"] {
            let by = before["top"].as_f64().unwrap() - after["top"].as_f64().unwrap();
            assert!(by.abs() <= 2.0, "{before} and then {after}");
        } else {
            moved += 1;
        }
        assert!(articles(&browser).await <= MOST);
        let now = browser.script("return document.querySelector('.transcript').scrollTop").await;
        if now == json!(0) && last == json!(0) {
            break;
        }
        last = now;
    }
    assert_eq!(moved, 0, "another article came to the middle by itself");
    // Back to the end by the button.
    browser.press("button", "Latest").await;
    browser.until("the end", AT_END).await;
    assert!(articles(&browser).await <= MOST);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_is_reached_by_scrolling_alone() {
    let (server, filled) = Server::start_with_history(600).await;
    let browser = open(&server, &filled, DESKTOP).await;
    let ended = "
        const view = document.querySelector('.transcript');
        view.scrollTop = 0;
        const early = [...document.querySelectorAll('button')]
          .some(e => e.textContent === 'Show earlier messages');
        return !early && document.querySelector('main article').getBoundingClientRect().top > 0;";
    browser.until("the first message", ended).await;
    assert!(articles(&browser).await <= MOST);
    assert!(total(&browser).await.as_u64().unwrap() > 20_000);
    // A message is sent from there: the page goes to the end, and shows it.
    browser.press("textbox", "Message").await;
    browser.type_text("And now?").await;
    browser.enter().await;
    browser.answer_when("/\\b20$/.test(text)").await;
    browser.answer_ended().await;
    browser.until("the end", AT_END).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leads_to_a_message_far_back() {
    let (server, filled) = Server::start_with_history(1200).await;
    let browser = signed_in(&server, &filled, DESKTOP).await;
    let script = format!(
        "const done = arguments[0];
         fetch('/ai/conversations/{}?device_id=fill&session_id={}').then(r => r.json())
           .then(page => done(page.messages[20]));",
        filled.long, filled.session
    );
    let message = browser.client.execute_async(&script, vec![]).await.unwrap();
    let (id, text) =
        (message["message_id"].as_str().unwrap(), message["content"].as_str().unwrap());
    browser.open(&server.url(&format!("/chat?conversation_id={}&message={id}", filled.long))).await;
    let seen = format!(
        "const found = document.activeElement.closest('article');
         const box = found.getBoundingClientRect();
         return found.textContent.includes({:?}) && box.top > 0 && box.top < 200;",
        &text[..60]
    );
    browser.until("the message", &seen).await;
    assert!(articles(&browser).await <= MOST);
    axe::check(&browser, "a message that was looked for").await;
    browser.close().await;
}

/// Milliseconds from the arrival of the page of history to the end being shown, and heap.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: half a minute, and no other load beside it"]
async fn figures_of_opening_a_long_conversation() {
    let (server, filled) = Server::start_with_history(5000).await;
    let browser = open(&server, &filled, DESKTOP).await;
    let times = "
        const done = arguments[0];
        const wait = () => new Promise(next => requestAnimationFrame(next));
        (async () => {
          const times = [];
          for (let n = 0; n < 10; n++) {
            history.pushState(null, '', '/'); dispatchEvent(new PopStateEvent('popstate'));
            while (document.querySelector('main article')) await wait();
            performance.clearResourceTimings();
            history.pushState(null, '', PLACE); dispatchEvent(new PopStateEvent('popstate'));
            const view = () => document.querySelector('.transcript');
            while (!(document.querySelectorAll('main article').length > 3 &&
              view().scrollHeight - view().clientHeight - view().scrollTop < 33)) await wait();
            const shown = performance.now();
            const call = performance.getEntriesByType('resource')
              .find(e => /ai.conversations.[0-9a-f-]{36}/.test(e.name));
            times.push(Math.round(shown - call.responseEnd));
          }
          done(times);
        })();"
        .replace("PLACE", &format!("'/chat/{}'", filled.long));
    let times = browser.client.execute_async(&times, vec![]).await.unwrap();
    println!("{}", json!({ "messages": 5000, "milliseconds_after_data": times }));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_looked_for_is_not_looked_for_in_the_next_conversation() {
    // Holds earlier pages back, and counts changes of branches.
    const HOLD: &str = "const real = window.fetch;
        window.changes = 0;
        window.fetch = (request, more) => {
          window.changes += request.method === 'PATCH';
          if (!new URL(request.url, location).searchParams.has('before')) return real(request, more);
          return new Promise(done => { window.letGo = () => done(real(request, more)); });
        };";
    let (server, filled) = Server::start_with_history(1000).await;
    let browser = open(&server, &filled, DESKTOP).await;
    browser.script(HOLD).await;
    let look_for = format!(
        "const gone = '01900000-0000-7000-8000-000000000000';
         history.pushState(null, '', `/chat/{}?message=${{gone}}`);
         dispatchEvent(new PopStateEvent('popstate'));",
        filled.long
    );
    browser.script(&look_for).await;
    browser.until("a page that is asked for", "return window.letGo").await;
    let other = "const links = [...document.querySelectorAll('nav a[href^=\"/chat/\"]')];
        const other = links.find(link => !link.getAttribute('aria-current'));
        window.next = other?.getAttribute('href');
        other?.click();
        return !!other;";
    browser.until("another conversation", other).await;
    let shown = "return location.pathname === window.next
        && document.querySelectorAll('main article').length > 1";
    browser.until("the other conversation", shown).await;
    browser.script("letGo(); setTimeout(() => { window.later = true; }, 500)").await;
    browser.until("a while", "return window.later").await;
    assert_eq!(browser.script("return window.changes").await, 0);
    browser.close().await;
}
