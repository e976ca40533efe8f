//! What an answer cites, opened at its place.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{Browser, DESKTOP};
use crate::looks::look_at;
use crate::server::Server;

/// Brings a file and asks about it, as another client does; returns the conversation.
const ASK: &str = "const done = arguments[arguments.length - 1];
  (async () => {
    const pair = { session_id: localStorage.session_id, device_id: localStorage.device_id };
    const query = new URLSearchParams(pair);
    const form = new FormData();
    form.append('file', new File([arguments[0]], arguments[1]));
    let file = await (await fetch('/ai/files?' + query, { method: 'POST', body: form })).json();
    while (file.state === 'processing')
      file = await (await fetch('/ai/files/' + file.file_id + '?' + query)).json();
    const asked = { ...pair, message: arguments[2], sources: [{ type: 'file', file_id: file.file_id }] };
    const started = await fetch('/ai/chat/start', { method: 'POST',
      headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) });
    return [(await started.json()).conversation_id, file.file_id];
  })().then(done, error => done('failed: ' + error));";

/// A book of numbered chapters, in one of which the answer stands.
fn book() -> String {
    let filler = "The ship sails on and on over the wide water, day after day. ".repeat(18);
    let chapter = |n: usize| match n {
        41 => format!("# Chapter {n}\n\nKrill is what whales eat, four tonnes a day.\n\n{filler}"),
        _ => format!("# Chapter {n}\n\n{filler}"),
    };
    (0..60).map(chapter).collect::<Vec<_>>().join("\n\n")
}

/// Heeds where the first passage is while a button to more of the text is in view.
const HEED: &str = "
    const button = [...document.querySelectorAll('.more')].find(e => e.textContent === arguments[0]);
    button.scrollIntoView({ block: 'nearest' });
    const passage = document.querySelector('.source-text p:not(.page-number)');
    window.heeded = [passage, passage.getBoundingClientRect().top];";
/// Whether it is still there, though more stands above it.
const STAYS: &str = "const [passage, top] = window.heeded;
    return Math.abs(passage.getBoundingClientRect().top - top) < 2;";

