//! What the app is, and where it is explained.

use leptos::prelude::*;

use crate::state::App;
use crate::words;

#[component]
pub(super) fn About() -> impl IntoView {
    let app = App::get();
    let ask = move |_| {
        app.settings_open.set(false);
        app.ask_guide(words::GUIDE_QUESTIONS[0]);
    };
    view! {
        <p>{words::APP} " " {env!("CARGO_PKG_VERSION")}</p>
        <p>{words::about_text()}</p>
        <p>{words::about_guide()}</p>
        <button class="button" on:click=ask>
            {words::ask_guide()}
        </button>
    }
}
