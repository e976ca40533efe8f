//! Compiles the texts of `locales/`, so that a language that lacks one does not build.

use std::path::Path;
use std::{env, fs};

use unbroken_fluent::{compile, read};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    let sources = read(Path::new("locales")).expect("the folder locales can be read");
    let compiled = compile(&sources).unwrap_or_else(|faults| {
        for fault in faults {
            println!("cargo::error=locales/{fault}");
        }
        std::process::exit(1);
    });
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: String| {
        fs::write(Path::new(&out).join(name), text).expect("OUT_DIR can be written");
    };
    write("messages.rs", compiled.functions);
    write("places.rs", compiled.places);
}
