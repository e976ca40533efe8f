//! What stands in place of every page while there is no session: an access code, or a server that
//! cannot be reached.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::dom;
use crate::state::{Access, App};
use crate::words;

#[component]
pub(crate) fn Gate() -> impl IntoView {
    let app = App::get();
    move || match app.access.get() {
        Access::Open | Access::Opening => ().into_any(),
        Access::Locked { problem } => view! { <AccessCode problem /> }.into_any(),
        Access::Down { sentence } => view! { <Down sentence /> }.into_any(),
    }
}

#[component]
fn AccessCode(problem: Option<String>) -> impl IntoView {
    let app = App::get();
    let code = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let code = code.get_untracked();
        if !code.is_empty() {
            app.open_session(Some(code));
        }
    };
    request_animation_frame(|| dom::focus("access-code"));
    let bad = problem.is_some();
    view! {
        <div class="gate">
            <h1>{words::gate_title()}</h1>
            <p>{words::gate_about()}</p>
            <form on:submit=submit>
                <label for="access-code">{words::access_code()}</label>
                <input
                    id="access-code"
                    type="password"
                    autocomplete="current-password"
                    aria-invalid=bad.to_string()
                    aria-describedby="access-problem"
                    bind:value=code
                />
                <p id="access-problem" class="problem" role="alert">
                    {problem}
                </p>
                <button class="button primary" type="submit">
                    {words::open()}
                </button>
            </form>
        </div>
    }
}

#[component]
fn Down(sentence: String) -> impl IntoView {
    let app = App::get();
    view! {
        <div class="gate">
            <h1>{words::down_title()}</h1>
            <p role="alert">{sentence}</p>
            <button class="button primary" on:click=move |_| app.open_session(None)>
                {words::retry()}
            </button>
        </div>
    }
}
