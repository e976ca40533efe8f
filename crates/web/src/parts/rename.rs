//! A conversation's title as a field, in its line.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use unbroken_protocol::limits;

use crate::state::App;
use crate::{dom, words};

/// The title as a field: Enter takes it, Escape leaves it.
#[component]
pub(crate) fn Rename() -> impl IntoView {
    let app = App::get();
    let (spot, conversation) = app.keep.renaming.get_untracked()?;
    let title = RwSignal::new(conversation.title.clone());
    let take = move |title: &str| {
        let is_here =
            app.keep.renaming.read_untracked().as_ref().is_some_and(|(at, _)| *at == spot);
        if is_here {
            app.rename(spot, conversation.clone(), title);
        }
    };
    let left = take.clone();
    let on_key = move |event: KeyboardEvent| {
        let is_ours = !event.is_composing() && matches!(event.key().as_str(), "Enter" | "Escape");
        if is_ours {
            event.prevent_default();
            let now = title.get_untracked();
            take(if event.key() == "Enter" { &now } else { "" });
        }
    };
    request_animation_frame(|| {
        dom::focus("rename");
        dom::select_all("rename");
    });
    Some(view! {
        <input
            id="rename"
            class="rename"
            dir="auto"
            aria-label=words::rename()
            maxlength=limits::TITLE_CHARS.to_string()
            autocomplete="off"
            bind:value=title
            on:keydown=on_key
            // Also when the field goes away.
            on:blur=move |_| title.try_get_untracked().iter().for_each(|title| left(title))
        />
    })
}
