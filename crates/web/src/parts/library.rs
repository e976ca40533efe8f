//! The dialog of the person's files and collections.

use std::collections::BTreeSet;

use leptos::ev::SubmitEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_chat_view::attachments::{collection_source, file_source, url_source};
use unbroken_chat_view::language::plain_name;
use unbroken_chat_view::library::web_address;
use unbroken_protocol::{CollectionId, CollectionInfo, FileId, FileInfo, FileState, limits};

use super::attachments::{FileName, facts};
use super::icons::{CLOSE, FOLDER, GLOBE, PENCIL, TRASH, icon};
use super::show::Show;
use crate::state::App;
use crate::{dom, words};

/// What the dialog asks before it does something.
#[derive(Clone, Debug, Default, PartialEq)]
enum Asks {
    #[default]
    Nothing,
    /// Whether to delete the chosen files.
    DeleteFiles,
    DeleteCollection(CollectionId, String),
    /// The name of a new collection of the chosen files.
    NewName,
    OtherName(CollectionId),
}

/// What is chosen and asked; copies are the same.
#[derive(Clone, Copy)]
struct Choice {
    chosen: RwSignal<BTreeSet<FileId>>,
    /// Addresses of pages, in the order in which they were typed.
    urls: RwSignal<Vec<String>>,
    asks: RwSignal<Asks>,
    name: RwSignal<String>,
}

impl Choice {
    fn ask(self, asks: Asks, name: &str) {
        self.name.set(name.to_owned());
        self.asks.set(asks);
        request_animation_frame(|| dom::focus("library-ask"));
    }

    fn end(self) {
        self.asks.set(Asks::Nothing);
        dom::focus("library-search");
    }

    fn take(self) -> Vec<FileId> {
        self.chosen.try_update(std::mem::take).unwrap_or_default().into_iter().collect()
    }

    fn choose_url(self, url: String, is_chosen: bool) {
        self.urls.update(|urls| {
            urls.retain(|known| *known != url);
            if is_chosen {
                urls.push(url);
            }
        });
    }

    fn take_urls(self) -> Vec<String> {
        self.urls.try_update(std::mem::take).unwrap_or_default()
    }
}

/// The dialog, closed until somebody looks for files.
#[component]
pub(crate) fn LibraryDialog() -> impl IntoView {
    let app = App::get();
    let open = app.files.open;
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, open);
    view! {
        <dialog
            class="library"
            node_ref=dialog
            closedby="any"
            aria-labelledby="library-title"
            on:close=move |_| open.set(false)
        >
            <div class="dialog-head">
                <h2 id="library-title">{words::your_files()}</h2>
                <button class="icon-button" aria-label=words::close() on:click=move |_| open.set(false)>
                    {icon(CLOSE)}
                </button>
            </div>
            <Show when=move || open.get()>
                <Library />
            </Show>
        </dialog>
    }
}

#[component]
fn Library() -> impl IntoView {
    let app = App::get();
    let files = app.known_files();
    files.problem.set(None);
    app.load_library();
    let choice = Choice {
        chosen: RwSignal::default(),
        urls: RwSignal::default(),
        asks: RwSignal::default(),
        name: RwSignal::default(),
    };
    let search = RwSignal::new(String::new());
    let typed = Memo::new(move |_| web_address(&search.read()));
    let found = Memo::new(move |_| {
        let words = if typed.read().is_some() { String::new() } else { search.get() };
        files.library.read().found(&words).cloned().collect::<Vec<_>>()
    });
    // An address that is entered is chosen, and makes room for the next.
    let enter = move |event: leptos::ev::KeyboardEvent| {
        let address = typed.get_untracked().filter(|_| event.key() == "Enter");
        if let Some(address) = address {
            event.prevent_default();
            choice.choose_url(address, true);
            search.set(String::new());
        }
    };
    let note = move || {
        let is_listed = files.is_listed.get();
        if !is_listed || !found.read().is_empty() {
            return None;
        }
        let library = files.library.read();
        let has_others = !library.collections.is_empty()
            || !choice.urls.read().is_empty()
            || typed.read().is_some();
        if library.files.is_empty() {
            (!has_others).then(words::no_files)
        } else {
            Some(words::no_file_found())
        }
    };
    view! {
        <input
            id="library-search"
            type="search"
            dir="auto"
            autocomplete="off"
            aria-label=words::search_files()
            placeholder=words::search_files()
            bind:value=search
            on:keydown=enter
        />
        <div class="library-lists">
            <Pages choice typed />
            <Collections choice />
            <ul class="library-files" role="list" aria-label=words::files()>
                <For each=move || found.get() key=|file| (file.file_id, file.state as u8) let(file)>
                    <Line file choice />
                </For>
            </ul>
            <p role="status">{note}</p>
        </div>
        <p class="problem" role="alert">
            {move || files.problem.get()}
        </p>
        <Foot choice />
    }
}

