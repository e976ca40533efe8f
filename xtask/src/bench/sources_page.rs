//! What was measured of sources: as text, in `docs/PERFORMANCE.md` and in `docs/SOURCES.md`.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The part of `docs/PERFORMANCE.md` that is written from here.
const WITH_FILES: &str = "## With files as sources\n";
/// The part of `docs/SOURCES.md` that is written from here.
const FIGURES: &str = "## Figures\n";

pub(super) fn text(report: &Value) -> String {
    format!("{}\n\n{}", reading(report), retrieval(report))
}

pub(super) fn write(root: &Path, report: &Value) -> Result<()> {
    let facts = super::page::facts(report, false);
    let performance =
        format!("`cargo xtask sources` measures this part.\n\n{facts}\n\n{}", reading(report));
    replace(&root.join("docs/PERFORMANCE.md"), WITH_FILES, &performance)?;
    let figures = format!(
        "`cargo xtask sources` measures and writes this part.\n\n{facts}\n\n{}",
        retrieval(report)
    );
    replace(&root.join("docs/SOURCES.md"), FIGURES, &figures)
}

/// The part of the page as the last measurement left it, for one that is written anew.
pub(super) fn kept(page: &Path) -> String {
    let page = fs::read_to_string(page).unwrap_or_default();
    part(&page, WITH_FILES).map_or_else(String::new, |(_, part, _)| format!("\n{part}"))
}

/// Before a part, the part with its heading, and after it.
fn part<'a>(page: &'a str, heading: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = page.find(heading)?;
    let inside = begin + heading.len();
    let end = page[inside..].find("\n## ").map_or(page.len(), |at| inside + at + 1);
    Some((&page[..begin], &page[begin..end], &page[end..]))
}

fn replace(file: &Path, heading: &str, text: &str) -> Result<()> {
    let page = fs::read_to_string(file)?;
    let (before, _, after) =
        part(&page, heading).with_context(|| format!("{} has no `{heading}`", file.display()))?;
    let blank = if after.is_empty() { "" } else { "\n" };
    Ok(fs::write(file, format!("{before}{heading}\n{text}\n{blank}{after}"))?)
}

/// How fast documents are read, and what that takes.
fn reading(report: &Value) -> String {
    let of = &report["reading"];
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let mebibytes = |value: &Value| number(value) / 1_048_576.0;
    let (spent, memory, disk) = (&of["processor_seconds"], &of["memory"], &of["disk"]);
    let formats = of["formats"].as_object().into_iter().flatten();
    let formats: Vec<_> = formats.map(|(name, count)| format!("{count} {name}")).collect();
    let rows = [
        ("documents", format!("{} ({})", of["documents"], formats.join(", "))),
        ("refused", refused(of)),
        (
            "size",
            format!(
                "{:.1} MiB, {} pages, {} passages, {:.1} million characters",
                mebibytes(&of["bytes"]),
                of["pages"],
                of["passages"],
                number(&of["characters"]) / 1e6
            ),
        ),
        ("brought and read", format!("{:.1} s", number(&of["seconds"]))),
        ("pages a second", format!("{:.0}", number(&of["pages_per_second"]))),
        ("documents a second", format!("{:.1}", number(&of["documents_per_second"]))),
        (
            "processor time",
            format!(
                "{:.1} s in the server, {:.1} s in the processes that read",
                number(&spent["server"]),
                number(&spent["readers"])
            ),
        ),
        (
            "memory of the server",
            format!(
                "{:.0} MiB idle, {:.0} MiB at most",
                mebibytes(&memory["idle"]),
                mebibytes(&memory["peak"])
            ),
        ),
        (
            "memory of a process that reads",
            format!("{:.0} MiB at most", mebibytes(&memory["reader_peak"])),
        ),
        (
            "on the disk",
            format!(
                "{:.1} MiB database (texts and index), {:.1} MiB its log, {:.1} MiB the files",
                mebibytes(&disk["database"]),
                mebibytes(&disk["log"]),
                mebibytes(&disk["files"])
            ),
        ),
    ];
    let rows = rows.into_iter().chain(embedding(report));
    let rows = rows.map(|(name, value)| format!("| {name} | {value} |"));
    format!("| | |\n| --- | --- |\n{}\n\n{PAGES}", rows.collect::<Vec<_>>().join("\n"))
}

