//! The Markdown parser as a module of its own, which the web app loads after its first view.
//!
//! What it is asked and what it answers is in `unbroken_chat_view::markdown`.

#![cfg(target_arch = "wasm32")]

use unbroken_chat_view::language::{Language, Rules};
use wasm_bindgen::prelude::wasm_bindgen;

/// Runs while nobody waits for the parser yet.
#[wasm_bindgen(start)]
pub fn start() {
    unbroken_chat_view::markdown::warm_up();
}

/// Answers a question of the web app's documents.
#[wasm_bindgen]
pub fn parse(question: &[u8]) -> Vec<u8> {
    unbroken_chat_view::markdown::serve(question)
}

/// Labels are in the language of this table from now on. It counts nothing but footnotes and
/// sources, so digits will do.
#[wasm_bindgen]
pub fn speak(table: String) {
    if let Some(language) = Language::read(table.leak(), Rules::default()) {
        language.speak();
    }
}
