//! Two answers to one message, side by side; in a narrow window one at a time.

use leptos::prelude::*;
use unbroken_chat_view::transcript::Answer as AnswerModel;

use super::message::Answer;
use super::show::Show;
use crate::state::App;
use crate::words;

/// The answer of the branch that is shown, and the one that is held beside it.
#[component]
pub(crate) fn Pair(key: u64, beside: u64) -> impl IntoView {
    let app = App::get();
    let seen = RwSignal::new(0_usize);
    let columns = in_order(app, key, beside);
    let [(left, left_name), (right, right_name)] = columns.map(|of| (of, name(app, of)));
    let tab = move |at: usize, name: Memo<String>| {
        view! {
            <button
                aria-pressed=Signal::derive(move || (seen.get() == at).to_string())
                on:click=move |_| seen.set(at)
            >
                {name}
            </button>
        }
    };
    let column = move |at: usize, own: u64, other: u64, name: Memo<String>| {
        view! {
            <div class="pair-column" class:behind=Signal::derive(move || seen.get() != at)>
                <p class="pair-name" aria-hidden="true">
                    {name}
                </p>
                <Answer key=own paired=true />
                <Choice own other name />
            </div>
        }
    };
    view! {
        <div class="pair" data-key=key role="group" aria-label=words::two_answers()>
            <div class="pair-tabs" role="group" aria-label=words::answers_of()>
                {tab(0, left_name)} {tab(1, right_name)}
            </div>
            {column(0, left, right, left_name)}
            {column(1, right, left, right_name)}
        </div>
    }
}

/// Stop, and the choice of this answer.
#[component]
fn Choice(own: u64, other: u64, name: Memo<String>) -> impl IntoView {
    let app = App::get();
    let runs = move || {
        let runs = |answer: &AnswerModel| answer.state().is_running();
        app.open.message(own, |message| message.answer().is_some_and(runs)).unwrap_or(false)
    };
    let running = RwSignal::new(runs());
    app.open.watch(own, move || {
        if running.get_untracked() != runs() {
            running.set(runs());
        }
    });
    view! {
        <div class="pair-choice">
            <Show when=move || running.get()>
                <button
                    class="button"
                    aria-label=Signal::derive(move || words::stop_named(&name.read()))
                    on:click=move |_| app.open.stop_one(app, own)
                >
                    {words::stop()}
                </button>
            </Show>
            <button
                class="button"
                aria-label=Signal::derive(move || words::use_named(&name.read()))
                on:click=move |_| app.use_answer(own, other)
            >
                {words::use_this()}
            </button>
        </div>
    }
}

/// The one that was asked first comes first, whichever is on the branch that is shown.
fn in_order(app: App, key: u64, beside: u64) -> [u64; 2] {
    let id = app.open.message(beside, |message| message.id).flatten();
    let held_first = app.open.message(key, |message| {
        let at = |id| message.sibling_ids.iter().position(|sibling| Some(*sibling) == id);
        at(id) < at(message.id)
    });
    if held_first == Some(true) { [beside, key] } else { [key, beside] }
}

fn name(app: App, key: u64) -> Memo<String> {
    let read = move || app.open.message(key, |message| Some(message.answer()?.model.clone()));
    let model = RwSignal::new(read().flatten().unwrap_or_default());
    app.open.watch(key, move || {
        let now = read().flatten().unwrap_or_default();
        if *model.read_untracked() != now {
            model.set(now);
        }
    });
    Memo::new(move |_| {
        let model = model.read();
        app.picker.read().name_of(&model).to_owned()
    })
}