/// Pages of the web: those that were chosen, and the one whose address stands in the field.
#[component]
fn Pages(choice: Choice, typed: Memo<Option<String>>) -> impl IntoView {
    let all = Memo::new(move |_| {
        let mut all = choice.urls.get();
        all.extend(typed.get().filter(|typed| !all.contains(typed)));
        all
    });
    let line = move |url: String| {
        let (chosen, name) = (url.clone(), url.clone());
        let choose = move |event: leptos::ev::Event| {
            choice.choose_url(url.clone(), event_target_checked(&event));
        };
        view! {
            <li>
                <label>
                    <input
                        type="checkbox"
                        aria-label=name.clone()
                        prop:checked=move || choice.urls.read().contains(&chosen)
                        on:change=choose
                    />
                    {icon(GLOBE)}
                    <span class="attachment-text">
                        <FileName name />
                    </span>
                </label>
            </li>
        }
    };
    view! {
        <Show when=move || !all.read().is_empty()>
            <ul class="library-files library-pages" role="list" aria-label=words::web_pages()>
                <For each=move || all.get() key=String::clone children=line />
            </ul>
        </Show>
    }
}

/// One file, to be chosen.
#[component]
fn Line(file: FileInfo, choice: Choice) -> impl IntoView {
    let id = file.file_id;
    let about = match file.state {
        FileState::Processing => words::reading_file().to_owned(),
        FileState::Refused => words::file_reason(&file),
        FileState::Ready => facts(&file),
    };
    let about = format!("{about} · {}", words::when(file.created_at.as_millis()));
    let about_id = format!("about-{id}");
    let is_refused = file.state == FileState::Refused;
    let choose = move |event: leptos::ev::Event| {
        let is_chosen = event_target_checked(&event);
        choice.chosen.update(|chosen| {
            if is_chosen {
                chosen.insert(id)
            } else {
                chosen.remove(&id)
            };
        });
    };
    view! {
        <li>
            <label class:stuck=is_refused>
                <input
                    type="checkbox"
                    aria-label=plain_name(&file.name)
                    aria-describedby=about_id.clone()
                    prop:checked=move || choice.chosen.read().contains(&id)
                    on:change=choose
                />
                <span class="attachment-text">
                    <FileName name=file.name />
                    <span id=about_id class="attachment-about">
                        {about}
                    </span>
                </span>
            </label>
        </li>
    }
}

#[component]
fn Collections(choice: Choice) -> impl IntoView {
    let app = App::get();
    let library = &app.known_files().library;
    let is_idle = move || app.attaches_to().is_none();
    let line = move |collection: CollectionInfo| {
        let (id, name) = (collection.collection_id, collection.name.clone());
        let (named, kept) = (name.clone(), name.clone());
        let counts = (collection.file_ids.len() as u64, collection.urls.len() as u64);
        let about = match counts {
            (files, 0) => words::files_in(files),
            (0, pages) => words::pages_in(pages),
            (files, pages) => format!("{} · {}", words::files_in(files), words::pages_in(pages)),
        };
        let add = (counts != (0, 0)).then(|| {
            let label = words::add_named(&name);
            let add = move |_| app.add_to_message(vec![collection_source(&collection)]);
            view! {
                <button class="link-button" aria-label=label disabled=is_idle on:click=add>
                    {words::add()}
                </button>
            }
        });
        view! {
            <li>
                {icon(FOLDER)}
                <span class="attachment-text">
                    <span class="collection-name" dir="auto">
                        {name.clone()}
                    </span>
                    <span class="attachment-about">{about}</span>
                </span>
                {add}
                <button
                    class="icon-button"
                    aria-label=words::rename_named(&name)
                    on:click=move |_| choice.ask(Asks::OtherName(id), &kept)
                >
                    {icon(PENCIL)}
                </button>
                <button
                    class="icon-button"
                    aria-label=words::delete_named(&name)
                    on:click=move |_| {
                        choice.ask(Asks::DeleteCollection(id, named.clone()), "");
                    }
                >
                    {icon(TRASH)}
                </button>
            </li>
        }
    };
    view! {
        <Show when=move || !library.read().collections.is_empty()>
            <ul class="library-collections" role="list" aria-label=words::collections()>
                <For
                    each=move || library.read().collections.clone()
                    key=|one| {
                        let counts = (one.file_ids.len(), one.urls.len());
                        (one.collection_id, one.name.clone(), counts)
                    }
                    children=line
                />
            </ul>
        </Show>
    }
}

