//! Files that go along with a message: attached by button, drop and paste, sent, read, kept and
//! taken off again.

use std::path::PathBuf;
use std::time::Instant;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_standin::{Mode, Proxy};

use crate::DEADLINE;
use crate::browser::{Browser, DESKTOP};
use crate::keep::begin;
use crate::looks::look_at;
use crate::server::Server;
use crate::write::open_beside;

const QUICK: &str = "numbers:tokens=5,rate=0,first=0";
const FACT: &str = "The lighthouse of Skerryvore was lit for the first time in 1844.";
/// A name that wants to be more than a text.
const HOSTILE: &str =
    "<img src=x onerror=a()> \u{202e}fdp.a very long name that nobody can read at once.txt";

/// A file of that name in a folder of its own.
fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// Chooses files as the dialog of the button would.
async fn choose(browser: &Browser, files: &[PathBuf]) {
    browser.find("button", "Attach").await;
    let field = browser.client.find(Locator::Css(".sources input[type=file]")).await.unwrap();
    let names: Vec<_> = files.iter().map(|file| file.to_str().unwrap()).collect();
    field.send_keys(&names.join("\n")).await.unwrap();
}

/// Hands files over by drop or paste; whether the page took them.
async fn hand_over(browser: &Browser, how: &str, files: &Value) {
    let script = "
        const [how, files] = arguments;
        const data = new DataTransfer();
        for (const [name, text, type] of files) data.items.add(new File([text], name, { type }));
        const field = document.getElementById('message');
        const event = how === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
          : new DragEvent(how, { dataTransfer: data, bubbles: true, cancelable: true });
        return !field.dispatchEvent(event);";
    let taken = browser.client.execute(script, vec![json!(how), files.clone()]).await.unwrap();
    assert_eq!(taken, true, "the browser does not open it");
}

/// Waits until the chips say that, each its name and what is known of it.
async fn chips(browser: &Browser, condition: &str) {
    let script = format!(
        "const chips = [...document.querySelectorAll('.attachments > li')].map(chip => [
           chip.querySelector('.file-name').textContent,
           chip.querySelector('.attachment-about').textContent,
           chip.getAttribute('aria-busy') === 'true',
         ]);
         return {condition};"
    );
    browser.until(&format!("chips with {condition}"), &script).await;
}

/// Lets the browser send so many bytes a second; -1 is as many as it can.
async fn send_slowly(browser: &Browser, rate: i64) {
    browser.devtools("Network.enable", json!({})).await;
    let conditions = json!({
        "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate,
    });
    browser.devtools("Network.emulateNetworkConditions", conditions).await;
}

