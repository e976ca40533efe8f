//! Home: one question, and the composer under it.

use leptos::prelude::*;

use super::first_run;
use crate::parts::later::LaterPage;
use crate::parts::show::Show;
use crate::state::App;
use crate::{chunks, words};

/// What stands above the composer.
#[component]
pub(crate) fn Home() -> impl IntoView {
    view! {
        <div class="home-top">
            <h1>{words::ask()}</h1>
        </div>
    }
}

/// What stands below it: first questions, that the built-in guide can answer.
#[component]
pub(crate) fn Suggestions() -> impl IntoView {
    let app = App::get();
    let questions = words::first_questions().into_iter().zip(words::GUIDE_QUESTIONS);
    let suggestions = questions.map(|(text, in_guide)| {
        let ask = move |_| {
            // The guide needs nothing of the web.
            if untrack(|| first_run::is_needed(app)) {
                app.send(in_guide, String::new());
            } else {
                app.send(text, app.and_web(String::new()));
            }
        };
        view! {
            <li>
                <button on:click=ask>{text}</button>
            </li>
        }
    });
    view! {
        <div class="home-bottom">
            <ul class="suggestions" aria-label=words::suggestions()>
                {suggestions.collect_view()}
            </ul>
            <Show when=move || first_run::is_needed(app)>
                <LaterPage bring=chunks::first_run />
            </Show>
        </div>
    }
}
