//! The files of the web app: names with the hash of their content, so that browsers may keep them
//! for ever, and compressed forms beside them.
//!
//! `{{app.css}}` in `index.html`, or in a script, becomes the address of that file. Only what is asked
//! for by a fixed address keeps its name. The style sheets in `css/` become one file, `app.css`, in the order
//! of their names, and those in `css/later/` another, `later.css`, which comes after the first view.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use unbroken_fluent::Compiled;

/// Images and fonts are compressed already.
const COMPRESSIBLE: [&str; 8] = ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// What browsers ask for by name: the page, what installs it, and the service worker.
const NAMED: [&str; 3] = ["index.html", "manifest.webmanifest", "worker.js"];

/// A file below `crates/web/assets`, by its path with `/`; or one that a build made.
#[derive(Clone)]
pub(crate) struct Asset {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// All files of a folder in the order of their names.
pub(crate) fn read(folder: &Path) -> Result<Vec<Asset>> {
    let mut assets = Vec::new();
    read_into(&mut assets, folder, "")
        .with_context(|| format!("cannot read {}", folder.display()))?;
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(assets)
}

fn read_into(assets: &mut Vec<Asset>, folder: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_into(assets, &entry.path(), &format!("{name}/"))?;
        } else {
            assets.push(Asset { name, bytes: fs::read(entry.path())? });
        }
    }
    Ok(())
}

/// The texts of each language but English, which is in the app.
pub(crate) fn texts(folder: &Path) -> Result<Vec<Asset>> {
    let asset = |(language, table): (String, String)| Asset {
        name: format!("texts-{language}.txt"),
        bytes: table.into_bytes(),
    };
    Ok(compile(folder)?.tables.into_iter().map(asset).collect())
}

/// Compiles the languages of a folder.
pub(crate) fn compile(folder: &Path) -> Result<Compiled> {
    let sources = unbroken_fluent::read(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?;
    unbroken_fluent::compile(&sources).map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        anyhow!("{}", faults.join("\n"))
    })
}

/// The first 40 bits of a SHA-256, in hexadecimal. The first view names all chunks, and no
/// compression makes a hash shorter.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..5].iter().fold(String::new(), |mut hash, byte| {
        write!(hash, "{byte:02x}").expect("a String takes everything");
        hash
    })
}

fn hashed(name: &str, hash: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{hash}.{extension}"),
        None => format!("{name}-{hash}"),
    }
}

/// A folder of the web app in the making.
pub(crate) struct Dist<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) compress: bool,
}

impl Dist<'_> {
    pub(crate) fn write(&self, assets: Vec<Asset>, modules: &[Asset]) -> Result<()> {
        let mut files = Addresses::default();
        let (mut css, mut scripts, mut pages) = (Vec::new(), Vec::new(), Vec::new());
        let (glue, modules): (Vec<_>, Vec<_>) =
            modules.iter().partition(|m| matches!(m.name.rsplit_once('.'), Some((_, "js"))));
        for module in modules {
            self.write_hashed(&mut files, &module.name, &module.bytes)?;
        }
        self.write_together(&mut files, &glue)?;
        for asset in assets {
            match asset.name.rsplit_once('.') {
                _ if NAMED.contains(&asset.name.as_str()) => pages.push(asset),
                Some((name, "css")) if name.starts_with("css/") => css.push(asset),
                Some((_, "js")) => scripts.push(asset),
                _ => self.write_hashed(&mut files, &asset.name, &asset.bytes)?,
            }
        }
        let (later, first): (Vec<_>, Vec<_>) =
            css.iter().partition(|asset| asset.name.starts_with("css/later/"));
        for (name, sheets) in [("app.css", first), ("later.css", later)] {
            let mut sheet = Vec::new();
            for asset in sheets {
                sheet.extend(files.fill(asset)?);
                sheet.push(b'\n');
            }
            self.write_hashed(&mut files, name, &sheet)?;
        }
        // The first script names the others.
        scripts.sort_by_key(|script| script.name == "boot.js");
        for script in &scripts {
            let bytes = files.fill(script)?;
            self.write_hashed(&mut files, &script.name, &bytes)?;
        }
        for page in &pages {
            self.write_file(&page.name, &files.fill(page)?)?;
        }
        Ok(())
    }

    fn write_hashed(&self, files: &mut Addresses, name: &str, bytes: &[u8]) -> Result<()> {
        let hashed = hashed(name, &hash(bytes));
        self.write_file(&hashed, bytes)?;
        files.addresses.insert(name.to_owned(), format!("/{hashed}"));
        Ok(())
    }

    /// Scripts that may ask for each other: one hash, of all that is in them, is in all their names.
    fn write_together(&self, files: &mut Addresses, scripts: &[&Asset]) -> Result<()> {
        let all = scripts.iter().map(|script| script.bytes.as_slice());
        let all: Vec<_> = all.chain(files.addresses.values().map(String::as_bytes)).collect();
        let hash = hash(&all.concat());
        let hashed = |name: &str| hashed(name, &hash);
        let addresses = scripts.iter().map(|s| (s.name.clone(), format!("/{}", hashed(&s.name))));
        files.addresses.extend(addresses);
        for script in scripts {
            self.write_file(&hashed(&script.name), &files.fill(script)?)?;
        }
        Ok(())
    }

    fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let bytes: Cow<'_, [u8]> = match extension {
            Some("css" | "js") if self.compress => bare_lines(bytes)?.into(),
            _ => bytes.into(),
        };
        // Nearly nobody takes a module that is not compressed, and the server can unpack it.
        if !(self.compress && extension == Some("wasm")) {
            fs::write(&path, &bytes)?;
        }
        if self.compress && extension.is_some_and(|e| COMPRESSIBLE.contains(&e)) {
            fs::write(self.folder.join(format!("{name}.br")), brotli(&bytes)?)?;
            fs::write(self.folder.join(format!("{name}.gz")), gzip(&bytes)?)?;
        }
        Ok(())
    }
}

