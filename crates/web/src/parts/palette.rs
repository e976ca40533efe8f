//! The command palette: one field that finds every action, model and conversation.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::history;
use unbroken_chat_view::palette::{Entry, Kind, Palette};
use unbroken_protocol::SearchPage;

use super::icons::{CLOSE, icon};
use crate::address::Place;
use crate::state::App;
use crate::{actions, dom, words};

const FIELD: &str = "palette-field";
const LIST: &str = "palette-list";
/// Actions that were used last on this device, the last one first.
const RECENT: &str = "recent_actions";
const RECENT_KEPT: usize = 5;
/// The server is asked when nothing was typed for so long, and not for a single letter.
const PAUSE: Duration = Duration::from_millis(180);
const SHORTEST: usize = 2;
const HITS: u32 = 20;

/// The dialog, closed until `palette_open` turns true.
#[component]
pub(crate) fn CommandPalette() -> impl IntoView {
    let app = App::get();
    let open = app.palette_open;
    let dialog = NodeRef::<Dialog>::new();
    let palette = RwSignal::new(Palette::default());
    let shown = Memo::new(move |_| palette.read().shown().cloned().collect::<Vec<_>>());
    let active = Memo::new(move |_| palette.read().active_place());
    Effect::new(move || {
        if open.get() {
            palette.set(untrack(|| Palette::new(entries(app))));
            request_animation_frame(|| dom::focus(FIELD));
        }
    });
    dom::opens(dialog, open);
    Effect::new(move || {
        if let Some(place) = active.get() {
            request_animation_frame(move || dom::bring_into_view(&option_id(place)));
        }
    });
    let on_key = move |event: KeyboardEvent| {
        if event.is_composing() {
            return;
        }
        let apple = dom::is_apple();
        if dom::press(&event, |press| actions::PALETTE.is(press, apple)) {
            event.prevent_default();
            open.set(false);
        } else if event.key() == "Enter" {
            event.prevent_default();
            choose(app, palette, active.get_untracked());
        } else if palette.try_update(|palette| palette.key(&event.key())) == Some(true) {
            event.prevent_default();
        }
    };
    let on_input = move |event| {
        palette.update(|palette| palette.search(&event_target_value(&event)));
        look_further(app, palette);
    };
    view! {
        <dialog
            class="palette"
            node_ref=dialog
            aria-label=words::palette()
            closedby="any"
            on:close=move |_| open.set(false)
            on:keydown=on_key
        >
            <div class="palette-top">
                <input
                    id=FIELD
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-autocomplete="list"
                    aria-controls=LIST
                    aria-activedescendant=move || active.get().map(option_id)
                    aria-label=words::palette_field()
                    placeholder=words::palette_placeholder()
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    enterkeyhint="go"
                    prop:value=Signal::derive(move || palette.read().query().to_owned())
                    on:input=on_input
                />
                <button class="icon-button" aria-label=words::close() on:click=move |_| open.set(false)>
                    {icon(CLOSE)}
                </button>
            </div>
            <div id=LIST class="palette-list" role="listbox" aria-label=words::results()>
                {move || groups(app, palette, &shown.read(), active)}
            </div>
            <p class="palette-empty" role="status">
                {move || shown.read().is_empty().then_some(words::palette_nothing())}
            </p>
        </dialog>
    }
}

fn groups(
    app: App,
    palette: RwSignal<Palette>,
    shown: &[Entry],
    active: Memo<Option<usize>>,
) -> AnyView {
    let mut place = 0;
    let groups = shown.chunk_by(|one, next| one.kind == next.kind).map(|group| {
        let name = match group.first().map(|entry| entry.kind) {
            Some(Kind::Action) | None => words::actions(),
            Some(Kind::Model) => words::models(),
            Some(Kind::Conversation) => words::conversations(),
            Some(Kind::Found) => words::in_messages(),
        };
        let options: Vec<_> = group
            .iter()
            .map(|entry| {
                place += 1;
                option(app, palette, entry, place - 1, active)
            })
            .collect();
        view! {
            <div role="group" aria-label=name>
                <div class="models-group" aria-hidden="true">
                    {name}
                </div>
                {options}
            </div>
        }
    });
    groups.collect_view().into_any()
}

