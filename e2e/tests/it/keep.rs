//! Keeping and finding conversations: the menu, folders, the archive, a delete that is taken back,
//! the search, temporary chats; by keyboard alone where it says so.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::looks::look_at;
use crate::server::Server;

pub(crate) async fn begin(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser
}

/// A conversation with one question and its answer.
pub(crate) async fn ask(browser: &Browser, question: &str) {
    browser.press("button", "New chat").await;
    browser.find("heading", "What would you like to know?").await;
    browser.focused("textbox", "Message").await;
    browser.type_text(question).await;
    browser.enter().await;
    browser.until("the conversation", "return location.pathname === '/chat'").await;
    browser.answer_ended().await;
    browser.find("link", question).await;
}

async fn key(browser: &Browser, key: Key) {
    browser.type_text(&key.to_string()).await;
}

/// Opens the menu of a conversation with the keyboard, and goes down to an entry.
async fn choose(browser: &Browser, title: &str, entry: &str) {
    let button = format!("More: {title}");
    browser.find("button", &button).await;
    let script = format!("document.querySelector('[aria-label={button:?}]').focus()");
    browser.script(&script).await;
    browser.enter().await;
    browser.focused("menuitem", "Rename").await;
    for item in [
        "Rename",
        "Pin",
        "Unpin",
        "Move to folder…",
        "Archive",
        "Unarchive",
        "Share…",
        "Export…",
        "Delete",
    ] {
        if browser.has("menuitem", item).await {
            browser.focused("menuitem", item).await;
            if item == entry {
                return browser.enter().await;
            }
            key(browser, Key::Down).await;
        }
    }
    panic!("the menu has no {entry}");
}

