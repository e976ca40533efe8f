//! Messages on their way: one is sent once, and shown where it was written.

use crate::again::yours;
use crate::browser::Browser;
use crate::keep::{ask, begin};
use crate::server::Server;

/// Keeps starts from going out until `letGo` is called, and counts them.
const HOLD: &str = "const real = window.fetch;
    window.starts = 0;
    window.fetch = (request, more) => {
      if (!new URL(request.url ?? request, location).pathname.endsWith('/chat/start'))
        return real(request, more);
      window.starts += 1;
      return new Promise(done => { window.letGo = () => done(real(request, more)); });
    };";

async fn draft(browser: &Browser, text: &str) {
    let is = format!("return document.querySelector('#message').value === {text:?}");
    browser.until(&format!("the draft {text:?}"), &is).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_that_is_pressed_twice_is_sent_once() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = begin(&server).await;
    let there = "return document.querySelector('.suggestions button')?.checkVisibility()";
    browser.until("suggestions", there).await;
    browser.script(HOLD).await;
    let twice = "const button = document.querySelector('.suggestions button');
        button.click();
        button.click();";
    browser.script(twice).await;
    browser.until("a start", "return window.letGo").await;
    browser.script("window.letGo()").await;
    browser.answer_ended().await;
    assert_eq!(browser.script("return window.starts").await, 1);
    assert_eq!(server.standin.calls().len(), 1);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_elsewhere_while_a_message_is_on_its_way_stays_there_and_can_write() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = begin(&server).await;
    ask(&browser, "Here").await;
    let address = browser.place().await;
    let (_, here) = address.split_once("conversation_id=").unwrap();
    browser.focused("textbox", "Message").await;
    browser.type_text("half").await;
    browser.press("button", "New chat").await;
    draft(&browser, "").await;
    browser.focused("textbox", "Message").await;
    browser.script(HOLD).await;
    browser.type_text("Meanwhile").await;
    browser.enter().await;
    browser.until("a start", "return window.letGo").await;

    browser.press("link", "Here").await;
    draft(&browser, "half").await;
    yours(&browser, &["Here"]).await;
    browser.focused("textbox", "Message").await;
    browser.type_text(" of it").await;
    browser.script("window.letGo(); window.letGo = null").await;
    browser.find("link", "Meanwhile").await;
    assert!(browser.place().await.contains(here));
    draft(&browser, "half of it").await;
    yours(&browser, &["Here"]).await;
    browser.enter().await;
    browser.until("the next start", "return window.letGo").await;
    browser.script("window.letGo()").await;
    yours(&browser, &["Here", "half of it"]).await;
    browser.answer_ended().await;
    assert_eq!(server.standin.calls().len(), 3);
    browser.close().await;
}

/// Lets starts go out, and their answers never come.
const LOSE: &str = "const real = window.fetch;
    window.fetch = (request, more) => {
      const answer = real(request, more);
      if (!new URL(request.url ?? request, location).pathname.endsWith('/chat/start'))
        return answer;
      return answer.then(() => { window.taken = true; return new Promise(() => {}); });
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_server_did_not_answer_before_a_reload_is_sent_once() {
    let server = Server::start("numbers:tokens=30,rate=0").await;
    let browser = begin(&server).await;
    browser.script(HOLD).await;
    browser.type_text("Count for me").await;
    browser.enter().await;
    browser.until("a start", "return window.letGo").await;
    browser.reload().await;
    yours(&browser, &["Count for me"]).await;
    browser.answer_ended().await;
    assert_eq!(server.standin.calls().len(), 1);

    browser.focused("textbox", "Message").await;
    browser.script(LOSE).await;
    browser.type_text("And again").await;
    browser.enter().await;
    browser.until("a start that is taken", "return window.taken").await;
    browser.reload().await;
    yours(&browser, &["Count for me", "And again"]).await;
    browser.answer_ended().await;
    let kept = "return !Object.keys(localStorage).some(name => name.startsWith('outbox.'))";
    browser.until("nothing kept to be sent", kept).await;
    yours(&browser, &["Count for me", "And again"]).await;
    draft(&browser, "").await;
    assert_eq!(server.standin.calls().len(), 2);
    browser.close().await;
}
