//! The command palette, shortcuts, prompts, settings, long pastes, and a server without a model;
//! by keyboard alone where it says so.

use fantoccini::key::Key;
use fantoccini::wd::WindowHandle;

use crate::again::yours;
use crate::browser::{Browser, DESKTOP, PHONE};
use crate::looks::look_at;
use crate::server::Server;

async fn begin(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser
}

async fn key(browser: &Browser, key: Key) {
    browser.type_text(&key.to_string()).await;
}

async fn with_ctrl(browser: &Browser, letter: &str) {
    browser.type_text(&format!("{}{letter}{}", Key::Control, Key::Null)).await;
}

/// Waits until the composer holds a text for which `condition` is true, in JavaScript.
async fn draft_when(browser: &Browser, condition: &str) {
    let script =
        format!("const text = document.getElementById('message').value; return {condition};");
    browser.until(&format!("a draft with {condition}"), &script).await;
}

/// Waits until the option that Enter takes is called so.
async fn active(browser: &Browser, name: &str) {
    let script = format!(
        "const field = document.activeElement;
         const option = document.getElementById(field.getAttribute('aria-activedescendant'));
         return option?.querySelector('.palette-name').textContent.trim() === {name:?}
           && option.getAttribute('aria-selected') === 'true';"
    );
    browser.until(&format!("{name:?} active"), &script).await;
}

const FIELD: &str = "Find an action, a model or a conversation";

