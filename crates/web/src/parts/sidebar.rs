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
        (true, _) => words::close_sidebar(),
        (false, true) => words::expand_sidebar(),
        (false, false) => words::collapse_sidebar(),
    };
    view! {
        <nav class="sidebar" aria-label=words::conversations()>
            <div class="brand">
                <a class="brand-name" href="/" aria-label=words::home_link()>
                    {wave()}
                    <span>{words::APP}</span>
                </a>
                <button id="close-sidebar" class="icon-button" aria-label=fold_name on:click=fold>
                    {icon(SIDEBAR)}
                </button>
            </div>
            <button
                class="entry"
                aria-label=words::new_chat()
                title=words::new_chat()
                data-keys=actions::NEW_CHAT.label(apple)
                aria-keyshortcuts=actions::NEW_CHAT.aria(apple)
                on:click=move |_| app.new_chat()
            >
                {icon(PLUS)}
                <span class="entry-text">{words::new_chat()}</span>
            </button>
            <button
                id="open-search"
                class="entry"
                aria-label=words::search()
                title=words::search()
                data-keys=actions::SEARCH.label(apple)
                aria-keyshortcuts=actions::SEARCH.aria(apple)
                on:click=move |_| app.keep.searching.set(true)
            >
                {icon(MAGNIFIER)}
                <span class="entry-text">{words::search()}</span>
            </button>
            <a
                class="entry"
                href="/history"
                aria-label=words::history()
                title=words::history()
                aria-current=Signal::derive(move || (app.place.get() == Place::History).then_some("page"))
            >
                {icon(CLOCK)}
                <span class="entry-text">{words::history()}</span>
            </a>
            <div class="conversations">
                <Sections list="sidebar" sections=app.sections />
            </div>
            <div class="sidebar-foot">
                <button
                    class="entry"
                    aria-label=words::commands()
                    title=words::commands()
                    data-keys=actions::PALETTE.label(apple)
                    aria-keyshortcuts=actions::PALETTE.aria(apple)
                    on:click=move |_| app.open_palette()
                >
                    {icon(COMMAND)}
                    <span class="entry-text">{words::commands()}</span>
                </button>
                <button
                    class="entry"
                    aria-label=words::settings()
                    title=words::settings()
                    on:click=move |_| app.open_settings(None)
                >
                    {icon(SLIDERS)}
                    <span class="entry-text">{words::settings()}</span>
                </button>
            </div>
            <ConversationMenu />
        </nav>
    }
}
