//! Where and of what a figure was measured.

use std::{fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

use super::line;
use crate::command::Workspace;

/// The commit, with `-changed` when files differ from it.
pub(super) fn commit(workspace: &Workspace) -> Result<String> {
    let root = workspace.root.to_string_lossy();
    let commit = line("git", &["-C", &root, "rev-parse", "--short=12", "HEAD"])?;
    let changes = line("git", &["-C", &root, "status", "--porcelain", "--untracked-files=no"])?;
    Ok(if changes.is_empty() { commit } else { format!("{commit}-changed") })
}

pub(super) fn describe(nginx: Option<&Path>) -> Value {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    json!({
        "processor": field("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory": field("/proc/meminfo", "MemTotal"),
        "system": line("uname", &["-sr"]).ok(),
        "load_before": fs::read_to_string("/proc/loadavg").ok(),
        "nginx": nginx.and_then(version),
    })
}

/// nginx tells its version as an error.
fn version(nginx: &Path) -> Option<String> {
    let output = std::process::Command::new(nginx).arg("-v").output().ok()?;
    Some(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
