//! The menu of a conversation, one for all of them: the stylesheet puts it to the button that is
//! open.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use unbroken_protocol::{ConversationPatch, ConversationSummary};

use super::icons::{ARCHIVE, DOWNLOAD, FOLDER, PENCIL, PIN, SHARE, TRASH, icon};
use super::later::LaterPage;
use super::show::Show;
use crate::keep::Spot;
use crate::moves::Task;
use crate::state::App;
use crate::{chunks, dom, words};

/// The popover's id.
pub(crate) const POPOVER: &str = "conversation-menu";

/// What can be done with a conversation.
#[derive(Clone, Copy)]
enum Action {
    Rename,
    Pin(bool),
    Move,
    Archive(bool),
    Begin(Task),
    Delete,
}

/// In the order of the menu.
fn actions(of: &ConversationSummary) -> [(Action, &'static str, &'static str); 7] {
    let pin = if of.pinned { words::unpin() } else { words::pin() };
    let archive = if of.archived { words::unarchive() } else { words::archive() };
    [
        (Action::Rename, words::rename(), PENCIL),
        (Action::Pin(!of.pinned), pin, PIN),
        (Action::Move, words::move_to_folder(), FOLDER),
        (Action::Archive(!of.archived), archive, ARCHIVE),
        (Action::Begin(Task::Share), words::share_menu(), SHARE),
        (Action::Begin(Task::Export), words::export_menu(), DOWNLOAD),
        (Action::Delete, words::delete(), TRASH),
    ]
}

/// The popover, whose entries come when it is opened.
#[component]
pub(crate) fn ConversationMenu() -> impl IntoView {
    let app = App::get();
    let on_toggle = move |_| {
        if !dom::is_open(POPOVER) {
            app.keep.menu.set(None);
        }
    };
    view! {
        <div id=POPOVER class="menu" popover="auto" on:toggle=on_toggle>
            <Show when=move || app.keep.menu.read().is_some()>
                <LaterPage bring=chunks::menu />
            </Show>
        </div>
    }
}

/// The entries. The focus goes to the first.
#[component]
pub(crate) fn Entries() -> impl IntoView {
    let app = App::get();
    let on_key = move |event: KeyboardEvent| {
        let to = match event.key().as_str() {
            "ArrowDown" => dom::Beside::Next,
            "ArrowUp" => dom::Beside::Previous,
            "Home" => dom::Beside::First,
            "End" => dom::Beside::Last,
            "Tab" => return dom::hide_popover(POPOVER),
            _ => return,
        };
        event.prevent_default();
        dom::focus_beside(POPOVER, "button", to);
    };
    let items = move || {
        let (spot, conversation) = app.keep.menu.get()?;
        request_animation_frame(|| dom::focus_beside(POPOVER, "button", dom::Beside::First));
        let item = |(action, name, path)| {
            let conversation = conversation.clone();
            let act = move |_| {
                dom::hide_popover(POPOVER);
                carry_out(app, spot, conversation.clone(), action);
            };
            let danger = matches!(action, Action::Delete);
            view! {
                <button role="menuitem" tabindex="-1" class="menu-item" class:danger=danger on:click=act>
                    {icon(path)}
                    {name}
                </button>
            }
        };
        Some(actions(&conversation).map(item).into_iter().collect_view())
    };
    let name = move || {
        app.keep.menu.read().as_ref().map(|(_, of)| words::more_about(&crate::keep::title(of)))
    };
    view! {
        <div role="menu" aria-label=name on:keydown=on_key>
            {items}
        </div>
    }
}

fn carry_out(app: App, spot: Spot, conversation: ConversationSummary, action: Action) {
    let nothing = ConversationPatch::default();
    match action {
        Action::Rename => app.keep.renaming.set(Some((spot, conversation))),
        Action::Pin(on) => app.change(spot, ConversationPatch { pinned: Some(on), ..nothing }),
        Action::Archive(on) => {
            app.change(spot, ConversationPatch { archived: Some(on), ..nothing });
        }
        Action::Move => {
            app.keep.moving.set(Some((spot, conversation)));
            app.keep.filing.set(true);
        }
        Action::Begin(task) => app.moves.begin(task, spot.id, crate::keep::title(&conversation)),
        Action::Delete => app.delete(spot.id),
    }
}
