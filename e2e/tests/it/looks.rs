//! Every page in light and dark, on a desktop, a tablet and a phone: axe finds nothing, nothing
//! sticks out, and the pictures in `docs/images` are made from what is seen.

use std::path::PathBuf;

use serde_json::json;

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE, Size, TABLET};
use crate::picker;
use crate::server::Server;

const SIZES: [(&str, Size); 3] = [("desktop", DESKTOP), ("tablet", TABLET), ("phone", PHONE)];

/// What README and guide show.
const PICTURED: [&str; 8] =
    ["home", "picker", "chat", "palette", "search", "share", "import report", "two answers"];

/// Pictures go to `docs/images` when `UNBROKEN_PICTURES` is set, all of them to the folder that
/// `UNBROKEN_ALL_PICTURES` names, else nowhere.
pub(crate) async fn picture(browser: &Browser, page: &str, name: &str) {
    let file = format!("{}.png", name.replace(' ', "-"));
    if let Some(folder) = std::env::var_os("UNBROKEN_ALL_PICTURES") {
        std::fs::write(PathBuf::from(folder).join(&file), browser.screenshot().await).unwrap();
    }
    if std::env::var_os("UNBROKEN_PICTURES").is_none() || !PICTURED.contains(&page) {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(file), browser.screenshot().await).unwrap();
}

pub(crate) async fn nothing_sticks_out(browser: &Browser, state: &str) {
    let overflow = "const parts = document.querySelectorAll('.composer, .transcript');
        const all = [document.documentElement, ...parts];
        return Math.max(...all.map(e => e.scrollWidth - e.clientWidth))";
    assert_eq!(browser.script(overflow).await, 0, "{state} is too wide");
}

pub(crate) async fn look_at(browser: &Browser, page: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for (name, size) in SIZES {
            browser.resize(size).await;
            let state = format!("{page}-{scheme}-{name}");
            nothing_sticks_out(browser, &state).await;
            axe::check(browser, &state).await;
            if size != TABLET {
                picture(browser, page, &state).await;
            }
        }
    }
    browser.prefer("light").await;
    browser.resize(DESKTOP).await;
}

const QUESTION: &str = "How does a log change backpressure for slow readers?";
const ANSWER: [&str; 6] = [
    "A log turns backpressure around: the **reader** carries its position, so the writer never \
     waits for it. A slow reader simply asks for a longer stretch the next time.\n\n",
    "## What the writer does\n\n- Appends every record and makes it durable before anyone sees \
     it.\n- Keeps no queue per reader; a reader is two integers.\n\n",
    "```rust\nlet batch = log.read_after(position, limit());\nsocket.send(merge(batch)).await?;   \
     // one frame, however far behind\nposition = batch.head;\n```\n\n",
    "| Readers | Queue per reader | Cursor |\n| --- | ---: | ---: |\n| 1,000 | 412 MiB | 0.1 MiB \
     |\n| 100,000 | out of memory | 9 MiB |\n\n",
    "So the cost of one more reader is the cost of remembering ",
    "where it stands.",
];

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_in_every_theme_and_size() {
    let (last, first) = ANSWER.split_last().unwrap();
    let mut steps: Vec<_> = first.iter().map(|text| json!({ "text": text })).collect();
    steps.push(json!({ "gate": "rest" }));
    steps.push(json!({ "text": last }));
    let server = Server::start(steps).await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let opener = picker::opener(&browser).await;
    look_at(&browser, "home").await;

    browser.type_text(QUESTION).await;
    browser.press("button", &opener).await;
    browser.find("listbox", "Models").await;
    look_at(&browser, "picker").await;
    browser.type_text("test-model").await;
    browser.enter().await;
    browser.find("button", "Model: test-model").await;

    browser.press("textbox", "Message").await;
    browser.enter().await;
    browser.answer_when("text.endsWith('remembering')").await;
    look_at(&browser, "chat").await;
    server.standin.open_gate("rest");
    browser.answer_ended().await;
    look_at(&browser, "answer").await;

    browser.open(&server.url("/history")).await;
    browser.find("link", QUESTION).await;
    look_at(&browser, "history").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_of_every_kind_neither_runs_nor_breaks_the_page() {
    let server = Server::start("markdown:rate=0,first=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Show me everything").await;
    browser.enter().await;
    let answer = browser.answer_ended().await;
    assert!(answer.contains("<script>alert(7)</script>"), "raw HTML is text");
    let unsafe_links = "return [...document.querySelectorAll('article a')]
        .filter(a => !['http:', 'https:', 'mailto:', 'tel:'].includes(a.protocol)).length";
    assert_eq!(browser.script(unsafe_links).await, 0);
    look_at(&browser, "markdown").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buttons_of_an_answer_have_room_on_every_screen() {
    let server = Server::start("numbers:tokens=20,rate=0").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Count").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.press("button", "Regenerate").await;
    browser.find("button", "Previous version").await;
    browser.answer_ended().await;
    look_at(&browser, "two versions").await;
    browser.resize(Size(320, 640)).await;
    nothing_sticks_out(&browser, "two versions in a small window").await;
    let narrowest = "return Math.min(...[...document.querySelectorAll('article button')]
        .filter(e => e.checkVisibility()).map(e => e.clientWidth))";
    assert!(browser.script(narrowest).await.as_i64().unwrap() >= 44);
    browser.close().await;
}

#[tokio::test]
async fn from_right_to_left_a_page_is_its_own_mirror_image() {
    let server = Server::start("numbers:tokens=3").await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.type_text("Count").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.script("document.documentElement.dir = 'rtl'").await;
    let at_the_right = "const { right } = document.querySelector('nav').getBoundingClientRect();
        return right === innerWidth && document.querySelector('nav').checkVisibility()";
    for (name, size) in SIZES {
        browser.resize(size).await;
        nothing_sticks_out(&browser, &format!("rtl-{name}")).await;
        axe::check(&browser, &format!("rtl-{name}")).await;
        if name == "phone" {
            browser.press("button", "Open sidebar").await;
        }
        browser.until("the sidebar at the right", at_the_right).await;
    }
    browser.close().await;
}