fn option(
    app: App,
    palette: RwSignal<Palette>,
    entry: &Entry,
    place: usize,
    active: Memo<Option<usize>>,
) -> AnyView {
    let is_active = move || active.get() == Some(place);
    let (keys, note) = match entry.kind {
        Kind::Action => (Some(entry.note.clone()).filter(|keys| !keys.is_empty()), None),
        _ => (None, Some(entry.note.clone()).filter(|note| !note.is_empty())),
    };
    view! {
        <div
            id=option_id(place)
            class="palette-option"
            role="option"
            class:active=is_active
            aria-selected=Signal::derive(move || is_active().to_string())
            data-keys=keys
            on:pointermove=move |_| {
                if active.get_untracked() != Some(place) {
                    palette.update(|palette| palette.set_active(place));
                }
            }
            on:click=move |_| choose(app, palette, Some(place))
        >
            <span class="palette-name" dir="auto">
                {entry.name.clone()}
            </span>
            {note.map(|note| {
                view! {
                    <span class="palette-note" dir="auto">
                        {note}
                    </span>
                }
            })}
        </div>
    }
    .into_any()
}

fn option_id(place: usize) -> String {
    format!("palette-{place}")
}

/// Everything that is known without asking, the last used of each kind first.
fn entries(app: App) -> Vec<Entry> {
    let apple = dom::is_apple();
    let recent = dom::kept(RECENT).unwrap_or_default();
    let age = |id: &str| recent.split(' ').position(|used| used == id).unwrap_or(RECENT_KEPT);
    let mut known = actions::all();
    known.retain(|action| action.id != "palette" && action.id != "send" && (action.can)(app));
    known.sort_by_key(|action| age(action.id));
    let of_action = |action: actions::Action| Entry {
        kind: Kind::Action,
        id: action.id.to_owned(),
        name: action.name.to_owned(),
        also: action.also.to_owned(),
        note: action.keys.map(|keys| keys.label(apple)).unwrap_or_default(),
    };
    let mut entries: Vec<_> = known.into_iter().map(of_action).collect();
    let here = app.place.get_untracked();
    let history = app.history.read_untracked();
    let elsewhere =
        history.entries().iter().filter(|c| here != Place::Chat(Some(c.conversation_id)));
    entries.extend(elsewhere.map(|conversation| Entry {
        kind: Kind::Conversation,
        id: conversation.conversation_id.to_string(),
        name: history::title(conversation).to_owned(),
        also: String::new(),
        note: String::new(),
    }));
    entries.extend(app.picker.read_untracked().items().iter().map(|item| Entry {
        kind: Kind::Model,
        id: item.id.clone(),
        name: words::model_button(&item.name),
        also: format!("{} {}", item.id, item.provider),
        note: String::new(),
    }));
    entries
}

/// Asks the server, unless more is typed meanwhile.
fn look_further(app: App, palette: RwSignal<Palette>) {
    let query = palette.read_untracked().query().to_owned();
    if query.trim().chars().count() < SHORTEST {
        return;
    }
    spawn_local(async move {
        dom::sleep(PAUSE).await;
        let is_asked = || palette.read_untracked().query() == query;
        let Some(rest) = app.rest().filter(|_| is_asked()) else { return };
        if let Ok(page) = rest.search(&query, Some(HITS), None).await
            && is_asked()
        {
            palette.update(|palette| palette.found(found(page)));
        }
    });
}

/// One entry for each conversation: its best hit.
fn found(page: SearchPage) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for hit in page.hits {
        let id = hit.conversation_id.to_string();
        if entries.iter().all(|entry| entry.id != id) {
            let title = Some(hit.title).filter(|title| !title.trim().is_empty());
            let name = title.unwrap_or_else(|| words::untitled().to_owned());
            let note = hit.message_id.map_or_else(String::new, |_| hit.snippet);
            entries.push(Entry { kind: Kind::Found, id, name, also: String::new(), note });
        }
    }
    entries
}

/// Closes, which gives the focus back, and does what was chosen.
fn choose(app: App, palette: RwSignal<Palette>, place: Option<usize>) {
    let chosen = place.and_then(|place| palette.read_untracked().shown().nth(place).cloned());
    let Some(chosen) = chosen else { return };
    app.palette_open.set(false);
    // The dialog closes before the next frame; what is chosen may move the focus on.
    request_animation_frame(move || match chosen.kind {
        Kind::Action => {
            remember(&chosen.id);
            if let Some(action) = actions::all().iter().find(|action| action.id == chosen.id) {
                (action.run)(app);
            }
        }
        Kind::Model => {
            app.picker.update(|picker| picker.select(&chosen.id));
            app.prefer();
        }
        Kind::Conversation | Kind::Found => app.go(&format!("/chat/{}", chosen.id)),
    });
}

fn remember(id: &str) {
    let before = dom::kept(RECENT).unwrap_or_default();
    let others = before.split(' ').filter(|used| *used != id);
    let recent: Vec<_> = std::iter::once(id).chain(others).take(RECENT_KEPT).collect();
    dom::keep(RECENT, &recent.join(" "));
}
