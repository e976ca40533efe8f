//! Deleting everything: said exactly, and confirmed in words.

use leptos::ev::SubmitEvent;
use leptos::html::Dialog;
use leptos::prelude::*;

use crate::moves::Place;
use crate::parts::links::Problem;
use crate::state::App;
use crate::{dom, words};

#[component]
pub(super) fn Erase() -> impl IntoView {
    let app = App::get();
    let (open, typed) = (RwSignal::new(false), RwSignal::new(String::new()));
    let dialog = NodeRef::<Dialog>::new();
    dom::opens(dialog, open);
    let ready = move || {
        let is_said = typed.read().trim().to_lowercase() == words::DELETE_ALL_WORDS;
        is_said && !app.moves.now().read().busy
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if untrack(ready) {
            app.delete_everything();
        }
    };
    let begin = move |_| {
        typed.set(String::new());
        app.moves.now().update(|now| now.problem = None);
        open.set(true);
    };
    let list = |lines: &'static [&'static str]| {
        let line = |line: &&'static str| view! { <li>{*line}</li> };
        view! { <ul>{lines.iter().map(line).collect_view()}</ul> }
    };
    view! {
        <h4>{words::DELETE_ALL}</h4>
        <button class="button danger" on:click=begin>
            {words::DELETE_ALL_MENU}
        </button>
        <dialog
            class="erase"
            node_ref=dialog
            closedby="any"
            aria-labelledby="erase-title"
            on:close=move |_| open.set(false)
        >
            <h2 id="erase-title">{words::DELETE_ALL_TITLE}</h2>
            <p>{words::DELETE_ALL_ABOUT}</p>
            <h3>{words::DELETE_ALL_GOES}</h3>
            {list(&words::DELETE_ALL_GOING)}
            <h3>{words::DELETE_ALL_STAYS}</h3>
            {list(&words::DELETE_ALL_STAYING)}
            <form on:submit=submit>
                <div class="field">
                    <label for="erase-words">{words::DELETE_ALL_TYPE}</label>
                    <input
                        id="erase-words"
                        type="text"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        autofocus
                        bind:value=typed
                    />
                </div>
                <Problem of=Place::Erase />
                <div class="dialog-buttons">
                    <button class="button" type="button" on:click=move |_| open.set(false)>
                        {words::CANCEL}
                    </button>
                    <button
                        class="button danger"
                        type="submit"
                        aria-disabled=Signal::derive(move || (!ready()).to_string())
                    >
                        {words::DELETE_ALL}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
