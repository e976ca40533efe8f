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
use wasm_encoder::{Module, RawSection, SectionId};
use wasm_split_cli_support::{Options, transform};
use wasmparser::Parser;

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

/// The same module without names and notes of the compiler, which nobody who runs it needs.
pub(crate) fn bare(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Some((id, range)) = payload?.as_section()
            && id != SectionId::Custom as u8
        {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    Ok(module.finish())
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{CustomSection, MemorySection, MemoryType};

    use super::*;

    #[test]
    fn a_bare_module_is_the_module_without_its_custom_sections() {
        let mut memory = MemorySection::new();
        let (minimum, maximum, page_size_log2) = (1, None, None);
        memory.memory(MemoryType {
            minimum,
            maximum,
            memory64: false,
            shared: false,
            page_size_log2,
        });
        let mut plain = Module::new();
        plain.section(&memory);
        let mut named = Module::new();
        named
            .section(&memory)
            .section(&CustomSection { name: "name".into(), data: b"x"[..].into() });
        assert_eq!(bare(&named.finish()).expect("it is a module"), plain.finish());
    }

    #[test]
    fn only_the_address_of_the_loader_changes_in_what_imports_it() {
        let script = r#"import * as a from "./chunks.js"; imports = { "./chunks.js": a };"#;
        let glue = Asset { name: "app.js".into(), bytes: script.into() };
        let made = importing(&glue).expect("it imports the loader");
        let expected = r#"import * as a from "{{chunks.js}}"; imports = { "./chunks.js": a };"#;
        assert_eq!(String::from_utf8_lossy(&made.bytes), expected);
        assert!(importing(&Asset { name: "app.js".into(), bytes: vec![] }).is_err());
    }
}
