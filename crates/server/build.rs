//! Finds the built web app that `src/assets.rs` embeds: the folder `UNBROKEN_WEB_DIST`, or
//! `web-dist` in the target folder.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Unbroken</title>
<p>the web app is not built: run cargo xtask build</p>
</html>
";

fn main() {
    println!("cargo::rerun-if-env-changed=UNBROKEN_WEB_DIST");
    let given = env::var_os("UNBROKEN_WEB_DIST").filter(|folder| !folder.is_empty());
    let folder = given.map_or_else(|| target_folder().join("web-dist"), PathBuf::from);
    if !folder.join("index.html").exists() {
        put_placeholder(&folder)
            .unwrap_or_else(|e| panic!("cannot write {}/index.html: {e}", folder.display()));
    }
    let folder = fs::canonicalize(&folder).expect("the folder exists");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rustc-env=UNBROKEN_WEB_DIST={}", folder.display());
}

/// `OUT_DIR` is `<target>/[<triple>/]<profile>/build/…`.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let triple = env::var_os("TARGET").expect("cargo sets TARGET");
    let build = out.ancestors().find(|folder| folder.ends_with("build"));
    let above = build.and_then(Path::parent).and_then(Path::parent).expect("OUT_DIR is in target");
    let above =
        if above.ends_with(triple) { above.parent().expect("it has a name") } else { above };
    above.to_owned()
}

/// What is served until the web app is built; so `cargo build` alone works.
fn put_placeholder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let index = folder.join("index.html");
    fs::write(&index, PLACEHOLDER)?;
    // Old, or cargo would find them changed since this script began, and build again next time.
    for path in [index.as_path(), folder] {
        File::open(path)?.set_modified(SystemTime::UNIX_EPOCH)?;
    }
    Ok(())
}
