//! `cargo xtask build` and `cargo xtask run`.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{
    Profile,
    command::{Workspace, run as run_command, say},
    web,
};

/// Builds everything and returns the server's binary.
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    web::build(workspace, profile)?;
    let mut cargo = workspace.cargo(["build", "--package", "unbroken-server", "--bin", "unbroken"]);
    if profile.release {
        cargo.arg("--release");
    }
    run_command(&mut cargo)?;
    let binary = workspace.binary(if profile.release { "release" } else { "debug" }, "unbroken");
    say(&format!("built {}", binary.display()));
    Ok(binary)
}

/// Builds everything and becomes the server, which prints its address.
pub(crate) fn run(workspace: &Workspace, profile: Profile, args: &[String]) -> Result<()> {
    let binary = build(workspace, profile)?;
    start(Command::new(binary).args(args))
}

/// The server takes this process's place, so that signals reach it and its status is the status.
#[cfg(unix)]
fn start(server: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(server.exec().into())
}

#[cfg(not(unix))]
fn start(server: &mut Command) -> Result<()> {
    run_command(server)
}
