//! The frame around every page: sidebar, bar, page, the one composer, settings, global keys.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::address::{Address, Place};
use crate::pages::gate::Gate;
use crate::pages::home::{Home, Suggestions};
use crate::parts::composer::Composer;
use crate::parts::icons::{SIDEBAR, icon};
use crate::parts::intake;
use crate::parts::later::{LaterDialog, LaterPage, with_looks};
use crate::parts::show::Show;
use crate::parts::sidebar::Sidebar;
use crate::parts::status::ConnectionStatus;
use crate::parts::toast::ToastPlace;
use crate::state::{Access, App};
use crate::{actions, chunks, dom, parser, rehearsal, words};

/// The whole app.
#[component]
pub(crate) fn Root() -> impl IntoView {
    let app = App::provide(Address::follow());
    spawn_local(async move {
        parser::load(app).await;
        if app.place.get_untracked() == Place::Home
            && let Some(chat) = with_looks(chunks::chat).await
        {
            rehearsal::play(app, chat).await;
        }
    });
    // Whoever sends the first message finds the page of conversations there.
    spawn_local(async {
        let _ = with_looks(chunks::chat).await;
        // It tells what waits for the network, and has to be there without one.
        let _ = with_looks(chunks::above).await;
    });
    let is_home = move || app.place.get() == Place::Home;
    let is_open = move || app.access.get() == Access::Open;
    let has_composer = move || is_open() && matches!(app.place.get(), Place::Home | Place::Chat(_));
    Effect::new(move || document().set_title(&app.page_title()));
    let keys = window_event_listener(leptos::ev::keydown, move |event| on_key(app, &event));
    on_cleanup(move || keys.remove());
    app.follow_drafts();
    intake::guard();

    view! {
        <div class="shell" class:folded=app.folded class:drawer-open=app.drawer>
            <Sidebar />
            <div class="scrim" on:click=move |_| app.drawer.set(false)></div>
            <main class="page" class:home=Signal::derive(move || is_home() && is_open()) inert=app.drawer>
                <header class="bar">
                    <button
                        id="open-sidebar"
                        class="icon-button only-narrow"
                        aria-label=words::open_sidebar()
                        on:click=move |_| open_drawer(app)
                    >
                        {icon(SIDEBAR)}
                    </button>
                    <Show when=move || !is_home() && is_open()>
                        <h1>{Signal::derive(move || app.heading())}</h1>
                    </Show>
                    <Show when=move || is_home() || !is_open()>
                        <div class="spacer"></div>
                    </Show>
                    <ConnectionStatus />
                </header>
                <Gate />
                <Show when=is_open>
                    <Page />
                </Show>
                <Show when=has_composer>
                    <Composer />
                </Show>
                <Show when=move || is_home() && is_open()>
                    <Suggestions />
                </Show>
            </main>
            <LaterDialog open=app.settings_open name=words::settings() bring=chunks::settings />
            <LaterDialog
                open=app.keep.searching
                name=words::search_conversations()
                bring=chunks::search
            />
            <LaterDialog
                open=app.keep.filing
                name=words::folder_title()
                bring=chunks::folders
            />
            <LaterDialog
                open=app.moves.open
                name=words::share_or_export()
                bring=chunks::moving
            />
            <LaterDialog open=app.files.open name=words::your_files() bring=chunks::library />
            <LaterDialog open=app.palette_open name=words::palette() bring=chunks::palette />
            <LaterDialog open=app.shortcuts_open name=words::shortcuts() bring=chunks::shortcuts />
            <ToastPlace />
        </div>
    }
}

/// The page that the address names. One conversation and the next are the same page.
#[component]
fn Page() -> impl IntoView {
    let app = App::get();
    let page = Memo::new(move |_| std::mem::discriminant(&app.place.get()));
    move || {
        // Tracking alone would never compute it.
        let _ = page.get();
        match app.place.get_untracked() {
            Place::Home => view! { <Home /> }.into_any(),
            Place::Chat(_) => view! { <LaterPage bring=chunks::chat /> }.into_any(),
            Place::History => view! { <LaterPage bring=chunks::history /> }.into_any(),
            Place::Elsewhere => view! { <NotFound /> }.into_any(),
        }
    }
}

fn open_drawer(app: App) {
    app.drawer.set(true);
    request_animation_frame(|| dom::focus("close-sidebar"));
}

/// Shortcuts; Escape closes what is open, else stops the answer.
fn on_key(app: App, event: &KeyboardEvent) {
    if actions::heard(app, event) {
        event.prevent_default();
        return;
    }
    let composing = event.is_composing() || event.default_prevented();
    if event.key() != "Escape" || composing || dom::something_open() {
        return;
    }
    if app.drawer.get_untracked() {
        app.close_drawer();
    } else {
        app.open.stop(app);
    }
}

#[component]
fn NotFound() -> impl IntoView {
    view! {
        <div class="history">
            <div class="days">
                <p class="empty">
                    {words::nothing_here()} " " <a href="/">{words::begin()}</a>
                </p>
            </div>
        </div>
    }
}
