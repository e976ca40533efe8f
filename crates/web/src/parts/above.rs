//! What stands above the composer while there is reason to: the way back to the end, messages that
//! wait, what is being edited, and how long the message is.

use leptos::prelude::*;

use super::icons::{ARROW_DOWN, icon};
use super::show::Show;
use crate::state::App;
use crate::writing::{Editing, Turn};
use crate::{dom, words};

#[component]
pub(crate) fn Above() -> impl IntoView {
    view! {
        <Latest />
        <Queue />
        <Kept />
        <EditNote />
        <Length />
    }
}

/// The messages that wait until the answer before them ends.
#[component]
fn Queue() -> impl IntoView {
    let app = App::get();
    move || {
        let items = app.open.queue.get();
        (!items.is_empty()).then(|| {
            let lines = items.into_iter().enumerate().map(|(at, waiting)| {
                let label = if at == 0 { words::next() } else { words::then() };
                let buttons = waiting.id.map(|id| {
                    let text = waiting.text.clone();
                    let edit = move |_| app.begin_edit(&text, Vec::new(), Editing::Queued { id });
                    view! {
                        <button class="link-button" type="button" on:click=edit>
                            {words::edit()}
                        </button>
                        <button
                            class="link-button"
                            type="button"
                            on:click=move |_| app.remove_queued(id)
                        >
                            {words::remove()}
                        </button>
                    }
                });
                view! {
                    <li>
                        <span class="label">{label}</span>
                        <span class="queued-text" dir="auto">
                            {waiting.text}
                        </span>
                        {buttons}
                    </li>
                }
            });
            view! {
                <ol class="queue" aria-label=words::queue()>
                    {lines.collect_view()}
                </ol>
            }
        })
    }
}

/// The messages that wait for the network.
#[component]
fn Kept() -> impl IntoView {
    let app = App::get();
    let line = move |turn: Turn| {
        let (edited, removed) = (turn.clone(), turn.clone());
        view! {
            <li>
                <span class="queued-text" dir="auto">
                    {turn.text}
                </span>
                <button class="link-button" type="button" on:click=move |_| app.edit_kept(&edited)>
                    {words::edit()}
                </button>
                <button
                    class="link-button"
                    type="button"
                    on:click=move |_| app.forget_kept(&removed)
                >
                    {words::remove()}
                </button>
            </li>
        }
    };
    move || {
        let turns = app.outbox.turns.get();
        (!turns.is_empty()).then(|| {
            view! {
                <div class="kept" role="status">
                    {words::kept_for_later()}
                </div>
                <ol class="queue" aria-label=words::kept_for_later()>
                    {turns.into_iter().map(line).collect_view()}
                </ol>
            }
        })
    }
}

/// What the composer changes, while it does.
#[component]
fn EditNote() -> impl IntoView {
    let app = App::get();
    move || {
        app.writing.editing.get().map(|editing| {
            let note = match editing {
                Editing::Branch { .. } => words::editing_branch(),
                Editing::Queued { .. } => words::editing_queued(),
            };
            view! {
                <div class="edit-note">
                    <p>{note}</p>
                    <button class="link-button" type="button" on:click=move |_| app.end_edit()>
                        {words::cancel()}
                    </button>
                </div>
            }
        })
    }
}

/// How long the message is, once that matters.
#[component]
fn Length() -> impl IntoView {
    let app = App::get();
    let length = Memo::new(move |_| {
        let picker = app.picker.read();
        let chosen = picker.items().iter().find(|item| item.id == picker.selected());
        app.writing.composer.read().length(chosen.and_then(|item| item.context_length))
    });
    view! {
        <div role="status">
            {move || length.get().map(|sentence| view! { <p class="length-note">{sentence}</p> })}
        </div>
    }
}

/// Back to the end of the transcript, while the person reads further up.
#[component]
fn Latest() -> impl IntoView {
    let app = App::get();
    view! {
        <Show when=move || app.open.away.get()>
            <button
                class="button latest"
                on:click=move |_| {
                    app.open.to_end.notify();
                    dom::focus_composer();
                }
            >
                {icon(ARROW_DOWN)}
                {words::latest()}
            </button>
        </Show>
    }
}