/// The titles in a section of the sidebar.
async fn section(browser: &Browser, name: &str, titles: &[&str]) {
    let expected = serde_json::to_string(titles).unwrap();
    let script = format!(
        "const list = document.querySelector('.sidebar ul[aria-label={name:?}]');
         const titles = [...(list?.querySelectorAll('.entry-text') ?? [])];
         return JSON.stringify(titles.map(e => e.textContent.trim())) === {expected:?};"
    );
    browser.until(&format!("{name}: {expected}"), &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_alone_renames_keeps_deletes_and_takes_it_back() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "One").await;
    ask(&browser, "Two").await;
    section(&browser, "Today", &["Two", "One"]).await;

    choose(&browser, "Two", "Rename").await;
    browser.focused("textbox", "Rename").await;
    browser.type_text("Second").await;
    browser.enter().await;
    browser.focused("button", "More: Second").await;
    section(&browser, "Today", &["Second", "One"]).await;
    choose(&browser, "Second", "Rename").await;
    browser.focused("textbox", "Rename").await;
    browser.type_text("Third").await;
    key(&browser, Key::Escape).await;
    section(&browser, "Today", &["Second", "One"]).await;

    choose(&browser, "One", "Pin").await;
    section(&browser, "Pinned", &["One"]).await;
    browser.focused("button", "More: One").await;
    choose(&browser, "Second", "Move to folder…").await;
    browser.focused("textbox", "New folder").await;
    browser.type_text("Work").await;
    browser.enter().await;
    section(&browser, "Work", &["Second"]).await;
    browser.press("button", "Work").await;
    browser.gone("link", "Second").await;
    browser.reload().await;
    browser.find("link", "One").await;
    assert!(!browser.has("link", "Second").await, "a closed folder stays closed");
    browser.press("button", "Work").await;

    choose(&browser, "Second", "Delete").await;
    browser.focused("button", "Undo").await;
    browser.gone("link", "Second").await;
    browser.until("home", "return location.pathname === '/'").await;
    browser.enter().await;
    section(&browser, "Work", &["Second"]).await;
    browser.find("article", "You").await;
    assert!(browser.place().await.starts_with("/chat/"), "what was open is open again");

    choose(&browser, "One", "Delete").await;
    browser.focused("button", "Undo").await;
    key(&browser, Key::Escape).await;
    browser.focused("textbox", "Message").await;
    assert!(!browser.has("button", "Undo").await);
    browser.reload().await;
    browser.find("link", "Second").await;
    assert!(!browser.has("link", "One").await);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// How many deletes can be taken back.
async fn undos(browser: &Browser, count: usize) {
    let script = format!(
        "const all = [...document.querySelectorAll('button')];
         return all.filter(e => e.textContent.trim() === 'Undo').length === {count};"
    );
    browser.until(&format!("{count} deletes to be taken back"), &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_delete_can_be_taken_back_and_whoever_writes_is_not_disturbed() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    for question in ["One", "Two", "Three"] {
        ask(&browser, question).await;
    }
    section(&browser, "Today", &["Three", "Two", "One"]).await;
    for question in ["One", "Two"] {
        choose(&browser, question, "Delete").await;
        browser.gone("link", question).await;
    }
    undos(&browser, 2).await;
    look_at(&browser, "two toasts").await;
    browser.press("button", "Undo").await;
    section(&browser, "Today", &["Three", "One"]).await;
    undos(&browser, 1).await;
    browser.press("button", "Undo").await;
    section(&browser, "Today", &["Three", "Two", "One"]).await;
    undos(&browser, 0).await;

    let hold = "const real = window.fetch;
        window.fetch = (request, more) => request.method !== 'DELETE' ? real(request, more)
          : new Promise(done => { window.letGo = () => done(real(request, more)); });";
    browser.script(hold).await;
    choose(&browser, "Two", "Delete").await;
    browser.until("a delete", "return window.letGo").await;
    browser.press("textbox", "Message").await;
    browser.type_text("half").await;
    browser.script("letGo()").await;
    browser.find("button", "Undo").await;
    browser.type_text(" of it").await;
    let draft = "return document.getElementById('message').value === 'half of it'";
    browser.until("all that was typed", draft).await;
    section(&browser, "Today", &["Three", "One"]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_on_its_page_and_comes_back() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "One").await;
    ask(&browser, "Two").await;
    browser.open(&server.url("/history")).await;
    browser.press("button", "Archive").await;
    browser
        .until("a sentence", "return document.body.innerText.includes('Nothing is archived.')")
        .await;
    look_at(&browser, "empty archive").await;
    choose(&browser, "One", "Archive").await;
    section(&browser, "Today", &["Two"]).await;
    browser
        .until(
            "it in the archive",
            "return document.querySelector('.days .entry')?.textContent.includes('One')",
        )
        .await;
    look_at(&browser, "archive").await;
    browser.press("button", "More: One").await;
    look_at(&browser, "menu").await;
    browser.press("menuitem", "Unarchive").await;
    section(&browser, "Today", &["Two", "One"]).await;
    choose(&browser, "Two", "Move to folder…").await;
    browser.focused("textbox", "New folder").await;
    look_at(&browser, "folders").await;
    key(&browser, Key::Escape).await;
    choose(&browser, "Two", "Delete").await;
    browser.focused("button", "Undo").await;
    look_at(&browser, "toast").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_the_sidebar_of_another_tab() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "One").await;
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(true).await.unwrap();
    browser.client.switch_to_window(second.handle).await.unwrap();
    browser.open(&server.url("/")).await;
    section(&browser, "Today", &["One"]).await;
    choose(&browser, "One", "Pin").await;
    section(&browser, "Pinned", &["One"]).await;
    browser.client.switch_to_window(first).await.unwrap();
    section(&browser, "Pinned", &["One"]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_goes_to_a_message_by_keyboard() {
    let server = Server::start("numbers:tokens=40,rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "Tell me of the white whale").await;
    browser.focused("textbox", "Message").await;
    browser.type_text("And of the sea").await;
    browser.enter().await;
    browser
        .until("four messages", "return document.querySelectorAll('main article').length === 4")
        .await;
    browser.answer_ended().await;
    ask(&browser, "Something else").await;

    browser.type_text(&format!("{}/{}", Key::Control, Key::Null)).await;
    browser.focused("searchbox", "Search conversations").await;
    browser.type_text("zebra").await;
    browser
        .until("a sentence", "return document.body.innerText.includes('No message holds “zebra”.')")
        .await;
    browser.type_text(&format!("{}a{}", Key::Control, Key::Null)).await;
    browser.type_text("wha").await;
    browser
        .until("a mark", "return document.querySelector('.found mark')?.textContent === 'whale'")
        .await;
    look_at(&browser, "search").await;
    key(&browser, Key::Down).await;
    key(&browser, Key::Down).await;
    browser.enter().await;
    browser.gone("dialog", "Search conversations").await;
    browser.until(
        "the message, marked",
        "return document.querySelector('article.found-here .bubble')?.innerText === 'Tell me of the white whale'",
    ).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_shows_the_branch_that_a_message_is_on() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "Tell me of whales").await;
    browser.press("button", "Edit").await;
    browser.focused("textbox", "Message").await;
    browser.type_text(&format!("{}a{}", Key::Control, Key::Null)).await;
    browser.type_text("Tell me of zebras").await;
    browser.enter().await;
    browser
        .until(
            "the other branch",
            "return document.querySelector('.bubble')?.innerText === 'Tell me of zebras'",
        )
        .await;
    browser.answer_ended().await;
    let still = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    browser.devtools("Emulation.setEmulatedMedia", still).await;
    browser.press("button", "Search").await;
    browser.focused("searchbox", "Search conversations").await;
    browser.type_text("\"of whales\"").await;
    browser.until("a mark", "return document.querySelector('.found mark')").await;
    key(&browser, Key::Down).await;
    key(&browser, Key::Down).await;
    browser.enter().await;
    browser.until(
        "the first branch",
        "return document.querySelector('article.found-here .bubble')?.innerText === 'Tell me of whales'",
    ).await;
    let fades =
        "return getComputedStyle(document.querySelector('.found-here')).animationTimingFunction";
    assert_eq!(browser.script(fades).await, "steps(1)", "nothing fades for who wants no motion");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_chat_survives_a_reload_and_is_listed_nowhere() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = begin(&server).await;
    browser.press("button", "Temporary").await;
    browser.until("a line", "return document.body.innerText.includes('erased a day after')").await;
    look_at(&browser, "temporary").await;
    browser.press("textbox", "Message").await;
    browser.type_text("A secret").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.reload().await;
    browser.find("article", "You").await;
    browser.until("a line", "return document.body.innerText.includes('erased a day after')").await;
    assert!(!browser.has("link", "A secret").await);
    look_at(&browser, "temporary chat").await;
    browser.resize(PHONE).await;
    browser.press("button", "Open sidebar").await;
    browser.press("button", "Search").await;
    browser.focused("searchbox", "Search conversations").await;
    browser.type_text("secret").await;
    browser
        .until(
            "a sentence",
            "return document.body.innerText.includes('No message holds “secret”.')",
        )
        .await;
    browser.close().await;
}
