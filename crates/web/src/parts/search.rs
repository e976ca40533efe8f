//! The search over all conversations: a dialog with a field and what was found, as one types.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::search::{Found, Question, Search as Model, pieces};
use unbroken_protocol::{Role, SearchHit};

use super::icons::{CLOSE, icon};
use crate::state::App;
use crate::{dom, words};

const DIALOG: &str = "search-dialog";
/// Keys that come faster than this are one text.
const TYPING: Duration = Duration::from_millis(150);
const PAGE: u32 = 30;
/// So near the end more is asked for, in pixels.
const NEAR: i32 = 300;

#[component]
pub(crate) fn SearchDialog() -> impl IntoView {
    let app = App::get();
    let dialog = NodeRef::<Dialog>::new();
    let results = NodeRef::<Div>::new();
    let search = RwSignal::new(Model::default());
    let open = app.keep.searching;
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && open.get()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
            dom::select_all("search-field");
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let on_input = move |text: String| {
        if let Some(Some(question)) = search.try_update(|search| search.type_text(&text)) {
            spawn_local(async move {
                dom::sleep(TYPING).await;
                find(app, search, question).await;
            });
        }
    };
    let on_scroll = move |_| {
        let Some(results) = results.get_untracked() else { return };
        if results.scroll_top() + results.client_height() + NEAR > results.scroll_height()
            && let Some(Some(question)) = search.try_update(Model::more)
        {
            spawn_local(find(app, search, question));
        }
    };
    let found = Memo::new(move |_| search.read().found());
    view! {
        <dialog
            id=DIALOG
            class="search"
            node_ref=dialog
            closedby="any"
            aria-label=words::search_conversations()
            on:close=move |_| open.set(false)
            on:keydown=move |event| on_key(&event)
        >
            <div class="search-head">
                <input
                    id="search-field"
                    type="search"
                    dir="auto"
                    autocomplete="off"
                    aria-label=words::search_conversations()
                    placeholder=words::search_conversations()
                    on:input=move |event| on_input(event_target_value(&event))
                />
                <button class="icon-button" aria-label=words::close() on:click=move |_| close()>
                    {icon(CLOSE)}
                </button>
            </div>
            <div class="results" node_ref=results on:scroll=on_scroll on:click=move |event| {
                if dom::is_in_link(&event) {
                    app.drawer.set(false);
                    close();
                }
            }>
                <For
                    each=move || found.get()
                    key=|found| (found.conversation_id, found.hits.len(), first(found))
                    let(found)
                >
                    <Conversation found />
                </For>
                <p class="search-note" role="status">
                    {move || note(&search.read())}
                </p>
            </div>
        </dialog>
    }
}

fn first(found: &Found) -> Option<String> {
    found.hits.first().map(|hit| hit.snippet.clone())
}

/// Asks the server, unless something else is wanted already.
async fn find(app: App, search: RwSignal<Model>, question: Question) {
    if !search.read_untracked().wants(&question) {
        return;
    }
    let Some(rest) = app.rest() else { return };
    let answer = rest.search(&question.query, Some(PAGE), question.cursor.as_deref()).await;
    let page = app.checked(answer);
    search.update(|search| search.answer(&question, page));
}

/// What is said below what was found.
fn note(search: &Model) -> String {
    if search.query().is_empty() {
        words::search_hint().to_owned()
    } else if search.is_waiting() {
        words::searching().to_owned()
    } else if search.has_failed() {
        words::search_failed().to_owned()
    } else if search.found().is_empty() {
        words::nothing_found(search.query())
    } else {
        String::new()
    }
}

#[component]
fn Conversation(found: Found) -> impl IntoView {
    let id = found.conversation_id;
    let hits = found.hits.into_iter().filter(|hit| hit.message_id.is_some());
    view! {
        <section aria-label=found.title.clone()>
            <a class="found-title" href=format!("/chat/{id}") dir="auto">
                {found.title.clone()}
            </a>
            {hits.map(|hit| view! { <Hit hit /> }).collect_view()}
        </section>
    }
}

#[component]
fn Hit(hit: SearchHit) -> impl IntoView {
    let who = if hit.role == Some(Role::User) { words::you() } else { words::assistant() };
    let snippet = pieces(&hit).into_iter().map(|piece| {
        if piece.marked {
            view! { <mark>{piece.text}</mark> }.into_any()
        } else {
            piece.text.into_any()
        }
    });
    let address = match hit.message_id {
        Some(message) => format!("/chat/{}?message={message}", hit.conversation_id),
        None => format!("/chat/{}", hit.conversation_id),
    };
    view! {
        <a class="found" href=address>
            <span class="found-who">{who} " · " {words::when(hit.timestamp.as_millis())}</span>
            <span class="found-text" dir="auto">
                {snippet.collect_view()}
            </span>
        </a>
    }
}

/// Arrows go through what was found; Enter in the field opens the first.
fn on_key(event: &KeyboardEvent) {
    let to = match event.key().as_str() {
        _ if event.is_composing() => return,
        "ArrowDown" => dom::Beside::Next,
        "ArrowUp" => dom::Beside::Previous,
        "Enter" if dom::has_focus("search-field") => {
            event.prevent_default();
            dom::focus_beside(DIALOG, "input, a", dom::Beside::Next);
            return dom::click_focused();
        }
        _ => return,
    };
    event.prevent_default();
    dom::focus_beside(DIALOG, "input, a", to);
}
