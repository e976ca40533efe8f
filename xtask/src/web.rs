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
    assets::{self, Asset, Dist},
    command::{Workspace, run, say},
    order, setup, split,
};

pub(crate) fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    setup::wasm_target()?;
    let app = compile(workspace, profile, "wasm-release", "unbroken-web")?;
    // By itself: together with the app it would lend the app its features.
    let markdown = compile(workspace, profile, "wasm-release-fast", "unbroken-markdown")?;
    let diagrams = compile(workspace, profile, "wasm-release", "unbroken-diagrams")?;
    // Two builds at the same time would take each other's files away.
    let lock = fs::File::create(workspace.target.join("web-dist.lock"))?;
    lock.lock()?;
    let mut assets = assets::read(&workspace.root.join("crates/web/assets"))?;
    assets.extend(assets::texts(&workspace.root.join("crates/chat-view/locales"))?);

    let stamp = stamp(&[&app, &markdown, &diagrams], &assets, profile)?;
    let stamp_file = workspace.target.join("web-dist.stamp");
    let dist = workspace.web_dist();
    if has_app(&dist) && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        say("the web app is up to date");
        return check_size(&dist, profile);
    }

    say("web app: wasm-bindgen");
    let mut modules = bind_app(workspace, &app, profile)?;
    modules.extend(bind(workspace, &markdown, profile, "markdown")?);
    modules.extend(bind(workspace, &diagrams, profile, "diagrams")?);
    if profile.release {
        say("web app: compress");
    }
    let new = workspace.target.join("web-dist.new");
    clear(&new)?;
    let made = Dist { folder: &new, compress: profile.release };
    made.write(assets, &modules)?;
    check_size(&new, profile)?;
    // Without its stamp a folder that is only half exchanged is built anew next time.
    clear(&dist)?;
    fs::remove_dir(&dist)?;
    fs::rename(&new, &dist)?;
    fs::write(stamp_file, stamp)?;
    say(&format!("web app: {}", dist.display()));
    Ok(())
}

/// What a browser loads to show the first page, compressed, is at most this many bytes.
const FIRST_VIEW: u64 = 300_000;
/// Files that it loads after that.
const LATER: [&str; 9] = [
    "later-",
    "markdown-",
    "diagrams-",
    "drawing-",
    "split_",
    "chunk_",
    "texts-",
    "worker.",
    "manifest.",
];

/// Says how large the first view is, and fails when it has grown too large.
fn check_size(dist: &Path, profile: Profile) -> Result<()> {
    if !profile.release {
        return Ok(());
    }
    let mut size = 0;
    for file in fs::read_dir(dist)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        let compressed = file.path().extension().is_some_and(|extension| extension == "br");
        if compressed && !LATER.iter().any(|later| name.starts_with(later)) {
            size += file.metadata()?.len();
        }
    }
    say(&format!("web app: the first view is {size} bytes of at most {FIRST_VIEW}"));
    anyhow::ensure!(
        size <= FIRST_VIEW,
        "the first view of the web app is {size} bytes, more than {FIRST_VIEW}"
    );
    Ok(())
}

fn compile(
    workspace: &Workspace,
    profile: Profile,
    release: &str,
    package: &str,
) -> Result<PathBuf> {
    let profile = if profile.release { release } else { "wasm-dev" };
    let target = workspace.web_target();
    run(workspace
        .cargo(["build", "--package", package, "--lib", "--profile", profile])
        .args(["--target", setup::WASM, "--target-dir"])
        .arg(&target))?;
    let file = target.join(setup::WASM).join(profile).join(package.replace('-', "_"));
    Ok(file.with_extension("wasm"))
}

/// The server's build puts a page of its own there while the web app is not built.
fn has_app(dist: &Path) -> bool {
    let is_app = |name: &OsStr| name.to_string_lossy().starts_with("app-");
    fs::read_dir(dist).is_ok_and(|files| files.flatten().any(|file| is_app(&file.file_name())))
}

/// A hash of all that the folder is made from; this program's own age stands for its code.
fn stamp(modules: &[&Path], assets: &[Asset], profile: Profile) -> Result<String> {
    let program = fs::metadata(env::current_exe()?)?.modified()?;
    let program = program.duration_since(SystemTime::UNIX_EPOCH)?.as_nanos().to_string();
    let mut parts = vec![program.into_bytes(), vec![u8::from(profile.release)]];
    for module in modules {
        parts.push(fs::read(module).with_context(|| format!("cannot read {}", module.display()))?);
    }
    for asset in assets {
        parts.push(asset.name.clone().into_bytes());
        parts.push(asset.bytes.clone());
    }
    Ok(parts.iter().map(|part| assets::hash(part)).collect::<Vec<_>>().join("\n"))
}

/// The JavaScript that loads the module, and the module.
fn bind(workspace: &Workspace, wasm: &Path, profile: Profile, name: &str) -> Result<[Asset; 2]> {
    let folder = workspace.web_target().join("bindgen");
    clear(&folder)?;
    Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // Names of functions: half of the module, of use to nobody who runs it.
        .remove_name_section(profile.release)
        // The app's chunks import what the linker exported.
        .keep_lld_exports(name == "app")
        .out_name(name)
        .generate(&folder)
        .with_context(|| format!("wasm-bindgen cannot read {}", wasm.display()))?;
    anyhow::ensure!(
        !folder.join("snippets").exists(),
        "a crate of the web app brings JavaScript of its own, which xtask/src/web.rs does not copy"
    );
    let glue = fs::read(folder.join(format!("{name}.js")))?;
    let mut wasm = fs::read(folder.join(format!("{name}_bg.wasm")))?;
    if profile.release {
        wasm = order::by_likeness(&wasm)?;
    }
    let asset = |kind: &str, bytes| Asset { name: format!("{name}.{kind}"), bytes };
    Ok([asset("js", glue), asset("wasm", wasm)])
}

/// The app's JavaScript and module, what loads its chunks, and those.
fn bind_app(workspace: &Workspace, wasm: &Path, profile: Profile) -> Result<Vec<Asset>> {
    let folder = workspace.web_target().join("split");
    clear(&folder)?;
    let mut split = split::split(wasm, &folder)?;
    if profile.release {
        for chunk in &mut split.chunks {
            chunk.bytes = order::by_likeness(&split::bare(&chunk.bytes)?)?;
        }
    }
    let [glue, first] = bind(workspace, &split.first, profile, "app")?;
    let mut made = vec![split::importing(&glue)?, first, split.loader];
    made.append(&mut split.chunks);
    Ok(made)
}

/// An empty folder of this name.
fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
