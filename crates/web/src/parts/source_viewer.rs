//! The dialog that shows a file: its text at the place that an answer cites, or the picture that it
//! is.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::citing::place;
use unbroken_chat_view::language::plain_name;
use unbroken_chat_view::reading::{Line, Reading};
use unbroken_client::RestError;
use unbroken_protocol::{Citation, FileId, FileState, PassageList};

use super::icons::{CLOSE, icon};
use super::preview::Preview;
use super::show::Show;
use crate::state::App;
use crate::{calls, dom, files, moves, state, words};

const TITLE: &str = "source-viewer-title";
/// The first line that is marked.
const PLACE: &str = "source-viewer-place";
const TEXT: &str = "source-viewer-text";

/// What is shown; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    app: App,
    open: RwSignal<bool>,
    file: RwSignal<Option<File>>,
    reading: RwSignal<Reading>,
    busy: RwSignal<bool>,
    /// Why there is no text, or no more of it.
    problem: RwSignal<Option<String>>,
    /// How often a file was opened: what comes late for another is dropped.
    openings: RwSignal<u32>,
}

/// A person's file, and what an answer cites of it.
#[derive(Clone, Debug, PartialEq)]
struct File {
    id: FileId,
    name: String,
    is_picture: bool,
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
            openings: RwSignal::new(0),
        }
    }

    /// The viewer of this page.
    pub(crate) fn get() -> Option<Self> {
        use_context()
    }

    /// Shows a file from its beginning.
    pub(crate) fn show_file(self, id: FileId, name: &str, is_picture: bool) {
        self.show(File { id, name: plain_name(name), is_picture, quote: String::new() }, None);
    }

    /// Shows where the citation is from, when it is from a file.
    pub(crate) fn show_citation(self, citation: Citation) {
        let Some(id) = citation.file_id.and_then(|id| id.parse().ok()) else { return };
        let (name, quote) = (plain_name(&citation.title), citation.quote);
        self.show(File { id, name, is_picture: false, quote }, citation.passage);
    }

    fn show(self, file: File, passage: Option<u32>) {
        let is_picture = file.is_picture;
        self.openings.update(|count| *count += 1);
        self.reading.set(Reading::of(passage, file.quote.clone()));
        self.file.set(Some(file));
        self.problem.set(None);
        self.busy.set(false);
        self.open.set(true);
        if !is_picture {
            self.load(passage);
        }
    }

    /// Fetches what is around a passage, and adds it to what is there.
    fn load(self, around: Option<u32>) {
        let (Some(rest), Some(file)) = (self.app.rest(), self.file.get_untracked()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.problem.set(None);
        let opening = self.openings.get_untracked();
        spawn_local(async move {
            let list = calls::ask(async || rest.passages(file.id, around).await).await;
            // What there is instead of text.
            let info = match &list {
                Ok(list) if list.total == 0 => Some(rest.file(file.id).await),
                _ => None,
            };
            if self.openings.try_get_untracked() != Some(opening) {
                return;
            }
            self.busy.set(false);
            match (list, info) {
                (_, Some(Ok(info))) => self.problem.set(Some(match info.state {
                    FileState::Processing => words::file_not_read().to_owned(),
                    FileState::Refused => words::file_reason(&info),
                    FileState::Ready => words::file_empty().to_owned(),
                })),
                (Ok(list), None) => self.add(list),
                (Err(error), _) | (_, Some(Err(error))) => self.failed(&file, error),
            }
        });
    }

    /// Shows more of the text. What the person reads stays where it is, also when it grows above.
    fn add(self, list: PassageList) {
        let is_first = self.reading.read_untracked().is_empty();
        let text = dom::element(TEXT);
        let below = text.map(|text| text.scroll_height() - text.scroll_top());
        let is_before = self.reading.try_update(|reading| reading.add(list)) == Some(true);
        request_animation_frame(move || {
            let text = dom::element(TEXT);
            if is_first {
                dom::bring_to_top(PLACE);
            } else if let (Some(text), Some(below), true) = (text, below, is_before) {
                text.set_scroll_top(text.scroll_height() - below);
            }
            // The button that was pressed is gone at the end of the text.
            if dom::focus_is_lost() {
                dom::focus(TEXT);
            }
        });
    }

    fn failed(self, file: &File, error: RestError) {
        let sentence = match (files::is_gone(&error), file.quote.is_empty()) {
            (true, true) => words::deleted_file().to_owned(),
            (true, false) => words::file_is_gone().to_owned(),
            (false, _) => state::sentence(&error),
        };
        self.problem.set(Some(sentence));
        if !files::is_gone(&error) {
            self.app.checked::<()>(Err(error));
        }
    }

    /// Gives the file to the browser as it was sent.
    fn save(self) {
        let (Some(rest), Some(file)) = (self.app.rest(), self.file.get_untracked()) else { return };
        let opening = self.openings.get_untracked();
        spawn_local(async move {
            match rest.file_content(&file.id.to_string()).await {
                Ok((content, name)) => moves::save(&content, name.as_deref().unwrap_or(&file.name)),
                Err(error) if self.openings.try_get_untracked() == Some(opening) => {
                    self.failed(&file, error);
                }
                Err(_) => {}
            }
        });
    }
}

#[component]
pub(crate) fn SourceViewer(viewer: Viewer) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, viewer.open);
    let name = move || viewer.file.read().as_ref().map(|file| file.name.clone());
    let quote = move || {
        let quote = viewer.file.read().as_ref()?.quote.clone();
        (!quote.is_empty()).then(|| view! { <blockquote dir="auto">{quote}</blockquote> })
    };
    // Made anew for each opening.
    let picture = move || {
        let file = viewer.file.get().filter(|file| file.is_picture && viewer.open.get())?;
        let id = Some(file.id.to_string());
        Some(view! { <Preview held=None id alt=file.name /> })
    };
    let shown = move |line| shown(line, &name().unwrap_or_default());
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
            <div
                id=TEXT
                class="source-text"
                tabindex="0"
                autofocus
                role="region"
                aria-labelledby=TITLE
            >
                {picture}
                <Show when=move || viewer.problem.read().is_some()>
                    <p role="alert">{viewer.problem}</p>
                    {quote}
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

fn shown(line: Line, name: &str) -> AnyView {
    match line {
        Line::Page { number, .. } => {
            view! { <p class="page-number">{place(name, number)}</p> }.into_any()
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
