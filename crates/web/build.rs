//! What linking the web app needs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // `cargo xtask web` cuts the module into chunks by what refers to what.
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--emit-relocs");
    }
}