async fn ask(browser: &Browser, server: &Server, text: &str, name: &str) -> String {
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let arguments = vec![json!(text), json!(name), json!("What do whales eat?")];
    let made = browser.client.execute_async(ASK, arguments).await.unwrap();
    let conversation = made[0].as_str().unwrap_or_else(|| panic!("{made}"));
    browser.open(&server.url(&format!("/chat?conversation_id={conversation}"))).await;
    browser.answer_ended().await;
    made[1].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citation_opens_its_file_at_the_marked_passage_without_any_model() {
    let server = Server::start_without_a_model().await;
    let browser = Browser::start(DESKTOP).await;
    let file = ask(&browser, &server, &book(), "<img src=x> & ships.md").await;

    browser.press("button", "Source 1").await;
    browser.find("dialog", "<img src=x> & ships.md").await;
    browser.focused("region", "<img src=x> & ships.md").await;
    let seen = "const mark = document.querySelector('#source-viewer mark');
        const at = mark.getBoundingClientRect();
        const box = document.querySelector('.source-text').getBoundingClientRect();
        return at.top >= box.top && at.top < box.bottom && mark.textContent;";
    let marked = browser.until("the marked passage in view", seen).await;
    assert!(marked.as_str().unwrap().starts_with("Chapter 41\n\nKrill is what"), "{marked}");

    // On to the end of the book, and back to its beginning.
    let chapters = "return [...document.querySelectorAll('.source-text p')]
        .map(passage => passage.textContent.split('\\n')[0])";
    for more in ["Show what comes after", "Show what comes before"] {
        while browser.has("button", more).await {
            let count = browser.script(chapters).await.as_array().unwrap().len();
            browser.client.execute(HEED, vec![json!(more)]).await.unwrap();
            browser.press("button", more).await;
            let grown =
                format!("return document.querySelectorAll('.source-text p').length > {count}");
            browser.until("more of the book", &grown).await;
            browser.until("what was read where it was", STAYS).await;
        }
    }
    let whole: Vec<_> = (0..60).map(|n| format!("Chapter {n}")).collect();
    assert_eq!(browser.script(chapters).await, json!(whole));

    // The last button of its kind is gone.
    browser.focused("region", "<img src=x> & ships.md").await;
    browser.press("button", "Close").await;
    browser.gone("dialog", "<img src=x> & ships.md").await;
    browser.focused("button", "Source 1").await;
    // The list at the end leads there as well, and says so when the file is gone.
    let delete = format!(
        "const pair = new URLSearchParams({{ session_id: localStorage.session_id,
           device_id: localStorage.device_id }});
         fetch('/ai/files/{file}?' + pair, {{ method: 'DELETE' }}).then(() => arguments[0](1))"
    );
    browser.client.execute_async(&delete, vec![]).await.unwrap();
    browser.press("button", "<img src=x> & ships.md").await;
    browser.find("dialog", "<img src=x> & ships.md").await;
    let gone = "const all = document.querySelector('#source-viewer');
        return all.querySelector('[role=alert]')?.textContent.includes('was deleted')
          && all.querySelector('blockquote').textContent;";
    let quote = browser.until("what stays of a deleted file", gone).await;
    assert!(quote.as_str().unwrap().contains("Krill"), "{quote}");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_searched_for_in_the_web_while_web_is_on_without_any_model() {
    let server = Server::start_searching().await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let is = |pressed: &str| {
        format!(
            "return document.querySelector('.source[aria-label=Web]').ariaPressed === '{pressed}'"
        )
    };
    browser.until("a server that searches", &is("false")).await;
    browser.press("button", "Web").await;
    browser.until("the switch", &is("true")).await;
    browser.press("textbox", "Message").await;
    browser.type_text("Why do lighthouses have a Fresnel lens?").await;
    browser.enter().await;
    let answer = browser.answer_ended().await;
    assert!(answer.contains("thinner and lighter than a lens of one piece"), "{answer}");
    let link = "const link = document.querySelector('.sources-list a');
        return link && [link.textContent, link.getAttribute('href'), link.rel];";
    let link = browser.until("the page among the sources", link).await;
    assert_eq!(link[0], "How lighthouses work");
    let address = link[1].as_str().unwrap();
    assert!(address.contains("/pages/lighthouses#:~:text="), "{address}");
    assert!(link[2].as_str().unwrap().contains("noopener"), "{link}");
    // It stays on for the next question, until it is switched off.
    browser.until("the switch", &is("true")).await;
    browser.press("button", "Web").await;
    browser.until("the switch", &is("false")).await;
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_pasted_goes_along_alone_and_in_a_collection() {
    let server = Server::start_searching().await;
    let page = format!("http://{}/pages/tides", server.standin.addr());
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    let field = "Search files or paste a web address";
    browser.press("button", "Your files").await;
    browser.press("searchbox", field).await;
    browser.type_text(&page).await;
    browser.find("checkbox", &page).await;
    look_at(&browser, "address typed").await;
    browser.enter().await;
    browser
        .until("an empty field", "return document.querySelector('#library-search').value === ''")
        .await;
    browser.press("button", "New collection…").await;
    browser.focused("textbox", "Name of the collection").await;
    browser.type_text("The sea").await;
    browser.enter().await;
    browser.find("button", "Add The sea to the message").await;
    let about =
        "return document.querySelector('.library-collections').textContent.includes('1 web page')";
    browser.until("the page in the collection", about).await;
    let nothing = "return document.body.innerText.includes('Nothing here yet.')";
    assert_eq!(browser.script(nothing).await, false, "a collection is there");
    look_at(&browser, "collection of a page").await;
    browser.press("button", "Delete The sea").await;
    browser.press("button", "Delete").await;
    browser.gone("list", "Collections").await;

    browser.press("searchbox", field).await;
    browser.type_text(&page).await;
    browser.enter().await;
    browser.press("button", "Add to the message").await;
    browser.gone("dialog", "Your files").await;
    browser.focused("textbox", "Message").await;
    browser.find("button", &format!("Remove {page}")).await;
    browser.type_text("When are spring tides?").await;
    browser.enter().await;
    let answer = browser.answer_ended().await;
    assert!(answer.contains("Sailors call them spring tides"), "{answer}");
    let chip = "const chip = document.querySelector('.attached a'); return chip && chip.href;";
    assert_eq!(browser.until("the address with the message", chip).await, page.as_str());
    look_at(&browser, "message with an address").await;
    let cited = "return document.querySelector('.sources-list a').href";
    let cited = browser.until("the page among the sources", cited).await;
    assert!(cited.as_str().unwrap().starts_with(&page), "{cited}");
    assert_eq!(browser.own_console_errors().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_search_engine_the_switch_says_why_it_does_nothing() {
    let server = Server::start_without_a_model().await;
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    let is_off = "return document.querySelector('.source[aria-label=Web]').ariaDisabled === 'true'";
    browser.until("the switch", is_off).await;
    browser.press("button", "Web").await;
    let why = "return document.querySelector('.refusal')?.textContent.includes('no search engine')";
    browser.until("why", why).await;
    browser.close().await;
}

/// Puts the pointer on the middle of what a script finds.
async fn point_at(browser: &Browser, script: &str) {
    let middle = format!(
        "const box = ({script}).getBoundingClientRect();
         return [box.left + box.width / 2, box.top + box.height / 2];"
    );
    let middle = browser.script(&middle).await;
    let moved = json!({ "type": "mouseMoved", "x": middle[0], "y": middle[1] });
    browser.devtools("Input.dispatchMouseEvent", moved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_of_a_citation_stays_under_the_pointer_and_goes_by_escape() {
    const SHOWN: &str = "document.getElementById('citation-card').matches(':popover-open')";
    let server = Server::start_without_a_model().await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, &book(), "ships.md").await;
    let chip = "document.querySelector('.prose [data-cite]')";
    browser.script(&format!("{chip}.scrollIntoView({{ block: 'center' }})")).await;
    point_at(&browser, chip).await;
    browser.until("the card", &format!("return {SHOWN}")).await;
    point_at(&browser, "document.getElementById('citation-card')").await;
    // Longer than it stays for a pointer that is elsewhere.
    let later = "setTimeout(() => { window.later = true; }, 600)";
    browser.script(later).await;
    browser.until("a while", "return window.later").await;
    assert_eq!(browser.script(&format!("return {SHOWN}")).await, true);
    point_at(&browser, "document.getElementById('message')").await;
    browser.until("no card", &format!("return !{SHOWN}")).await;

    point_at(&browser, chip).await;
    browser.until("the card", &format!("return {SHOWN}")).await;
    browser.script("document.getElementById('message').focus()").await;
    browser.until("the card", &format!("return {SHOWN}")).await;
    browser.type_text(&Key::Escape.to_string()).await;
    browser.until("no card", &format!("return !{SHOWN}")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_viewer_looks_right_everywhere() {
    let server = Server::start_without_a_model().await;
    let browser = Browser::start(DESKTOP).await;
    ask(&browser, &server, &book(), "whales and ships.md").await;
    look_at(&browser, "citations").await;
    browser.press("button", "Source 1").await;
    browser.until("the mark", "return document.querySelector('#source-viewer mark')").await;
    look_at(&browser, "source").await;
    browser.close().await;
}
