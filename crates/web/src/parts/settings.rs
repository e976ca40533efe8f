//! The settings dialog: how the app looks, how it speaks, and what it is.

use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_chat_view::announcements::Announce;

use super::icons::{CLOSE, icon};
use crate::state::App;
use crate::{dom, words};

const APPEARANCE: &str = "appearance";
const ANNOUNCE: &str = "announce";

/// What the person wants to hear, as chosen on this device.
pub(crate) fn announce() -> Announce {
    match dom::kept(ANNOUNCE).as_deref() {
        Some("end") => Announce::AtTheEnd,
        Some("off") => Announce::Off,
        _ => Announce::Sentences,
    }
}

/// The dialog, closed until `settings_open` turns true.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let open = App::get().settings_open;
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get()
            && open.get()
            && !dialog.open()
        {
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get() {
            dialog.close();
        }
    };
    view! {
        <dialog
            node_ref=dialog
            aria-labelledby="settings-title"
            closedby="any"
            on:close=move |_| open.set(false)
        >
            <div class="dialog-head">
                <h2 id="settings-title">{words::SETTINGS}</h2>
                <button class="icon-button" aria-label=words::CLOSE on:click=close>
                    {icon(CLOSE)}
                </button>
            </div>
            <Choices
                name=APPEARANCE
                legend=words::APPEARANCE
                options=&[("light", words::LIGHT), ("dark", words::DARK), ("system", words::SYSTEM)]
                default="system"
                changed=set_appearance
            />
            <Choices
                name=ANNOUNCE
                legend=words::ANNOUNCE
                options=&[
                    ("sentences", words::ANNOUNCE_SENTENCES),
                    ("end", words::ANNOUNCE_END),
                    ("off", words::ANNOUNCE_OFF),
                ]
                default="sentences"
                changed=|_| {}
            />
            <h3>{words::ABOUT}</h3>
            <p>
                {words::APP} " " {env!("CARGO_PKG_VERSION")} ". " {words::ABOUT_TEXT}
            </p>
        </dialog>
    }
}

fn set_appearance(value: &'static str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", value);
    }
}

/// One of a few, kept on this device under `name`.
#[component]
fn Choices(
    name: &'static str,
    legend: &'static str,
    options: &'static [(&'static str, &'static str)],
    default: &'static str,
    changed: fn(&'static str),
) -> impl IntoView {
    let chosen = dom::kept(name).unwrap_or_else(|| default.to_owned());
    let choices = options.iter().map(|&(value, label)| {
        let choose = move |_| {
            dom::keep(name, value);
            changed(value);
        };
        view! {
            <label>
                <input type="radio" name=name value=value checked=chosen == value on:change=choose />
                {label}
            </label>
        }
    });
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            <div>{choices.collect_view()}</div>
        </fieldset>
    }
}