/// Where the files are by the names that they had.
#[derive(Default)]
struct Addresses {
    addresses: BTreeMap<String, String>,
}

impl Addresses {
    /// A text with addresses in place of `{{name}}`.
    fn fill(&self, asset: &Asset) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(&asset.bytes)
            .with_context(|| format!("{} is not UTF-8", asset.name))?;
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            let Some(address) = self.addresses.get(name) else {
                bail!("{} asks for {{{{{name}}}}}, and there is no such file", asset.name);
            };
            filled.push_str(before);
            filled.push_str(address);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled.into_bytes())
    }
}

/// A script or a style sheet without what only its readers need: lines of comment and indentation.
/// Neither may stand in a template that goes over several lines.
fn bare_lines(bytes: &[u8]) -> Result<Vec<u8>> {
    let (mut bare, mut in_comment) = (String::with_capacity(bytes.len()), false);
    for line in std::str::from_utf8(bytes)?.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        if !in_comment && !line.is_empty() && !line.starts_with("//") {
            bare.push_str(line);
            bare.push('\n');
        }
        in_comment &= !line.ends_with("*/");
    }
    Ok(bare.into_bytes())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let (mut input, mut compressed) = (bytes, Vec::new());
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        // In larger blocks much the same module may be 2 % larger, by chance.
        lgblock: 16,
        size_hint: bytes.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut input, &mut compressed, &params)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(name: &str, text: &str) -> Asset {
        Asset { name: name.into(), bytes: text.into() }
    }

    fn files(folder: &Path) -> BTreeMap<String, String> {
        let files = read(folder).expect("the folder is there");
        files.into_iter().map(|f| (f.name, String::from_utf8_lossy(&f.bytes).into())).collect()
    }

    #[test]
    fn addresses_lead_to_files_with_hashed_names() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let dist = Dist { folder: folder.path(), compress: true };
        let assets = vec![
            asset("boot.js", r#"import("{{app.js}}", "{{app.wasm}}")"#),
            asset("css/00-a.css", "a {}"),
            asset("css/10-b.css", "b { background: url({{icons/i.svg}}) }"),
            asset("icons/i.svg", "<svg/>"),
            asset("index.html", "{{boot.js}} {{app.css}}"),
        ];
        let modules = [asset("app.js", "glue"), asset("app.wasm", "wasm")];
        dist.write(assets, &modules).expect("it can be written");

        let files = files(folder.path());
        let find = |start: &str, end: &str| {
            let mut names = files.keys().filter(|n| n.starts_with(start) && n.ends_with(end));
            names.next().unwrap_or_else(|| panic!("{start}…{end} is missing")).clone()
        };
        let (boot, css, icon) =
            (find("boot-", ".js"), find("app-", ".css"), find("icons/i-", ".svg"));
        assert_eq!(files["index.html"], format!("/{boot} /{css}"));
        assert_eq!(files[&css], format!("a {{}}\nb {{ background: url(/{icon}) }}\n"));
        let (js, packed) = (find("app-", ".js"), find("app-", ".wasm.br"));
        let wasm = packed.strip_suffix(".br").expect("it was looked for");
        assert_eq!(files[&boot], format!("import(\"/{js}\", \"/{wasm}\")\n"));
        assert!(files.contains_key("index.html.gz") && files.contains_key(&format!("{wasm}.gz")));
        assert!(!files.contains_key(wasm), "{files:?}");
    }

    #[test]
    fn scripts_that_import_each_other_have_names_that_change_with_either() {
        let names = |app: &str, loader: &str| {
            let folder = tempfile::tempdir().expect("there is a folder for temporary files");
            let dist = Dist { folder: folder.path(), compress: false };
            let modules = [asset("app.js", app), asset("chunks.js", loader)];
            dist.write(vec![], &modules).expect("it can be written");
            files(folder.path())
        };
        let (app, loader) = (r#"from "{{chunks.js}}""#, r#"from "{{app.js}}""#);
        let first = names(app, loader);
        let find = |start: &str| {
            let mut found = first.iter().filter(|(name, _)| name.starts_with(start));
            found.next().expect("it is written")
        };
        let ((app_name, app_text), (loader_name, loader_text)) = (find("app-"), find("chunks-"));
        assert_eq!(app_text, &format!(r#"from "/{loader_name}""#));
        assert_eq!(loader_text, &format!(r#"from "/{app_name}""#));
        let changed = names(app, &format!("{loader} "));
        assert!(!changed.contains_key(app_name) && !changed.contains_key(loader_name));
    }

    #[test]
    fn who_runs_a_script_gets_no_comments() {
        let script =
            "// Why.\n/** What\n * it does */\nconst a = {\n  b: 1, // so\n};\n\n/* c */\nf();\n";
        let bare = bare_lines(script.as_bytes()).expect("it is a text");
        assert_eq!(String::from_utf8_lossy(&bare), "const a = {\nb: 1, // so\n};\nf();\n");
    }

    #[test]
    fn an_address_that_leads_nowhere_is_an_error() {
        let error = Addresses::default().fill(&asset("index.html", "{{none.png}}"));
        let message = error.expect_err("there is no such file").to_string();
        assert_eq!(message, "index.html asks for {{none.png}}, and there is no such file");
    }
}