async fn open_palette(browser: &Browser) {
    with_ctrl(browser, "k").await;
    browser.find("dialog", "Command palette").await;
    browser.focused("combobox", FIELD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_palette_finds_actions_models_and_conversations_with_the_keyboard_alone() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("Backpressure and slow readers").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.find("link", "Backpressure and slow readers").await;
    with_ctrl(&browser, &format!("{}o", Key::Shift)).await;
    browser.find("heading", "What would you like to know?").await;
    browser.focused("textbox", "Message").await;

    open_palette(&browser).await;
    look_at(&browser, "palette").await;
    browser.type_text("theme ni").await;
    active(&browser, "Appearance: dark").await;
    browser.enter().await;
    browser.gone("dialog", "Command palette").await;
    browser
        .until("the dark theme", "return document.documentElement.dataset.theme === 'dark'")
        .await;
    browser.focused("textbox", "Message").await;

    open_palette(&browser).await;
    active(&browser, "Appearance: dark").await;
    key(&browser, Key::Up).await;
    key(&browser, Key::Down).await;
    active(&browser, "Appearance: dark").await;
    browser.type_text("zzz").await;
    browser
        .until(
            "that nothing is found",
            "return /Nothing has these words/.test(document.body.innerText)",
        )
        .await;
    key(&browser, Key::Escape).await;
    browser.gone("dialog", "Command palette").await;
    browser.focused("textbox", "Message").await;

    open_palette(&browser).await;
    browser.type_text("readers backp").await;
    active(&browser, "Backpressure and slow readers").await;
    browser.enter().await;
    browser.find("article", "You").await;
    open_palette(&browser).await;
    browser.type_text("pin this").await;
    active(&browser, "Pin this conversation").await;
    browser.enter().await;
    browser.find("link", "Backpressure and slow readers").await;
    browser
        .until(
            "the pinned section",
            "return !!document.querySelector('.sidebar ul[aria-label=Pinned]')",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_mark_shows_the_shortcuts_only_while_nobody_types() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("Why?").await;
    draft_when(&browser, "text === 'Why?'").await;
    assert!(!browser.has("dialog", "Keyboard shortcuts").await);
    browser.enter().await;
    browser.answer_ended().await;
    key(&browser, Key::Up).await;
    draft_when(&browser, "text === 'Why?'").await;
    key(&browser, Key::Escape).await;
    browser.script("document.activeElement.blur()").await;
    browser.type_text("?").await;
    browser.find("dialog", "Keyboard shortcuts").await;
    look_at(&browser, "shortcuts").await;
    key(&browser, Key::Escape).await;
    browser.gone("dialog", "Keyboard shortcuts").await;
    browser.script("document.activeElement.blur()").await;
    browser.type_text("/").await;
    browser.focused("textbox", "Message").await;
    draft_when(&browser, "text === ''").await;
    with_ctrl(&browser, &format!("{}c", Key::Shift)).await;
    browser
        .until("what became of the copy", "return /clipboard/.test(document.body.innerText)")
        .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_made_in_the_settings_and_used_by_a_slash_with_the_keyboard_alone() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("/").await;
    active(&browser, "Prompts…").await;
    browser.enter().await;
    browser.find("dialog", "Settings").await;
    let section = "return document.getElementById('section-title').textContent === 'Prompts'";
    browser.until("the section", section).await;
    browser.script("document.getElementById('new-prompt').focus()").await;
    browser.enter().await;
    browser.focused("textbox", "Name").await;
    browser.type_text("Greet somebody").await;
    key(&browser, Key::Tab).await;
    browser.type_text("Greet {{who}} in {{language}}.").await;
    browser.until("the variables", "return /who, language/.test(document.body.innerText)").await;
    look_at(&browser, "prompt-form").await;
    key(&browser, Key::Tab).await;
    key(&browser, Key::Tab).await;
    browser.enter().await;
    browser.find("button", "Edit Greet somebody").await;
    look_at(&browser, "prompts").await;
    key(&browser, Key::Escape).await;
    browser.gone("dialog", "Settings").await;

    browser.press("textbox", "Message").await;
    browser.type_text("/gre").await;
    active(&browser, "Greet somebody").await;
    look_at(&browser, "prompt-menu").await;
    browser.enter().await;
    draft_when(&browser, "text === 'Greet {{who}} in {{language}}.'").await;
    browser.type_text("Ada").await;
    key(&browser, Key::Tab).await;
    browser.type_text("Spanish").await;
    draft_when(&browser, "text === 'Greet Ada in Spanish.'").await;
    browser.enter().await;
    assert_eq!(browser.answer_ended().await, "Greet Ada in Spanish.");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_deleted_only_when_that_is_confirmed() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.press("button", "Settings").await;
    browser.press("button", "Prompts").await;
    browser.press("button", "New prompt").await;
    browser.focused("textbox", "Name").await;
    browser.type_text("Greet").await;
    browser.press("textbox", "Text").await;
    browser.type_text("Say hello.").await;
    browser.press("button", "Save").await;
    browser.press("button", "Delete Greet").await;
    browser.find("group", "Delete the prompt “Greet”?").await;
    browser.focused("button", "Cancel").await;
    look_at(&browser, "prompt-delete").await;
    browser.enter().await;
    browser.focused("button", "Delete Greet").await;
    browser.enter().await;
    browser.press("button", "Delete").await;
    browser.gone("button", "Edit Greet").await;
    browser.close().await;
}

/// Hears nothing by itself: `hear` says a final word, also after the end.
const LISTENER: &str = "window.SpeechRecognition = class {
      start() { window.listener = this; window.stopped = false; }
      stop() { window.stopped = true; }
    };
    window.hear = text => listener.onresult({
      resultIndex: 0, results: { length: 1, 0: { isFinal: true, 0: { transcript: text } } },
    });";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dictated_goes_to_the_draft_that_was_open() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.script(LISTENER).await;
    browser.type_text("Say this").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.press("button", "New chat").await;
    draft_when(&browser, "text === ''").await;
    browser.press("button", "Dictate").await;
    browser.until("a listener", "return window.listener").await;
    browser.script("hear('hello')").await;
    draft_when(&browser, "text === 'hello'").await;
    browser.press("link", "Say this").await;
    browser.until("that nobody listens", "return window.stopped").await;
    browser.script("hear('world')").await;
    draft_when(&browser, "text === ''").await;
    browser.press("button", "New chat").await;
    draft_when(&browser, "text === 'hello world'").await;

    browser.press("button", "Dictate").await;
    browser.until("a listener", "return !window.stopped").await;
    browser.press("textbox", "Message").await;
    browser.enter().await;
    browser.until("that nobody listens", "return window.stopped").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_open_section_by_section_and_a_phone_has_a_way_back() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.press("button", "Settings").await;
    browser.find("dialog", "Settings").await;
    for (section, name) in [
        ("Model and instructions", "answers"),
        ("Screen reader", "reading"),
        ("Data", "data"),
        ("Keyboard shortcuts", "keys"),
        ("About", "about"),
    ] {
        browser.press("button", section).await;
        look_at(&browser, &format!("settings-{name}")).await;
    }
    browser.resize(PHONE).await;
    browser.press("button", "All settings").await;
    look_at(&browser, "settings-list").await;
    browser.resize(PHONE).await;
    browser.press("button", "Model and instructions").await;
    browser.press("textbox", "Instructions for every answer").await;
    browser.type_text("Be brief.").await;
    browser.until("it is kept", "return localStorage.instructions === 'Be brief.'").await;
    browser.press("button", "Close").await;
    browser.gone("dialog", "Settings").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_paste_becomes_a_block_that_one_step_takes_back() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    let paste = |text: &str| {
        format!(
            "const data = new DataTransfer();
             data.setData('text/plain', {text});
             const field = document.getElementById('message');
             return !field.dispatchEvent(
               new ClipboardEvent('paste', {{ clipboardData: data, bubbles: true, cancelable: true }}));"
        )
    };
    browser.type_text("See:").await;
    assert_eq!(browser.script(&paste("'long '.repeat(1000)")).await, true);
    draft_when(&browser, "text.includes('```\\nlong long')").await;
    with_ctrl(&browser, "z").await;
    draft_when(&browser, "!text.includes('long')").await;
    assert_eq!(browser.script(&paste("'short'")).await, false, "it is the browser's affair");
    browser.close().await;
}

