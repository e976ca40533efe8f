//! What a machine needs beside Rust: it is installed where that may be done without asking, and
//! otherwise one line says what to install.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::command::{command, output, run, say, succeeds};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Makes sure that Rust can compile to WASM.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot)?.trim());
    if sysroot.join("lib/rustlib").join(WASM).exists() {
        return Ok(());
    }
    if find(&["rustup"], &[]).is_none() {
        bail!(
            "Rust cannot compile to {WASM} here: install Rust with rustup (https://rustup.rs), or \
             your system's package of that target (Debian: libstd-rust-dev-wasm32)"
        );
    }
    run(command("rustup").args(["target", "add", WASM]))
}

pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

impl Browser {
    fn find() -> Option<Self> {
        let chromium = named("CHROMIUM").or_else(|| {
            find(
                &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
                &[
                    "/Applications/Chromium.app/Contents/MacOS/Chromium",
                    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
                ],
            )
        });
        let driver = named("CHROMEDRIVER").or_else(|| {
            find(
                &["chromedriver", "chromium.chromedriver"],
                &["/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"],
            )
        });
        Some(Self { chromium: chromium?, driver: driver? })
    }
}

/// Makes sure that there is a browser for tests.
pub(crate) fn browser() -> Result<Browser> {
    if let Some(browser) = Browser::find() {
        return Ok(browser);
    }
    say("there is no Chromium with its driver yet");
    let Some(system) = System::of_this_machine() else {
        bail!(
            "the browser tests need Chromium and chromedriver: install both, or run \
             `cargo xtask test --no-browser`"
        );
    };
    let by_hand = system.by_hand;
    if !system.install()? {
        bail!("the browser tests need Chromium and chromedriver: run `{by_hand}`");
    }
    match Browser::find() {
        Some(browser) => Ok(browser),
        None => bail!("Chromium or chromedriver is still missing: try `{by_hand}`"),
    }
}

/// A package manager and what it calls the browser.
struct System {
    program: &'static str,
    steps: &'static [&'static [&'static str]],
    needs_root: bool,
    by_hand: &'static str,
}

const SYSTEMS: [System; 4] = [
    System {
        program: "apt-get",
        steps: &[
            &["update"],
            &["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"],
        ],
        needs_root: true,
        by_hand: "sudo apt-get install chromium chromium-driver",
    },
    System {
        program: "dnf",
        steps: &[&["install", "--assumeyes", "chromium", "chromedriver"]],
        needs_root: true,
        by_hand: "sudo dnf install chromium chromedriver",
    },
    System {
        program: "pacman",
        steps: &[&["-S", "--noconfirm", "--needed", "chromium"]],
        needs_root: true,
        by_hand: "sudo pacman -S chromium",
    },
    System {
        program: "brew",
        steps: &[&["install", "--cask", "chromium", "chromedriver"]],
        needs_root: false,
        by_hand: "brew install --cask chromium chromedriver",
    },
];

impl System {
    fn of_this_machine() -> Option<Self> {
        SYSTEMS.into_iter().find(|system| find(&[system.program], &[]).is_some())
    }

    /// False where it must not be done.
    fn install(self) -> Result<bool> {
        let sudo = self.needs_root && !is_root();
        if sudo && !succeeds("sudo", &["-n", "true"]) {
            return Ok(false);
        }
        for step in self.steps {
            let mut install = if sudo { Command::new("sudo") } else { Command::new(self.program) };
            if sudo {
                install.args(["-n", self.program]);
            }
            run(install.args(*step).env("DEBIAN_FRONTEND", "noninteractive"))?;
        }
        Ok(true)
    }
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0")
}

/// A program that the environment names.
fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The first program of these names on the PATH, or the first of these files.
pub(crate) fn find(names: &[&str], files: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = env::split_paths(&path).collect();
    let on_path = names.iter().flat_map(|name| {
        let file = Path::new(name).with_extension(env::consts::EXE_EXTENSION);
        folders.iter().map(move |folder| folder.join(&file))
    });
    on_path.chain(files.iter().map(PathBuf::from)).find(|path| path.is_file())
}
