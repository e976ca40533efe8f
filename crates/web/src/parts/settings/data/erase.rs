//! Deleting everything: said exactly, and confirmed in words.

use leptos::ev::SubmitEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use unbroken_chat_view::fold::fold;
use unbroken_protocol::DELETE_EVERYTHING;

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
        let said = fold(typed.read().trim());
        // Not every keyboard writes the words of every language.
        let is_meant = said == fold(words::delete_all_words()) || said == fold(DELETE_EVERYTHING);
        is_meant && !app.moves.now().read().busy
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
    let list = |lines: &[&'static str]| {
        let line = |line: &&'static str| view! { <li>{*line}</li> };
        view! { <ul>{lines.iter().map(line).collect_view()}</ul> }
    };
    view! {
        <h4>{words::delete_all()}</h4>
        <button class="button danger" on:click=begin>
            {words::delete_all_menu()}
        </button>
        <dialog
            class="erase"
            node_ref=dialog
            closedby="any"
            aria-labelledby="erase-title"
            on:close=move |_| open.set(false)
        >
            <h2 id="erase-title">{words::delete_all_title()}</h2>
            <p>{words::delete_all_about()}</p>
            <h3>{words::delete_all_goes()}</h3>
            {list(&[
                words::all_conversations_go(),
                words::all_answers_go(),
                words::all_files_go(),
                words::all_links_go(),
                words::all_imports_go(),
                words::all_drafts_go(),
            ])}
            <h3>{words::delete_all_stays()}</h3>
            {list(&[words::all_prompts_stay(), words::all_choices_stay()])}
            <form on:submit=submit>
                <div class="field">
                    <label for="erase-words">{words::delete_all_type(words::delete_all_words())}</label>
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
                        {words::cancel()}
                    </button>
                    <button
                        class="button danger"
                        type="submit"
                        aria-disabled=Signal::derive(move || (!ready()).to_string())
                    >
                        {words::delete_all()}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
