//! Lines at the edge of the page that go by themselves, unless somebody is at one.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::later::LaterPage;
use super::show::Show;
use crate::keep::{Toast, toast_id};
use crate::state::App;
use crate::{chunks, dom, words};

/// Where they are told; what is told comes later.
#[component]
pub(crate) fn ToastPlace() -> impl IntoView {
    let app = App::get();
    view! {
        <div class="toast-place" role="status">
            <Show when=move || !app.keep.toasts.read().is_empty()>
                <LaterPage bring=chunks::toasts />
            </Show>
        </div>
    }
}

#[component]
pub(crate) fn Toasts() -> impl IntoView {
    let app = App::get();
    let line = |toast: Toast| view! { <ToastLine toast /> };
    view! { <For each=move || app.keep.toasts.get() key=|toast| toast.number children=line /> }
}

#[component]
fn ToastLine(toast: Toast) -> impl IntoView {
    let app = App::get();
    let Toast { number, text, undo } = toast;
    let hold = move |held: bool| app.keep.held.set(held);
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            app.end_toast(number);
        }
    };
    let undo_id = format!("undo-{number}");
    if let Some(undo) = undo {
        let id = undo_id.clone();
        // Asked when the button is there: the person may have gone on.
        request_animation_frame(move || {
            if app.may_take_focus(undo) {
                dom::focus(&id);
            }
        });
    }
    let button = undo.map(|undo| {
        view! {
            <button id=undo_id class="link-button" on:click=move |_| app.undo(number, undo)>
                {words::undo()}
            </button>
        }
    });
    view! {
        <div
            id=toast_id(number)
            class="toast"
            on:pointerenter=move |_| hold(true)
            on:pointerleave=move |_| hold(false)
            on:focusin=move |_| hold(dom::focus_is_seen())
            on:focusout=move |_| hold(false)
            on:keydown=on_key
        >
            <span>{text}</span>
            {button}
        </div>
    }
}
