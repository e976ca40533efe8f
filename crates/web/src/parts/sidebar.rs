//! The sidebar: a new chat, the search, the conversations, history, settings. Folds to icons; a drawer
//! on a phone.

use leptos::prelude::*;

use super::icons::{CLOCK, COMMAND, MAGNIFIER, PLUS, SIDEBAR, SLIDERS, icon, wave};
use super::list::Sections;
use super::menu::ConversationMenu;
use crate::address::Place;
use crate::state::App;
use crate::{actions, dom, words};

#[component]
pub(crate) fn Sidebar() -> impl IntoView {
    let app = App::get();
    let apple = dom::is_apple();
    let fold = move |_| {
        if dom::narrow() {
            app.close_drawer();
        } else {
            app.fold(!app.folded.get_untracked());
        }
    };
    let fold_name = move || match (app.drawer.get(), app.folded.get()) {
        (true, _) => words::CLOSE_SIDEBAR,
        (false, true) => words::EXPAND_SIDEBAR,
        (false, false) => words::COLLAPSE_SIDEBAR,
    };
    view! {
        <nav class="sidebar" aria-label=words::CONVERSATIONS>
            <div class="brand">
                <a class="brand-name" href="/" aria-label=words::HOME_LINK>
                    {wave()}
                    <span>{words::APP}</span>
                </a>
                <button id="close-sidebar" class="icon-button" aria-label=fold_name on:click=fold>
                    {icon(SIDEBAR)}
                </button>
            </div>
            <button
                class="entry"
                aria-label=words::NEW_CHAT
                title=words::NEW_CHAT
                data-keys=actions::NEW_CHAT.label(apple)
                aria-keyshortcuts=actions::NEW_CHAT.aria(apple)
                on:click=move |_| app.new_chat()
            >
                {icon(PLUS)}
                <span class="entry-text">{words::NEW_CHAT}</span>
            </button>
            <button
                id="open-search"
                class="entry"
                aria-label=words::SEARCH
                title=words::SEARCH
                data-keys=actions::SEARCH.label(apple)
                aria-keyshortcuts=actions::SEARCH.aria(apple)
                on:click=move |_| app.keep.searching.set(true)
            >
                {icon(MAGNIFIER)}
                <span class="entry-text">{words::SEARCH}</span>
            </button>
            <a
                class="entry"
                href="/history"
                aria-label=words::HISTORY
                title=words::HISTORY
                aria-current=Signal::derive(move || (app.place.get() == Place::History).then_some("page"))
            >
                {icon(CLOCK)}
                <span class="entry-text">{words::HISTORY}</span>
            </a>
            <div class="conversations">
                <Sections list="sidebar" sections=app.sections />
            </div>
            <div class="sidebar-foot">
                <button
                    class="entry"
                    aria-label=words::COMMANDS
                    title=words::COMMANDS
                    data-keys=actions::PALETTE.label(apple)
                    aria-keyshortcuts=actions::PALETTE.aria(apple)
                    on:click=move |_| app.open_palette()
                >
                    {icon(COMMAND)}
                    <span class="entry-text">{words::COMMANDS}</span>
                </button>
                <button
                    class="entry"
                    aria-label=words::SETTINGS
                    title=words::SETTINGS
                    on:click=move |_| app.open_settings(None)
                >
                    {icon(SLIDERS)}
                    <span class="entry-text">{words::SETTINGS}</span>
                </button>
            </div>
            <ConversationMenu />
        </nav>
    }
}
