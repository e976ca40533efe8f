//! Another model for a message that was answered: instead of the answer, or beside it.

use leptos::prelude::*;
use unbroken_chat_view::picker;

use super::icons::{COLUMNS, icon};
use crate::state::App;
use crate::{dom, words};

/// The popover's id; there is one for all answers.
const POPOVER: &str = "another-model";

/// The button of an answer that opens the list of models.
#[component]
pub(crate) fn Another(key: u64) -> impl IntoView {
    let app = App::get();
    view! {
        <button
            class="icon-button"
            aria-label=words::another_model()
            title=words::another_model()
            popovertarget=POPOVER
            on:click=move |_| app.open.another.set(Some(key))
        >
            {icon(COLUMNS)}
        </button>
    }
}

/// The list of models. While something is written another answer can only come beside it.
#[component]
pub(crate) fn AnotherModel() -> impl IntoView {
    let app = App::get();
    let beside = RwSignal::new(false);
    let is_beside = move || beside.get() || app.open.running.get();
    let ask = move |model: String| {
        dom::hide_popover(POPOVER);
        let Some(key) = app.open.another.get_untracked() else { return };
        if beside.get_untracked() || app.open.running.get_untracked() {
            app.ask_beside(key, model);
        } else {
            app.ask_instead(key, model);
        }
    };
    let models = move || {
        // Nothing of it is in the page before it is wanted.
        app.open.another.get()?;
        let picker = app.picker.read();
        let models = picker.visible().filter(|item| item.id != picker::BEST).map(|item| {
            let id = item.id.clone();
            let chosen = move |_| ask(id.clone());
            view! {
                <li>
                    <button class="menu-item" on:click=chosen>
                        {item.name.clone()}
                    </button>
                </li>
            }
        });
        Some(models.collect_view())
    };
    view! {
        <div
            id=POPOVER
            class="another"
            popover="auto"
            role="group"
            aria-label=words::another_model()
        >
            <p aria-hidden="true">{words::another_model()}</p>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=is_beside
                    disabled=move || app.open.running.get()
                    on:change=move |event| beside.set(event_target_checked(&event))
                />
                {words::side_by_side()}
            </label>
            <ul>{models}</ul>
        </div>
    }
}
