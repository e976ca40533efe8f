//! What goes along with the message that is being written: a chip for each, in the composer.

use leptos::prelude::*;
use unbroken_chat_view::attachments::{Attachment, Readiness, State, is_picture, parts};
use unbroken_protocol::{FileInfo, FileState};
use wasm_bindgen::JsCast;

use super::icons::{CLOSE, FILE, FOLDER, GLOBE, icon};
use super::preview::Preview;
use super::show::Show;
use crate::state::App;
use crate::{dom, words};

/// How far something is, as the person sees it.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Sending,
    Unsent { reason: String, again: bool },
    Reading,
    Ready,
    Refused { reason: String },
}

/// The chips, above the text.
#[component]
pub(crate) fn AttachmentList() -> impl IntoView {
    let app = App::get();
    let files = app.known_files();
    let attachments = &files.attachments;
    Effect::new(move || {
        attachments.track();
        app.send_attached();
    });
    // A message that waits for its files goes by itself.
    Effect::new(move || {
        attachments.track();
        if app.writing.waits.get() && app.readiness() != Readiness::Sending {
            app.send_draft();
        }
    });
    let keys = Memo::new(move |_| {
        let Some(draft) = app.attaches_to() else { return Vec::new() };
        attachments.read().of(&draft).map(|one| one.key).collect::<Vec<_>>()
    });
    view! {
        <p class="hidden-visually" role="status">
            {move || files.told.get()}
        </p>
        <Show when=move || !keys.read().is_empty()>
            <ul class="attachments" role="list" aria-label=words::attachments()>
                <For each=move || keys.get() key=|key| *key let(key)>
                    <Chip key />
                </For>
            </ul>
        </Show>
        <div role="status">
            <Show when=move || app.writing.waits.get()>
                <p class="attachments-wait">
                    {words::waits_for_files()}
                    <button
                        class="link-button"
                        type="button"
                        on:click=move |_| app.writing.waits.set(false)
                    >
                        {words::cancel()}
                    </button>
                </p>
            </Show>
        </div>
    }
}

#[component]
fn Chip(key: u64) -> impl IntoView {
    let app = App::get();
    let held = app.known_files().held(key);
    let bytes = held.as_ref().map(|file| file.size());
    let seems_picture = held.is_some_and(|file| is_picture(&file.type_()));
    let attachment = Memo::new(move |_| app.known_files().attachments.read().get(key).cloned());
    let source = Memo::new(move |_| match attachment.get()?.state {
        State::There(source) => Some(*source),
        _ => None,
    });
    let info = Memo::new(move |_| {
        let id = source.get()?.file_id?;
        app.known_files().known.read().get(&id).cloned()
    });
    let name = Memo::new(move |_| attachment.get().map(|one| one.name).unwrap_or_default());
    let phase = Memo::new(move |_| {
        attachment.get().map(|attachment| phase(attachment, info.get().as_ref()))
    });
    tell(app, name, phase);
    let sent = move || match attachment.get()?.state {
        State::Sending(sent) => Some(sent),
        _ => None,
    };
    let about = move || match phase.get()? {
        Phase::Sending => Some(words::sent_of(&size(sent()?), &size(bytes?))),
        Phase::Reading => Some(words::reading_file().to_owned()),
        Phase::Ready => info.get().map(|info| facts(&info)),
        Phase::Unsent { reason, .. } | Phase::Refused { reason } => Some(reason),
    };
    let is_stuck = Memo::new(move |_| {
        matches!(phase.get(), Some(Phase::Unsent { .. } | Phase::Refused { .. }))
    });
    let picture = Memo::new(move |_| match info.get() {
        Some(info) => is_picture(&info.media_type),
        None => seems_picture,
    });
    let drawing = move || match source.get().map(|source| source.kind).as_deref() {
        Some("collection") => FOLDER,
        Some("url") => GLOBE,
        _ => FILE,
    };
    let remove = move |_| {
        app.detach(key);
        focus_another();
    };
    view! {
        <li class="attachment" class:stuck=is_stuck aria-busy=move || {
            matches!(phase.get(), Some(Phase::Sending | Phase::Reading)).to_string()
        }>
            {move || if picture.get() {
                let id = source.get_untracked().and_then(|source| source.file_id);
                view! { <Preview held=app.known_files().held(key) id /> }.into_any()
            } else {
                icon(drawing()).into_any()
            }}
            <span class="attachment-text">
                <FileName name=Signal::derive(move || name.get()) />
                <span class="attachment-about">{about}</span>
            </span>
            <Show when=move || matches!(phase.get(), Some(Phase::Unsent { again: true, .. }))>
                <button
                    class="link-button"
                    type="button"
                    aria-label=move || words::retry_named(&name.read())
                    on:click=move |_| {
                        app.retry_file(key);
                        dom::focus(&remove_id(key));
                    }
                >
                    {words::retry()}
                </button>
            </Show>
            <button
                id=remove_id(key)
                class="attachment-remove"
                type="button"
                aria-label=move || words::remove_named(&name.read())
                title=words::remove()
                on:click=remove
            >
                {icon(CLOSE)}
            </button>
            <Show when=move || sent().is_some()>
                <progress
                    aria-label=words::sent()
                    max=bytes.unwrap_or(1.0).to_string()
                    value=move || sent().unwrap_or_default().to_string()
                ></progress>
            </Show>
        </li>
    }
}

