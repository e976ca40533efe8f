//! The flow that everything serves (UI.md): from a key press to the last word, and on.

use serde_json::json;
use unbroken_standin::numbered;

use crate::axe;
use crate::browser::{Browser, DESKTOP};
use crate::picker;
use crate::server::Server;

fn shown(tokens: usize) -> String {
    numbered(tokens).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Chooses a model by typing its name into the picker.
async fn choose(browser: &Browser, name: &str) {
    let opener = picker::opener(browser).await;
    browser.press("button", &opener).await;
    browser.find("listbox", "Models").await;
    browser.type_text(name).await;
    browser.enter().await;
    browser.find("button", &format!("Model: {name}")).await;
    browser.press("textbox", "Message").await;
}

async fn home(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser
}

/// Notes whether what is rehearsed can be seen, reached and heard as it comes into the page.
const REHEARSALS: &str = "window.rehearsals = [];
  new MutationObserver(records => {
    for (const node of records.flatMap(record => [...record.addedNodes]))
      if (node.nodeType === 1 && node.matches('.rehearsal'))
        rehearsals.push([node.checkVisibility({ visibilityProperty: true }), node.inert,
          node.ariaHidden]);
  }).observe(document, { childList: true, subtree: true });";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rehearsed_behind_the_home_page_is_noticed_by_nobody() {
    let server = Server::start("numbers:tokens=3").await;
    let browser = Browser::start(DESKTOP).await;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": REHEARSALS})).await;
    browser.open(&server.url("/")).await;
    let over = "return rehearsals.length && !document.querySelector('.rehearsal')";
    browser.until("the rehearsal is over", over).await;
    assert_eq!(browser.script("return rehearsals").await, json!([[false, true, "true"]]));
    browser.focused("textbox", "Message").await;
    assert_eq!(browser.place().await, "/");
    let others = "return document.querySelectorAll('article, .line').length";
    assert_eq!(browser.script(others).await, 0, "neither a message nor a conversation");
    assert!(server.standin.calls().is_empty(), "no model was asked");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_word_by_word() {
    let server = Server::start("numbers:tokens=120,rate=0,gate=first@0,gate=half@60").await;
    let browser = home(&server).await;

    // 1, 2, 3: Enter, and the address is there before the first word.
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser
        .until("the address", "return location.pathname === '/chat' && location.search.startsWith('?conversation_id=')")
        .await;
    assert!(browser.has("article", "You").await);
    browser.find("button", "Stop").await;
    assert_eq!(server.standin.calls().len(), 1);
    assert_eq!(server.standin.calls()[0].tokens, 0, "no token yet");
    let blinks = "const cursor = document.querySelector('.cursor');
                  return cursor && getComputedStyle(cursor).animationName !== 'none';";
    browser.until("a blinking cursor", blinks).await;

    // 4: text grows while it streams.
    server.standin.open_gate("first");
    let half = browser.answer_when("/\\b60$/.test(text)").await;
    assert_eq!(half, shown(60));
    let busy = "return !!document.querySelector('article[aria-busy=\"true\"]')";
    assert_eq!(browser.script(busy).await, true);
    server.standin.open_gate("half");
    let whole = browser.answer_ended().await;
    assert_eq!(whole, shown(120));

    // 5: the cursor goes, the title comes, the focus has stayed.
    assert_eq!(browser.script("return document.querySelectorAll('.cursor').length").await, 0);
    browser.find("button", "Send").await;
    browser.until("the title", "return document.title.startsWith('Count for me')").await;
    browser.find("link", "Count for me").await;
    browser.focused("textbox", "Message").await;

    // The next message is the same flow.
    browser.type_text("And again").await;
    browser.enter().await;
    browser
        .until("four articles", "return document.querySelectorAll('main article').length === 4")
        .await;
    assert_eq!(browser.answer_ended().await, shown(120));
    assert_eq!(server.standin.calls().len(), 2, "one call a turn");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_in_the_middle_ends_with_exactly_the_whole_text() {
    let server = Server::start("numbers:tokens=200,rate=0,gate=a@50,gate=b@100").await;
    let browser = home(&server).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b50$/.test(text)").await;
    let place = browser.place().await;
    browser.reload().await;
    assert_eq!(browser.answer_when("/\\b50$/.test(text)").await, shown(50));
    server.standin.open_gate("a");
    browser.answer_when("/\\b100$/.test(text)").await;
    // The other address of the same page.
    let id = place.rsplit('=').next().unwrap();
    browser.open(&server.url(&format!("/chat/{id}"))).await;
    assert_eq!(browser.answer_when("/\\b100$/.test(text)").await, shown(100));
    server.standin.open_gate("b");
    assert_eq!(browser.answer_ended().await, shown(200));
    browser.reload().await;
    assert_eq!(browser.answer_when("/\\b200$/.test(text)").await, shown(200));
    assert_eq!(server.standin.calls().len(), 1, "a reload asks nobody again");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_stops_and_keeps_the_text() {
    let server = Server::start("numbers:tokens=200,rate=0,gate=never@40").await;
    let browser = home(&server).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b40$/.test(text)").await;
    browser.press("button", "Stop").await;
    assert_eq!(browser.answer_ended().await, shown(40));
    browser.find("button", "Send").await;
    browser.reload().await;
    assert_eq!(browser.answer_when("/\\b40$/.test(text)").await, shown(40));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_tab_shows_the_same_answer_live() {
    let server = Server::start("numbers:tokens=80,rate=0,gate=half@40").await;
    let browser = home(&server).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b40$/.test(text)").await;
    let first = browser.client.window().await.unwrap();
    let url = server.url(&browser.place().await);
    let second = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(second).await.unwrap();
    browser.open(&url).await;
    browser.answer_when("/\\b40$/.test(text)").await;
    server.standin.open_gate("half");
    assert_eq!(browser.answer_ended().await, shown(80));
    browser.client.switch_to_window(first).await.unwrap();
    assert_eq!(browser.answer_ended().await, shown(80));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_why_and_the_conversation_goes_on() {
    let server = Server::start("numbers:tokens=30,rate=0,first=0,status=429,fail_times=3").await;
    let browser = home(&server).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.find("button", "Retry").await;
    axe::check(&browser, "a failed answer").await;
    browser.press("button", "Retry").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    assert_eq!(browser.answer_ended().await, shown(30));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_finishes_the_answer_in_the_open_page() {
    let mut server = Server::start("vllm-numbers:tokens=200,rate=0,first=0,gate=half@70").await;
    let browser = home(&server).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.answer_when("/\\b70$/.test(text)").await;
    server.crash_and_restart();
    server.standin.open_gate("half");
    // Nobody touches reload.
    browser.answer_when("/\\b200$/.test(text)").await;
    assert_eq!(browser.answer_ended().await, shown(200));
    browser.gone("status", "Reconnecting…").await;
    browser.reload().await;
    assert_eq!(browser.answer_when("/\\b200$/.test(text)").await, shown(200));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_model_the_guide_answers_with_its_sources() {
    let server = Server::start("numbers").await;
    let browser = home(&server).await;
    choose(&browser, "Quotes").await;
    browser.type_text("How do I add a model?").await;
    browser.enter().await;
    let answer = browser.answer_ended().await;
    assert!(answer.contains("not a language model"), "{answer}");
    assert!(answer.contains("OPENAI_API_KEY"), "{answer}");
    browser.find("button", "Source 1").await;
    axe::check(&browser, "an answer with sources").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_conversation_leads_home_and_back_to_where_one_was() {
    let server = Server::start("numbers:tokens=5,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/history")).await;
    browser.find("button", "Archive").await;
    browser.open(&server.url("/chat/garbage")).await;
    browser.find("heading", "What would you like to know?").await;
    assert_eq!(browser.place().await, "/");
    browser.client.back().await.unwrap();
    browser.find("button", "Archive").await;
    assert_eq!(browser.place().await, "/history");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_where_nothing_takes_it_does_not_replace_the_app() {
    let server = Server::start("numbers:tokens=5,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/history")).await;
    browser.find("button", "Archive").await;
    let dropped = "const data = new DataTransfer();
        data.items.add(new File(['x'], 'x.txt'));
        return ['dragover', 'drop'].map(type => document.body.dispatchEvent(
          new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })));";
    assert_eq!(browser.script(dropped).await, json!([false, false]), "the browser does nothing");
    browser.close().await;
}
