//! A line at the edge of the page that goes by itself, unless somebody is at it.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::later::LaterPage;
use super::show::Show;
use crate::state::App;
use crate::{chunks, dom, words};

/// Where it is told; what is told comes later.
#[component]
pub(crate) fn ToastPlace() -> impl IntoView {
    let app = App::get();
    view! {
        <div class="toast-place" role="status">
            <Show when=move || app.keep.toast.read().is_some()>
                <LaterPage bring=chunks::toast />
            </Show>
        </div>
    }
}

#[component]
pub(crate) fn ToastLine() -> impl IntoView {
    let app = App::get();
    let hold = move |held: bool| app.keep.held.set(held);
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            app.end_toast();
        }
    };
    move || {
        let toast = app.keep.toast.get()?;
        if toast.undo.is_some() {
            // What had it is gone with the conversation.
            request_animation_frame(|| dom::focus("undo"));
        }
        let undo = toast.undo.map(|_| {
            view! {
                <button id="undo" class="link-button" on:click=move |_| app.undo()>
                    {words::undo()}
                </button>
            }
        });
        Some(view! {
            <div
                id="toast"
                class="toast"
                on:pointerenter=move |_| hold(true)
                on:pointerleave=move |_| hold(false)
                on:focusin=move |_| hold(dom::focus_is_seen())
                on:focusout=move |_| hold(false)
                on:keydown=on_key
            >
                <span>{toast.text}</span>
                {undo}
            </div>
        })
    }
}
