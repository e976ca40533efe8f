//! Documents as sources: how fast they are read and what that takes, and how often the passage
//! that answers a question is among those that its answer is given.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{embeddings, http::Person, machine, process::Server, ranks};
use crate::{
    command::{Workspace, output, run, say},
    corpus,
};

/// A page of what has no pages: Unicode scalar values.
const PAGE: usize = 3_000;
/// Ticks of a second in which the kernel counts processor time.
const TICKS: f64 = 100.0;

/// A document at the server.
pub(super) struct Document {
    /// As in the manifest.
    pub(super) name: String,
    pub(super) file_id: String,
    pub(super) passages: Vec<String>,
    /// The code of a refusal.
    pub(super) refused: Option<String>,
    /// It is longer than what is looked up in.
    pub(super) is_left_out: bool,
    pages: usize,
}

/// `with` measures once more with a model of embeddings. Documents of more than `at_most` passages
/// are read, and then deleted.
pub(crate) fn sources(
    workspace: &Workspace,
    no_build: bool,
    with: bool,
    at_most: Option<usize>,
) -> Result<()> {
    if !no_build {
        run(&mut workspace.cargo([
            "build",
            "--release",
            "--bins",
            "--package",
            "unbroken-server",
        ]))?;
    }
    let unbroken = workspace.binary("release", "unbroken");
    ensure!(unbroken.exists(), "there is no {}: build it first", unbroken.display());
    corpus::corpus(workspace, false)?;
    let model = with.then(|| embeddings::model(workspace)).transpose()?;
    super::process::end_with_this()?;
    let before = machine::describe(None);
    let folder = workspace.target.join("bench-sources");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Nobody listens there: the built-in model needs no model server.
    let server = Server::start(&unbroken, &folder, "127.0.0.1:9")?;
    let person = Person::at(&server.address)?;
    let (mut documents, reading) = read(workspace, &server, &person, &folder)?;
    if let Some(most) = at_most {
        leave_out(&person, &mut documents, most)?;
    }
    let kept = documents.iter().filter(|one| one.refused.is_none() && !one.is_left_out);
    let passages: usize = kept.clone().map(|document| document.passages.len()).sum();
    let looked_up_in =
        json!({ "at_most": at_most, "documents": kept.count(), "passages": passages });
    let collection = collection(&person, &documents)?;
    let full_text = ranks::measure(workspace, &person, &collection, &documents)?;
    // Killed, as it may be at any time.
    drop(server);
    let (mut embedding, mut with_embeddings) = (Value::Null, Value::Null);
    if let Some(model) = model {
        let (server, took) = embeddings::start(&unbroken, &folder, &model, passages)?;
        embedding = took;
        let person = person.again(&server.address);
        with_embeddings = ranks::measure(workspace, &person, &collection, &documents)?;
    }
    let report = json!({
        "commit": machine::commit(workspace)?,
        "date": super::line("date", &["-u", "+%F"]).ok(),
        "machine": before,
        "reading": reading,
        "embedding": embedding,
        "retrieval": {
            "looked_up_in": looked_up_in, "full_text": full_text,
            "with_embeddings": with_embeddings,
        },
    });
    println!("{}", super::sources_page::text(&report));
    let file = workspace.root.join("bench/results/sources.json");
    fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")?;
    say(&format!("written to {}", file.display()));
    super::sources_page::write(&workspace.root, &report)
}

/// Brings every document and waits until all are read.
fn read(
    workspace: &Workspace,
    server: &Server,
    person: &Person,
    folder: &Path,
) -> Result<(Vec<Document>, Value)> {
    let listed = corpus::listed(workspace)?;
    say(&format!("{} documents are brought and read", listed.len()));
    let idle = memory(server.id, "VmRSS").unwrap_or_default();
    let is_done = AtomicBool::new(false);
    let child_peak = AtomicU64::new(0);
    let (mut bytes, mut documents) = (0, Vec::new());
    let begin = Instant::now();
    let spent_before = processor_time(server.id)?;
    let (brought, took) = std::thread::scope(|scope| -> Result<_> {
        scope.spawn(|| watch_children(server.id, &is_done, &child_peak));
        let mut all = || -> Result<_> {
            for file in &listed {
                let content = fs::read(corpus::folder(workspace).join(&file.name))?;
                bytes += content.len();
                let base = file.name.rsplit('/').next().unwrap_or_default();
                let answer = person.bring(base, &content)?;
                documents.push(document(&file.name, &answer)?);
            }
            let brought = begin.elapsed();
            wait(person)?;
            Ok((brought, begin.elapsed()))
        };
        let done = all();
        is_done.store(true, Ordering::Relaxed);
        done
    })?;
    let spent = processor_time(server.id)? - spent_before;
    let peak = memory(server.id, "VmHWM").unwrap_or_default();
    documents.iter_mut().try_for_each(|document| look_into(person, document))?;
    let ready = documents.iter().filter(|document| document.refused.is_none());
    let pages: usize = ready.clone().map(|document| document.pages).sum();
    let characters: usize =
        ready.clone().flat_map(|d| &d.passages).map(|text| text.chars().count()).sum();
    let passages: usize = ready.clone().map(|document| document.passages.len()).sum();
    let seconds = took.as_secs_f64();
    let refused = documents.iter().filter_map(|document| {
        Some(json!({ "name": document.name, "reason": document.refused.as_ref()? }))
    });
    #[expect(clippy::cast_precision_loss, reason = "there are some thousand pages")]
    let per_second = |count: usize| count as f64 / seconds;
    let result = json!({
        "documents": documents.len(), "ready": ready.count(),
        "refused": refused.collect::<Vec<_>>(), "formats": formats(&documents),
        "bytes": bytes, "pages": pages, "passages": passages, "characters": characters,
        "seconds": seconds, "brought_seconds": brought.as_secs_f64(),
        "pages_per_second": per_second(pages), "documents_per_second": per_second(documents.len()),
        "processor_seconds": { "server": spent.0, "readers": spent.1 },
        "memory": { "idle": idle, "peak": peak, "reader_peak": child_peak.load(Ordering::Relaxed) },
        "disk": disk(&folder.join("data"))?,
    });
    Ok((documents, result))
}

