//! The Markdown parser as a module of its own, which the web app loads after its first view.
//!
//! What it is asked and what it answers is in `unbroken_chat_view::markdown`.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;

/// Answers a question of the web app's documents.
#[wasm_bindgen]
pub fn parse(question: &[u8]) -> Vec<u8> {
    unbroken_chat_view::markdown::serve(question)
}
