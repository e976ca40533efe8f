//! Much history: a folder as years of use leave it, and how long its list, its longest
//! conversation and a search take over HTTP.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::{
    process::{Server, Standin},
    scenario::Size,
};
use crate::command::{Workspace, command, output, say};

/// How many conversations there are, how many messages the longest one has, and how often each
/// thing is asked.
struct Plan {
    conversations: usize,
    messages: usize,
    times: usize,
}

impl Plan {
    fn of(size: Size) -> Self {
        let (conversations, messages, times) = match size {
            Size::Smoke => (40, 40, 4),
            Size::Quick => (5_000, 1_000, 40),
            Size::Full => (100_000, 10_000, 400),
        };
        Self { conversations, messages, times }
    }
}

pub(super) struct Programs<'a> {
    pub(super) unbroken: &'a Path,
    pub(super) standin: &'a Path,
    pub(super) fill: &'a Path,
}

/// Times in milliseconds.
pub(super) fn measure(workspace: &Workspace, programs: &Programs<'_>, size: Size) -> Result<Value> {
    let plan = Plan::of(size);
    let Plan { conversations, messages, times } = plan;
    say(&format!("history: {conversations} conversations, one of {messages} messages"));
    let folder = filled(workspace, programs.fill, &plan)?;
    let known: Value = serde_json::from_slice(&fs::read(folder.join("known.json"))?)?;
    let standin = Standin::start(programs.standin)?;
    let server = Server::start(programs.unbroken, &folder, &standin.address)?;
    let call = |person: usize, path: &str| -> Result<(f64, Value)> {
        let session = known["sessions"][person].as_str().context("nobody is known")?;
        let and = if path.contains('?') { '&' } else { '?' };
        get(&server.address, &format!("{path}{and}session_id={session}"))
    };
    let long = known["long"].as_str().context("no conversation is known")?;
    let long = format!("/ai/conversations/{long}");
    let list = repeat(times, |_| call(0, "/ai/conversations"), "conversations")?;
    let page = format!("{long}?limit=50");
    let open = repeat(times, |_| call(0, &page), "messages")?;
    let whole = repeat(times.div_ceil(100), |_| call(0, &long), "messages")?;
    let search = repeat(
        times,
        |n| call(n % 2 * (n % 11), &format!("/ai/search?q={}", query(&known, n))),
        "hits",
    )?;
    let (list_beside, open_beside) = beside(
        |n| call(0, &format!("/ai/search?q={}", query(&known, n))),
        || {
            let list = repeat(times, |_| call(0, "/ai/conversations"), "conversations")?;
            Ok((list, repeat(times, |_| call(0, &page), "messages")?))
        },
    )?;
    Ok(json!({
        "list_beside": list_beside, "open_beside": open_beside,
        "conversations": conversations, "messages": messages, "started_ms": server.started,
        "megabytes": fs::metadata(folder.join("data/unbroken.db"))?.len() / 1_000_000,
        "list": list, "open": open, "open_whole": whole, "search": search,
    }))
}

/// The folder, filled once for as long as the tables, and what fills them, stay what they are. One
/// that was filled by something else is of no use any more.
fn filled(workspace: &Workspace, fill: &Path, plan: &Plan) -> Result<PathBuf> {
    let Plan { conversations, messages, .. } = plan;
    let plan = format!("{conversations}-{messages}-");
    let all = workspace.target.join("bench-history");
    let folder = all.join(format!("{plan}{:016x}", fingerprint(&workspace.root)?));
    if folder.join("known.json").exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&all)?;
    for old in fs::read_dir(&all)? {
        let old = old?;
        if old.file_name().to_string_lossy().starts_with(&plan) {
            fs::remove_dir_all(old.path())?;
        }
    }
    say("filling the folder, once for these tables");
    fs::create_dir_all(&folder)?;
    let mut fill = command(fill);
    fill.arg(folder.join("data")).args([conversations.to_string(), messages.to_string()]);
    let known = output(&mut fill)?;
    fs::write(folder.join("known.json"), known)?;
    Ok(folder)
}

/// Of the files that say what a filled folder holds.
fn fingerprint(root: &Path) -> Result<u64> {
    let store = root.join("crates/store");
    let mut files = vec![store.join("examples/fill.rs")];
    for migration in fs::read_dir(store.join("migrations"))? {
        files.push(migration?.path());
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Words from the commonest to rare ones, two of them, a phrase, a beginning.
fn query(known: &Value, n: usize) -> String {
    let word = |rank: usize| known["words"][rank].as_str().unwrap_or_default();
    let rank = n * n % 97;
    match n % 5 {
        0 => word(rank).to_owned(),
        1 => format!("{}+{}", word(0), word(rank)),
        2 => format!("%22{}+{}%22", word(n % 3), word(n % 5)),
        3 => word(rank + 1000).chars().take(4).collect(),
        _ => word(10 * rank).to_owned(),
    }
}

/// Does something while somebody searches all the time.
fn beside<T>(
    search: impl Fn(usize) -> Result<(f64, Value)> + Sync,
    something: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| -> Result<()> {
            let mut numbers = 0..;
            while !is_done.load(Ordering::Relaxed) {
                search(numbers.next().unwrap_or_default())?;
            }
            Ok(())
        });
        let done = something();
        is_done.store(true, Ordering::Relaxed);
        searching.join().map_err(|_| anyhow!("the searches broke off"))??;
        done
    })
}

/// Asks `times` times, one after the other; `found` names the list that an answer carries.
fn repeat(
    times: usize,
    call: impl Fn(usize) -> Result<(f64, Value)>,
    found: &str,
) -> Result<Value> {
    let mut took = Vec::with_capacity(times);
    let mut rows = 0;
    for number in 0..times {
        let (milliseconds, answer) = call(number)?;
        took.push(milliseconds);
        rows += answer[found].as_array().with_context(|| format!("no {found} came"))?.len();
    }
    ensure!(rows > 0, "none of {times} answers had {found}");
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    Ok(json!({ "count": times, "rows": rows, "p50": at(50), "p99": at(99), "max": at(100) }))
}

/// A call on a connection of its own, and the milliseconds from connecting to its last byte.
fn get(address: &str, path: &str) -> Result<(f64, Value)> {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let took = begin.elapsed().as_secs_f64() * 1e3;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{path} was refused: {body}");
    Ok((took, serde_json::from_str(body).with_context(|| format!("{path} is no JSON"))?))
}

/// What was measured, as lines of text.
pub(super) fn text(history: &Value) -> String {
    let line = |(name, of): (&str, &str)| {
        let times = &history[of];
        let [p50, p99, max] = ["p50", "p99", "max"].map(|part| times[part].as_f64());
        Some(format!("- {name}: {:.1} / {:.1} / {:.1} ms", p50?, p99?, max?))
    };
    let lines = [
        ("list", "list"),
        ("the longest, newest 50", "open"),
        ("the longest, whole", "open_whole"),
        ("search", "search"),
        ("list, while somebody searches", "list_beside"),
        ("the longest, newest 50, while somebody searches", "open_beside"),
    ];
    let (conversations, messages) = (&history["conversations"], &history["messages"]);
    let lines = lines.into_iter().filter_map(line).collect::<Vec<_>>().join("\n");
    let started = history["started_ms"].as_f64().unwrap_or_default();
    format!(
        "History of {conversations} conversations, one of them of {messages} messages, {} MB; the \
         server is ready {started:.0} ms after its start (p50 / p99 / max over HTTP):\n\n{lines}",
        history["megabytes"]
    )
}
