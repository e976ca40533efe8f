//! `cargo xtask corpus`: the documents that retrieval is measured on, from Debian's packages. Their
//! list is `bench/sources/manifest.json`; the documents themselves are no part of the project.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command::{Workspace, command, output, run, say, succeeds};

/// A document of the list.
pub(crate) struct Listed {
    /// Its place in the folder of documents: package, then file name.
    pub(crate) name: String,
    package: String,
    /// Its place in the package.
    path: String,
    /// Pandoc made it from what is in the package, in the format that its name tells.
    is_made: bool,
    /// Of the document; of what it is made from where pandoc made it, which puts the time into it.
    sha256: String,
}

/// Where the documents are.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("corpus/files")
}

pub(crate) fn listed(workspace: &Workspace) -> Result<Vec<Listed>> {
    let manifest = manifest(workspace)?;
    let files = manifest["files"].as_array().context("the manifest lists no files")?;
    let text = |of: &Value, name: &str| -> Result<String> {
        Ok(of[name].as_str().with_context(|| format!("a file without {name}"))?.to_owned())
    };
    let file = |of: &Value| {
        Ok(Listed {
            name: text(of, "name")?,
            package: text(of, "package")?,
            path: text(of, "path")?,
            is_made: of["made_by"].is_string(),
            sha256: of["sha256"].as_str().unwrap_or_default().to_owned(),
        })
    };
    files.iter().map(file).collect()
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bench/sources/manifest.json")
}

fn manifest(workspace: &Workspace) -> Result<Value> {
    let text = fs::read(place(workspace)).context("cannot read the manifest")?;
    Ok(serde_json::from_slice(&text)?)
}

/// Brings every document that is not there yet, and tells which are not those of the list: Debian
/// publishes newer versions. With `renew` the list is written anew.
pub(crate) fn corpus(workspace: &Workspace, renew: bool) -> Result<()> {
    let (listed, folder) = (listed(workspace)?, folder(workspace));
    let mut missing: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for file in &listed {
        if !folder.join(&file.name).exists() {
            missing.entry(&file.package).or_default().push(file);
        }
    }
    if missing.values().flatten().any(|file| file.is_made) {
        pandoc()?;
    }
    for (package, files) in missing {
        let package = Package::fetch(workspace, package)?;
        files.iter().try_for_each(|file| package.take(file, &folder))?;
    }
    let changed = listed
        .iter()
        .filter(|file| hash(&origin(workspace, file)).is_ok_and(|hash| hash != file.sha256));
    let changed: Vec<_> = changed.map(|file| file.name.as_str()).collect();
    if renew {
        return write(workspace, &listed);
    }
    if let Some(first) = changed.first() {
        say(&format!("{} are not as listed, {first} is the first of them", changed.len()));
    }
    say(&format!("{} documents in {}", listed.len(), folder.display()));
    Ok(())
}

/// A package as it is unpacked; nothing is installed.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn fetch(workspace: &Workspace, name: &str) -> Result<Self> {
        let folder = packages(workspace).join(name);
        if !folder.join("version").exists() {
            fs::create_dir_all(&folder)?;
            run(command("apt-get").args(["download", name]).current_dir(&folder))?;
            let files = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path()));
            let files = files.collect::<Result<Vec<_>>>()?;
            let package = files.iter().find(|path| path.extension().is_some_and(|e| e == "deb"));
            let package = package.with_context(|| format!("apt-get left no {name}"))?;
            run(command("dpkg-deb").arg("-x").arg(package).arg(folder.join("files")))?;
            let version = output(command("dpkg-deb").arg("-f").arg(package).arg("Version"))?;
            fs::remove_file(package)?;
            fs::write(folder.join("version"), version)?;
        }
        Ok(Self { folder })
    }

    fn take(&self, file: &Listed, folder: &Path) -> Result<()> {
        let to = folder.join(&file.name);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        let from = self.folder.join("files").join(&file.path);
        if file.is_made {
            return make(&from, &to);
        }
        let mut bytes = Vec::new();
        let mut source = File::open(&from).with_context(|| format!("no {}", from.display()))?;
        if Path::new(&file.path).extension().is_some_and(|end| end == "gz") {
            MultiGzDecoder::new(source).read_to_end(&mut bytes)?;
        } else {
            source.read_to_end(&mut bytes)?;
        }
        Ok(fs::write(to, bytes)?)
    }
}

fn make(from: &Path, to: &Path) -> Result<()> {
    run(command("pandoc").arg("--quiet").arg(from).arg("-o").arg(to))
}

fn pandoc() -> Result<()> {
    if !succeeds("pandoc", &["--version"]) {
        run(command("apt-get").args(["install", "--yes", "--no-install-recommends", "pandoc"]))?;
    }
    ensure!(succeeds("pandoc", &["--version"]), "there is no pandoc");
    Ok(())
}

/// The file whose hash is in the list.
fn origin(workspace: &Workspace, file: &Listed) -> PathBuf {
    if file.is_made {
        return packages(workspace).join(&file.package).join("files").join(&file.path);
    }
    folder(workspace).join(&file.name)
}

fn packages(workspace: &Workspace) -> PathBuf {
    workspace.target.join("corpus/packages")
}

fn hash(file: &Path) -> Result<String> {
    Ok(hex::encode(Sha256::digest(fs::read(file)?)))
}

/// The list with versions, sizes and hashes of what is there.
fn write(workspace: &Workspace, listed: &[Listed]) -> Result<()> {
    let mut manifest = manifest(workspace)?;
    let files = manifest["files"].as_array_mut().context("the manifest lists no files")?;
    let maker = output(command("dpkg-query").args(["-W", "-f", "pandoc ${Version}", "pandoc"]))?;
    let maker = String::from_utf8_lossy(&maker).into_owned();
    for (file, listed) in files.iter_mut().zip(listed) {
        let origin = origin(workspace, listed);
        let version = packages(workspace).join(&listed.package).join("version");
        file["version"] = json!(fs::read_to_string(version)?.trim());
        file["bytes"] = json!(fs::metadata(&origin)?.len());
        file["sha256"] = json!(hash(&origin)?);
        if listed.is_made {
            file["made_by"] = json!(maker);
        }
    }
    fs::write(place(workspace), serde_json::to_string_pretty(&manifest)? + "\n")?;
    Ok(())
}
