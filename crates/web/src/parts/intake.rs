//! Text that comes from elsewhere: files that are dropped or pasted, and long pieces of text.

use leptos::ev::{self, ClipboardEvent, DragEvent};
use leptos::html::Textarea;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::insert::{self, block, gap_before};
use unbroken_protocol::limits;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileList, HtmlTextAreaElement};

use crate::state::App;
use crate::{dom, words};

/// Takes files that are dropped anywhere on the page: a browser would open them and leave the app.
/// The signal tells that some hover over it.
pub(crate) fn dropping(app: App, field: NodeRef<Textarea>) -> RwSignal<bool> {
    let over = RwSignal::new(false);
    let has_files = |event: &DragEvent| {
        let transfer: Option<DataTransfer> = event.data_transfer();
        transfer.is_some_and(|data| data.types().includes(&"Files".into(), 0))
    };
    let listeners = [
        window_event_listener(ev::dragover, move |event| {
            if has_files(&event) {
                event.prevent_default();
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
            if has_files(&event) {
                event.prevent_default();
                let files = event.data_transfer().and_then(|data| data.files());
                if let (Some(files), Some(field)) = (files, field.get_untracked()) {
                    take(app, field, &files);
                }
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

/// A paste: files become blocks, and so does a long text, as one step that Ctrl+Z undoes.
pub(crate) fn pasted(app: App, field: &HtmlTextAreaElement, event: &ClipboardEvent) {
    let Some(data) = event.clipboard_data() else { return };
    let text = data.get_data("text/plain").unwrap_or_default();
    if text.is_empty() {
        if let Some(files) = data.files().filter(|files| files.length() > 0) {
            event.prevent_default();
            take(app, field.clone(), &files);
        }
        return;
    }
    let letters = text.encode_utf16().count();
    if (insert::LONG_PASTE + 1..=insert::LONGEST_PASTE).contains(&letters)
        && put(field, &block("", "", &text))
    {
        event.prevent_default();
    }
}

fn take(app: App, field: HtmlTextAreaElement, files: &FileList) {
    let files: Vec<File> = (0..files.length()).filter_map(|at| files.get(at)).collect();
    spawn_local(async move {
        let mut refused = Vec::new();
        for file in files {
            match read(app, &file).await {
                Ok(block) if put(&field, &block) => {}
                Ok(block) => {
                    let draft = app.writing.composer.read_untracked().draft().to_owned();
                    app.edit_draft(&format!("{draft}{}{block}", gap_before(&draft)));
                }
                Err(sentence) => refused.push(sentence),
            }
        }
        if !refused.is_empty() {
            app.complain(Some(refused.join(" ")));
        }
    });
}

/// A file as a block, or why not.
async fn read(app: App, file: &File) -> Result<String, String> {
    let name = file.name();
    let language = insert::language(&name, &file.type_());
    let language = language.ok_or_else(|| words::not_text(&name))?;
    #[expect(clippy::cast_precision_loss, reason = "the limit is far below 2^53")]
    let limit = limits::MESSAGE_BYTES as f64;
    if file.size() > limit {
        return Err(words::too_large(&name));
    }
    let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| words::unreadable(&name))?;
    if !insert::is_text(&text) {
        return Err(words::not_text(&name));
    }
    let block = block(&name, language, &text);
    let before = app.writing.composer.read_untracked().draft().len();
    if before + block.len() > limits::MESSAGE_BYTES {
        return Err(words::too_large(&name));
    }
    Ok(block)
}

/// Puts a block where the caret is. `false` when the browser cannot do so as one step of editing.
fn put(field: &HtmlTextAreaElement, block: &str) -> bool {
    let text = field.value();
    let caret = field.selection_start().ok().flatten().unwrap_or_default();
    let before: Vec<u16> = text.encode_utf16().take(caret as usize).collect();
    let before = String::from_utf16_lossy(&before);
    dom::insert_text(field, &format!("{}{block}", gap_before(&before)))
}