/// The names of the chips above the person's messages.
const ATTACHED: &str = "[...document.querySelectorAll('article.you .attached .file-name')].map(e => e.textContent).join()";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_along_and_stays_with_the_message() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    choose(&browser, &[file(&folder, "lighthouse.txt", FACT), file(&folder, "second.md", "# Two")])
        .await;
    browser.find("list", "Attachments").await;
    chips(&browser, "chips.length === 2 && chips.every(([, , busy]) => !busy)").await;
    chips(&browser, "chips[0][0] === 'lighthouse.txt' && chips[0][1] === '64 bytes'").await;
    look_at(&browser, "attachments").await;

    browser.press("button", "Remove second.md").await;
    browser.gone("button", "Remove second.md").await;
    browser.focused("button", "Remove lighthouse.txt").await;
    browser.press("textbox", "Message").await;
    browser.type_text("When was it lit?").await;
    browser.enter().await;
    browser.answer_ended().await;
    let calls = server.standin.calls();
    assert!(calls[0].last_user.contains(FACT), "{}", calls[0].last_user);
    assert!(!calls[0].last_user.contains("Two"), "it was taken off");
    chips(&browser, "chips.length === 0").await;
    browser
        .until("the chip of the message", &format!("return {ATTACHED} === 'lighthouse.txt'"))
        .await;
    look_at(&browser, "message with a file").await;

    browser.reload().await;
    browser
        .until("the chip of the message", &format!("return {ATTACHED} === 'lighthouse.txt'"))
        .await;
    browser.find("button", "Open lighthouse.txt").await;
    chips(&browser, "chips.length === 0").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_dropped_and_pasted_and_a_draft_keeps_them() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([["a.md", "# First", ""], ["b.csv", "x,y\n1,2", ""]])).await;
    hand_over(&browser, "paste", &json!([["c.txt", "Third", "text/plain"]])).await;
    chips(&browser, "chips.map(([name]) => name).join() === 'a.md,b.csv,c.txt'").await;
    chips(&browser, "chips.every(([, , busy]) => !busy)").await;
    // The same bytes are the same file.
    hand_over(&browser, "drop", &json!([["again.txt", "Third", ""]])).await;
    browser.until("it is told", "return /is attached already/.test(document.body.innerText)").await;
    browser.type_text("half a question").await;
    browser.reload().await;
    chips(&browser, "chips.map(([name]) => name).join() === 'a.md,b.csv,c.txt'").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.until("their chips", &format!("return {ATTACHED} === 'a.md,b.csv,c.txt'")).await;
    let asked = server.standin.calls()[0].last_user.clone();
    assert!(asked.contains("Third") && asked.contains("half a question"), "{asked}");

    // An edit has its own, and the draft comes back after it.
    hand_over(&browser, "drop", &json!([["d.txt", "Fourth", ""]])).await;
    chips(&browser, "chips.map(([name]) => name).join() === 'd.txt'").await;
    browser.press("button", "Edit").await;
    chips(&browser, "chips.map(([name]) => name).join() === 'a.md,b.csv,c.txt'").await;
    browser.press("button", "Remove a.md").await;
    browser.reload().await;
    chips(&browser, "chips.map(([name]) => name).join() === 'b.csv,c.txt'").await;
    browser.press("textbox", "Message").await;
    browser.type_text(" more").await;
    browser.enter().await;
    browser.until("the other branch", &format!("return {ATTACHED} === 'b.csv,c.txt'")).await;
    chips(&browser, "chips.map(([name]) => name).join() === 'd.txt'").await;
    browser.answer_ended().await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tab_attaches_is_there_also_when_the_draft_was_not_on_screen() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([["a.md", "# First", ""]])).await;
    chips(&browser, "chips[0][0] === 'a.md' && !chips[0][2]").await;
    browser.press("link", "History").await;
    browser.find("heading", "History").await;
    let [first, _] = open_beside(&browser, &server.url("/")).await;
    browser.press("button", "Remove a.md").await;
    hand_over(&browser, "drop", &json!([["b.csv", "x,y\n1,2", ""]])).await;
    chips(&browser, "chips.map(([name]) => name).join() === 'b.csv' && !chips[0][2]").await;
    browser.client.switch_to_window(first).await.unwrap();
    browser.press("button", "New chat").await;
    chips(&browser, "chips.map(([name]) => name).join() === 'b.csv'").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_shows_how_far_it_is_and_send_waits_for_it() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    let folder = TempDir::new().unwrap();
    let text = "A line of a file that is long enough to be sent for a while.\n".repeat(20_000);
    let long = file(&folder, "long.txt", &text);
    send_slowly(&browser, 40_000).await;
    choose(&browser, std::slice::from_ref(&long)).await;
    let moves = "const bar = document.querySelector('.attachments progress');
        return bar?.value > 0 && bar.value < bar.max && bar.value";
    let before = browser.until("a part of it sent", moves).await.as_f64().unwrap();
    browser.until("more of it sent", &moves.replace("> 0", &format!("> {before}"))).await;
    look_at(&browser, "attachment on its way").await;
    browser.press("button", "Remove long.txt").await;
    browser.gone("button", "Remove long.txt").await;
    browser.focused("textbox", "Message").await;

    choose(&browser, &[long]).await;
    browser.until("a part of it sent", moves).await;
    browser.type_text("What does it say?").await;
    browser.enter().await;
    browser
        .until(
            "it waits",
            "return /Will be sent when the files are there/.test(document.body.innerText)",
        )
        .await;
    look_at(&browser, "message that waits for a file").await;
    // What is typed meanwhile would go along.
    browser.press("textbox", "Message").await;
    browser.devtools("Input.insertText", json!({"text": " And what else?"})).await;
    assert_eq!(server.standin.calls().len(), 0);
    send_slowly(&browser, -1).await;
    browser.answer_ended().await;
    browser.until("its chip", &format!("return {ATTACHED} === 'long.txt'")).await;
    let asked = &server.standin.calls()[0].last_user;
    assert!(asked.contains("A line of a file") && !asked.contains("And what else?"), "{asked}");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_says_why_and_a_lost_one_is_sent_again() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([["empty.txt", " \n", ""]])).await;
    chips(&browser, "chips[0][1] === 'There is no text in this file.'").await;
    look_at(&browser, "attachment refused").await;
    browser.type_text("What does it say?").await;
    browser.enter().await;
    let told =
        "return /Not everything that is attached can go along/.test(document.body.innerText)";
    browser.until("why it is not sent", told).await;
    let draft = browser.script("return document.getElementById('message').value").await;
    assert_eq!(draft, "What does it say?");
    browser.press("button", "Remove empty.txt").await;

    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/ai/uploads*"]})).await;
    hand_over(&browser, "drop", &json!([["lost.txt", FACT, ""]])).await;
    chips(&browser, "chips[0][1] === 'Could not be sent.'").await;
    look_at(&browser, "attachment lost").await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await;
    browser.press("button", "Retry lost.txt").await;
    browser.focused("button", "Remove lost.txt").await;
    chips(&browser, "chips[0][1] === '64 bytes'").await;
    browser.press("textbox", "Message").await;
    browser.type_text(&Key::Enter.to_string()).await;
    browser.answer_ended().await;
    assert!(server.standin.calls()[0].last_user.contains(FACT));
    browser.close().await;
}

