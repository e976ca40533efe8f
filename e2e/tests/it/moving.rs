//! Conversations that come in and go out: exports, imports, links, and deleting everything.

use std::fmt::Write as _;
use std::path::Path;

use fantoccini::key::Key;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::browser::{Browser, DESKTOP};
use crate::keep::{ask, begin};
use crate::looks::look_at;
use crate::server::Server;

#[path = "../../../crates/archive/examples/exports/shapes.rs"]
#[expect(clippy::cast_precision_loss, reason = "times of a test are small")]
mod shapes;

/// A title that wants to be more than a text: markup, a script, and a turn of the writing
/// direction.
const HOSTILE: &str = "<script>a()</script><img src=x onerror=a()> \u{202e}fdp";
/// How many elements a text has become.
const ELEMENTS: &str = "return document.querySelectorAll('.shell :is(img, script, b)').length";
const QUICK: &str = "numbers:tokens=5,rate=0,first=0";

/// A file as ChatGPT exports it.
fn export(conversations: usize, messages: usize) -> String {
    let mut text = String::new();
    for number in 0..conversations {
        let before = if number == 0 { '[' } else { ',' };
        let _ = write!(text, "{before}{}", shapes::conversation("chatgpt", number, messages));
    }
    text + "]"
}

/// One conversation with the hostile title, and an image in it.
pub(crate) fn hostile() -> Value {
    let mut conversation = shapes::conversation("chatgpt", 7, 2);
    conversation["title"] = HOSTILE.into();
    let content = &mut conversation["mapping"]["c7-m0"]["message"]["content"];
    *content = json!({"content_type": "multimodal_text", "parts": [
        {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}, "See"]});
    conversation
}

async fn open_data(browser: &Browser) {
    browser.press("button", "Settings").await;
    browser.press("button", "Data").await;
    browser.find("button", "Export as JSON").await;
}

/// Chooses a file to import.
async fn choose(browser: &Browser, file: &Path) {
    let field = browser.find("textbox", "Choose a file…").await;
    field.send_keys(file.to_str().unwrap()).await.unwrap();
}

async fn says(browser: &Browser, text: &str) {
    let script = format!("return document.body.innerText.includes({text:?})");
    browser.until(text, &script).await;
}

/// Lets the browser put its downloads there.
async fn download_to(browser: &Browser, folder: &TempDir) {
    let params = json!({"behavior": "allow", "downloadPath": folder.path()});
    browser.devtools("Browser.setDownloadBehavior", params).await;
}

