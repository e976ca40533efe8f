//! `cargo xtask check`: all that can be said about the code without running it.
//!
//! Clippy, the check for WASM and the documentation need only what `cargo check` makes of the
//! dependencies, so each of them is compiled once for all of these steps.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{
    command::{Workspace, run, say},
    setup, texts,
};

pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    directions(workspace)?;
    invariants(workspace)?;
    texts::check(workspace)?;
    run(&mut workspace.cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    setup::wasm_target()?;
    for module in ["unbroken-web", "unbroken-markdown", "unbroken-diagrams"] {
        run(wasm(workspace, "clippy", &[module]).args(["--", "-D", "warnings"]))?;
    }
    let portable = ["unbroken-protocol", "unbroken-client", "unbroken-chat-view"];
    run(&mut wasm(workspace, "check", &portable))?;
    run(workspace.cargo(["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn wasm(workspace: &Workspace, task: &str, packages: &[&str]) -> std::process::Command {
    let mut cargo = workspace.cargo([task, "--lib", "--profile", "wasm-dev"]);
    cargo.args(["--target", setup::WASM, "--target-dir"]).arg(workspace.web_target());
    for package in packages {
        cargo.args(["--package", package]);
    }
    cargo
}

/// What each crate may use of ours; `ARCHITECTURE.md` draws it. What may use a crate may use all
/// that this one uses. Dependencies of tests are free.
const MAY_USE: [(&str, &[&str]); 22] = [
    ("unbroken-protocol", &[]),
    ("unbroken-archive", &["unbroken-protocol"]),
    ("unbroken-store", &["unbroken-protocol"]),
    ("unbroken-bus", &["unbroken-protocol"]),
    ("unbroken-providers", &["unbroken-protocol"]),
    ("unbroken-documents", &[]),
    ("unbroken-sources", &["unbroken-protocol"]),
    (
        "unbroken-engine",
        &[
            "unbroken-archive",
            "unbroken-store",
            "unbroken-bus",
            "unbroken-providers",
            "unbroken-documents",
            "unbroken-sources",
        ],
    ),
    ("unbroken-server", &["unbroken-engine", "unbroken-cli"]),
    ("unbroken-client", &["unbroken-protocol"]),
    ("unbroken-fluent", &[]),
    ("unbroken-chat-view", &["unbroken-client", "unbroken-fluent"]),
    ("unbroken-markdown", &["unbroken-chat-view"]),
    ("unbroken-diagrams", &[]),
    ("unbroken-web", &["unbroken-chat-view"]),
    ("unbroken-cli", &["unbroken-client"]),
    ("unbroken-standin", &[]),
    ("unbroken-e2e", &[]),
    ("unbroken-chaos", &["unbroken-client", "unbroken-standin"]),
    ("unbroken-simulation", &["unbroken-engine", "unbroken-client"]),
    ("unbroken-bench", &["unbroken-cli", "unbroken-standin"]),
    ("xtask", &["unbroken-cli", "unbroken-fluent"]),
];

/// What keeps HTTP out of the engine and SQL out of the server.
const MUST_NOT_USE: [(&str, &[&str]); 3] = [
    ("unbroken-engine", &["axum", "sqlx"]),
    ("unbroken-server", &["sqlx"]),
    ("unbroken-protocol", &["tokio", "axum", "sqlx"]),
];

/// The invariants of `docs/PROTOCOL.md`, B8.
const INVARIANTS: std::ops::RangeInclusive<usize> = 1..=20;

/// Every invariant has a test that carries its number, as `B8.7`.
fn invariants(workspace: &Workspace) -> Result<()> {
    say("a test for every invariant");
    let mut text = String::new();
    for folder in ["crates", "chaos", "e2e"] {
        read_tests(&workspace.root.join(folder), false, &mut text)?;
    }
    let without: Vec<_> = INVARIANTS.filter(|number| !is_named(&text, *number)).collect();
    if !without.is_empty() {
        bail!("no test carries the number of these invariants (PROTOCOL B8): {without:?}");
    }
    Ok(())
}

/// Appends the Rust files that lie in folders named `tests`.
fn read_tests(folder: &Path, is_tests: bool, text: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_tests(&path, is_tests || path.ends_with("tests"), text)?;
        } else if is_tests && path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(())
}

fn is_named(text: &str, number: usize) -> bool {
    let name = format!("B8.{number}");
    let mut after = text.split(&name).skip(1);
    after.any(|after| !after.starts_with(|next: char| next.is_ascii_digit()))
}

fn directions(workspace: &Workspace) -> Result<()> {
    say("the direction of dependencies");
    let wrong = wrong_dependencies(&workspace.metadata);
    if !wrong.is_empty() {
        bail!("{}\n(the table is in xtask/src/check.rs)", wrong.join("\n"));
    }
    Ok(())
}

fn wrong_dependencies(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let is_ours = |name: &str| packages.iter().any(|package| package["name"] == name);
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if !MAY_USE.iter().any(|(known, _)| *known == name) {
            wrong.push(format!("it is not said what {name} may use"));
        }
        for used in used_by(package) {
            let forbidden =
                MUST_NOT_USE.iter().any(|(user, never)| *user == name && never.contains(&used));
            if forbidden || (is_ours(used) && !may_use(name, used)) {
                wrong.push(format!("{name} must not depend on {used}"));
            }
        }
    }
    wrong
}

fn may_use(package: &str, used: &str) -> bool {
    let direct = MAY_USE.iter().find(|(name, _)| *name == package).map_or(&[][..], |(_, of)| of);
    direct.iter().any(|name| *name == used || may_use(name, used))
}

/// Dependencies of a package and of its build script.
fn used_by(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    dependencies.iter().filter(|d| d["kind"] != "dev").filter_map(|d| d["name"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_number_of_an_invariant_is_not_part_of_another() {
        assert!(is_named("/// B8.2, B8.10", 2) && is_named("/// B8.2, B8.10", 10));
        assert!(!is_named("/// B8.2, B8.10", 1));
    }

    #[test]
    fn a_dependency_against_the_direction_is_named() {
        let metadata = json!({ "packages": [
            { "name": "unbroken-protocol", "dependencies": [] },
            { "name": "unbroken-store", "dependencies": [
                { "name": "unbroken-protocol", "kind": null },
                { "name": "unbroken-server", "kind": "dev" },
                { "name": "sqlx", "kind": null },
            ] },
            { "name": "unbroken-server", "dependencies": [
                { "name": "unbroken-store", "kind": null },
                { "name": "sqlx", "kind": null },
            ] },
            { "name": "unbroken-client", "dependencies": [
                { "name": "unbroken-store", "kind": null },
            ] },
            { "name": "unbroken-new", "dependencies": [] },
        ] });
        let expected = [
            "unbroken-server must not depend on sqlx",
            "unbroken-client must not depend on unbroken-store",
            "it is not said what unbroken-new may use",
        ];
        assert_eq!(wrong_dependencies(&metadata), expected);
    }
}
