//! What is kept and where; how it comes in, goes out, and is deleted.

mod erase;
mod imports;

use leptos::prelude::*;

use erase::Erase;
use imports::Imports;

use crate::moves::Place;
use crate::parts::links::{Links, Problem};
use crate::parts::moving::Formats;
use crate::state::App;
use crate::words;

#[component]
pub(super) fn Data() -> impl IntoView {
    let app = App::get();
    app.moves.now().update(|now| now.problem = None);
    app.follow_imports();
    app.load_shares();
    view! {
        <p>{words::data_where()}</p>
        <p>{words::data_device()}</p>
        <h4>{words::your_files()}</h4>
        <Files />
        <h4>{words::export_all()}</h4>
        <p>{words::export_all_about()}</p>
        <Formats done=|| () />
        <Problem of=Place::Export />
        <h4 id="import-title">{words::import_chats()}</h4>
        <Imports />
        <h4>{words::links()}</h4>
        <p>{words::links_about()}</p>
        <Problem of=Place::Links />
        <Links />
        <Erase />
    }
}

/// How much room the person's files take, and the way to them.
#[component]
fn Files() -> impl IntoView {
    let app = App::get();
    app.load_library();
    view! {
        <p>{move || app.files_used()}</p>
        <button class="button" on:click=move |_| app.files.open.set(true)>
            {words::your_files()}
        </button>
    }
}
