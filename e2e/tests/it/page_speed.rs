//! What an answer of 4,000 chunks costs the page, in what does not depend on the machine: which
//! nodes are touched, and how many.
//!
//! Times are figures: the ignored tests print them as lines of JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use unbroken_standin::Call;

use crate::browser::{Browser, DESKTOP};
use crate::long_texts::{CHUNK, CHUNKS, Long};
use crate::server::Server;

/// Chunks from one stop of the model to the next; no length of anything in the texts.
const STRIDE: usize = 7;
/// Stops in each of the two places that are compared: more than a section of the mixed text.
const STOPS: usize = 24;
/// Where they begin: after what is first on a page, and before the end.
const BEGINNING: usize = 400;
const END: usize = 3800;

/// Counts what happens to the nodes of the last answer.
///
/// Settled is every block before the last, and in the last, when it is a list or table, every item
/// before the last two: those that a view may show as not yet over.
const WATCH: &str = r"
const prose = [...document.querySelectorAll('main article .prose')].at(-1);
const size = node => node.nodeType === 1 ? 1 + node.querySelectorAll('*').length : 1;
const sizes = nodes => [...nodes].reduce((sum, node) => sum + size(node), 0);
const settled = new WeakSet();
const settle = () => {
  const blocks = [...prose.children].filter(e => !e.matches('.tail'));
  blocks.slice(0, -1).forEach(e => settled.add(e));
  const host = blocks.at(-1)?.matches('ul,ol') ? blocks.at(-1) : blocks.at(-1)?.querySelector('tbody');
  if (host) [...host.children].slice(0, -2).forEach(e => settled.add(e));
};
const isSettled = node => {
  for (; node && node !== prose; node = node.parentNode) if (settled.has(node)) return true;
  return false;
};
const seen = window.seen = { commits: 0, nodes: 0, touched: [] };
// Colours come to code that has settled, once.
const isColour = ({ target }) =>
  (target.nodeType === 1 ? target : target.parentElement)?.closest('code.coloured');
const take = records => {
  seen.commits += 1;
  for (const record of records) {
    if (isColour(record)) continue;
    seen.nodes += record.type === 'childList'
      ? sizes(record.addedNodes) + sizes(record.removedNodes) : 1;
    const gone = [...record.removedNodes].filter(node => settled.has(node));
    if (isSettled(record.target) || gone.length)
      seen.touched.push(`${record.type} in ${record.target.nodeName}: `
        + (gone[0] || record.target).textContent.slice(0, 80));
  }
  settle();
};
new MutationObserver(take).observe(prose, {
  subtree: true, childList: true, characterData: true, attributes: true });
settle();
";

/// The nodes that were touched, and by how many commits.
#[derive(Clone, Copy, Debug)]
struct Seen {
    commits: f64,
    nodes: f64,
}

impl Seen {
    async fn read(browser: &Browser) -> Self {
        let seen = browser.script("return window.seen").await;
        let number = |name: &str| seen[name].as_f64().unwrap();
        Self { commits: number("commits"), nodes: number("nodes") }
    }

