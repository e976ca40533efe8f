//! The dialog that shows a file's text at the place that an answer cites.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::language::plain_name;
use unbroken_chat_view::reading::{Line, Reading};
use unbroken_client::RestError;
use unbroken_protocol::{Citation, ErrorCode, FileId};

use super::icons::{CLOSE, icon};
use super::show::Show;
use crate::state::App;
use crate::{calls, dom, moves, state, words};

const TITLE: &str = "source-viewer-title";
/// The first line that is marked.
const PLACE: &str = "source-viewer-place";

/// What is shown; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    app: App,
    open: RwSignal<bool>,
    file: RwSignal<Option<File>>,
    reading: RwSignal<Reading>,
    busy: RwSignal<bool>,
    problem: RwSignal<Option<String>>,
}

/// A person's file, and what an answer cites of it.
#[derive(Clone, Debug, PartialEq)]
struct File {
    id: FileId,
    name: String,
    passage: Option<u32>,
    quote: String,
}

impl Viewer {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            open: RwSignal::new(false),
            file: RwSignal::new(None),
            reading: RwSignal::default(),
            busy: RwSignal::new(false),
            problem: RwSignal::new(None),
        }
    }

    /// The viewer of this page.
    pub(crate) fn get() -> Option<Self> {
        use_context()
    }

    /// Shows a file from its beginning.
    pub(crate) fn show_file(self, id: FileId, name: &str) {
        self.show(File { id, name: plain_name(name), passage: None, quote: String::new() });
    }

    /// Shows where the citation is from, when it is from a file.
    pub(crate) fn show_citation(self, citation: Citation) {
        let Some(id) = citation.file_id.and_then(|id| id.parse().ok()) else { return };
        let (passage, quote) = (citation.passage, citation.quote);
        self.show(File { id, name: plain_name(&citation.title), passage, quote });
    }

    fn show(self, file: File) {
        let (quote, passage) = (file.quote.clone(), file.passage);
        self.reading.set(Reading::of(passage, quote));
        self.file.set(Some(file));
        self.open.set(true);
        self.load(passage);
    }

    /// Fetches what is around a passage, and adds it to what is there.
    fn load(self, around: Option<u32>) {
        let (Some(rest), Some(file)) = (self.app.rest(), self.file.get_untracked()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        let is_first = self.reading.read_untracked().is_empty();
        spawn_local(async move {
            let list = calls::ask(async || rest.passages(file.id, around).await).await;
            self.busy.set(false);
            if self.file.get_untracked().as_ref() != Some(&file) {
                // Another was asked for meanwhile.
                return self.load(self.file.get_untracked().and_then(|file| file.passage));
            }
            match list {
                Ok(list) => {
                    self.reading.update(|reading| reading.add(list));
                    if is_first {
                        request_animation_frame(|| dom::bring_to_top(PLACE));
                    }
                }
                Err(RestError::Refused(body)) if body.code == ErrorCode::NotFound => {
                    self.problem.set(Some(words::file_is_gone().to_owned()));
                }
                Err(error) => {
                    self.problem.set(Some(state::sentence(&error)));
                    self.app.checked::<()>(Err(error));
                }
            }
        });
    }

    /// Gives the file to the browser as it was sent.
    fn save(self) {
        let (Some(rest), Some(file)) = (self.app.rest(), self.file.get_untracked()) else { return };
        spawn_local(async move {
            match rest.file_content(&file.id.to_string()).await {
                Ok((content, name)) => moves::save(&content, name.as_deref().unwrap_or(&file.name)),
                Err(error) => self.problem.set(Some(state::sentence(&error))),
            }
        });
    }
}

#[component]
pub(crate) fn SourceViewer(viewer: Viewer) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, viewer.open);
    let name = move || viewer.file.read().as_ref().map(|file| file.name.clone());
    let quote = move || viewer.file.read().as_ref().map(|file| file.quote.clone());
    let more = move |label: &'static str, from: fn(&Reading) -> Option<u32>| {
        view! {
            <Show when=move || from(&viewer.reading.read()).is_some()>
                <button
                    class="button more"
                    aria-disabled=Signal::derive(move || viewer.busy.get().to_string())
                    on:click=move |_| viewer.load(from(&viewer.reading.read_untracked()))
                >
                    {label}
                </button>
            </Show>
        }
    };
    view! {
        <dialog
            id="source-viewer"
            class="source-viewer"
            node_ref=dialog
            aria-labelledby=TITLE
            closedby="any"
            on:close=move |_| viewer.open.set(false)
        >
            <div class="dialog-head">
                <h2 id=TITLE dir="auto">
                    {name}
                </h2>
                <button class="button" on:click=move |_| viewer.save()>
                    {words::download()}
                </button>
                <button
                    class="icon-button"
                    aria-label=words::close()
                    on:click=move |_| viewer.open.set(false)
                >
                    {icon(CLOSE)}
                </button>
            </div>
            <div class="source-text" tabindex="0" role="region" aria-labelledby=TITLE>
                <Show when=move || viewer.problem.read().is_some()>
                    <p role="alert">{viewer.problem}</p>
                    <blockquote dir="auto">{quote}</blockquote>
                </Show>
                {more(words::earlier_text(), Reading::before)}
                <For each=move || viewer.reading.read().lines() key=Line::key let(line)>
                    {shown(line)}
                </For>
                {more(words::later_text(), Reading::after)}
                <Show when=move || viewer.busy.get() && viewer.reading.read().is_empty()>
                    <p class="empty">{words::opening()}</p>
                </Show>
            </div>
        </dialog>
    }
}

fn shown(line: Line) -> AnyView {
    match line {
        Line::Page { number, .. } => {
            view! { <p class="page-number">{words::page(number.into())}</p> }.into_any()
        }
        Line::Heading { text, .. } => view! { <h3 dir="auto">{text}</h3> }.into_any(),
        Line::Text { text, cited: false, .. } => view! { <p dir="auto">{text}</p> }.into_any(),
        Line::Text { text, first, .. } => view! {
            <p dir="auto" id=first.then_some(PLACE)>
                <mark>{text}</mark>
            </p>
        }
        .into_any(),
    }
}
