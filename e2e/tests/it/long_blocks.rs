//! Single blocks of 100 KB: what a reader sees of one while it grows, and when it ends.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::axe;
use crate::browser::{Browser, DESKTOP, PHONE, Size};
use crate::long_texts::{CHUNKS, Long};
use crate::page_speed::{LETTERS, ask, reached};
use crate::server::Server;

/// Of each commit: how many nodes it added, and how many letters can be read after it.
const READ: &str = r"
const prose = [...document.querySelectorAll('main article .prose')].at(-1);
const size = node => node.nodeType === 1 ? 1 + node.querySelectorAll('*').length : 1;
const readable = () => {
  const copy = prose.cloneNode(true);
  copy.querySelectorAll('.coming').forEach(e => e.remove());
  return copy.textContent.replace(/\]\(https:[^)]*\)?/g, '').replace(/[^\p{L}\p{N}]/gu, '').length;
};
window.read = { nodes: [], letters: [readable()] };
new MutationObserver(records => {
  const added = records.flatMap(record => [...record.addedNodes]);
  window.read.nodes.push(added.reduce((sum, node) => sum + size(node), 0));
  window.read.letters.push(readable());
}).observe(prose, { subtree: true, childList: true });
";

#[tokio::test(flavor = "multi_thread")]
async fn a_long_paragraph_ends_in_pieces_and_can_be_read_all_the_time() {
    let server = Server::start(Long::Paragraph.model(&format!("rate=0,first=0,gate=end@{CHUNKS}")));
    let server = server.await;
    let browser = ask(&server).await;
    reached(&server, &browser, Long::Paragraph, CHUNKS).await;
    let all = Long::Paragraph.letters(CHUNKS).len() as u64;
    browser.until("all letters", &format!("{LETTERS} return letters().length === {all}")).await;
    browser.script(READ).await;
    server.standin.open_gate("end");
    browser.answer_ended().await;

    let read = browser.script("return window.read").await;
    let numbers = |name: &str| -> Vec<u64> {
        read[name].as_array().unwrap().iter().filter_map(Value::as_u64).collect()
    };
    assert!(numbers("letters").iter().all(|letters| *letters == all), "{read}");
    let (sum, most) = (numbers("nodes").iter().sum::<u64>(), numbers("nodes").into_iter().max());
    assert!(most.unwrap() * 5 < sum, "one commit added {most:?} of {sum} nodes");
    let formatted = "return [...document.querySelectorAll('main article .prose')].at(-1)
        .querySelectorAll('p a[href]').length > 500 && !document.querySelector('.coming, .plain')";
    assert_eq!(browser.script(formatted).await, true);
    browser.close().await;
}

/// The widths of the columns of the last table, and whether it stays as wide as it is.
const COLUMNS: &str = "const table = [...document.querySelectorAll('main article table')].at(-1);
    return [table.classList.contains('steady'),
        [...table.querySelectorAll('th')].map(head => Math.round(head.getBoundingClientRect().width))];";

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_a_long_table_stay_as_wide_as_they_are() {
    columns_stay(DESKTOP, "desktop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_a_long_table_stay_as_wide_as_they_are_on_a_phone() {
    columns_stay(PHONE, "phone").await;
}

/// The first stop brings the table to more rows than may move its columns.
async fn columns_stay(size: Size, name: &str) {
    let stops = [400, 600, 1000, 2000, 3000, CHUNKS];
    let gates = stops.map(|stop| format!(",gate=g{stop}@{stop}")).concat();
    let server = Server::start(Long::Table.model(&format!("rate=0,first=0{gates}"))).await;
    let browser = Browser::start(size).await;
    browser.open(&server.url("/")).await;
    browser.press("textbox", "Message").await;
    browser.type_text("Tell me all of it").await;
    browser.press("button", "Send").await;

    let mut columns = Vec::new();
    for stop in stops {
        reached(&server, &browser, Long::Table, stop).await;
        columns.push(browser.script(COLUMNS).await);
        server.standin.open_gate(&format!("g{stop}"));
    }
    browser.answer_ended().await;
    columns.push(browser.script(COLUMNS).await);
    assert_eq!(columns[1][0], true, "{columns:?}");
    assert!(columns[1..].iter().all(|later| *later == columns[1]), "{columns:?}");
    look(&browser, name).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    browser.close().await;
}

/// Nothing sticks out, axe finds nothing; pictures where `UNBROKEN_TABLES` says.
async fn look(browser: &Browser, name: &str) {
    let wide = "return document.documentElement.scrollWidth
        - document.documentElement.clientWidth";
    assert_eq!(browser.script(wide).await, json!(0), "{name} scrolls sideways");
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        if let Some(folder) = std::env::var_os("UNBROKEN_TABLES") {
            let path = PathBuf::from(folder).join(format!("table-{scheme}-{name}.png"));
            std::fs::write(path, browser.screenshot().await).unwrap();
        }
    }
    axe::check(browser, name).await;
    browser.prefer("light").await;
}