/// What vectors of all passages cost, where that was measured.
fn embedding(report: &Value) -> Vec<(&'static str, String)> {
    let of = &report["embedding"];
    if of.is_null() {
        return Vec::new();
    }
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let mebibytes = |value: &Value| number(value) / 1_048_576.0;
    let model = of["model"].as_str().unwrap_or_default();
    vec![
        (
            "embedded in the server",
            format!(
                "{:.1} passages a second with {model}, {:.0} s for all, {:.0} s of processor time",
                number(&of["passages_per_second"]),
                number(&of["seconds"]),
                number(&of["processor_seconds"])
            ),
        ),
        (
            "memory of the server with the model",
            format!("{:.0} MiB at most", mebibytes(&of["memory"]["peak"])),
        ),
        (
            "vectors on the disk",
            match of["disk"].as_u64() {
                Some(0) => "within the room that deleted documents left".to_owned(),
                _ => format!("{:.1} MiB", mebibytes(&of["disk"])),
            },
        ),
    ]
}

const PAGES: &str = "A page is one of a PDF or a slide; of everything else 3,000 characters. The time is that from the
first byte of the first file to the last file's being ready, over HTTP, one after the other.";

fn refused(of: &Value) -> String {
    let list = of["refused"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = list.iter().map(|one| format!("{}: {}", text(&one["name"]), text(&one["reason"])));
    if list.is_empty() { "none".to_owned() } else { names.collect::<Vec<_>>().join("; ") }
}

/// How often the right passage is found.
fn retrieval(report: &Value) -> String {
    let of = &report["retrieval"];
    let among = &of["looked_up_in"];
    let long = among["at_most"].as_u64().map_or_else(String::new, |most| {
        format!(", those of at most {most} passages; questions about longer ones are left out")
    });
    let mut lines = vec![
        format!("In {} documents of {} passages{long}.", among["documents"], among["passages"]),
        String::new(),
        "| | questions | full text: recall at 1 | at 5 | at 12 | MRR | with embeddings: at 1 | at 5 | at 12 | MRR |"
            .to_owned(),
        format!("|{}", " --- |".repeat(10)),
        row("all", of, |kind| &kind["all"]),
    ];
    for (group, said) in [("by_trial", "of these: "), ("by_format", "answer in: ")] {
        let names = of["full_text"][group].as_object().into_iter().flatten();
        lines.extend(
            names.map(|(name, _)| row(&format!("{said}{name}"), of, |kind| &kind[group][name])),
        );
    }
    lines.push(String::new());
    lines.push(format!("From asking to the citations: {} by full text.", times(&of["full_text"])));
    if !of["with_embeddings"].is_null() {
        lines.push(format!("With embeddings: {}.", times(&of["with_embeddings"])));
    }
    lines.join("\n")
}

fn times(of: &Value) -> String {
    let part = |name: &str| of["milliseconds"][name].as_f64().unwrap_or_default();
    let (p50, p99, max) = (part("p50"), part("p99"), part("max"));
    format!("{p50:.1} / {p99:.1} / {max:.1} ms (p50 / p99 / maximum)")
}

fn row<'a>(title: &str, of: &'a Value, pick: impl Fn(&'a Value) -> &'a Value) -> String {
    let (full, both) = (pick(&of["full_text"]), pick(&of["with_embeddings"]));
    let share =
        |value: &Value| value.as_f64().map_or_else(String::new, |v| format!("{:.1} %", v * 100.0));
    let plain = |value: &Value| value.as_f64().map_or_else(String::new, |v| format!("{v:.3}"));
    let cells = [
        title.to_owned(),
        full["questions"].to_string(),
        share(&full["recall_at_1"]),
        share(&full["recall_at_5"]),
        share(&full["recall_at_12"]),
        plain(&full["mrr"]),
        share(&both["recall_at_1"]),
        share(&both["recall_at_5"]),
        share(&both["recall_at_12"]),
        plain(&both["mrr"]),
    ];
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_the_next_begins() {
        let page = "# P\n\n## Figures\n\nold\n\n## After\n\nrest\n";
        let (before, figures, after) = part(page, FIGURES).unwrap();
        assert_eq!(
            (before, figures, after),
            ("# P\n\n", "## Figures\n\nold\n\n", "## After\n\nrest\n")
        );
        assert!(part(page, "## Other\n").is_none());
    }
}
