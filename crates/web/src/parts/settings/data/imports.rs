//! Files that are brought in: chosen or dropped, sent, and followed to their end.

use leptos::ev::DragEvent;
use leptos::prelude::*;
use unbroken_protocol::{ImportId, ImportNote, ImportState, ImportView};
use wasm_bindgen::JsCast;
use web_sys::{FileList, HtmlInputElement};

use crate::moves::Place;
use crate::parts::links::Problem;
use crate::parts::show::Show;
use crate::state::App;
use crate::words;

#[component]
pub(super) fn Imports() -> impl IntoView {
    let app = App::get();
    let over = RwSignal::new(false);
    let sends = Memo::new(move |_| app.moves.now().read().sending.is_some());
    let take = move |files: Option<FileList>| {
        let Some(files) = files else { return };
        match (files.length(), files.get(0)) {
            (1, Some(file)) => app.import(file),
            (2.., _) => app.moves.failed(Place::Import, words::one_file().to_owned()),
            _ => {}
        }
    };
    let chosen = move |event: leptos::ev::Event| {
        let target = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(field) = target {
            take(field.files());
            // The same file may be chosen once more.
            field.set_value("");
        }
    };
    // The page behind would take the file for a message.
    let drag = move |event: DragEvent, is_over| {
        event.prevent_default();
        event.stop_propagation();
        over.set(is_over);
    };
    view! {
        <p id="import-about">{words::import_about()}</p>
        <div
            class="drop"
            class:over=over
            on:dragover=move |event| drag(event, true)
            on:dragleave=move |event| drag(event, false)
            on:drop=move |event| {
                let files = event.data_transfer().and_then(|data| data.files());
                drag(event, false);
                take(files);
            }
        >
            <Show when=move || !sends.get()>
                <label class="button">
                    <input
                        type="file"
                        class="hidden-visually"
                        accept=".json,.zip,application/json,application/zip"
                        aria-describedby="import-about"
                        on:change=chosen
                    />
                    {words::choose_file()}
                </label>
                <span class="soft">{words::or_drop()}</span>
            </Show>
            <Show when=move || sends.get()>
                <Upload />
            </Show>
        </div>
        <Problem of=Place::Import />
        <Reports />
    }
}

/// The file that is being sent.
#[component]
fn Upload() -> impl IntoView {
    let app = App::get();
    let sending = Memo::new(move |_| app.moves.now().read().sending.clone().unwrap_or_default());
    view! {
        <div class="upload">
            <p>
                {move || words::sending_file(&sending.read().name)}
            </p>
            <progress
                aria-label=words::sent()
                max=move || sending.read().bytes.to_string()
                value=move || sending.read().sent.to_string()
            ></progress>
            <p>{move || words::sent_so_far(sending.read().sent, sending.read().bytes)}</p>
        </div>
        <button class="button" on:click=move |_| app.cancel_upload()>
            {words::cancel()}
        </button>
    }
}

/// All imports, the newest first. Its end is told of.
#[component]
fn Reports() -> impl IntoView {
    let app = App::get();
    let ids = Memo::new(move |_| {
        let now = app.moves.now().read();
        now.imports.iter().flatten().map(|import| import.import_id).collect::<Vec<_>>()
    });
    let newest = Memo::new(move |_| {
        let now = app.moves.now().read();
        let newest = now.imports.iter().flatten().next()?;
        Some((newest.import_id, words::import_state(newest)))
    });
    // What was over before anybody looked is no news.
    let first = newest.get_untracked();
    let told = move || newest.get().filter(|now| Some(*now) != first).map(|(_, state)| state);
    view! {
        <p class="hidden-visually" role="status">
            {told}
        </p>
        <ul id="imports" class="imports" aria-label=words::imports()>
            {move || {
                let mut newest = true;
                let line = |id| view! { <Report id newest=std::mem::take(&mut newest) /> };
                ids.get().into_iter().map(line).collect_view()
            }}
        </ul>
    }
}

/// One import: how far it is, or what it came to.
#[component]
fn Report(id: ImportId, newest: bool) -> impl IntoView {
    let app = App::get();
    let import = Memo::new(move |_| app.moves.import(id));
    let read =
        move |read: fn(&ImportView) -> String| import.read().as_ref().map(read).unwrap_or_default();
    let state = Memo::new(move |_| import.read().as_ref().map(|import| import.state));
    let head = move || import.read().as_ref().map(words::import_state);
    let when = move || import.read().as_ref().map(|now| words::when(now.created_at.as_millis()));
    let notes = move || {
        let notes = import.get_untracked().map(|import| import.notes).unwrap_or_default();
        (!notes.is_empty()).then(|| view! { <Notes notes open=newest /> })
    };
    let body = move || match state.get()? {
        ImportState::Waiting | ImportState::Running => {
            let share = move |of: fn(&ImportView) -> u64| {
                // Without a number the bar only says that something is going on.
                let import = import.read();
                import.as_ref().filter(|now| now.total > 0).map(|now| of(now).to_string())
            };
            let view = view! {
                <progress
                    aria-label=words::imported_so_far()
                    max=move || share(|now| now.total)
                    value=move || share(|now| now.done)
                ></progress>
                <p>{move || read(words::import_reached)}</p>
                <p>{words::import_goes_on()}</p>
            };
            Some(view.into_any())
        }
        ImportState::Done => {
            let view = view! {
                <p>{move || read(words::import_result)}</p>
                {notes()}
            };
            Some(view.into_any())
        }
        ImportState::Failed => {
            let came = import.get_untracked().filter(|import| import.messages > 0);
            let came = came.map(|import| words::import_result(&import));
            let view = view! {
                <p class="problem">{move || import.read().as_ref().and_then(words::import_problem)}</p>
                {came.map(|came| view! { <p>{came}</p> })}
                <p>{words::not_imported()}</p>
                {notes()}
            };
            Some(view.into_any())
        }
    };
    view! {
        <li>
            <p class="import-head">
                <strong>{head}</strong>
                <span class="soft">{when}</span>
            </p>
            {body}
        </li>
    }
}

/// What did not come along: counted, with titles of conversations as they were written.
#[component]
fn Notes(notes: Vec<ImportNote>, open: bool) -> impl IntoView {
    let line = |note: ImportNote| {
        let titles: Vec<_> = note.examples.iter().map(|title| words::quoted(title)).collect();
        let some = (!titles.is_empty()).then(|| {
            view! { " " <span class="soft">{words::for_example()} " " {titles.join(", ")}</span> }
        });
        view! {
            <li>
                {words::import_note(&note.what, note.count)}
                {some}
            </li>
        }
    };
    view! {
        <details class="notes" open=open>
            <summary>{words::import_notes()}</summary>
            <ul>{notes.into_iter().map(line).collect_view()}</ul>
        </details>
    }
}