/// Writes down which bytes of a file the page sends.
async fn note_stretches(browser: &Browser) {
    browser
        .script(
            "window.stretches = [];
             const { open, send } = XMLHttpRequest.prototype;
             XMLHttpRequest.prototype.open = function (method, url) {
               this.at = method === 'PUT' && Number(new URL(url, location).searchParams.get('at'));
               return open.apply(this, arguments);
             };
             XMLHttpRequest.prototype.send = function (body) {
               if (this.at !== false) stretches.push([this.at, body.size]);
               return send.apply(this, arguments);
             };",
        )
        .await;
}

/// The bytes that are stored on the server, of finished files and of others.
fn stored(server: &Server, is_finished: bool) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(server.folder().join("files")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.ends_with("coming") == is_finished {
            continue;
        }
        let inside = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<_> = if is_finished {
            inside.collect()
        } else {
            let inside = inside.flat_map(|person| std::fs::read_dir(person).unwrap());
            inside.map(|entry| entry.unwrap().path()).collect()
        };
        all.extend(files.iter().map(|file| std::fs::read(file).unwrap()));
    }
    all
}

/// A part of the file is sent.
const ON_ITS_WAY: &str = "const bar = document.querySelector('.attachments progress');
    return bar?.value > 200000 && bar.value < bar.max && bar.value";

