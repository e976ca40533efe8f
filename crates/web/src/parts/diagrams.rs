//! Diagrams: the pictures of `mermaid` blocks, drawn once they have settled and are near the window.
//! Until a picture is there, and where there is none, the block is code like any other.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::prose::create;
use crate::words;

/// A longer source stays code, in bytes: so the module wants it.
const LONGEST: usize = 20 * 1024;

pub(super) fn is_diagram(figure: &Element) -> bool {
    figure.get_attribute("data-lang").as_deref() == Some("mermaid")
}

/// Draws the diagram of a block that has none yet.
pub(super) fn draw(figure: Element) {
    let code = figure.query_selector("code").ok().flatten();
    let source = code.and_then(|code| code.text_content()).unwrap_or_default();
    if source.len() > LONGEST || figure.matches(".asked").unwrap_or(true) {
        return;
    }
    let _ = figure.class_list().toggle("asked");
    spawn_local(async move {
        match pictures(&source).await {
            Ok(Some(pictures)) => show(&figure, &source, &pictures),
            Ok(None) => say(&figure, words::diagram_too_slow()),
            // The network fails: when it comes by again it is asked for again.
            Err(_) => drop(figure.class_list().toggle("asked")),
        }
    });
}

/// The pictures, from `drawing.js`, whose address `boot.js` has; `None` when it took too long. Asked
/// for by name: bindings would be in the script of the first view.
async fn pictures(source: &str) -> Result<Option<Array>, JsValue> {
    let draw: Function = Reflect::get(&window(), &"drawDiagram".into())?.unchecked_into();
    let drawn: Promise = draw.call1(&JsValue::NULL, &source.into())?.unchecked_into();
    Ok(JsFuture::from(drawn).await?.dyn_into().ok())
}

/// Puts the picture in the place of the code, and a button that changes them.
fn show(figure: &Element, source: &str, pictures: &Array) {
    let (Some(head), 2) = (figure.first_element_child(), pictures.length()) else { return };
    let frame = create("div", "diagram");
    let _ = frame.set_attribute("tabindex", "0");
    for (scheme, address) in ["light", "dark"].into_iter().zip(pictures.iter()) {
        let picture = create("img", scheme);
        let _ = picture.set_attribute("alt", &words::diagram_of(kind(source)));
        let _ = picture.set_attribute("src", &address.as_string().unwrap_or_default());
        let _ = frame.append_child(&picture);
    }
    let button = create("button", "");
    let _ = button.set_attribute("type", "button");
    let _ = button.set_attribute("data-action", "source");
    button.set_text_content(Some(words::show_source()));
    let _ = head.insert_before(&button, head.query_selector("button").ok().flatten().as_deref());
    let _ = figure.insert_before(&frame, head.next_element_sibling().as_deref());
    let _ = figure.class_list().add_1("drawn");
}

/// Says above the code why it is no picture.
fn say(figure: &Element, sentence: &str) {
    let note = create("p", "diagram-note");
    note.set_text_content(Some(sentence));
    let _ = figure.query_selector("pre").ok().flatten().map(|code| code.before_with_node_1(&note));
}

/// What the source says first: its kind, or its title.
fn kind(source: &str) -> &str {
    let is_said = |line: &&str| !(line.is_empty() || *line == "---" || line.starts_with("%%"));
    source.lines().map(str::trim).find(is_said).unwrap_or_default()
}
