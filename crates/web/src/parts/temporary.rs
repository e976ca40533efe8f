//! Temporary chats: the switch on the home page, and the line that says what one is.

use leptos::prelude::*;

use super::icons::{HOURGLASS, icon};
use super::show::Show;
use crate::address::Place;
use crate::state::App;
use crate::words;

#[component]
pub(crate) fn Temporary() -> impl IntoView {
    let app = App::get();
    let wanted = app.writing.temporary;
    let is_home = move || app.place.get() == Place::Home;
    let is_chat = move || matches!(app.place.get(), Place::Chat(_));
    let tells = move || (is_home() && wanted.get()) || (is_chat() && app.open.temporary.get());
    view! {
        <div class="temporary">
            <Show when=is_home>
                <button
                    class="source"
                    aria-pressed=Signal::derive(move || wanted.get().to_string())
                    on:click=move |_| wanted.update(|wanted| *wanted = !*wanted)
                >
                    {icon(HOURGLASS)}
                    <span>{words::temporary()}</span>
                </button>
            </Show>
            <p role="status">{move || tells().then_some(words::temporary_about())}</p>
        </div>
    }
}