/// A file that the browser has downloaded, whole.
async fn downloaded(browser: &Browser, folder: &TempDir, name: &str) -> Vec<u8> {
    let file = folder.path().join(name);
    // The browser keeps the name with an empty file until it is whole.
    let is_there = || std::fs::metadata(&file).is_ok_and(|file| file.len() > 0);
    let there = async {
        while !is_there() {
            browser
                .client
                .execute_async("requestAnimationFrame(arguments[0])", vec![])
                .await
                .unwrap();
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, there).await;
    let names =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(in_time.is_ok(), "{name} among {:?}", names().collect::<Vec<_>>());
    std::fs::read(file).unwrap()
}

async fn menu(browser: &Browser, title: &str, entry: &str) {
    browser.find("button", &format!("More: {title}")).await;
    let button = format!("[aria-label={:?}]", format!("More: {title}"));
    browser.script(&format!("document.querySelector({button:?}).click()")).await;
    browser.press("menuitem", entry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_file_of_one_conversation_or_of_all() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    download_to(&browser, &folder).await;
    ask(&browser, "What is a log?").await;
    ask(&browser, "What is a whale?").await;

    menu(&browser, "What is a log?", "Export…").await;
    browser.find("dialog", "Export").await;
    look_at(&browser, "export").await;
    browser.press("button", "Export as HTML").await;
    browser.gone("dialog", "Export").await;
    let page = downloaded(&browser, &folder, "What-is-a-log.html").await;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("What is a log?") && !page.contains("whale"), "{page}");
    let answer = browser.script("return document.querySelector('article .prose')?.innerText").await;
    assert!(!answer.as_str().unwrap().is_empty());

    browser.type_text(&format!("{}k{}", Key::Control, Key::Null)).await;
    browser.find("dialog", "Command palette").await;
    browser.type_text("export this").await;
    browser.enter().await;
    browser.press("button", "Export as Markdown").await;
    let text = downloaded(&browser, &folder, "What-is-a-whale.md").await;
    assert!(String::from_utf8(text).unwrap().contains("What is a whale?"));

    open_data(&browser).await;
    browser.press("button", "Export as JSON").await;
    let all = downloaded(&browser, &folder, "conversations.json").await;
    let all: Value = serde_json::from_slice(&all).unwrap();
    let titles = all.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap());
    assert_eq!(titles.collect::<Vec<_>>(), ["What is a log?", "What is a whale?"]);
    browser.press("button", "Export as HTML").await;
    let pack = downloaded(&browser, &folder, "conversations-html.zip").await;
    assert!(pack.starts_with(b"PK\x03\x04"));
    assert!(pack.windows(13).any(|name| name == b"What-is-a-log"), "a file for each");

    // What leaves the server can be looked at without it, and is as accessible.
    browser.open(&format!("file://{}", folder.path().join("What-is-a-log.html").display())).await;
    browser.find("heading", "What is a log?").await;
    look_at(&browser, "exported file").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_says_so() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    open_data(&browser).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/ai/export*"]})).await;
    browser.press("button", "Export as JSON").await;
    says(&browser, "The file did not arrive as a whole.").await;
    look_at(&browser, "export failed").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_with_a_report_and_once_more_changes_nothing() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("<b>x<\u{2044}b> \u{202e}nosj.json");
    let mut all: Vec<Value> = serde_json::from_str(&export(3, 4)).unwrap();
    all.push(hostile());
    all.push(json!({"something": "else"}));
    std::fs::write(&file, serde_json::to_vec(&all).unwrap()).unwrap();

    open_data(&browser).await;
    choose(&browser, &file).await;
    says(&browser, "4 conversations and 14 messages came in.").await;
    says(&browser, "1 image: a line in brackets stands in its place").await;
    // Between words it cannot turn the rest of its sentence.
    says(&browser, &HOSTILE.replace('\u{202e}', "")).await;
    look_at(&browser, "import report").await;
    assert_eq!(browser.script(ELEMENTS).await, 0, "a title is a text");
    browser.find("link", "Conversation 2").await;

    choose(&browser, &file).await;
    says(&browser, "Nothing new. 4 conversations were here already, unchanged.").await;

    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "GIF89a").unwrap();
    choose(&browser, &broken).await;
    says(&browser, "This file is neither JSON nor a ZIP with JSON in it.").await;
    says(&browser, "nothing comes twice").await;
    look_at(&browser, "import failed").await;

    // All three are there when the page is read anew.
    browser.reload().await;
    open_data(&browser).await;
    says(&browser, "Not imported").await;
    let lines = "return document.querySelectorAll('[aria-label=Imports] > li').length === 3";
    browser.until("three imports", lines).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_sent_is_told_of_by_its_name_as_text() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("<b>x<\u{2044}b> \u{202e}nosj.json");
    std::fs::write(&file, export(1, 2)).unwrap();
    open_data(&browser).await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/ai/imports*"]})).await;
    choose(&browser, &file).await;
    says(&browser, "“<b>x<\u{2044}b> nosj.json”").await;
    says(&browser, "could not be sent").await;
    assert_eq!(browser.script(ELEMENTS).await, 0);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_shows_how_far_it_is_sent_and_can_be_cancelled_until_then() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("conversations.json");
    std::fs::write(&file, export(2000, 4)).unwrap();
    open_data(&browser).await;
    send_slowly(&browser, 200_000).await;
    choose(&browser, &file).await;
    says(&browser, "Sending conversations.json").await;
    let moves = "const bar = document.querySelector('progress[aria-label=\"Sent so far\"]');
        return bar?.value > 0 && bar.value < bar.max && bar.value";
    let before = browser.until("a part of it sent", moves).await.as_f64().unwrap();
    browser.until("more of it sent", &moves.replace("> 0", &format!("> {before}"))).await;
    look_at(&browser, "sending a file").await;
    browser.press("button", "Cancel").await;
    browser.gone("button", "Cancel").await;
    let problem = "return /could not be sent/.test(document.body.innerText)";
    assert_eq!(browser.script(problem).await, false, "that was meant");

    // Nothing of it came in, and it can be chosen again.
    send_slowly(&browser, -1).await;
    choose(&browser, &file).await;
    says(&browser, "2,000 conversations and 8,000 messages came in.").await;
    let lines = "return document.querySelectorAll('[aria-label=Imports] > li').length";
    assert_eq!(browser.script(lines).await, 1, "one import");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Lets the browser send so many bytes a second; -1 is as many as it can.
