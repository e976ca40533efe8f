//! `cargo xtask bench`: what answers cost and how fast they arrive, beside nginx as a plain relay
//! to the same model server in the same run. Ratios to it hold on any machine; the rest does not.

mod chart;
mod embeddings;
mod history;
mod http;
mod machine;
mod page;
mod process;
mod ranks;
mod scenario;
mod sources;
mod sources_page;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{Workspace, command, output, run, say};
use process::{End, Nginx, Server, Standin, end_with_this, spawn};
use scenario::{Scenario, Size};
pub(crate) use sources::sources;

pub(crate) fn bench(
    workspace: &Workspace,
    quick: bool,
    no_build: bool,
    only: Option<&str>,
) -> Result<()> {
    if !no_build {
        let packages = ["--package", "unbroken-server", "--package", "unbroken-standin"];
        run(workspace.cargo(["build", "--release", "--bins"]).args(packages))?;
        let fill = ["--package", "unbroken-store", "--example", "fill"];
        run(workspace.cargo(["build", "--release"]).args(fill))?;
    }
    let size = if quick { Size::Quick } else { Size::Full };
    let bench = Bench::new(workspace, "release", process::nginx()?)?;
    let report = bench.report(workspace, size, only)?;
    println!("{}", table::text(&report));
    if only.is_none() {
        let commit = report["commit"].as_str().unwrap_or_default();
        let file = write(&workspace.root, commit, quick, &report)?;
        say(&format!("written to {}", file.display()));
        if !quick {
            page::write(&workspace.root, &report)?;
        }
    }
    ensure!(is_whole(&report), "a scenario lost or doubled something, see above");
    Ok(())
}

/// Whether every scenario runs and keeps what it was sent, with the binaries that a build of the
/// tests left, in seconds. Nothing is compared or written.
pub(crate) fn smoke(workspace: &Workspace) -> Result<()> {
    let bench = Bench::new(workspace, "debug", None)?;
    let report = bench.report(workspace, Size::Smoke, None)?;
    println!("{}", table::text(&report));
    ensure!(is_whole(&report), "a scenario lost or doubled something, see above");
    Ok(())
}

struct Bench {
    unbroken: PathBuf,
    standin: PathBuf,
    /// Fills a folder with history.
    fill: PathBuf,
    nginx: Option<PathBuf>,
    /// Emptied before every scenario.
    folder: PathBuf,
}

impl Bench {
    fn new(workspace: &Workspace, profile: &str, nginx: Option<PathBuf>) -> Result<Self> {
        let bench = Self {
            unbroken: workspace.binary(profile, "unbroken"),
            standin: workspace.binary(profile, "unbroken-standin"),
            fill: workspace.binary(profile, "examples/fill"),
            nginx,
            folder: workspace.target.join("bench"),
        };
        for program in [&bench.unbroken, &bench.standin, &bench.fill] {
            ensure!(program.exists(), "there is no {}: build it first", program.display());
        }
        end_with_this()?;
        Ok(bench)
    }

    fn report(&self, workspace: &Workspace, size: Size, only: Option<&str>) -> Result<Value> {
        let is_wanted = |name: &str| only.is_none_or(|only| name.contains(only));
        let scenarios = scenario::all(size).into_iter().filter(|one| is_wanted(one.name));
        let mut results = Vec::new();
        for scenario in scenarios {
            say(&format!("{}: {}", scenario.name, scenario.title));
            results.push(self.perform(&scenario)?);
        }
        let Self { unbroken, standin, fill, .. } = self;
        let programs = history::Programs { unbroken, standin, fill };
        let history = is_wanted("history").then(|| history::measure(workspace, &programs, size));
        let history = history.transpose()?;
        ensure!(history.is_some() || !results.is_empty(), "no scenario has such a name");
        Ok(json!({
            "commit": machine::commit(workspace)?,
            "date": line("date", &["-u", "+%F"]).ok(),
            "quick": size == Size::Quick,
            "machine": machine::describe(self.nginx.as_deref()),
            "scenarios": results,
            "history": history,
        }))
    }

    /// The same load on a fresh server of ours, and on nginx where it can do such a thing.
    fn perform(&self, scenario: &Scenario) -> Result<Value> {
        let ours = {
            let standin = Standin::start(&self.standin)?;
            let server = Server::start(&self.unbroken, &self.empty_folder()?, &standin.address)?;
            self.measure(&format!("http://{}", server.address), server.started, &scenario.ours)?
        };
        let relay = scenario.relay.as_ref().zip(self.nginx.as_ref());
        let nginx = relay.map(|(load, nginx)| {
            let standin = Standin::start(&self.standin)?;
            let nginx = Nginx::start(nginx, &self.empty_folder()?, &standin.address)?;
            self.measure(&format!("http://{}/v1", nginx.address), nginx.started, load)
        });
        let nginx = nginx.transpose()?;
        let Scenario { name, title, .. } = scenario;
        Ok(json!({ "name": name, "title": title, "ours": ours, "nginx": nginx }))
    }

    fn empty_folder(&self) -> Result<PathBuf> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        Ok(self.folder.clone())
    }

    /// The report of `unbroken load`, with the milliseconds that the server's start took.
    fn measure(&self, target: &str, started: f64, load: &[String]) -> Result<Value> {
        let mut tool = command(&self.unbroken);
        tool.args(["load", target, "--json"]).args(load).stderr(Stdio::inherit());
        // It fails when something is lost, and says so in its report.
        let output =
            spawn(tool.stdin(Stdio::null()).stdout(Stdio::piped()), End::Kill)?.output()?;
        let mut report: Value = serde_json::from_slice(&output)
            .with_context(|| format!("`unbroken load {target} {}` failed", load.join(" ")))?;
        report["started_ms"] = json!(started);
        Ok(report)
    }
}

/// Whether every answer of ours came whole. What nginx loses is in the table.
fn is_whole(report: &Value) -> bool {
    let harms = ["lost", "doubled", "disordered", "strange", "gaps", "wrong_ends"];
    let scenarios = report["scenarios"].as_array().map_or(&[][..], Vec::as_slice);
    scenarios.iter().all(|scenario| {
        let ours = &scenario["ours"];
        let is_zero = |value: &Value| value.as_u64() == Some(0);
        is_zero(&ours["readings"]["failed"]) && harms.iter().all(|h| is_zero(&ours["tokens"][h]))
    })
}

fn write(root: &Path, commit: &str, quick: bool, report: &Value) -> Result<PathBuf> {
    let folder = root.join("bench/results");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{commit}{}.json", if quick { "-quick" } else { "" }));
    fs::write(&file, serde_json::to_string_pretty(report)? + "\n")?;
    Ok(file)
}

/// What a command says in one line.
fn line(program: &str, args: &[&str]) -> Result<String> {
    let text = output(command(program).args(args))?;
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_a_lost_token_is_not_whole() {
        let report = |lost: u64, failed: u64| {
            let tokens = json!({
                "lost": lost, "doubled": 0, "disordered": 0, "strange": 0, "gaps": 0, "wrong_ends": 0
            });
            let ours = json!({ "readings": { "failed": failed }, "tokens": tokens });
            json!({ "scenarios": [{ "ours": ours }] })
        };
        assert!(is_whole(&report(0, 0)));
        assert!(!is_whole(&report(1, 0)));
        assert!(!is_whole(&report(0, 1)));
        assert!(!is_whole(&json!({ "scenarios": [{ "ours": {} }] })), "nothing is known");
    }
}
