//! What is in the model picker: the search, and the models that it leaves.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use unbroken_chat_view::picker::Item;

use super::icons::{CHECK, icon};
use super::picker::{POPOVER, SEARCH};
use super::show::Show;
use crate::state::App;
use crate::{dom, words};

const LIST: &str = "model-list";
/// Letters that are typed with shorter pauses are one word.
const TYPING_PAUSE: Duration = Duration::from_millis(600);

/// The search has the focus when it comes into an open picker.
#[component]
pub(crate) fn Models() -> impl IntoView {
    let app = App::get();
    let picker = app.picker;
    let active = Memo::new(move |_| picker.read().active().map(|item| item.id.clone()));
    let active_option = move || active.get().map(|id| option_id(&id)).unwrap_or_default();
    Effect::new(move || {
        if let Some(id) = active.get() {
            request_animation_frame(move || dom::bring_into_view(&option_id(&id)));
        }
    });
    Effect::new(|| {
        if dom::is_open(POPOVER) {
            dom::focus(SEARCH);
        }
    });
    let typed = StoredValue::new((String::new(), 0_i64));
    let on_list_key = move |event: KeyboardEvent| {
        if on_key(app, &event) || event.key().chars().count() != 1 {
            return;
        }
        typed.update_value(|(text, at)| {
            let now = dom::now();
            if now - *at > i64::try_from(TYPING_PAUSE.as_millis()).unwrap_or(i64::MAX) {
                text.clear();
            }
            *at = now;
            text.push_str(&event.key());
            picker.update(|picker| picker.type_ahead(text));
        });
    };
    view! {
        <input
            id=SEARCH
            class="picker-search"
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-autocomplete="list"
            aria-controls=LIST
            aria-activedescendant=active_option
            aria-label=words::search_models()
            placeholder=words::find_model()
            autocomplete="off"
            spellcheck="false"
            prop:value=Signal::derive(move || picker.read().query().to_owned())
            on:input=move |event| {
                let query = event_target_value(&event);
                picker.update(|picker| picker.search(&query));
            }
            on:keydown=move |event| {
                on_key(app, &event);
            }
        />
        <p class="models-note" role="status">
            {move || picker.read().note()}
        </p>
        <div
            id=LIST
            class="models"
            role="listbox"
            tabindex="0"
            aria-label=words::models()
            aria-activedescendant=active_option
            on:keydown=on_list_key
        >
            <Options active />
        </div>
    }
}

/// What the search leaves, by provider.
#[component]
fn Options(active: Memo<Option<String>>) -> impl IntoView {
    let picker = App::get().picker;
    let groups = Memo::new(move |_| {
        let picker = picker.read();
        let groups = picker.groups().into_iter();
        groups
            .map(|group| (group.provider.to_owned(), group.items.into_iter().cloned().collect()))
            .collect::<Vec<(String, Vec<Item>)>>()
    });
    move || {
        let groups = groups.get();
        if groups.is_empty() {
            return view! { <p class="models-empty">{words::no_model_found()}</p> }.into_any();
        }
        let group = |(provider, items): (String, Vec<Item>)| {
            let options = items.into_iter().map(|item| view! { <ModelOption item active /> });
            let options = options.collect_view();
            if provider.is_empty() {
                return options.into_any();
            }
            let heading = provider.clone();
            view! {
                <div role="group" aria-label=provider>
                    <div class="models-group" aria-hidden="true">
                        {heading}
                    </div>
                    {options}
                </div>
            }
            .into_any()
        };
        groups.into_iter().map(group).collect_view().into_any()
    }
}

#[component]
fn ModelOption(item: Item, active: Memo<Option<String>>) -> impl IntoView {
    let app = App::get();
    let picker = app.picker;
    let (id, hovered, chosen) = (item.id.clone(), item.id.clone(), item.id.clone());
    let is_active = move || active.read().as_deref() == Some(id.as_str());
    let is_selected = Memo::new(move |_| picker.read().selected() == chosen);
    let mut marks = item.capabilities;
    marks.insert(0, item.context);
    let about = [item.description, item.speed, item.cost];
    view! {
        <div
            id=option_id(&item.id)
            class="model"
            role="option"
            class:active=is_active
            aria-selected=Signal::derive(move || is_selected.get().to_string())
            on:pointermove=move |_| {
                if active.read_untracked().as_deref() != Some(hovered.as_str()) {
                    picker.update(|picker| picker.set_active(&hovered));
                }
            }
            on:click=move |_| choose(app, Some(&item.id))
        >
            <span class="model-name">{item.name}</span>
            <span class="model-marks">
                {joined(marks)} <Show when=move || is_selected.get()>{icon(CHECK)}</Show>
            </span>
            <span class="model-about">{joined(about)}</span>
        </div>
    }
}

/// Moves and chooses; `true` when the key was one of the list's.
fn on_key(app: App, event: &KeyboardEvent) -> bool {
    if event.is_composing() {
        return false;
    }
    if event.key() == "Enter" {
        event.prevent_default();
        choose(app, None);
        return true;
    }
    let mut ours = false;
    app.picker.update(|picker| ours = picker.key(&event.key()));
    if ours {
        event.prevent_default();
    }
    ours
}

/// Chooses an option, or the active one, and closes.
fn choose(app: App, id: Option<&str>) {
    let chosen = app.picker.try_update(|picker| {
        if let Some(id) = id {
            picker.set_active(id);
        }
        picker.choose_active()
    });
    if let Some(Some(_)) = chosen {
        dom::hide_popover(POPOVER);
        app.prefer();
    }
}

fn option_id(model: &str) -> String {
    format!("model-{}", model.replace(char::is_whitespace, "_"))
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}
