//! A line at the edge of the page that goes by itself, unless somebody is at it.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::state::App;
use crate::{dom, words};

#[component]
pub(crate) fn ToastPlace() -> impl IntoView {
    let app = App::get();
    let hold = move |held: bool| app.keep.held.set(held);
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            app.end_toast();
        }
    };
    let content = move || {
        let toast = app.keep.toast.get()?;
        let undo = toast.undo.map(|_| {
            view! {
                <button id="undo" class="link-button" on:click=move |_| app.undo()>
                    {words::UNDO}
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
    };
    view! {
        <div class="toast-place" role="status">
            {content}
        </div>
    }
}
