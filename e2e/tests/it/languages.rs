//! The app in the person's language: as the browser says, or as chosen in the settings; by roles
//! and names, and looked at on a desktop and a phone.

use std::path::Path;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::json;
use tempfile::TempDir;

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE};
use crate::front::{Front, Habit};
use crate::looks::{nothing_sticks_out, picture};
use crate::moving::hostile;
use crate::server::Server;

const CODE: &str = "```rust\nlet answer = 42;\n```\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n";

async fn language_is(browser: &Browser, tag: &str) {
    let script = format!("return document.documentElement.lang === {tag:?}");
    browser.until(&format!("a page in {tag}"), &script).await;
}

/// As it is after the person has chosen it in the settings.
async fn open_in(browser: &Browser, url: &str, language: &str) {
    browser.open(url).await;
    browser.script(&format!("localStorage.setItem('language', {language:?})")).await;
    browser.open(url).await;
    language_is(browser, language).await;
}

async fn look_at(browser: &Browser, state: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for (name, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
            browser.resize(size).await;
            let state = format!("{state}-{scheme}-{name}");
            nothing_sticks_out(browser, &state).await;
            axe::check(browser, &state).await;
            picture(browser, "language", &state).await;
        }
    }
    browser.prefer("light").await;
    browser.resize(DESKTOP).await;
}

/// Waits until an element with this id can be seen, and clicks it.
async fn click(browser: &Browser, id: &str) {
    click_on(browser, &format!("document.getElementById({id:?})")).await;
}

/// The same with the first element that a selector finds.
async fn click_first(browser: &Browser, selector: &str) {
    click_on(browser, &format!("document.querySelector({selector:?})")).await;
}

async fn click_on(browser: &Browser, element: &str) {
    browser.until(element, &format!("return {element}?.checkVisibility()")).await;
    browser.script(&format!("{element}.click()")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_chooses_german_has_it_everywhere_until_they_choose_again() {
    let server = Server::start(json!([{ "text": CODE }])).await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Zeig mir Code").await;
    browser.press("button", "Settings").await;
    browser.find("dialog", "Settings").await;
    browser.press("button", "Deutsch").await;

    browser.find("heading", "Was möchtest du wissen?").await;
    language_is(&browser, "de").await;
    browser.focused("textbox", "Nachricht").await;
    let draft = browser.script("return document.getElementById('message').value").await;
    assert_eq!(draft, "Zeig mir Code", "what is being written outlives the change");
    browser.press("button", "Senden").await;
    browser.find("article", "Du").await;
    browser.answer_ended().await;
    let label = "return document.querySelector('article pre, article figure') &&
        [...document.querySelectorAll('article figcaption button')].some(b => b.textContent === 'Kopieren')";
    browser.until("code with its button in German", label).await;
    browser.find("navigation", "Chats").await;
    browser.find("button", "Modell: Bestes (automatisch)").await;

    browser.press("button", "Mehr: Zeig mir Code").await;
    for entry in ["Umbenennen", "Anheften", "Verschieben…", "Archivieren", "Löschen"] {
        browser.find("menuitem", entry).await;
    }
    browser.type_text(&Key::Escape.to_string()).await;

    browser.open(&server.url("/history")).await;
    browser.find("button", "Archiv").await;
    let time =
        "return /(^|\\s)\\d\\d:\\d\\d(\\s|$)/.test(document.querySelector('.days')?.innerText)";
    browser.until("a time as Germans write it", time).await;
    browser.press("link", "Zeig mir Code").await;
    browser.find("textbox", "Nachricht").await;
    browser.press("button", "Einstellungen").await;
    browser.find("dialog", "Einstellungen").await;
    browser.press("button", "English").await;
    browser.find("textbox", "Message").await;
    language_is(&browser, "en").await;
    browser.find("article", "You").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn the_app_speaks_the_first_of_the_browsers_languages_that_it_knows() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = Browser::start_in(DESKTOP, "hi-IN,hi,en").await;
    browser.open(&server.url("/")).await;
    language_is(&browser, "hi").await;
    browser.focused("textbox", "संदेश").await;
    browser.find("button", "नई चैट").await;
    browser.close().await;

    let browser = Browser::start_in(DESKTOP, "fr-FR,fr,es-MX").await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Mensaje").await;
    language_is(&browser, "es").await;
    browser.close().await;

    let browser = Browser::start_in(DESKTOP, "fr-FR,fr").await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    language_is(&browser, "en").await;
    browser.close().await;
}

#[tokio::test]
async fn when_the_texts_do_not_come_the_app_is_in_english() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = Browser::start_in(DESKTOP, "de").await;
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/texts-*"]})).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    language_is(&browser, "en").await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await;
    browser.reload().await;
    browser.focused("textbox", "Nachricht").await;
    browser.close().await;
}

#[tokio::test]
async fn without_a_network_the_app_opens_in_the_persons_language() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let front = Front::start(&server.address).await;
    let browser = Browser::start_in(DESKTOP, "de").await;
    browser.open(&format!("http://{}/", front.address())).await;
    browser.focused("textbox", "Nachricht").await;
    let in_hands = "
        const done = arguments[0];
        const step = () => (navigator.serviceWorker.controller ? done(true) : setTimeout(step, 5));
        step();";
    browser.client.execute_async(in_hands, vec![]).await.unwrap();
    // What the browser itself keeps must not stand in for the service worker.
    browser.devtools("Network.clearBrowserCache", json!({})).await;
    front.turn(Habit::Down);
    browser.reload().await;
    browser.focused("textbox", "Nachricht").await;
    browser.close().await;
}

