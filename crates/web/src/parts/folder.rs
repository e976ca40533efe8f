//! The dialog that puts a conversation into a folder.

use leptos::ev::SubmitEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_protocol::{ConversationPatch, limits};

use super::icons::{CHECK, FOLDER, icon};
use crate::state::App;
use crate::words;

#[component]
pub(crate) fn FolderDialog() -> impl IntoView {
    let app = App::get();
    let dialog = NodeRef::<Dialog>::new();
    let name = RwSignal::new(String::new());
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && app.keep.filing.get()
            && !dialog.open()
        {
            name.set(String::new());
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let put = move |folder: String| {
        let moving = app.keep.moving.get_untracked();
        close();
        if let Some((spot, _)) = moving {
            app.change(spot, ConversationPatch { folder: Some(folder), ..Default::default() });
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked();
        if !name.trim().is_empty() {
            put(name);
        }
    };
    let folders = move || {
        let (_, conversation) = app.keep.moving.get()?;
        let current = conversation.folder.clone();
        let names = app.history.read().folders().into_iter().map(Some);
        let none = current.is_some().then_some(None);
        let choice = |folder: Option<String>| {
            let is_here = folder == current;
            let shown = folder.clone().unwrap_or_else(|| words::no_folder().to_owned());
            view! {
                <button
                    type="button"
                    class="menu-item"
                    aria-pressed=is_here.to_string()
                    on:click=move |_| put(folder.clone().unwrap_or_default())
                >
                    {icon(if is_here { CHECK } else { FOLDER })}
                    <span class="entry-text" dir="auto">
                        {shown}
                    </span>
                </button>
            }
        };
        Some(names.chain(none).map(choice).collect_view())
    };
    view! {
        <dialog
            node_ref=dialog
            closedby="any"
            aria-labelledby="folder-title"
            on:close=move |_| app.keep.filing.set(false)
        >
            <h2 id="folder-title">{words::folder_title()}</h2>
            <p>{words::folder_about()}</p>
            <div class="folders">{folders}</div>
            <form class="new-folder" on:submit=submit>
                <label for="folder-name">{words::new_folder()}</label>
                <input
                    id="folder-name"
                    dir="auto"
                    autocomplete="off"
                    maxlength=limits::FOLDER_CHARS.to_string()
                    bind:value=name
                />
                <div class="dialog-buttons">
                    <button class="button" type="button" on:click=move |_| close()>
                        {words::cancel()}
                    </button>
                    <button class="button primary" type="submit">
                        {words::move_there()}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