/// A page that has sent a part of a long file, and the file's text.
async fn partly_sent(proxy: &Proxy, folder: &TempDir) -> (Browser, String) {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&format!("http://{}/", proxy.address())).await;
    browser.focused("textbox", "Message").await;
    note_stretches(&browser).await;
    let line = |n| format!("Line {n} of a file that is long enough to be sent for a while.\n");
    let text: String = (0..30_000).map(line).collect();
    send_slowly(&browser, 150_000).await;
    choose(&browser, &[file(folder, "long.txt", &text)]).await;
    browser.until("a part of it sent", ON_ITS_WAY).await;
    (browser, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_connection_is_cut_goes_on_where_it_was() {
    let server = Server::start(QUICK).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let (browser, text) = partly_sent(&proxy, &folder).await;
    proxy.set_all(Mode::Cut);
    browser.until("the rest on its way", "return stretches.length === 2").await;
    send_slowly(&browser, -1).await;
    chips(&browser, "chips[0][0] === 'long.txt' && !chips[0][2]").await;
    let stretches = browser.script("return stretches").await;
    let [at, bytes] = [0, 1].map(|n| stretches[1][n].as_u64().unwrap());
    assert_eq!(stretches[0], json!([0, text.len()]));
    assert!(at > 0 && at + bytes == text.len() as u64, "only the rest: {stretches}");
    assert_eq!(stretches.as_array().unwrap().len(), 2);
    assert_eq!(stored(&server, true), [text.into_bytes()]);
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_given_up_goes_on_by_retry_and_removed_it_leaves_nothing() {
    let server = Server::start(QUICK).await;
    let proxy = Proxy::start(server.address.clone()).await.unwrap();
    let folder = TempDir::new().unwrap();
    let (browser, _) = partly_sent(&proxy, &folder).await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": ["*/ai/uploads*"]})).await;
    proxy.set_all(Mode::Cut);
    chips(&browser, "chips[0][1] === 'Could not be sent.'").await;
    browser.devtools("Network.setBlockedURLs", json!({"urls": []})).await;
    browser.press("button", "Retry long.txt").await;
    browser.until("the rest on its way", "return stretches.length === 2").await;
    let stretches = browser.script("return stretches").await;
    assert!(stretches[1][0].as_u64().unwrap() > 0, "only the rest: {stretches}");
    assert_eq!(stored(&server, false).len(), 1);
    browser.press("button", "Remove long.txt").await;
    browser.gone("button", "Remove long.txt").await;
    let end = Instant::now() + DEADLINE;
    while !stored(&server, false).is_empty() {
        assert!(Instant::now() < end, "what was taken off is still on the server");
        tokio::task::yield_now().await;
    }
    assert_eq!(stored(&server, true).len(), 0);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_the_network_keeps_its_files() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([["lighthouse.txt", FACT, ""]])).await;
    chips(&browser, "chips[0][1] === '64 bytes' && !chips[0][2]").await;
    browser.devtools("Network.enable", json!({})).await;
    let conditions = |offline| json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
    browser.devtools("Network.emulateNetworkConditions", conditions(true)).await;
    browser.type_text("When was it lit?").await;
    browser.enter().await;
    says(&browser, "Will be sent when the network is back").await;
    chips(&browser, "chips.length === 0").await;
    // It can be taken back, with what belongs to it.
    let edit = "document.querySelector('.kept ~ .queue button').click()";
    browser.script(edit).await;
    chips(&browser, "chips.length === 1").await;
    browser.enter().await;
    chips(&browser, "chips.length === 0").await;
    says(&browser, "Will be sent when the network is back").await;
    browser.devtools("Network.emulateNetworkConditions", conditions(false)).await;
    browser.answer_ended().await;
    browser.until("its chip", &format!("return {ATTACHED} === 'lighthouse.txt'")).await;
    assert!(server.standin.calls()[0].last_user.contains(FACT));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_server_does_not_take_says_so() {
    let server = Server::start_set(QUICK, "UNBROKEN__SOURCES__FILE_MB", "1").await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([["huge.txt", FACT.repeat(100_000), ""]])).await;
    chips(&browser, "chips[0][1] === 'Larger than this server takes.'").await;
    assert!(!browser.has("button", "Retry huge.txt").await, "it would be no smaller");
    hand_over(&browser, "drop", &json!([["nothing.txt", "", ""]])).await;
    chips(&browser, "chips[1][1] === 'There is no text in this file.'").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_a_text_and_turns_nothing() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    hand_over(&browser, "drop", &json!([[HOSTILE, FACT, ""]])).await;
    let shown = HOSTILE.replace('\u{202e}', "");
    chips(&browser, &format!("chips[0][0] === {shown:?} && !chips[0][2]")).await;
    look_at(&browser, "attachment with a hostile name").await;
    browser.type_text("What is it?").await;
    browser.enter().await;
    browser.answer_ended().await;
    browser.until("its chip", &format!("return {ATTACHED} === {shown:?}")).await;
    look_at(&browser, "message with a hostile name").await;
    let cited = format!("return document.querySelector('.source-title').textContent === {shown:?}");
    browser.until("its name among the sources", &cited).await;
    let elements = "return document.querySelectorAll('.shell :is(img, script)').length";
    assert_eq!(browser.script(elements).await, 0);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_shows_itself_small() {
    let server = Server::start(QUICK).await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let script = "
        const done = arguments[0];
        const canvas = new OffscreenCanvas(64, 48);
        const pen = canvas.getContext('2d');
        pen.fillStyle = 'teal';
        pen.fillRect(0, 0, 64, 48);
        canvas.convertToBlob().then(blob => {
          const data = new DataTransfer();
          data.items.add(new File([blob], 'sea.png', { type: 'image/png' }));
          done(!document.getElementById('message').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })));
        });";
    assert_eq!(browser.client.execute_async(script, vec![]).await.unwrap(), true);
    let shown = "return document.querySelector('.attachments img')?.naturalWidth === 64";
    browser.until("the picture", shown).await;
    browser.find("button", "Remove sea.png").await;
    look_at(&browser, "picture attached").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Attaches these files, sends them with a question, and waits for the answer.
