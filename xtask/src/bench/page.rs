//! `docs/PERFORMANCE.md` and its charts, written from the results of a full run.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::Value;

use super::{chart::Chart, table};

pub(super) fn write(root: &Path, report: &Value) -> Result<()> {
    let folder = root.join("docs/performance");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("cpu.svg"), cpu(report).svg())?;
    fs::write(folder.join("latency.svg"), latency(report).svg())?;
    fs::write(root.join("docs/PERFORMANCE.md"), text(report))?;
    Ok(())
}

fn text(report: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("unknown").trim().to_owned();
    let machine = &report["machine"];
    let (commit, processor) = (word(&report["commit"]), word(&machine["processor"]));
    let (system, memory) = (word(&machine["system"]), word(&machine["memory"]));
    let (nginx, load) = (word(&machine["nginx"]), word(&machine["load_before"]));
    let (cores, table, titles) = (&machine["cores"], table::markdown(report), titles(report));
    format!(
        "# Performance

This file is written by `cargo xtask bench`; `cargo xtask bench --quick` takes less than three minutes and
writes no page. Every scenario runs on a fresh server with an empty folder. Model server, server and readers
share the machine.

- commit: {commit}
- machine: {processor}, {cores} cores, {memory}, {system}
- load of the machine before the run (1, 5 and 15 minutes): {load}
- beside it, in the same run: {nginx}, as a plain relay to the same model server, that keeps nothing

Machines differ, so the ratio to nginx is the figure that counts.

{table}

![CPU per token](performance/cpu.svg)

![Latency of a token](performance/latency.svg)

## What is measured
{titles}

- µs/token: processor time of the server, by the operating system, divided by the tokens that readers got
  in the steady time: from the moment when every answer streams, or the first has ended, to the moment when
  the first ends, or the last is asked for; of the whole run where that was less than two seconds.
- start: from asking to the id of the conversation. first: from asking to the first token; the model takes
  300 ms of it. token: from the model's write to the reader's read. back: from the cut of a connection to
  the next text on a new one. Each is p50 / p99 / maximum, in milliseconds, over the whole run.
- peak: the most memory that the server had.
- A server that keeps every token before it shows it does more than a relay does; a relay loses an answer
  with its connection.
"
    )
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
    let paced = scenarios(report).filter(|scenario| scenario["name"] != "fast");
    let groups = paced.map(|scenario| {
        let name = scenario["name"].as_str().unwrap_or_default().to_owned();
        let times = &scenario["ours"]["milliseconds"]["token"];
        (name, vec![times["p50"].as_f64(), times["p99"].as_f64()])
    });
    let (title, unit) = ("From the model's write to the reader's read", "ms");
    Chart { title, unit, series: &["p50", "p99"], groups: groups.collect() }
}