async fn send_slowly(browser: &Browser, rate: i64) {
    browser.devtools("Network.enable", json!({})).await;
    let conditions = json!({
        "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate,
    });
    browser.devtools("Network.emulateNetworkConditions", conditions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_on_the_place_for_imports_comes_in() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    open_data(&browser).await;
    assert_eq!(drop_files(&browser, &[&export(2, 4), &export(1, 4)]).await, true);
    says(&browser, "One file at a time, please.").await;
    assert_eq!(drop_files(&browser, &[&export(3, 4)]).await, true, "the browser does not open it");
    says(&browser, "3 conversations and 12 messages came in.").await;
    browser.find("link", "Conversation 2").await;
    let draft = browser.script("return document.getElementById('message').value").await;
    assert_eq!(draft, "", "it is no message");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Drops files with these texts where one is chosen; whether the page took them.
async fn drop_files(browser: &Browser, texts: &[&str]) -> Value {
    let field = browser.find("textbox", "Choose a file…").await;
    let script = "
        const [field, texts] = arguments;
        const data = new DataTransfer();
        texts.forEach((text, at) => data.items.add(new File([text], `part-${at}.json`)));
        const hand = type => !field.dispatchEvent(
          new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        return hand('dragover') && hand('drop');";
    let arguments = vec![serde_json::to_value(field).unwrap(), json!(texts)];
    browser.client.execute(script, arguments).await.unwrap()
}

/// A number of the bar of the import that runs.
const BAR: &str = "document.querySelector('progress[aria-label=\"Imported so far\"]')";

#[tokio::test(flavor = "multi_thread")]
async fn a_long_import_goes_on_through_a_reload_and_a_crash_of_the_server() {
    let mut server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("conversations.json");
    std::fs::write(&file, export(6000, 4)).unwrap();
    open_data(&browser).await;
    choose(&browser, &file).await;
    let moves = format!("return {BAR}?.value > 0 && {BAR}.max === 6000 && {BAR}.value");
    let before = browser.until("the import under way", &moves).await.as_f64().unwrap();
    look_at(&browser, "import").await;

    browser.reload().await;
    open_data(&browser).await;
    let further = format!("return {BAR}?.value > {before} && {BAR}.value");
    let after = browser.until("the same import, further", &further).await.as_f64().unwrap();
    assert!(after < 6000.0, "it was too fast to be seen");

    server.crash_and_restart();
    // As long as it moves it may take its time.
    let over = "document.body.innerText.includes(
        '6,000 conversations and 24,000 messages came in.')";
    let mut reached = Some(after);
    while let Some(before) = reached {
        let further =
            format!("return {BAR} ? {BAR}.value > {before} && {BAR}.value : {over} && 'over'");
        reached = browser.until("the import, further", &further).await.as_f64();
    }
    // The lists are read anew at its end.
    browser.find("link", "Conversation 5999").await;
    browser.close().await;
}

/// The address that a link of the list leads to.
async fn address(browser: &Browser) -> String {
    let script = "return document.querySelector('ul[aria-label^=\"Links\"] a')?.href";
    browser.until("a link", script).await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_read_without_a_session_until_it_is_revoked() {
    let server = Server::start("markdown:rate=0,first=0").await;
    let browser = begin(&server).await;
    ask(&browser, "Show me everything").await;
    menu(&browser, "Show me everything", "Share…").await;
    browser.find("dialog", "Share").await;
    says(&browser, "Whoever has the link can read a copy").await;
    browser.press("button", "Create link").await;
    browser.focused("button", "Copy link").await;
    look_at(&browser, "share").await;
    let link = address(&browser).await;
    assert!(link.starts_with(&server.url("/share/")), "{link}");

    let other = Browser::start(DESKTOP).await;
    other.open(&link).await;
    other.find("heading", "Show me everything").await;
    assert_eq!(other.script("return Object.keys(localStorage).length").await, 0);
    look_at(&other, "shared page").await;

    browser.press("button", "Revoke").await;
    browser.gone("button", "Revoke").await;
    browser.focused("button", "Create link").await;
    other.reload().await;
    other.find("heading", "Nothing is shared here").await;
    look_at(&other, "shared page gone").await;
    assert!(
        !other.script("return document.body.innerText").await.to_string().contains("everything")
    );
    other.close().await;

    // Whoever waits for the answers finds it under one, too; all links are in the settings.
    browser.type_text(&Key::Escape.to_string()).await;
    browser.gone("dialog", "Share").await;
    browser.press("button", "Share…").await;
    browser.press("switch", "Keep the link when I delete the conversation").await;
    browser.press("button", "Create link").await;
    browser.focused("button", "Copy link").await;
    says(&browser, "stays when the conversation is deleted").await;
    browser.type_text(&Key::Escape.to_string()).await;
    open_data(&browser).await;
    browser.find("link", "Show me everything").await;
    browser.find("button", "Revoke").await;
    browser
        .script("document.querySelector('[aria-label=\"Shared links\"]').scrollIntoView()")
        .await;
    look_at(&browser, "settings with a link").await;
    browser.press("button", "Revoke").await;
    says(&browser, "You share nothing.").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_title_is_a_text_in_the_list_of_links() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    ask(&browser, HOSTILE).await;
    browser.press("button", "Share…").await;
    browser.press("button", "Create link").await;
    browser.focused("button", "Copy link").await;
    browser.type_text(&Key::Escape.to_string()).await;
    open_data(&browser).await;
    let shown = "return document.querySelector('[aria-label=\"Shared links\"] a')?.textContent";
    let shown = browser.until("the link", shown).await;
    assert_eq!(shown, HOSTILE);
    assert_eq!(browser.script(ELEMENTS).await, 0);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_links_says_so() {
    let server = Server::start_set(QUICK, "UNBROKEN__SHARE__ENABLED", "false").await;
    let browser = begin(&server).await;
    ask(&browser, "Share me").await;
    browser.press("button", "Share…").await;
    browser.press("button", "Create link").await;
    says(&browser, "Links are switched off here.").await;
    look_at(&browser, "no links").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_deleted_on_every_tab_and_only_when_it_is_meant() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    download_to(&browser, &folder).await;
    ask(&browser, "One").await;
    menu(&browser, "One", "Pin").await;
    ask(&browser, "Two").await;
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(true).await.unwrap();
    let address = server.url(&browser.place().await);
    browser.client.switch_to_window(second.handle.clone()).await.unwrap();
    browser.open(&address).await;
    browser.answer_ended().await;
    browser.client.switch_to_window(first).await.unwrap();

    open_data(&browser).await;
    browser.press("button", "Delete everything…").await;
    browser.focused("textbox", "Type “delete everything” to confirm").await;
    look_at(&browser, "delete everything").await;
    browser.enter().await;
    browser.type_text("delete").await;
    browser.enter().await;
    browser.find("dialog", "Delete everything?").await;
    browser.find("link", "One").await;
    browser.type_text(" everything").await;
    browser.enter().await;
    browser.gone("dialog", "Settings").await;
    says(&browser, "Everything is deleted: 2 conversations.").await;
    for window in [None, Some(second.handle)] {
        if let Some(window) = window {
            browser.client.switch_to_window(window).await.unwrap();
        }
        browser.until("home", "return location.pathname === '/'").await;
        browser.gone("link", "One").await;
        browser.gone("link", "Two").await;
        browser.find("heading", "What would you like to know?").await;
    }
    browser.reload().await;
    browser.find("heading", "What would you like to know?").await;
    open_data(&browser).await;
    browser.press("button", "Export as JSON").await;
    let left = downloaded(&browser, &folder, "conversations.json").await;
    assert_eq!(left, b"[]\n", "nothing is left");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}
