//! What a person does with messages that are there (UI.md, Message): going on, another answer,
//! another branch, another text, and the queue.

use fantoccini::key::Key;
use unbroken_standin::numbered;

use crate::axe;
use crate::browser::{Browser, DESKTOP, Size};
use crate::server::Server;

fn shown(tokens: usize) -> String {
    numbered(tokens).split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn asked(server: &Server, question: &str) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
    browser
}

async fn look_at(browser: &Browser, state: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        axe::check(browser, &format!("{state}, {scheme}")).await;
        if let Some(folder) = std::env::var_os("UNBROKEN_AGAIN_PICTURES") {
            let name = format!("{}-{scheme}.png", state.replace(' ', "-"));
            let path = std::path::Path::new(&folder).join(name);
            std::fs::write(path, browser.screenshot().await).unwrap();
        }
    }
    browser.prefer("light").await;
}

/// Waits for the texts of the person's messages, in order.
pub(crate) async fn yours(browser: &Browser, texts: &[&str]) {
    let expected = serde_json::to_string(texts).unwrap();
    let script = format!(
        "const texts = [...document.querySelectorAll('article[aria-label=\"You\"] .bubble')];
         return JSON.stringify(texts.map(e => e.innerText.trim())) === {expected:?};"
    );
    browser.until(&format!("the messages {expected}"), &script).await;
}

/// Waits until an element with exactly this text is there, such as `1/2`.
async fn says(browser: &Browser, text: &str) {
    let script = format!(
        "return [...document.querySelectorAll('main span')].some(e => e.textContent === {text:?});"
    );
    browser.until(text, &script).await;
}

/// Replaces what is in the composer, and sends it.
async fn send_instead(browser: &Browser, text: &str) {
    browser.focused("textbox", "Message").await;
    browser.type_text(&format!("{}a{}", Key::Control, Key::Null)).await;
    browser.type_text(text).await;
    browser.enter().await;
}

async fn queue(browser: &Browser, texts: &[&str]) {
    let expected = serde_json::to_string(texts).unwrap();
    let script = format!(
        "const lines = [...document.querySelectorAll('[aria-label=\"Queue\"] .queued-text')];
         return JSON.stringify(lines.map(e => e.innerText.trim())) === {expected:?};"
    );
    browser.until(&format!("the queue {expected}"), &script).await;
}

