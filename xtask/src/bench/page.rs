//! `docs/PERFORMANCE.md` and its charts, written from the results of a full run.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::Value;

use super::{chart::Chart, history, sources_page, table};

pub(super) fn write(root: &Path, report: &Value) -> Result<()> {
    let folder = root.join("docs/performance");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("cpu.svg"), cpu(report).svg())?;
    fs::write(folder.join("latency.svg"), latency(report).svg())?;
    let page = root.join("docs/PERFORMANCE.md");
    let kept = sources_page::kept(&page);
    fs::write(page, text(report) + &kept)?;
    Ok(())
}

fn text(report: &Value) -> String {
    let beside = table::markdown(report, &BESIDE, |scenario| !scenario["nginx"].is_null());
    let (alone, beginnings) =
        (table::markdown(report, &ALONE, |_| true), table::beginnings(report));
    let (facts, titles) = (facts(report, true), titles(report));
    let history = &report["history"];
    let history = if history.is_null() { String::new() } else { history::text(history) };
    format!(
        "# Performance

What an answer costs, and how fast it arrives. `cargo xtask bench` measures it and writes this page.

{facts}

## Beside nginx

nginx relays the same answers of the same model server in the same run, as plain as it can: no buffer, no log,
nothing kept. Unbroken does more for them: every token is in its database before anybody sees it, so a
reload, a second reader or a killed server loses nothing; a relay loses the answer with its connection.
Machines differ, so the ratio is the figure to look at. In streams-5000 and streams-10000 ten answers share
a socket here, while a relay has a connection for each; streams has one each on both sides.

{beside}

![CPU for each token](performance/cpu.svg)

{beginnings}

## How fast it arrives

Milliseconds, as p50 / p99 / maximum over the whole run.

{alone}

![From the model's write to the reader's read](performance/latency.svg)

{SPENT}

## With much history

{history}

## How it was measured

Model server, server and readers share the machine and its cores, so each waits for the others; apart they
are faster. Every scenario runs once, on a fresh server with an empty folder, in its default configuration
but for the readers that one person may have. The readers are `unbroken load`, which asks at planned times
whether or not earlier answers are there, checks every token by its number and does not wait for what the
server shows next. What the machine did besides is in no figure; a run with a high load before it is worth
little.

{titles}

- µs/token: processor time of the server as the operating system counts it, divided by the tokens that readers
  got in the steady time: from when every answer streams, or the first has ended, to when the first ends, or
  the last is asked for; of the whole run where that is less than two seconds. ratio: ours to nginx's.
- whole run: the same ratio with all that the run cost, divided by all tokens. Beginning an answer and ending it
  costs a relay next to nothing; here the question, the answer and their place in the search index come to the
  disk. The fewer tokens an answer has, the more that counts.
- start: from asking to the id of the conversation, which is on the disk then. first: from asking to the
  first token; the model takes 300 ms of it. token: from the model's write to the reader's read, which in
  a run as fast as possible is the time in queues. back: from the cut of a connection to the next text on a
  new one; of a page loaded anew, to all of the text.
- peak: the most memory that the server had; KiB/answer: what each answer that
  runs adds to the memory, in the steady time. bytes/token: on the wire to the reader, frames and all that is told besides included. lost: tokens that were lost, doubled or out of order, and answers
  without an end.
"
    )
}

/// Of a profile, not of this run.
const SPENT: &str = "## Where a token's time goes

Of the server's processor time at 1,000 answers and 20 tokens a second (perf with stacks and one worker, November 2026):

| share | for |
| ---: | --- |
| 48 % | the kernel: 26 % sends a frame through the loopback device, 12 % reads from the model, 4 % waits for sockets |
| 14 % | the connection: what a follower is due, its JSON of 330 bytes, the WebSocket frame |
| 12 % | the model's stream: chunks, events, JSON |
| 8 % | the log writer: order of records, then showing them and waking readers |
| 4 % | SQLite, on a thread of its own: two hundred commits a second |
| 3 % | making a record and handing it over |
| 11 % | tokio: tasks, timers, the event loop |

A relay pays the first line too: one read and one send are the least that a token can cost. What came off
it in a row: futures that hardly ever happen are not asked at every token (a tenth), an allocator (a tenth),
plain HTTP read by the task that wants it (a tenth, and 19 KB an answer), one unit of code at release (a tenth).";

