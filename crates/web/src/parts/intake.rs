//! What comes from elsewhere: files that are dropped or pasted, and long pieces of text.

use leptos::ev::{self, ClipboardEvent, DragEvent};
use leptos::prelude::*;
use unbroken_chat_view::insert::{self, block, gap_before};
use web_sys::{DataTransfer, HtmlTextAreaElement};

use crate::dom;
use crate::state::App;

/// Keeps the browser from opening files that are dropped: it would leave the app.
pub(crate) fn guard() {
    window_event_listener(ev::dragover, |event| keep(&event));
    window_event_listener(ev::drop, |event| keep(&event));
}

fn keep(event: &DragEvent) {
    if has_files(event) {
        event.prevent_default();
    }
}

fn has_files(event: &DragEvent) -> bool {
    let transfer: Option<DataTransfer> = event.data_transfer();
    transfer.is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Takes files that are dropped anywhere on the page. The signal tells that some hover over it.
pub(crate) fn dropping(app: App) -> RwSignal<bool> {
    let over = RwSignal::new(false);
    let listeners = [
        window_event_listener(ev::dragover, move |event| {
            if has_files(&event) {
                over.set(true);
            }
        }),
        window_event_listener(ev::dragleave, move |event| {
            // Out of the window, not from one part of the page to the next.
            if event.related_target().is_none() {
                over.set(false);
            }
        }),
        window_event_listener(ev::drop, move |event| {
            over.set(false);
            let files = || event.data_transfer().and_then(|data| data.files());
            if has_files(&event)
                && let Some(files) = files()
            {
                app.attach(&files);
            }
        }),
    ];
    on_cleanup(move || {
        for listener in listeners {
            listener.remove();
        }
    });
    over
}

/// A paste: files go along with the message, and a long text becomes a block, as one step that
/// Ctrl+Z undoes.
pub(crate) fn pasted(app: App, field: &HtmlTextAreaElement, event: &ClipboardEvent) {
    let Some(data) = event.clipboard_data() else { return };
    let text = data.get_data("text/plain").unwrap_or_default();
    if text.is_empty() {
        if let Some(files) = data.files().filter(|files| files.length() > 0) {
            event.prevent_default();
            app.attach(&files);
        }
        return;
    }
    let letters = text.encode_utf16().count();
    if (insert::LONG_PASTE + 1..=insert::LONGEST_PASTE).contains(&letters)
        && put(field, &block(&text))
    {
        event.prevent_default();
    }
}

/// Puts a block where the caret is. `false` when the browser cannot do so as one step of editing.
fn put(field: &HtmlTextAreaElement, block: &str) -> bool {
    let text = field.value();
    let caret = field.selection_start().ok().flatten().unwrap_or_default();
    let before: Vec<u16> = text.encode_utf16().take(caret as usize).collect();
    let before = String::from_utf16_lossy(&before);
    dom::insert_text(field, &format!("{}{block}", gap_before(&before)))
}
