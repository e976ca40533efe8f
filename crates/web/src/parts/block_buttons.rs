//! The buttons inside of Markdown: Copy and Wrap of code, Show source of a diagram, Copy as CSV of a
//! table.

use leptos::ev::MouseEvent;
use leptos::task::spawn_local;
use unbroken_chat_view::csv::csv;
use wasm_bindgen::JsCast;
use web_sys::{Element, NodeList};

use super::message::COPIED_FOR;
use crate::state::App;
use crate::{dom, words};

/// Does what a pressed button says, if it was one of them.
pub(crate) fn on_click(app: App, event: &MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-action]").ok().flatten())
    else {
        return;
    };
    let Ok(Some(block)) = button.closest("figure, .table-frame") else { return };
    match button.get_attribute("data-action").as_deref() {
        Some("wrap") => {
            let wrapped = block.class_list().toggle("wrapped").unwrap_or(false);
            let _ = button.set_attribute("aria-pressed", &wrapped.to_string());
        }
        Some("copy") => {
            let code = block.query_selector("code").ok().flatten();
            copy(
                app,
                button,
                code.and_then(|code| code.text_content()).unwrap_or_default(),
                words::copy(),
            );
        }
        Some("source") => {
            let drawn = block.class_list().toggle("drawn").unwrap_or(false);
            let other = if drawn { words::show_source() } else { words::show_diagram() };
            button.set_text_content(Some(other));
        }
        Some("csv") => copy(app, button, table(&block), words::copy_csv()),
        _ => {}
    }
}

fn copy(app: App, button: Element, text: String, name: &'static str) {
    spawn_local(async move {
        if dom::copy(&text).await {
            button.set_text_content(Some(words::copied()));
            dom::sleep(COPIED_FOR).await;
            button.set_text_content(Some(name));
        } else {
            app.toast(words::not_copied().to_owned(), None);
        }
    });
}

fn table(frame: &Element) -> String {
    let rows = all(frame.query_selector_all("tr").ok());
    let row = |row: Element| all(row.query_selector_all("th, td").ok()).map(|e| cell(&e)).collect();
    csv(&rows.map(row).collect::<Vec<_>>())
}

/// What a cell says, with formulas as they were written.
fn cell(cell: &Element) -> String {
    let Ok(Ok(copy)) = cell.clone_node_with_deep(true).map(JsCast::dyn_into::<Element>) else {
        return String::new();
    };
    for formula in all(copy.query_selector_all("[data-tex]").ok()) {
        formula.set_text_content(formula.get_attribute("data-tex").as_deref());
    }
    for end in all(copy.query_selector_all("br").ok()) {
        end.set_text_content(Some("\n"));
    }

    copy.text_content().unwrap_or_default().trim().to_owned()
}

fn all(found: Option<NodeList>) -> impl Iterator<Item = Element> {
    let item = |found: &NodeList, at| found.item(at)?.dyn_into().ok();
    let count = found.as_ref().map_or(0, NodeList::length);
    (0..count).filter_map(move |at| item(found.as_ref()?, at))
}