/// Begins to dictate to a browser that only says in which language it would listen.
async fn dictate(browser: &Browser, button: &str, language: &str) {
    let listener = "window.SpeechRecognition = class { start() { window.heard = this.lang; } }";
    browser.script(listener).await;
    browser.press("button", button).await;
    browser.until(language, &format!("return window.heard === {language:?}")).await;
}

#[tokio::test]
async fn dictation_listens_in_the_chosen_language_else_in_the_browsers() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = Browser::start_in(DESKTOP, "de-AT,de").await;
    browser.open(&server.url("/")).await;
    dictate(&browser, "Diktieren", "de-AT").await;
    open_in(&browser, &server.url("/"), "es").await;
    dictate(&browser, "Dictar", "es").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_import_says_why_in_the_persons_language() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("broken.json");
    std::fs::write(&file, "GIF89a").unwrap();
    let browser = Browser::start(DESKTOP).await;
    for (language, reason) in [
        ("de", "Diese Datei ist weder JSON noch ein ZIP mit JSON darin."),
        ("es", "Este archivo no es JSON ni un ZIP con JSON dentro."),
        ("hi", "यह फ़ाइल न JSON है, न ही ऐसी ZIP जिसमें JSON हो।"),
    ] {
        open_in(&browser, &server.url("/"), language).await;
        open_data(&browser).await;
        choose(&browser, &file).await;
        let said = format!("return document.body.innerText.includes({reason:?})");
        browser.until(reason, &said).await;
    }
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_deleted_by_the_words_of_the_language_or_the_english_ones() {
    let server = Server::start("numbers:tokens=5,rate=0,first=0").await;
    let browser = Browser::start(DESKTOP).await;
    for (language, words) in [
        ("de", "alles löschen"),
        ("de", "delete everything"),
        ("es", "delete everything"),
        ("hi", "सब कुछ हटा दें"),
        ("hi", "Delete everything"),
    ] {
        open_in(&browser, &server.url("/"), language).await;
        open_data(&browser).await;
        click_first(&browser, ".danger").await;
        let field = "return document.activeElement?.id === 'erase-words'";
        browser.until("the question", field).await;
        browser.type_text(words).await;
        browser.enter().await;
        let gone = "return !document.querySelector('dialog[open]')";
        browser.until(&format!("that {words:?} are enough in {language}"), gone).await;
    }
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn german_fits_on_every_page() {
    fits_on_every_page("de").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spanish_fits_on_every_page() {
    fits_on_every_page("es").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hindi_fits_on_every_page() {
    fits_on_every_page("hi").await;
}

async fn fits_on_every_page(language: &str) {
    let server = Server::start(json!([{ "text": CODE }])).await;
    let empty = Server::start_without_a_model().await;
    let browser = Browser::start(DESKTOP).await;
    open_in(&browser, &empty.url("/"), language).await;
    browser.until("a way to add a model", "return document.querySelector('.first-run')").await;
    look_at(&browser, &format!("{language}-no-model")).await;
    open_in(&browser, &server.url("/"), language).await;
    browser.until("the composer", "return document.activeElement?.id === 'message'").await;
    look_at(&browser, &format!("{language}-home")).await;
    browser.type_text("One").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.until("the code", "return document.querySelector('article figcaption button')").await;
    look_at(&browser, &format!("{language}-chat")).await;

    click_first(&browser, "[aria-label$=': One']").await;
    browser.until("the menu", "return document.querySelector('[role=menuitem]')").await;
    look_at(&browser, &format!("{language}-menu")).await;
    browser.type_text(&Key::Escape.to_string()).await;
    moving_fits(&browser, language).await;
    browser.open(&server.url("/history")).await;
    browser.until("the history", "return document.querySelector('.days .entry')").await;
    look_at(&browser, &format!("{language}-history")).await;
    settings_fit(&browser, language).await;
    data_fits(&browser, language).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

async fn settings_fit(browser: &Browser, language: &str) {
    browser.type_text(&format!("{}k{}", Key::Control, Key::Null)).await;
    browser.until("the palette", "return document.querySelector('dialog.palette[open]')").await;
    look_at(browser, &format!("{language}-palette")).await;
    browser.type_text(&Key::Escape.to_string()).await;
    click_first(browser, ".sidebar-foot button:last-of-type").await;
    for section in [
        "Appearance",
        "Answers",
        "Prompts",
        "Reading",
        "Notifications",
        "Data",
        "Shortcuts",
        "About",
    ] {
        click(browser, &format!("settings-{section}")).await;
        look_at(browser, &format!("{language}-settings-{section}")).await;
    }
    browser.type_text(&Key::Escape.to_string()).await;
    browser.until("no dialog", "return !document.querySelector('dialog[open]')").await;
}

/// The dialog of a conversation that goes out: with a link, and with the formats of a file.
async fn moving_fits(browser: &Browser, language: &str) {
    begin(browser, 4).await;
    click(browser, "create-link").await;
    browser.until("a link", "return document.querySelector('dialog.moving #links a')").await;
    look_at(browser, &format!("{language}-share")).await;
    browser.type_text(&Key::Escape.to_string()).await;
    begin(browser, 5).await;
    browser.until("the formats", "return document.querySelector('dialog.moving .formats')").await;
    look_at(browser, &format!("{language}-export")).await;
    browser.type_text(&Key::Escape.to_string()).await;
}

/// Opens that dialog from the entry of the menu at this place, counted from 0.
async fn begin(browser: &Browser, entry: usize) {
    let closed = "return !document.querySelector('dialog.moving[open]')";
    browser.until("no dialog", closed).await;
    click_first(browser, "[aria-label$=': One']").await;
    let entry = format!("document.querySelectorAll('[role=menuitem]')[{entry}]");
    click_on(browser, &entry).await;
    browser.until("the dialog", "return document.querySelector('dialog.moving[open]')").await;
}

async fn open_data(browser: &Browser) {
    click_first(browser, ".sidebar-foot button:last-of-type").await;
    click(browser, "settings-Data").await;
    let field = "return document.querySelector('.drop input[type=file]')";
    browser.until("the field", field).await;
}

async fn choose(browser: &Browser, file: &Path) {
    let field = browser.client.find(Locator::Css(".drop input[type=file]")).await.unwrap();
    field.send_keys(file.to_str().unwrap()).await.unwrap();
}

/// What comes in and what is deleted: a report with all that it can say, and the last question.
async fn data_fits(browser: &Browser, language: &str) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("conversations.json");
    let exported = json!([hostile(), { "something": "else" }]).to_string();
    std::fs::write(&file, exported).unwrap();
    open_data(browser).await;
    choose(browser, &file).await;
    let report = "return document.querySelector('#imports details.notes')?.checkVisibility()";
    browser.until("the report", report).await;
    look_at(browser, &format!("{language}-import")).await;
    let question = "document.querySelector('dialog.erase')?.previousElementSibling";
    click_on(browser, question).await;
    browser.until("the question", "return document.querySelector('dialog.erase[open]')").await;
    look_at(browser, &format!("{language}-delete-everything")).await;
    browser.type_text(&Key::Escape.to_string()).await;
}