async fn ask_with(browser: &Browser, files: &Value) {
    hand_over(browser, "drop", files).await;
    chips(browser, "chips.length > 0 && chips.every(([, , busy]) => !busy)").await;
    browser.press("textbox", "Message").await;
    browser.type_text("What is in it?").await;
    browser.enter().await;
    browser.answer_ended().await;
}

async fn says(browser: &Browser, text: &str) {
    let script = format!("return document.body.innerText.includes({text:?})");
    browser.until(text, &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_are_found_put_together_added_and_deleted() {
    let server = Server::start(QUICK).await;
    let browser = begin(&server).await;
    browser.press("button", "Your files").await;
    browser.find("dialog", "Your files").await;
    says(&browser, "Nothing here yet.").await;
    look_at(&browser, "no files").await;
    browser.press("button", "Close").await;
    browser.gone("dialog", "Your files").await;

    let files = json!([["alpha.txt", "One", ""], ["beta.txt", "Two", ""], ["gamma.txt", FACT, ""]]);
    ask_with(&browser, &files).await;
    browser.press("button", "New chat").await;
    browser.find("heading", "What would you like to know?").await;
    browser.press("button", "Your files").await;
    browser.press("searchbox", "Search files or paste a web address").await;
    browser.type_text("GAM").await;
    browser
        .until("one", "return document.querySelectorAll('.library-files li').length === 1")
        .await;
    browser.press("button", "Close").await;
    browser.gone("dialog", "Your files").await;
    let listed = "return document.querySelectorAll('.library-files li').length === 3";
    browser.press("button", "Your files").await;
    browser.until("all of them", listed).await;
    tick(&browser, "gamma.txt").await;
    tick(&browser, "beta.txt").await;
    look_at(&browser, "files").await;
    browser.press("button", "New collection…").await;
    browser.focused("textbox", "Name of the collection").await;
    browser.type_text("Lights").await;
    look_at(&browser, "new collection").await;
    browser.enter().await;
    browser.find("list", "Collections").await;
    says(&browser, "2 files").await;
    browser.press("button", "Rename Lights").await;
    browser.focused("textbox", "Name of the collection").await;
    browser.type_text(" at sea").await;
    browser.enter().await;
    browser.press("button", "Add Lights at sea to the message").await;
    browser.gone("dialog", "Your files").await;
    browser.focused("textbox", "Message").await;
    chips(&browser, "chips.length === 1 && chips[0][0] === 'Lights at sea'").await;
    browser.type_text("When was it lit?").await;
    browser.enter().await;
    browser.answer_ended().await;
    assert!(server.standin.calls()[1].last_user.contains(FACT));
    browser.until("its chip", &format!("return {ATTACHED} === 'Lights at sea'")).await;

    browser.press("button", "Your files").await;
    tick(&browser, "alpha.txt").await;
    browser.press("button", "Add to the message").await;
    chips(&browser, "chips.length === 1 && chips[0][0] === 'alpha.txt'").await;
    browser.press("button", "Your files").await;
    tick(&browser, "alpha.txt").await;
    browser.press("button", "Delete…").await;
    browser.focused("button", "Cancel").await;
    says(&browser, "Delete 1 file for good?").await;
    look_at(&browser, "delete files").await;
    browser.press("button", "Delete").await;
    browser.until("the others", &listed.replace('3', "2")).await;
    browser.press("button", "Delete Lights at sea").await;
    browser.press("button", "Delete").await;
    browser.gone("list", "Collections").await;
    browser.press("button", "Close").await;
    browser.gone("dialog", "Your files").await;
    chips(&browser, "chips.length === 0").await;

    browser.press("button", "Settings").await;
    browser.press("button", "Data").await;
    says(&browser, "used").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Chooses a file of the dialog.
async fn tick(browser: &Browser, name: &str) {
    browser.press("checkbox", name).await;
}
