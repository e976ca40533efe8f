//! The model picker opens to where there is room, and obeys the keyboard.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{Browser, DESKTOP, Size};
use crate::server::Server;

const INSIDE: &str = "
    const list = [...document.querySelectorAll('[role=listbox]')].find(e => e.checkVisibility());
    const box = list && list.closest('[popover]').getBoundingClientRect();
    return box && box.width > 100 && box.height > 60 && box.top >= 0 && box.left >= 0
      && box.bottom <= innerHeight && box.right <= innerWidth
      && { top: box.top, bottom: box.bottom };";

/// Finds the name of the button that opens the picker.
const OPENER: &str = "
    const name = [...document.querySelectorAll('button')].map(e => e.getAttribute('aria-label') || '')
      .find(name => name.startsWith('Model:'));";

/// The name of the button that opens the picker.
pub(crate) async fn opener(browser: &Browser) -> String {
    let script = format!("{OPENER} return name;");
    browser.until("the picker's button", &script).await.as_str().unwrap().to_owned()
}

/// The same once the name has this in it.
async fn opener_with(browser: &Browser, part: &str) -> String {
    let script = format!("{OPENER} return name?.includes('{part}') && name;");
    browser.until(part, &script).await.as_str().unwrap().to_owned()
}

async fn opener_box(browser: &Browser, name: &str) -> (f64, f64) {
    let script = format!(
        "const box = document.querySelector('[aria-label=\"{name}\"]').getBoundingClientRect();
         return [box.top, box.bottom];"
    );
    let edges = browser.script(&script).await;
    (edges[0].as_f64().unwrap(), edges[1].as_f64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_opens_below_in_the_middle_and_above_at_the_lower_edge_and_is_never_cut() {
    let server = Server::start("numbers:tokens=20,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    let name = opener(&browser).await;
    browser.press("button", &name).await;
    let open = browser.until("the whole picker", INSIDE).await;
    assert!(open["top"].as_f64().unwrap() >= opener_box(&browser, &name).await.1 - 1.0, "below");
    browser.type_text(&Key::Escape.to_string()).await;
    browser.gone("listbox", "Models").await;
    browser.focused("button", &name).await;

    browser.focused("button", &name).await;
    browser.press("textbox", "Message").await;
    browser.type_text("hi").await;
    browser.enter().await;
    browser.answer_ended().await;
    let name = opener(&browser).await;
    browser.press("button", &name).await;
    let open = browser.until("the whole picker", INSIDE).await;
    assert!(open["bottom"].as_f64().unwrap() <= opener_box(&browser, &name).await.0 + 1.0, "above");

    browser.type_text(&Key::Escape.to_string()).await;
    browser.resize(Size(360, 640)).await;
    browser.press("button", &name).await;
    browser.until("the whole picker in a small window", INSIDE).await;
    browser.resize(Size(360, 320)).await;
    browser.until("the whole picker above a keyboard", INSIDE).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_chosen_with_the_keyboard_alone_and_remembered() {
    let server = Server::start("numbers:tokens=20,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    let name = opener(&browser).await;
    browser.press("button", &name).await;
    browser.find("listbox", "Models").await;
    browser.type_text("echo").await;
    browser
        .until(
            "one match",
            "const shown = [...document.querySelectorAll('[role=option]')].filter(e => e.checkVisibility());
             return shown.length === 1 && shown[0].textContent.includes('Echo');",
        )
        .await;
    browser.enter().await;
    browser.find("button", "Model: Echo").await;
    browser.focused("button", "Model: Echo").await;
    browser.reload().await;
    browser.find("button", "Model: Echo").await;
    browser.press("textbox", "Message").await;
    browser.type_text("say this").await;
    browser.enter().await;
    assert_eq!(browser.answer_ended().await, "say this");
    browser.find("article", "Echo").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_model_that_is_gone_is_said_to_be_and_another_answers() {
    let is = |text: &str| json!([{ "text": text }]);
    let models = json!({ "test-model": is("the best one"), "leaving": is("the chosen one") });
    let mut server = Server::start_with(models).await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    let name = opener(&browser).await;
    browser.press("button", &name).await;
    browser.find("listbox", "Models").await;
    browser.type_text("leaving").await;
    browser.enter().await;
    opener_with(&browser, "leaving").await;

    server.restart_with(json!({ "test-model": is("the best one") })).await;
    browser.reload().await;
    let gone = opener_with(&browser, "(not available)").await;
    assert!(gone.contains("leaving"), "{gone}");
    browser.press("button", &gone).await;
    let note = "return document.querySelector('main').innerText.includes('answers instead')";
    browser.until("who answers instead", note).await;
    browser.type_text(&Key::Escape.to_string()).await;
    browser.press("textbox", "Message").await;
    browser.type_text("Who is there?").await;
    browser.enter().await;
    assert_eq!(browser.answer_ended().await, "the best one");
    browser.close().await;
}

async fn choose(browser: &Browser, typed: &str, button: &str) {
    let name = opener(browser).await;
    browser.press("button", &name).await;
    browser.find("listbox", "Models").await;
    browser.type_text(typed).await;
    browser.enter().await;
    browser.find("button", button).await;
}

async fn ask(browser: &Browser, text: &str) {
    browser.press("textbox", "Message").await;
    browser.type_text(text).await;
    browser.enter().await;
}

/// The server takes no choice of a model while `refuses` is true.
const REFUSE: &str = "const real = window.fetch;
    window.refuses = true;
    window.refused = window.saved = 0;
    window.fetch = async (request, more) => {
      const is_choice = new URL(request.url ?? request, location).pathname === '/routing/preferences';
      if (is_choice && window.refuses) {
        window.refused += 1;
        return new Response('', { status: 500 });
      }
      const answer = await real(request, more);
      window.saved += is_choice;
      return answer;
    };";

#[tokio::test(flavor = "multi_thread")]
async fn the_model_on_the_button_answers_while_the_server_does_not_know_of_the_choice() {
    let server = Server::start("numbers:tokens=20,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.script(REFUSE).await;
    choose(&browser, "echo", "Model: Echo").await;
    let told = "return document.body.innerText.includes('Your choice of model is not saved.')";
    browser.until("that it is not saved", told).await;
    ask(&browser, "say this").await;
    browser.answer_when("text === 'say this'").await;
    browser.answer_ended().await;

    browser.script("window.refuses = false").await;
    choose(&browser, "echo", "Model: Echo").await;
    browser.until("the choice with the server", "return window.saved === 1").await;
    browser.script("window.refuses = true").await;
    choose(&browser, "best", "Model: Best (automatic)").await;
    browser.until("a choice that is not taken", "return window.refused === 2").await;
    browser.script("window.refuses = false").await;
    // It cannot be named: what the server has would answer.
    ask(&browser, "Count for me").await;
    browser.answer_when("/\\b20$/.test(text)").await;
    browser.close().await;
}
