//! How the app looks on this device, and which language it speaks.

use leptos::prelude::*;

use super::Choices;
use crate::{dom, words};

const APPEARANCE: &str = "appearance";
/// Kept when the person chose one. `boot.js` reads it.
pub(crate) const LANGUAGE: &str = "language";

#[component]
pub(super) fn Appearance() -> impl IntoView {
    view! {
        <Choices
            name=APPEARANCE
            legend=words::appearance()
            options=&[("light", words::light), ("dark", words::dark), ("system", words::system)]
            default="system"
            changed=set
        />
        <Language />
    }
}

/// Buttons, so that nothing happens while somebody only goes through them.
#[component]
fn Language() -> impl IntoView {
    let chosen = dom::kept(LANGUAGE);
    let button = |tag: Option<&'static str>, name: &'static str| {
        view! {
            <button
                class="button"
                lang=tag
                aria-pressed=if chosen.as_deref() == tag { "true" } else { "false" }
                on:click=move |_| speak(tag)
            >
                {name}
            </button>
        }
    };
    view! {
        <fieldset class="choices languages">
            <legend>{words::language()}</legend>
            <div>
                {button(None, words::language_of_browser())}
                {words::LANGUAGES.map(|(tag, name)| button(Some(tag), name)).into_iter().collect_view()}
            </div>
        </fieldset>
    }
}

/// Begins anew in that language, or in the browser's. What is being written is kept.
fn speak(tag: Option<&str>) {
    if let Some(tag) = tag {
        dom::keep(LANGUAGE, tag);
    } else {
        dom::forget(LANGUAGE);
    }
    let _ = window().location().reload();
}

/// `light`, `dark` or `system`, from now on.
pub(crate) fn choose(value: &'static str) {
    dom::keep(APPEARANCE, value);
    set(value);
}

fn set(value: &'static str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", value);
    }
}
