//! The views of the web app: Leptos, rendered in the browser.
//!
//! Here is what touches the page. What the app knows and decides is in `unbroken-chat-view`; how
//! it stays connected is in `unbroken-client`.

#![cfg(target_arch = "wasm32")]
#![expect(unreachable_pub, reason = "the macro of components writes a bare `pub`")]

mod actions;
mod address;
mod again;
mod app;
mod attaching;
mod calls;
mod chunks;
mod conversation;
mod dom;
mod editing;
mod facts;
mod files;
mod instructions;
mod keep;
mod library;
mod moves;
mod notify;
mod outbox;
mod own;
mod pages;
mod parser;
mod parts;
mod prompts;
mod rehearsal;
mod sending;
mod session;
mod state;
mod words;
mod writing;

use wasm_bindgen::prelude::wasm_bindgen;

/// Puts the app into the page.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    words::speak();
    leptos::mount::mount_to_body(app::Root);
}
