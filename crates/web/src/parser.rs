//! Loads the Markdown parser: the first view does without, and answers show their text as it was
//! written until it is there.

use std::cell::RefCell;

use js_sys::{Function, Uint8Array};
use unbroken_chat_view::markdown::use_parser;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::dom;
use crate::state::App;
use crate::writing::{FIRST_WAIT, LONGEST_WAIT};

#[wasm_bindgen]
extern "C" {
    /// The module's function, from `boot.js`, where its address is.
    #[wasm_bindgen(catch, js_name = loadMarkdown)]
    async fn load_markdown(attempt: u32) -> Result<JsValue, JsValue>;
}

thread_local! {
    static PARSE: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Loads it, and tries again while the network fails.
pub(crate) async fn load(app: App) {
    let (mut attempt, mut wait) = (0, FIRST_WAIT);
    let parse = loop {
        match load_markdown(attempt).await {
            Ok(parse) => break parse,
            Err(_) => dom::sleep(wait).await,
        }
        attempt += 1;
        wait = (wait * 2).min(LONGEST_WAIT);
    };
    PARSE.set(Some(parse.unchecked_into()));
    use_parser(ask);
    app.open.show_all_again();
}

/// Asks the module, when it is there.
pub(crate) fn ask(question: &[u8]) -> Option<Vec<u8>> {
    let parse = PARSE.with_borrow(Clone::clone)?;
    let answer = parse.call1(&JsValue::NULL, &Uint8Array::from(question)).ok()?;
    Some(answer.unchecked_into::<Uint8Array>().to_vec())
}
