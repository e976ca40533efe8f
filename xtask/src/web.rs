//! `cargo xtask web`: the web app from Rust to the folder that the server embeds.
//!
//! The crate's WASM goes through wasm-bindgen as a library, so that nobody has to install a tool of
//! the same version. What becomes of the files is in `assets.rs`.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    Profile,
    assets::{self, Dist},
    command::{Workspace, run, say},
    setup,
};

pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    setup::wasm_target()?;
    let wasm = compile(workspace, profile)?;
    // Two builds at the same time would take each other's files away.
    let lock = fs::File::create(workspace.target.join("web-dist.lock"))?;
    lock.lock()?;
    let assets = assets::read(&workspace.root.join("crates/web/assets"))?;

    let stamp = stamp(&wasm, &assets, profile)?;
    let stamp_file = workspace.target.join("web-dist.stamp");
    let dist = workspace.web_dist();
    if has_app(&dist) && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        say("the web app is up to date");
        return Ok(());
    }

    say("web app: wasm-bindgen");
    let (glue, wasm) = bind(workspace, &wasm, profile)?;
    if profile.release {
        say("web app: compress");
    }
    let new = workspace.target.join("web-dist.new");
    clear(&new)?;
    let made = Dist { folder: &new, compress: profile.release };
    made.write(assets, &glue, &wasm)?;
    // Without its stamp a folder that is only half exchanged is built anew next time.
    clear(&dist)?;
    fs::remove_dir(&dist)?;
    fs::rename(&new, &dist)?;
    fs::write(stamp_file, stamp)?;
    say(&format!("web app: {}", dist.display()));
    Ok(())
}

fn compile(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let profile = if profile.release { "wasm-release" } else { "wasm-dev" };
    let target = workspace.web_target();
    run(workspace
        .cargo(["build", "--package", "unbroken-web", "--lib", "--profile", profile])
        .args(["--target", setup::WASM, "--target-dir"])
        .arg(&target))?;
    Ok(target.join(setup::WASM).join(profile).join("unbroken_web.wasm"))
}

/// The server's build puts a page of its own there while the web app is not built.
fn has_app(dist: &Path) -> bool {
    let is_app = |name: &OsStr| name.to_string_lossy().starts_with("app-");
    fs::read_dir(dist).is_ok_and(|files| files.flatten().any(|file| is_app(&file.file_name())))
}

/// A hash of all that the folder is made from; this program's own age stands for its code.
fn stamp(wasm: &Path, assets: &[assets::Asset], profile: Profile) -> Result<String> {
    let wasm = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let program = fs::metadata(env::current_exe()?)?.modified()?;
    let program = program.duration_since(SystemTime::UNIX_EPOCH)?.as_nanos().to_string();
    let mut parts = vec![wasm, program.into_bytes(), vec![u8::from(profile.release)]];
    for asset in assets {
        parts.push(asset.name.clone().into_bytes());
        parts.push(asset.bytes.clone());
    }
    Ok(parts.iter().map(|part| assets::hash(part)).collect::<Vec<_>>().join("\n"))
}

/// The JavaScript that loads the module, and the module.
fn bind(workspace: &Workspace, wasm: &Path, profile: Profile) -> Result<(Vec<u8>, Vec<u8>)> {
    let folder = workspace.web_target().join("bindgen");
    clear(&folder)?;
    Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // Names of functions: half of the module, of use to nobody who runs it.
        .remove_name_section(profile.release)
        .out_name("app")
        .generate(&folder)
        .context("wasm-bindgen cannot read the web app")?;
    anyhow::ensure!(
        !folder.join("snippets").exists(),
        "a crate of the web app brings JavaScript of its own, which xtask/src/web.rs does not copy"
    );
    Ok((fs::read(folder.join("app.js"))?, fs::read(folder.join("app_bg.wasm"))?))
}

/// An empty folder of this name.
fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
