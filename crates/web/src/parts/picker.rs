//! The model picker: a button with the model's name, and a popover that the stylesheet places
//! where there is room. What is in it comes when somebody is about to open it.

use leptos::prelude::*;
use unbroken_chat_view::picker::Picker;

use super::icons::{CHEVRON_DOWN, icon};
use super::later::LaterPage;
use super::show::Show;
use crate::state::App;
use crate::{chunks, dom, words};

/// The popover's id.
pub(crate) const POPOVER: &str = "model-picker";
/// The id of the search in it.
pub(crate) const SEARCH: &str = "model-search";

#[component]
pub(crate) fn ModelPicker() -> impl IntoView {
    let app = App::get();
    let picker = app.picker;
    let wanted = RwSignal::new(false);
    let want = move || {
        if !wanted.get_untracked() {
            wanted.set(true);
        }
    };
    let on_toggle = move |_| {
        if dom::is_open(POPOVER) {
            want();
            dom::focus(SEARCH);
        } else {
            picker.update(|picker| picker.search(""));
        }
    };
    view! {
        <button
            class="model-button"
            type="button"
            popovertarget=POPOVER
            aria-haspopup="dialog"
            aria-label=Signal::derive(move || picker.read().label())
            on:pointerenter=move |_| want()
            on:focus=move |_| want()
            on:click=move |_| picker.update(Picker::open)
        >
            <span>{Signal::derive(move || app.model_name())}</span>
            {icon(CHEVRON_DOWN)}
        </button>
        <div
            id=POPOVER
            class="picker"
            popover="auto"
            role="dialog"
            aria-label=words::search_models()
            on:toggle=on_toggle
        >
            <Show when=move || wanted.get()>
                <LaterPage bring=chunks::models />
            </Show>
        </div>
    }
}
