//! `cargo xtask chaos`: faults at random against the real binary.

use anyhow::Result;

use crate::{
    Profile,
    command::{Workspace, command, run},
    web,
};

pub(crate) fn chaos(workspace: &Workspace, seed: u64, minutes: f64, clients: usize) -> Result<()> {
    web::build(workspace, Profile { release: false })?;
    // One by one they would be built with other features of their dependencies.
    let packages = ["--package", "unbroken-server", "--package", "unbroken-chaos"];
    run(workspace.cargo(["build", "--bins"]).args(packages))?;
    let mut chaos = command(workspace.binary("debug", "unbroken-chaos"));
    chaos.args(["--seed", &seed.to_string(), "--minutes", &minutes.to_string()]);
    chaos.args(["--clients", &clients.to_string()]);
    run(chaos.env("UNBROKEN_BIN", workspace.binary("debug", "unbroken")))
}
