//! `cargo xtask test`: every test, those in a browser included, and whether every benchmark runs.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{
    Profile, bench,
    command::{Workspace, run, say, succeeds},
    setup, web,
};

const BROWSER_TESTS: &str = "unbroken-e2e";

pub(crate) fn test(workspace: &Workspace, no_browser: bool, filter: Option<&str>) -> Result<()> {
    let browser = if no_browser { None } else { Some(setup::browser()?) };
    web::build(workspace, Profile { release: false })?;
    let tests = Tests {
        workspace,
        nextest: succeeds("cargo", &["nextest", "--version"]),
        exclude: no_browser.then_some(BROWSER_TESTS),
    };

    // One build for all tests: it makes the binaries as well, because their crates have integration
    // tests, and one by one they would be built again with other features of their dependencies.
    run(tests.command().arg("--no-run"))?;
    let server = workspace.binary("debug", "unbroken");
    let standin = workspace.binary("debug", "unbroken-standin");
    let fill = workspace.binary("debug", "examples/fill");
    for binary in [&server, &standin, &fill] {
        ensure!(binary.exists(), "the build of the tests left no {}", binary.display());
    }

    if filter.is_none() {
        // Before the tests: their summary is what comes last.
        bench::smoke(workspace)?;
    }
    if tests.nextest && filter.is_none() {
        // nextest leaves out the examples in the documentation.
        run(tests.shape(&mut workspace.cargo(["test", "--doc", "--quiet"])))?;
    }
    let mut command = tests.command();
    command.env("UNBROKEN_BIN", server).env("UNBROKEN_STANDIN_BIN", standin);
    if let Some(browser) = browser {
        say(&format!("browser: {}", browser.chromium.display()));
        command.env("CHROMIUM", browser.chromium).env("CHROMEDRIVER", browser.driver);
    }
    run(command.args(filter))
}

struct Tests<'a> {
    workspace: &'a Workspace,
    nextest: bool,
    exclude: Option<&'static str>,
}

impl Tests<'_> {
    fn command(&self) -> Command {
        let mut cargo =
            self.workspace.cargo(if self.nextest { &["nextest", "run"][..] } else { &["test"] });
        self.shape(&mut cargo);
        cargo
    }

    fn shape<'c>(&self, cargo: &'c mut Command) -> &'c mut Command {
        cargo.arg("--workspace");
        if let Some(package) = self.exclude {
            cargo.args(["--exclude", package]);
        }
        cargo
    }
}