    /// Nodes for each commit since `before`.
    fn per_commit_since(self, before: Self) -> f64 {
        (self.nodes - before.nodes) / (self.commits - before.commits)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_of_all_kinds_grows_only_at_its_end() {
    grows_only_at_its_end(Long::Mixed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_long_block_of_code_grows_only_at_its_end() {
    grows_only_at_its_end(Long::Code).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_long_list_grows_only_at_its_end() {
    grows_only_at_its_end(Long::List).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_long_paragraph_grows_only_at_its_end() {
    grows_only_at_its_end(Long::Paragraph).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_long_table_grows_only_at_its_end() {
    grows_only_at_its_end(Long::Table).await;
}

/// The text is whole, what is settled is never touched again, and a commit at the end touches no
/// more nodes than one at the beginning.
async fn grows_only_at_its_end(long: Long) {
    let stops: Vec<usize> = [BEGINNING, END].into_iter().flat_map(stops_from).collect();
    let mut with = "rate=0,first=0".to_owned();
    for stop in &stops {
        write!(with, ",gate=g{stop}@{stop}").unwrap();
    }
    let server = Server::start(long.model(&with)).await;
    let browser = ask(&server).await;

    let (mut first, mut costs) = (None, Vec::new());
    for stop in stops {
        reached(&server, &browser, long, stop).await;
        if stop == BEGINNING {
            browser.script(WATCH).await;
        }
        let now = Seen::read(&browser).await;
        if stop == BEGINNING || stop == END {
            first = Some(now);
        } else if let Some(last) = first.filter(|_| is_last_stop(stop)) {
            costs.push(now.per_commit_since(last));
        }
        server.standin.open_gate(&format!("g{stop}"));
    }
    browser.answer_ended().await;

    let touched = browser.script("return window.seen.touched").await;
    assert_eq!(touched, json!([]), "settled and touched again");
    let [beginning, end] = costs[..] else { panic!("two places are compared: {costs:?}") };
    println!("{}: nodes a commit {beginning:.1} and at the end {end:.1}", long.name());
    assert!(
        end <= beginning * 1.5,
        "{end} nodes a commit at the end, {beginning} at the beginning"
    );
    let commits = Seen::read(&browser).await.commits;
    let most = f64::from(u32::try_from(CHUNKS).unwrap());
    assert!(commits <= most, "{commits} commits for {CHUNKS} chunks");
    let seen = browser.script(&format!("{LETTERS} return letters()")).await;
    assert!(seen == long.letters(CHUNKS), "the text is not whole");
    browser.close().await;
}

fn stops_from(first: usize) -> impl Iterator<Item = usize> {
    (0..=STOPS).map(move |stop| first + stop * STRIDE)
}

fn is_last_stop(stop: usize) -> bool {
    [BEGINNING, END].into_iter().any(|first| stop == first + STOPS * STRIDE)
}

pub(crate) async fn ask(server: &Server) -> Browser {
    let browser = Browser::start(DESKTOP).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    send(&browser).await;
    browser
}

async fn send(browser: &Browser) {
    browser.type_text("Tell me all of it").await;
    browser.enter().await;
}

/// Waits until the model halts after so many chunks, and the page shows them.
pub(crate) async fn reached(server: &Server, browser: &Browser, long: Long, chunks: usize) {
    let halted = |calls: &[Call]| calls.iter().any(|call| call.tokens == chunks);
    server.standin.wait_until(halted).await;
    // What the last words mean may not be known yet.
    let letters = long.letters(chunks).len().saturating_sub(60);
    let shown = format!("{LETTERS} return letters().length >= {letters};");
    browser.until(&format!("chunk {chunks}"), &shown).await;
}

/// Waits as [`reached`] does, and asks the page for so little that its own work is what is measured:
/// whether the last words are there.
async fn reached_unnoticed(server: &Server, browser: &Browser, long: Long, chunks: usize) {
    let halted = |calls: &[Call]| calls.iter().any(|call| call.tokens == chunks);
    server.standin.wait_until(halted).await;
    let letters = long.letters(chunks);
    let last = &letters[letters.len() - 80..letters.len() - 60];
    let shown = format!("{LAST_LETTERS} return lastLetters().includes('{last}');");
    browser.until(&format!("chunk {chunks}"), &shown).await;
}

const LAST_LETTERS: &str = r"
const lastLetters = () => {
  const prose = [...document.querySelectorAll('main article .prose')].at(-1);
  const text = (prose?.textContent || '').slice(-600).replace(/\]\(https:[^)]*\)?/g, '');
  return text.replace(/[^\p{L}\p{N}]/gu, '');
};
";

/// The letters and digits of the last answer, without the headings of code, and without the
/// addresses of links: a long paragraph is shown as it was written until it is over.
pub(crate) const LETTERS: &str = r"
const letters = () => {
  const prose = [...document.querySelectorAll('main article .prose')].at(-1)?.cloneNode(true);
  prose?.querySelectorAll('figcaption, button').forEach(e => e.remove());
  const text = (prose?.textContent || '').replace(/\]\(https:[^)]*\)?/g, '');
  return text.replace(/[^\p{L}\p{N}]/gu, '');
};
";

/// The five texts, as fast as they come: one line of JSON for each.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: half a minute, and no other load beside it"]
async fn figures_as_fast_as_they_come() {
    for long in Long::ALL {
        println!("{}", figures(long, 0).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a minute, and no other load beside it"]
async fn figures_of_all_kinds_at_100_a_second() {
    println!("{}", figures(Long::Mixed, 100).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a minute, and no other load beside it"]
async fn figures_of_one_long_block_of_code_at_100_a_second() {
    println!("{}", figures(Long::Code, 100).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a minute, and no other load beside it"]
async fn figures_of_one_long_list_at_100_a_second() {
    println!("{}", figures(Long::List, 100).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a minute, and no other load beside it"]
async fn figures_of_one_long_paragraph_at_100_a_second() {
    println!("{}", figures(Long::Paragraph, 100).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only figures, to be read by a person: a minute, and no other load beside it"]
async fn figures_of_one_long_table_at_100_a_second() {
    println!("{}", figures(Long::Table, 100).await);
}

/// What one answer costs the page, in CPU time of its main thread.
async fn figures(long: Long, rate: usize) -> Value {
    // The times at four places: at the first, what belongs to the page and not to the text is over.
    let places = [200, 1000, CHUNKS - 800, CHUNKS];
    let mut with = format!("first=0,rate={rate}");
    for place in places {
        write!(with, ",gate=g{place}@{place}").unwrap();
    }
    let server = Server::start(long.model(&with)).await;
    let browser = Browser::start(DESKTOP).await;
    browser.devtools("Performance.enable", json!({"timeDomain": "threadTicks"})).await;
    browser.open(&server.url("/")).await;
    browser.focused("textbox", "Message").await;
    browser.script(LONG_TASKS).await;
    let before = Metrics::read(&browser).await;
    let profile = std::env::var("PROFILE").ok();
    if profile.is_some() {
        browser.devtools("Profiler.enable", json!({})).await;
        browser.devtools("Profiler.setSamplingInterval", json!({"interval": 200})).await;
        browser.devtools("Profiler.start", json!({})).await;
    }
    send(&browser).await;

    let mut times = Vec::new();
    for place in places {
        reached_unnoticed(&server, &browser, long, place).await;
        times.push(Metrics::read(&browser).await.main);
        server.standin.open_gate(&format!("g{place}"));
    }
    browser.answer_ended().await;
    let after = Metrics::read(&browser).await;
    if let Some(file) = profile {
        let answer = browser.devtools("Profiler.stop", json!({})).await;
        std::fs::write(format!("{file}-{}-{rate}.json", long.name()), answer.to_string()).unwrap();
    }
    let longest = "return Math.max(0, ...window.longTasks.map(([, length]) => length))";
    let longest = browser.script(longest).await;
    let long_tasks = browser.script("return window.longTasks").await;
    let heap = heap_after_collection(&browser).await;
    browser.close().await;
    json!({
        "text": long.name(),
        "chunks_per_second": rate,
        "chunks": CHUNKS,
        "bytes": CHUNKS * CHUNK,
        "script_seconds": after.script - before.script,
        "main_thread_seconds": after.main - before.main,
        "layouts": after.layouts - before.layouts,
        "layout_seconds": after.layout - before.layout,
        "style_seconds": after.style - before.style,
        "longest_task_over_50_ms": longest,
        "long_tasks": long_tasks,
        "end_to_beginning": (times[3] - times[2]) / (times[1] - times[0]),
        "heap_megabytes": heap,
    })
}

/// Milliseconds since the message was about to be sent, and how many the task took.
const LONG_TASKS: &str = "window.longTasks = [];
  const began = performance.now();
  new PerformanceObserver(list => list.getEntries().forEach(
    e => window.longTasks.push([e.startTime - began, e.duration].map(Math.round))
  )).observe({ type: 'longtask' });";

/// What Chromium counted of the page so far; times are seconds.
struct Metrics {
    script: f64,
    main: f64,
    layouts: f64,
    layout: f64,
    style: f64,
}

impl Metrics {
    async fn read(browser: &Browser) -> Self {
        let answer = browser.devtools("Performance.getMetrics", json!({})).await;
        let metrics = answer["metrics"].as_array().unwrap();
        let value = |name: &str| {
            let metric = metrics.iter().find(|metric| metric["name"] == name);
            metric.and_then(|metric| metric["value"].as_f64()).expect("Chromium knows the metric")
        };
        Self {
            script: value("ScriptDuration"),
            main: value("TaskDuration"),
            layouts: value("LayoutCount"),
            layout: value("LayoutDuration"),
            style: value("RecalcStyleDuration"),
        }
    }
}

/// Megabytes of JavaScript and WebAssembly that are still in use.
async fn heap_after_collection(browser: &Browser) -> f64 {
    browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
    let usage = browser.devtools("Runtime.getHeapUsage", json!({})).await;
    let bytes = ["usedSize", "backingStorageSize"].iter().filter_map(|name| usage[name].as_f64());
    bytes.sum::<f64>() / 1e6
}