/// Presses the button with this name in a line of the queue, counted from 1.
async fn press_in_queue(browser: &Browser, line: usize, name: &str) {
    let script = format!(
        "const line = document.querySelectorAll('[aria-label=\"Queue\"] li')[{line} - 1];
         const found = [...line.querySelectorAll('button')].find(e => e.innerText === {name:?});
         if (found) found.click();
         return !!found;"
    );
    browser.until(&format!("{name} in the queue"), &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_answer_says_why_and_goes_on_when_asked() {
    let server = Server::start("vllm-numbers:tokens=60,rate=0,error_at=20,fail_times=1").await;
    let browser = asked(&server, "Count for me").await;
    browser.find("button", "Continue").await;
    assert_eq!(browser.answer_ended().await, shown(20));
    look_at(&browser, "an interrupted answer").await;
    browser.press("button", "Continue").await;
    browser.answer_when("/\\b60$/.test(text)").await;
    assert_eq!(browser.answer_ended().await, shown(60));
    browser.gone("button", "Continue").await;
    browser.find("img", "The answer went on here after a break").await;
    browser.press("button", "Details").await;
    browser.find("group", "Details").await;
    look_at(&browser, "the details of an answer").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_goes_on_by_itself_shows_a_seam_and_nothing_else() {
    let server = Server::start("vllm-numbers:tokens=60,rate=0,cut_at=20,fail_times=1").await;
    let browser = asked(&server, "Count for me").await;
    browser.answer_when("/\\b60$/.test(text)").await;
    assert_eq!(browser.answer_ended().await, shown(60));
    browser.find("img", "The answer went on here after a break").await;
    assert!(!browser.has("button", "Continue").await);
    assert!(!browser.has("button", "Retry").await);
    look_at(&browser, "an answer with a seam").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn regenerate_makes_a_sibling_and_both_can_be_shown() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = asked(&server, "Count for me").await;
    assert_eq!(browser.answer_ended().await, shown(30));
    browser.press("button", "Regenerate").await;
    says(&browser, "2/2").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    assert_eq!(server.standin.calls().len(), 2);
    look_at(&browser, "two answers").await;
    browser.press("button", "Previous version").await;
    says(&browser, "1/2").await;
    yours(&browser, &["Count for me"]).await;
    assert_eq!(browser.answer_ended().await, shown(30));
    browser.reload().await;
    says(&browser, "1/2").await;
    browser.press("button", "Next version").await;
    says(&browser, "2/2").await;
    assert_eq!(server.standin.calls().len(), 2, "looking asks nobody");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_asks_again_without_another_message() {
    // The server repeats a call twice by itself.
    let server = Server::start("numbers:tokens=30,rate=0,status=429,fail_times=3").await;
    let browser = asked(&server, "Count for me").await;
    browser.find("button", "Retry").await;
    look_at(&browser, "a failed answer").await;
    browser.press("button", "Retry").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    says(&browser, "2/2").await;
    yours(&browser, &["Count for me"]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_answer_goes_on_with_another_model() {
    let server = Server::start("numbers:tokens=30,rate=0,status=400").await;
    let browser = asked(&server, "Count for me").await;
    browser.press("button", "Change model").await;
    browser.find("listbox", "Models").await;
    look_at(&browser, "another model for a failed answer").await;
    browser.type_text("echo").await;
    browser.enter().await;
    browser.find("button", "Model: Echo").await;
    browser.press("button", "Retry").await;
    browser.answer_when("text === 'Count for me'").await;
    browser.find("article", "Echo").await;
    says(&browser, "2/2").await;
    yours(&browser, &["Count for me"]).await;

    // It stays the model of what comes next.
    browser.focused("textbox", "Message").await;
    browser.type_text("And on").await;
    browser.enter().await;
    browser.answer_when("text === 'And on'").await;
    browser.answer_ended().await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_message_makes_a_branch() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = asked(&server, "Count for me").await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    browser.type_text("And again").await;
    browser.enter().await;
    yours(&browser, &["Count for me", "And again"]).await;
    browser.answer_ended().await;

    // The last one, by the arrow key; then the first, by its button.
    browser.type_text(&Key::Up.to_string()).await;
    send_instead(&browser, "And once more").await;
    yours(&browser, &["Count for me", "And once more"]).await;
    says(&browser, "2/2").await;
    browser.answer_ended().await;
    browser.press("button", "Edit").await;
    look_at(&browser, "a message that is edited").await;
    send_instead(&browser, "Count for her").await;
    yours(&browser, &["Count for her"]).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    browser.press("button", "Previous version").await;
    yours(&browser, &["Count for me", "And once more"]).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_up_changes_the_message_that_waits() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, "First").await;
    browser.answer_when("/\\b10$/.test(text)").await;
    browser.type_text("Second").await;
    browser.enter().await;
    browser.find("button", "Remove").await;
    browser.focused("textbox", "Message").await;
    browser.type_text(&Key::Up.to_string()).await;
    send_instead(&browser, "Second, corrected").await;
    queue(&browser, &["Second, corrected"]).await;
    server.standin.open_gate("go");
    yours(&browser, &["First", "Second, corrected"]).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    browser.answer_ended().await;
    assert_eq!(server.standin.calls().len(), 2);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_stop_the_composer_has_the_focus_and_a_screen_reader_hears_of_it() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, "First").await;
    browser.answer_when("/\\b10$/.test(text)").await;
    browser.press("button", "Stop").await;
    browser.gone("button", "Stop").await;
    browser.focused("textbox", "Message").await;
    let heard = "return document.querySelector('[role=log]').innerText.includes('Stopped')";
    browser.until("that it was stopped, read aloud", heard).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_clipboard_an_answer_is_copied_all_the_same() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = asked(&server, "First").await;
    browser.answer_ended().await;
    // As a browser has it over plain HTTP from another machine.
    let without = "Object.defineProperty(navigator, 'clipboard', { value: undefined });
        window.addEventListener('copy', e => { window.copied = e.target.value; });";
    browser.script(without).await;
    browser.press("button", "Copy").await;
    browser.find("button", "Copied").await;
    let copied = browser.script("return window.copied").await;
    assert_eq!(copied.as_str().unwrap(), numbered(30));
    browser.focused("button", "Copied").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_queue_leaves_the_composer_on_the_screen_and_is_reached_by_the_keyboard() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, "First").await;
    browser.answer_when("/\\b10$/.test(text)").await;
    browser.resize(Size(390, 500)).await;
    let texts: Vec<_> = (2..=11).map(|number| format!("Message {number}")).collect();
    for (at, text) in texts.iter().enumerate() {
        browser.type_text(text).await;
        browser.enter().await;
        let lines = "document.querySelectorAll('[aria-label=\"Queue\"] li button').length";
        browser.until(text, &format!("return {lines} === {}", 2 * (at + 1))).await;
    }
    axe::check(&browser, "a long queue").await;
    let edges = "const box = document.getElementById('message').getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight;";
    assert_eq!(browser.script(edges).await, true, "the composer is on the screen");
    let last = "const all = document.querySelectorAll('[aria-label=\"Queue\"] button');
        const [last, queue] = [all[all.length - 1], all[0].closest('ol')];
        last.focus();
        const [box, around] = [last, queue].map(e => e.getBoundingClientRect());
        return box.top >= around.top && box.bottom <= around.bottom + 1;";
    browser.until("the last button in view", last).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_wait_can_be_edited_and_removed() {
    let server = Server::start("numbers:tokens=30,rate=0,gate=go@10").await;
    let browser = asked(&server, "First").await;
    browser.answer_when("/\\b10$/.test(text)").await;
    for text in ["Second", "Third"] {
        browser.type_text(text).await;
        browser.enter().await;
        browser
            .until(
                text,
                &format!(
                    "const lines = document.querySelectorAll('[aria-label=\"Queue\"] li');
                     const last = lines[lines.length - 1];
                     return last.innerText.includes({text:?}) && last.querySelector('button');"
                ),
            )
            .await;
    }
    queue(&browser, &["Second", "Third"]).await;
    look_at(&browser, "a queue").await;
    press_in_queue(&browser, 1, "Remove").await;
    queue(&browser, &["Third"]).await;

    // Another tab sees the change, and makes one.
    let first = browser.client.window().await.unwrap();
    let url = server.url(&browser.place().await);
    let second = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(second).await.unwrap();
    browser.open(&url).await;
    queue(&browser, &["Third"]).await;
    press_in_queue(&browser, 1, "Edit").await;
    send_instead(&browser, "Fourth").await;
    queue(&browser, &["Fourth"]).await;
    browser.client.switch_to_window(first).await.unwrap();
    queue(&browser, &["Fourth"]).await;
    server.standin.open_gate("go");
    yours(&browser, &["First", "Fourth"]).await;
    browser.answer_when("/\\b30$/.test(text)").await;
    assert_eq!(browser.answer_ended().await, shown(30));
    assert_eq!(server.standin.calls().len(), 2);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}