/// What can be done with the chosen files, and what is asked first.
#[component]
fn Foot(choice: Choice) -> impl IntoView {
    let app = App::get();
    let library = &app.known_files().library;
    let count = Memo::new(move |_| choice.chosen.read().len() as u64);
    let pages = Memo::new(move |_| choice.urls.read().len());
    let add = move |_| {
        let chosen = choice.take();
        let pages = choice.take_urls().into_iter().map(url_source);
        let library = library.read_untracked();
        let is_chosen = |file: &&FileInfo| chosen.contains(&file.file_id);
        let files = library.files.iter().filter(is_chosen).map(file_source);
        app.add_to_message(files.chain(pages).collect());
    };
    move || match choice.asks.get() {
        Asks::Nothing if count.get() == 0 && pages.get() == 0 => {
            view! { <p class="library-used">{app.files_used()}</p> }.into_any()
        }
        Asks::Nothing => view! {
            <div class="dialog-buttons">
                <Show when=move || count.get() != 0>
                    <button
                        class="button danger"
                        on:click=move |_| choice.ask(Asks::DeleteFiles, "")
                    >
                        {words::delete_more()}
                    </button>
                </Show>
                <button class="button" on:click=move |_| choice.ask(Asks::NewName, "")>
                    {words::new_collection()}
                </button>
                <button
                    class="button primary"
                    disabled=move || app.attaches_to().is_none()
                    on:click=add
                >
                    {words::add_to_message()}
                </button>
            </div>
        }
        .into_any(),
        Asks::DeleteFiles => sure(choice, words::delete_files(count.get_untracked()), move || {
            app.delete_files(choice.take());
        }),
        Asks::DeleteCollection(id, name) => {
            sure(choice, words::delete_collection(&name), move || app.delete_collection(id))
        }
        Asks::NewName => named(choice, move |name| {
            app.collect(name, choice.take(), choice.take_urls());
        }),
        Asks::OtherName(id) => named(choice, move |name| app.rename_collection(id, name)),
    }
}

/// Asks once more.
fn sure(choice: Choice, question: String, done: impl Fn() + 'static) -> AnyView {
    let delete = move |_| {
        done();
        choice.end();
    };
    view! {
        <div class="library-ask" role="group" aria-labelledby="library-question">
            <p id="library-question">{question}</p>
            <div class="dialog-buttons">
                <button id="library-ask" class="button" on:click=move |_| choice.end()>
                    {words::cancel()}
                </button>
                <button class="button danger" on:click=delete>
                    {words::delete()}
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// Asks for a name.
fn named(choice: Choice, done: impl Fn(String) + 'static) -> AnyView {
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = choice.name.get_untracked();
        if !name.trim().is_empty() {
            done(name);
            choice.end();
        }
    };
    view! {
        <form class="library-ask" on:submit=submit>
            <div class="field">
                <label for="library-ask">{words::collection_name()}</label>
                <input
                    id="library-ask"
                    type="text"
                    dir="auto"
                    autocomplete="off"
                    maxlength=limits::COLLECTION_NAME_CHARS.to_string()
                    bind:value=choice.name
                />
            </div>
            <div class="dialog-buttons">
                <button class="button" type="button" on:click=move |_| choice.end()>
                    {words::cancel()}
                </button>
                <button class="button primary" type="submit">
                    {words::save()}
                </button>
            </div>
        </form>
    }
    .into_any()
}
