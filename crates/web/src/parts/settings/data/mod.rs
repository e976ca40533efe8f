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
        <p>{words::DATA_WHERE}</p>
        <p>{words::DATA_DEVICE}</p>
        <h4>{words::EXPORT_ALL}</h4>
        <p>{words::EXPORT_ALL_ABOUT}</p>
        <Formats done=|| () />
        <Problem of=Place::Export />
        <h4 id="import-title">{words::IMPORT_CHATS}</h4>
        <Imports />
        <h4>{words::LINKS}</h4>
        <p>{words::LINKS_ABOUT}</p>
        <Problem of=Place::Links />
        <Links />
        <Erase />
    }
}