/// The columns for each of the two tables.
const BESIDE: [&str; 10] = [
    "scenario",
    "ratio",
    "whole run",
    "µs/token",
    "nginx",
    "token ms",
    "nginx token ms",
    "tokens/s",
    "lost",
    "nginx lost",
];
const ALONE: [&str; 10] = [
    "scenario",
    "start ms",
    "first ms",
    "token ms",
    "back ms",
    "µs/token",
    "bytes/token",
    "peak MiB",
    "KiB/answer",
    "lost",
];
/// When and where it was measured, and beside what.
pub(super) fn facts(report: &Value, is_beside: bool) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("unknown").trim().to_owned();
    let machine = &report["machine"];
    let kibibytes = word(&machine["memory"]);
    let kibibytes = kibibytes.split(' ').next().and_then(|number| number.parse::<u64>().ok());
    let memory = kibibytes.map_or_else(|| "unknown".to_owned(), |k| format!("{} GiB", k >> 20));
    let nginx = word(&machine["nginx"]);
    let beside = nginx.strip_prefix("nginx version: ").unwrap_or(&nginx);
    let lines = [
        format!("- commit: {}, measured on {}", word(&report["commit"]), word(&report["date"])),
        format!(
            "- machine: {}, {} cores, {memory} of memory, {}",
            word(&machine["processor"]),
            machine["cores"],
            word(&machine["system"]),
        ),
        if is_beside { format!("- beside it: {beside}") } else { String::new() },
        format!("- load of the machine before (1, 5, 15 minutes): {}", load(machine)),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn load(machine: &Value) -> String {
    let load = machine["load_before"].as_str().unwrap_or("unknown");
    load.split_whitespace().take(3).collect::<Vec<_>>().join(", ")
}

fn titles(report: &Value) -> String {
    let lines = scenarios(report).map(|scenario| {
        let (name, title) = (&scenario["name"], &scenario["title"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("- **{}**: {}", text(name), text(title))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn scenarios(report: &Value) -> impl Iterator<Item = &Value> {
    report["scenarios"].as_array().map_or(&[][..], Vec::as_slice).iter()
}

fn cpu(report: &Value) -> Chart<'static> {
    let groups = scenarios(report).map(|scenario| {
        let name = scenario["name"].as_str().unwrap_or_default().to_owned();
        (name, vec![table::cost(&scenario["ours"]), table::cost(&scenario["nginx"])])
    });
    let series = &["Unbroken", "nginx, relay"];
    Chart { title: "CPU for each token", unit: "µs", series, groups: groups.collect() }
}

fn latency(report: &Value) -> Chart<'static> {
    let is_paced = |name: &str| name != "fast" && !name.starts_with("reload");
    let paced = scenarios(report)
        .filter(|scenario| is_paced(scenario["name"].as_str().unwrap_or_default()));
    let groups = paced.map(|scenario| {
        let name = scenario["name"].as_str().unwrap_or_default().to_owned();
        let times = &scenario["ours"]["milliseconds"]["token"];
        (name, vec![times["p50"].as_f64(), times["p99"].as_f64()])
    });
    let (title, unit) = ("From the model's write to the reader's read", "ms");
    Chart { title, unit, series: &["p50", "p99"], groups: groups.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ratio_to_nginx_comes_first_and_the_machine_is_named() {
        let cost = |steady: f64, whole: f64| {
            json!({
                "steady": { "seconds": 5.0, "server_cpu_per_token": steady },
                "whole": { "server_cpu_per_token": whole },
            })
        };
        let of = |name: &str, nginx: Value| json!({ "name": name, "title": "t", "ours": cost(30.0, 36.0), "nginx": nginx });
        let beside = of("beside", cost(12.0, 12.0));
        let report = json!({
            "commit": "abc", "date": "2026-01-02", "history": null,
            "machine": { "processor": "P", "cores": 2, "memory": "8388608 kB", "system": "S",
                "nginx": "nginx version: nginx/1", "load_before": "0.1 0.2 0.3 1/2 3" },
            "scenarios": [beside, of("alone", Value::Null)],
        });
        let text = text(&report);
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
        assert!(at("| beside | 2.50 | 3.00 | 30.0 | 12.0 |") < at("## How fast"));
        assert!(at("| alone |") > at("## How fast"), "nginx has nothing like it");
        at("- commit: abc, measured on 2026-01-02");
        at("- machine: P, 2 cores, 8 GiB of memory, S");
        at("- beside it: nginx/1\n- load of the machine before (1, 5, 15 minutes): 0.1, 0.2, 0.3");
    }
}
