//! The workspace's folders, and commands that are shown as they run.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Honours `CARGO_TARGET_DIR` and cargo's configuration.
    pub(crate) target: PathBuf,
    /// `cargo metadata` without what comes from elsewhere.
    pub(crate) metadata: Value,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut metadata = command("cargo");
        metadata.current_dir(here).args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_slice(&output(&mut metadata)?)?;
        let folder = |name: &str| -> Result<PathBuf> {
            Ok(metadata[name].as_str().context("cargo metadata names no folder")?.into())
        };
        let workspace =
            Self { root: folder("workspace_root")?, target: folder("target_directory")?, metadata };
        fs::create_dir_all(workspace.web_dist())?;
        Ok(workspace)
    }

    /// The built web app, as the server embeds it.
    pub(crate) fn web_dist(&self) -> PathBuf {
        self.target.join("web-dist")
    }

    /// The target folder of builds for WASM: they and those for this machine do not wait for each
    /// other.
    pub(crate) fn web_target(&self) -> PathBuf {
        self.target.join("web")
    }

    /// A binary that cargo has built.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// A cargo command in this workspace. `crates/server/build.rs` reads the environment variable.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut cargo = command("cargo");
        cargo.current_dir(&self.root).args(args).env("UNBROKEN_WEB_DIST", self.web_dist());
        cargo
    }
}

/// A command without what `cargo run` has put into the environment of this program: build scripts
/// that look at such variables would run again for every cargo command that does not come from here.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let of_cargo_run = name.to_str().is_some_and(|name| {
            name == "CARGO" || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if of_cargo_run {
            command.env_remove(name);
        }
    }
    command
}

/// Says what is being done, in the manner of cargo.
pub(crate) fn say(text: &str) {
    eprintln!("==> {text}");
}

/// Shows a command and runs it to its end.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    say(&line);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// What a command writes to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let line = line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    Ok(output.stdout)
}

/// Whether a command exists and succeeds; what it writes is not shown.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