/// Another tab with the same page, and the one that is hidden now.
pub(crate) async fn open_beside(browser: &Browser, url: &str) -> [WindowHandle; 2] {
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(second.clone()).await.unwrap();
    browser.open(url).await;
    browser.focused("textbox", "Message").await;
    [first, second]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_there_after_a_reload_and_in_another_tab() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("half a thought").await;
    browser.reload().await;
    draft_when(&browser, "text === 'half a thought'").await;
    let [first, second] = open_beside(&browser, &server.url("/")).await;
    draft_when(&browser, "text === 'half a thought'").await;

    // Whoever goes to and fro writes on, and what is sent is no draft any more.
    browser.type_text(", and more").await;
    browser.client.switch_to_window(first.clone()).await.unwrap();
    draft_when(&browser, "text === 'half a thought, and more'").await;
    browser.press("textbox", "Message").await;
    browser.type_text(&format!("{}.", Key::End)).await;
    browser.client.switch_to_window(second).await.unwrap();
    draft_when(&browser, "text === 'half a thought, and more.'").await;
    browser.enter().await;
    assert_eq!(browser.answer_ended().await, "half a thought, and more.");
    browser.client.switch_to_window(first).await.unwrap();
    draft_when(&browser, "text === ''").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tab_writes_during_an_edit_is_the_draft_after_it() {
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("Say this").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.type_text("mine").await;
    browser.press("button", "Edit").await;
    draft_when(&browser, "text === 'Say this'").await;
    let url = server.url(&browser.place().await);
    let [first, _] = open_beside(&browser, &url).await;
    draft_when(&browser, "text === 'mine'").await;
    browser.type_text(" and theirs").await;
    browser.client.switch_to_window(first).await.unwrap();
    draft_when(&browser, "text === 'Say this'").await;
    browser.press("textbox", "Message").await;
    key(&browser, Key::Escape).await;
    draft_when(&browser, "text === 'mine and theirs'").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// The server fails at the next start.
const FAIL: &str = "const real = window.fetch;
    window.fetch = (request, more) => {
      if (!new URL(request.url ?? request, location).pathname.endsWith('/chat/start'))
        return real(request, more);
      window.fetch = real;
      return Promise.resolve(new Response('', { status: 500 }));
    };";

async fn write_instead(browser: &Browser, text: &str) {
    browser.focused("textbox", "Message").await;
    with_ctrl(browser, "a").await;
    browser.type_text(text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_outlives_a_reload_a_visit_elsewhere_and_a_refusal() {
    const EDITS: &str = "/Editing a message/.test(document.body.innerText)";
    let server = Server::start("echo").await;
    let browser = begin(&server).await;
    browser.type_text("Say this").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.type_text("mine").await;
    browser.press("button", "Edit").await;
    draft_when(&browser, "text === 'Say this'").await;
    write_instead(&browser, "Say that").await;
    browser.reload().await;
    draft_when(&browser, &format!("text === 'Say that' && {EDITS}")).await;
    with_ctrl(&browser, &format!("{}o", Key::Shift)).await;
    draft_when(&browser, &format!("text === '' && !{EDITS}")).await;
    browser.client.back().await.unwrap();
    draft_when(&browser, &format!("text === 'Say that' && {EDITS}")).await;

    // Sent again by hand after a refusal it is still that branch.
    browser.find("article", "You").await;
    browser.script(FAIL).await;
    browser.focused("textbox", "Message").await;
    browser.enter().await;
    browser.find("button", "Retry").await;
    draft_when(&browser, &format!("text === 'Say that' && {EDITS}")).await;
    browser.focused("textbox", "Message").await;
    browser.enter().await;
    yours(&browser, &["Say that"]).await;
    browser.answer_when("text === 'Say that'").await;
    browser.answer_ended().await;
    draft_when(&browser, &format!("text === 'mine' && !{EDITS}")).await;

    // And so it is by Retry, which leaves the draft.
    browser.press("button", "Edit").await;
    write_instead(&browser, "Say more").await;
    browser.script(FAIL).await;
    browser.enter().await;
    browser.press("button", "Retry").await;
    yours(&browser, &["Say more"]).await;
    browser.answer_ended().await;
    draft_when(&browser, &format!("text === 'mine' && !{EDITS}")).await;
    browser.reload().await;
    draft_when(&browser, &format!("text === 'mine' && !{EDITS}")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_model_says_how_to_get_one_and_offers_the_guide() {
    let server = Server::start_without_a_model().await;
    let browser = begin(&server).await;
    browser.find("heading", "This server has no language model yet").await;
    look_at(&browser, "first-run").await;
    browser.press("button", "Ask the guide instead").await;
    browser.until("a conversation", "return location.pathname === '/chat'").await;
    assert!(!browser.answer_ended().await.is_empty());
    browser.close().await;
}
