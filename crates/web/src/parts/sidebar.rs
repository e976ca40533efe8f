//! The sidebar: a new chat, the conversations by day, history, settings. Folds to icons; a drawer
//! on a phone.

use leptos::prelude::*;
use unbroken_chat_view::history;
use unbroken_protocol::ConversationSummary;

use super::icons::{CLOCK, COMMAND, PLUS, SIDEBAR, SLIDERS, icon, wave};
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
                <For each=move || app.days.get() key=|(day, _)| day.clone() let((day, _))>
                    <DayOf day />
                </For>
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
        </nav>
    }
}

#[component]
fn DayOf(day: String) -> impl IntoView {
    let app = App::get();
    let (heading, name) = (day.clone(), day.clone());
    view! {
        <p class="day" aria-hidden="true">
            {heading}
        </p>
        <ul aria-label=name>
            <For
                each=move || app.of_day(&day)
                key=|c| (c.conversation_id, c.title.clone(), c.running)
                let(conversation)
            >
                <Entry conversation />
            </For>
        </ul>
    }
}

#[component]
fn Entry(conversation: ConversationSummary) -> impl IntoView {
    let app = App::get();
    let id = conversation.conversation_id;
    let is_here = move || app.place.get() == Place::Chat(Some(id));
    let title = history::title(&conversation).to_owned();
    view! {
        <li>
            <a
                class="entry"
                href=format!("/chat/{id}")
                aria-current=Signal::derive(move || is_here().then_some("page"))
                on:click=move |_| app.drawer.set(false)
            >
                <span class="entry-text" dir="auto">
                    {title}
                </span>
                <RunningMark running=conversation.running />
            </a>
        </li>
    }
}

/// The mark on a conversation whose answer is being written.
#[component]
pub(crate) fn RunningMark(running: bool) -> impl IntoView {
    running.then(|| {
        view! { <span class="running-mark" role="img" aria-label=words::RUNNING></span> }
    })
}