fn remove_id(key: u64) -> String {
    format!("remove-{key}")
}

/// A name that is cut in its middle where there is no room for it.
#[component]
pub(crate) fn FileName(#[prop(into)] name: Signal<String>) -> impl IntoView {
    let cut = Memo::new(move |_| parts(&name.read()));
    view! {
        <span class="file-name" dir="auto" title=move || name.get()>
            <span>{move || cut.get().0}</span>
            <span>{move || cut.get().1}</span>
        </span>
    }
}

fn phase(attachment: Attachment, info: Option<&FileInfo>) -> Phase {
    let source = match attachment.state {
        State::Sending(_) => return Phase::Sending,
        State::Unsent { reason, again } => return Phase::Unsent { reason, again },
        State::There(source) => source,
    };
    match info.map(|info| info.state).or(source.state) {
        Some(FileState::Processing) => Phase::Reading,
        Some(FileState::Refused) => {
            Phase::Refused { reason: info.map(words::file_reason).unwrap_or_default() }
        }
        Some(FileState::Ready) | None => Phase::Ready,
    }
}

/// Says what became of it, but not what it was before anybody looked.
fn tell(app: App, name: Memo<String>, phase: Memo<Option<Phase>>) {
    Effect::new(move |before: Option<Option<Phase>>| {
        let now = phase.get();
        let name = name.get_untracked();
        let is_new = before.as_ref().is_none_or(|before| *before != now);
        let told = match &now {
            Some(Phase::Sending) => Some(words::sending_file(&name)),
            Some(Phase::Unsent { reason, .. } | Phase::Refused { reason }) => {
                Some(words::told_of(&name, reason))
            }
            Some(Phase::Ready) if before.is_some() => Some(words::file_attached(&name)),
            _ => None,
        };
        if let Some(told) = told.filter(|_| is_new) {
            app.known_files().told.set(told);
        }
        now
    });
}

/// The button that was pressed is gone: the next one has the focus, or the text.
fn focus_another() {
    request_animation_frame(|| {
        let next = document().query_selector(".attachment-remove").ok().flatten();
        match next.and_then(|next| next.dyn_into::<web_sys::HtmlElement>().ok()) {
            Some(next) => drop(next.focus()),
            None => dom::focus("message"),
        }
    });
}

/// What is known of a file that can be read.
pub(crate) fn facts(info: &FileInfo) -> String {
    let size = words::file_size(info.bytes);
    let pages = info.pages.filter(|_| info.media_type == "application/pdf");
    match pages {
        Some(pages) => format!("{size} · {}", words::pages(pages.into())),
        None => size,
    }
}

fn size(bytes: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of a file")]
    let bytes = bytes as u64;
    words::file_size(bytes)
}