fn leave_out(person: &Person, documents: &mut [Document], at_most: usize) -> Result<()> {
    for document in documents.iter_mut().filter(|one| one.passages.len() > at_most) {
        let path = format!("/ai/files/{}", document.file_id);
        person.send("DELETE", &path, &json!({}))?;
        document.is_left_out = true;
    }
    Ok(())
}

fn document(name: &str, answer: &Value) -> Result<Document> {
    let file_id = answer["file_id"].as_str().context("a file without an id")?.to_owned();
    Ok(Document {
        name: name.to_owned(),
        file_id,
        passages: Vec::new(),
        refused: None,
        is_left_out: false,
        pages: 0,
    })
}

fn wait(person: &Person) -> Result<()> {
    loop {
        let files = person.get("/ai/files")?;
        let files = files["files"].as_array().context("no files came")?;
        if files.iter().all(|file| file["state"] != "processing") {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
}

/// What became of a document, and all its passages.
fn look_into(person: &Person, document: &mut Document) -> Result<()> {
    let path = format!("/ai/files/{}", document.file_id);
    let file = person.get(&path)?;
    if file["state"] != "ready" {
        let reason = file["reason_code"].as_str().unwrap_or("unknown");
        document.refused = Some(reason.to_owned());
        return Ok(());
    }
    let mut total = usize::MAX;
    while document.passages.len() < total {
        // As many stand before the one that is asked for as after it.
        let around = document.passages.len() + 3;
        let window = person.get(&format!("{path}/passages?around={around}"))?;
        total = usize::try_from(window["total"].as_u64().context("no total")?)?;
        let had = document.passages.len();
        for passage in window["passages"].as_array().context("no passages")? {
            if passage["ordinal"].as_u64() == Some(document.passages.len() as u64) {
                let text = passage["text"].as_str().context("a passage without text")?;
                document.passages.push(text.to_owned());
            }
        }
        ensure!(document.passages.len() > had, "{} has a gap at {had}", document.name);
    }
    let characters: usize = document.passages.iter().map(|text| text.chars().count()).sum();
    let counted = file["pages"].as_u64().map(usize::try_from).transpose()?;
    document.pages = match kind(&document.name) {
        "pdf" | "pptx" | "odp" => counted.unwrap_or(1),
        _ => characters.div_ceil(PAGE),
    };
    Ok(())
}

/// The format, as the name tells it.
pub(super) fn kind(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn formats(documents: &[Document]) -> Value {
    let mut formats = serde_json::Map::new();
    for document in documents {
        let count = formats.entry(kind(&document.name)).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or_default() + 1);
    }
    Value::Object(formats)
}

/// A collection of all that can be read and is not left out.
fn collection(person: &Person, documents: &[Document]) -> Result<String> {
    let made = person.send("POST", "/ai/collections", &json!({ "name": "Everything" }))?;
    let id = made["collection_id"].as_str().context("a collection without an id")?.to_owned();
    let kept = documents.iter().filter(|one| one.refused.is_none() && !one.is_left_out);
    for document in kept {
        let path = format!("/ai/collections/{id}/files/{}", document.file_id);
        person.send("PUT", &path, &json!({}))?;
    }
    Ok(id)
}

/// The most memory that any process had which the server started.
fn watch_children(server: u32, is_done: &AtomicBool, peak: &AtomicU64) {
    while !is_done.load(Ordering::Relaxed) {
        let tasks = fs::read_dir(format!("/proc/{server}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
                // Before it is another program its memory is that of the server.
                if is_reader(child) {
                    peak.fetch_max(memory(child, "VmHWM").unwrap_or_default(), Ordering::Relaxed);
                }
            }
        }
        sleep(Duration::from_millis(2));
    }
}

fn is_reader(id: u32) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"read-document")
}

/// Bytes.
pub(super) fn memory(id: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Seconds of a process, and of those that it started and that have ended.
#[derive(Clone, Copy)]
pub(super) struct Spent(pub(super) f64, pub(super) f64);

impl std::ops::Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self(self.0 - before.0, self.1 - before.1)
    }
}

pub(super) fn processor_time(id: u32) -> Result<Spent> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name before the last bracket may hold anything.
    let fields = stat.rsplit_once(')').context("no name in it")?.1;
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(4).map(str::parse).collect::<Result<_, _>>()?;
    ensure!(ticks.len() == 4, "fields are missing");
    Ok(Spent((ticks[0] + ticks[1]) / TICKS, (ticks[2] + ticks[3]) / TICKS))
}

/// Bytes of the database with its log, and of the files as they were brought.
pub(super) fn disk(data: &Path) -> Result<Value> {
    let size = |name: &str| -> Result<u64> {
        let text = output(Command::new("du").args(["-sb"]).arg(data.join(name)))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(text.split_whitespace().next().context("du says nothing")?.parse()?)
    };
    let log = fs::metadata(data.join("unbroken.db-wal")).map_or(0, |file| file.len());
    Ok(json!({ "database": size("unbroken.db")?, "log": log, "files": size("files")? }))
}
