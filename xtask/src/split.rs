//! The app's module cut into what the first view needs and the chunks that come later, and the
//! script that loads those.
//!
//! Where it is cut is in `crates/web/src/chunks.rs`. A chunk is only of use to the module that it
//! was cut from: both are asked for by names with the hash of their content.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use wasm_split_cli_support::{Options, transform};

use crate::assets::Asset;

/// What loads the chunks. The module imports it by this name.
const LOADER: &str = "./chunks.js";

/// What became of a module.
pub(crate) struct Split {
    /// What the first view needs: for wasm-bindgen.
    pub(crate) first: PathBuf,
    pub(crate) loader: Asset,
    pub(crate) chunks: Vec<Asset>,
}

/// Cuts a module, into an empty folder.
pub(crate) fn split(wasm: &Path, folder: &Path) -> Result<Split> {
    let input = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let first = folder.join("first.wasm");
    let mut options = Options::new(&input);
    options.output_dir = folder;
    options.main_out_path = &first;
    options.link_name = LOADER;
    options.main_module = "{{app.js}}";
    let made = transform(options)
        .map_err(|error| anyhow!("cannot cut {} into chunks: {error:#}", wasm.display()))?;

    let mut script = fs::read_to_string(folder.join(LOADER))?;
    let mut chunks = Vec::new();
    for file in made.split_modules {
        let name = file.file_name().context("a chunk is a file")?.to_string_lossy().into_owned();
        script = with_address(&script, &format!("./{name}"), &name)?;
        chunks.push(Asset { bytes: fs::read(&file)?, name });
    }
    chunks.sort_by(|a, b| a.name.cmp(&b.name));
    let loader = Asset { name: "chunks.js".to_owned(), bytes: script.into_bytes() };
    Ok(Split { first, loader, chunks })
}

/// The JavaScript that wasm-bindgen wrote, with the loader's address in its import.
pub(crate) fn importing(glue: &Asset) -> Result<Asset> {
    let script = std::str::from_utf8(&glue.bytes)?;
    // The name by which the module imports it stays.
    let (import, name) = (format!("from \"{LOADER}\""), "from \"{{chunks.js}}\"");
    ensure!(script.contains(&import), "{} does not import {LOADER}", glue.name);
    Ok(Asset { name: glue.name.clone(), bytes: script.replace(&import, name).into_bytes() })
}

fn with_address(script: &str, path: &str, name: &str) -> Result<String> {
    let quoted = format!("\"{path}\"");
    ensure!(script.contains(&quoted), "nothing loads {path}");
    Ok(script.replace(&quoted, &format!("\"{{{{{name}}}}}\"")))
}
