//! The dialog of one conversation that goes out: as a file, or as a link.

use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_client::ExportFormat;
use unbroken_protocol::ConversationId;

use super::icons::{CLOSE, DOWNLOAD, icon};
use super::links::{Links, Problem};
use crate::moves::{Place, Subject, Task};
use crate::state::App;
use crate::{dom, words};

/// The dialog, closed until somebody exports or shares.
#[component]
pub(crate) fn MovingDialog() -> impl IntoView {
    let app = App::get();
    let open = app.moves.open;
    let subject = Memo::new(move |_| app.moves.now().read().subject.clone());
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, open);
    let body = move || {
        let Subject { task, id, title } = subject.get().filter(|_| open.get())?;
        let name = match task {
            Task::Export => words::export(),
            Task::Share => words::share(),
        };
        let body = match task {
            Task::Export => {
                let done = move || open.set(false);
                view! {
                    <Formats of=id done />
                    <Problem of=Place::Export />
                }
                .into_any()
            }
            Task::Share => view! { <Share id /> }.into_any(),
        };
        Some(view! {
            <div class="dialog-head">
                <h2 id="moving-title">{name}</h2>
                <button class="icon-button" aria-label=words::close() on:click=move |_| open.set(false)>
                    {icon(CLOSE)}
                </button>
            </div>
            <p class="moving-of" dir="auto">
                {title}
            </p>
            {body}
        })
    };
    view! {
        <dialog
            class="moving"
            node_ref=dialog
            aria-labelledby="moving-title"
            closedby="any"
            on:close=move |_| open.set(false)
        >
            {body}
        </dialog>
    }
}

#[component]
fn Share(id: ConversationId) -> impl IntoView {
    let app = App::get();
    app.load_shares();
    let keep = RwSignal::new(false);
    view! {
        <p>{words::share_about()}</p>
        <label class="switch">
            <input
                type="checkbox"
                role="switch"
                aria-describedby="keep-about"
                bind:checked=keep
            />
            {words::keep_link()}
        </label>
        <p id="keep-about" class="switch-about">
            {words::keep_link_about()}
        </p>
        <div class="dialog-buttons">
            <button
                id="create-link"
                class="button primary"
                aria-disabled=Signal::derive(move || app.moves.now().read().busy.to_string())
                on:click=move |_| app.share(id, keep.get_untracked())
            >
                {words::create_link()}
            </button>
        </div>
        <Problem of=Place::Links />
        <Links of=id />
    }
}

/// The formats of an export: of one conversation, or of all.
#[component]
pub(crate) fn Formats(
    #[prop(optional)] of: Option<ConversationId>,
    done: impl Fn() + Copy + Send + 'static,
) -> impl IntoView {
    let app = App::get();
    let exporting = Memo::new(move |_| app.moves.now().read().exporting);
    let line = move |format: ExportFormat| {
        let (name, one, all) = match format {
            ExportFormat::Json => ("JSON", words::json_about(), words::json_about()),
            ExportFormat::Markdown => {
                ("Markdown", words::markdown_about(), words::markdown_all_about())
            }
            ExportFormat::Html => ("HTML", words::html_about(), words::html_all_about()),
        };
        let about = if of.is_some() { one } else { all };
        let id = format!("about-{}", format.as_str());
        let about_id = id.clone();
        view! {
            <li>
                <button
                    class="button"
                    aria-label=words::export_as(name)
                    aria-describedby=about_id.clone()
                    aria-disabled=Signal::derive(move || exporting.get().is_some().to_string())
                    on:click=move |_| app.export(of, format, done)
                >
                    {icon(DOWNLOAD)}
                    {name}
                </button>
                <span id=id class="soft">
                    {move || if exporting.get() == Some(format) { words::preparing() } else { about }}
                </span>
            </li>
        }
    };
    view! {
        <ul class="formats" aria-label=words::formats()>
            {ExportFormat::ALL.map(line).into_iter().collect_view()}
        </ul>
        <p class="hidden-visually" role="status">
            {move || exporting.get().map(|_| words::preparing())}
        </p>
    }
}
