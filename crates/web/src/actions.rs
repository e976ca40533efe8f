//! Every action of the app, once: the palette lists them, shortcuts carry them out, and the page
//! of shortcuts shows them.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::keys::Keys;
use unbroken_chat_view::transcript::Message;
use unbroken_protocol::{ConversationId, ConversationPatch, ConversationSummary};

use crate::address::Place;
use crate::again::By;
use crate::keep::Spot;
use crate::moves::Task;
use crate::parts::settings::{Section, appearance};
use crate::state::App;
use crate::{dom, words};

/// Something that a person can do from anywhere.
pub(crate) struct Action {
    /// By which it is remembered as used.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Further words by which the palette finds it.
    pub(crate) also: &'static str,
    pub(crate) keys: Option<Keys>,
    /// Whether it can be done now.
    pub(crate) can: fn(App) -> bool,
    pub(crate) run: fn(App),
}

pub(crate) const NEW_CHAT: Keys = Keys::command_shift("o");
pub(crate) const PALETTE: Keys = Keys::command("k");
pub(crate) const SEARCH: Keys = Keys::command("/");

/// Those whose keys the page hears; other keys are heard by what has the focus. All the others come
/// after the first view, with the palette.
fn heard_by_page() -> [Action; 6] {
    [
        action("new-chat", words::new_chat(), words::new_chat_also(), App::new_chat).on(NEW_CHAT),
        action("palette", words::palette(), "", App::open_palette)
            .on(PALETTE)
            .when(|app| !app.palette_open.get_untracked()),
        action("search", words::search_conversations(), words::search_also(), |app| {
            app.drawer.set(false);
            app.keep.searching.set(true);
        })
        .on(SEARCH),
        action("write", words::write(), words::write_also(), |_| dom::focus("message"))
            .on(Keys::plain("/"))
            .when(|_| dom::element("message").is_some()),
        action("copy-last", words::copy_last(), words::copy_last_also(), copy_last)
            .on(Keys::command_shift("c"))
            .when(|app| last_answer(app).is_some()),
        action("shortcuts", words::shortcuts(), words::shortcuts_also(), |app| {
            app.shortcuts_open.set(true);
        })
        .on(Keys::plain("?")),
    ]
}

/// All of them, in the order in which they are listed.
pub(crate) fn all() -> Vec<Action> {
    let [new_chat, palette, search, write, copy_last, shortcuts] = heard_by_page();
    let can_answer = |app: App| last_answer(app).is_some() && !app.open.running.get_untracked();
    let mut actions = vec![
        new_chat,
        action("temporary", words::temporary_chat(), words::temporary_chat_also(), |app| {
            app.new_chat();
            app.writing.temporary.set(true);
        }),
        palette,
        search,
        write,
        copy_last,
        action("regenerate", words::regenerate_last(), words::regenerate_also(), regenerate)
            .when(can_answer),
        action("edit-last", words::edit_last(), words::edit_last_also(), App::edit_last)
            .on(Keys::plain("ArrowUp"))
            .when(|app| app.open.with(|open| open.last_of_yours().is_some())),
        action("stop", words::stop_answer(), words::stop_also(), |app| app.open.stop(app))
            .on(Keys::plain("Escape"))
            .when(|app| app.open.running.get_untracked()),
        action("send", words::send_message(), "", App::send_draft)
            .on(Keys::plain("Enter"))
            .when(|app| app.writing.composer.read_untracked().can_send()),
        action("break", words::break_line(), "", |_| ())
            .on(Keys { key: "Enter", command: false, shift: true })
            .when(|_| false),
        action("model", words::choose_model(), words::choose_model_also(), |app| {
            app.picker.update(unbroken_chat_view::picker::Picker::open);
            dom::show_popover(crate::parts::picker::POPOVER);
        })
        .when(|_| dom::element("message").is_some()),
        action("history", words::go_history(), words::history_also(), |app| app.go("/history"))
            .when(|app| app.place.get_untracked() != Place::History),
        action("sidebar", words::fold_sidebar(), words::fold_sidebar_also(), |app| {
            app.fold(!app.folded.get_untracked());
        })
        .when(|_| !dom::narrow()),
        action("settings", words::settings(), words::settings_also(), |app| {
            app.open_settings(None);
        }),
        action("prompts", words::prompts(), words::prompts_also(), |app| {
            app.open_settings(Some(Section::Prompts));
        }),
        action("files", words::your_files(), words::your_files_also(), |app| {
            app.files.open.set(true);
        }),
        action("instructions", words::instructions(), words::instructions_also(), |app| {
            app.open_settings(Some(Section::Answers));
        }),
    ];
    actions.extend([
        action("rename", words::rename_this(), words::rename_also(), |app| {
            let renaming =
                here(app).map(|here| (Spot { list: "sidebar", id: here.conversation_id }, here));
            app.keep.renaming.set(renaming);
        })
        .when(|app| here(app).is_some() && !app.folded.get_untracked() && !dom::narrow()),
        action("pin", words::pin_this(), words::pin_also(), |app| pin(app, true))
            .when(|app| here(app).is_some_and(|here| !here.pinned)),
        action("unpin", words::unpin_this(), "", |app| pin(app, false))
            .when(|app| here(app).is_some_and(|here| here.pinned)),
        action("archive", words::archive_this(), words::archive_also(), |app| {
            change(app, ConversationPatch { archived: Some(true), ..Default::default() });
        })
        .when(|app| here(app).is_some_and(|here| !here.archived)),
        action("share", words::share_this(), words::share_also(), |app| begin(app, Task::Share))
            .when(|app| open_one(app).is_some()),
        action("export", words::export_this(), words::export_also(), |app| {
            begin(app, Task::Export);
        })
        .when(|app| open_one(app).is_some()),
        action("delete", words::delete_this(), words::delete_also(), |app| {
            if let Some(here) = here(app) {
                app.delete(here.conversation_id);
            }
        })
        .when(|app| here(app).is_some()),
    ]);
    actions.extend([
        action("export-all", words::export_all(), words::export_all_also(), to_data),
        action("import", words::import_chats(), words::import_also(), to_data),
        action("links", words::links(), words::links_also(), to_data),
        action("light", words::light_appearance(), words::light_also(), |_| {
            appearance::choose("light");
        }),
        action("dark", words::dark_appearance(), words::dark_also(), |_| {
            appearance::choose("dark");
        }),
        action("system", words::system_appearance(), words::system_also(), |_| {
            appearance::choose("system");
        }),
        action("guide", words::ask_guide(), words::guide_also(), |app| {
            app.ask_guide(words::GUIDE_QUESTIONS[0]);
        }),
        shortcuts,
    ]);
    actions
}

fn action(id: &'static str, name: &'static str, also: &'static str, run: fn(App)) -> Action {
    Action { id, name, also, keys: None, can: |_| true, run }
}

impl Action {
    fn on(self, keys: Keys) -> Self {
        Self { keys: Some(keys), ..self }
    }

    fn when(self, can: fn(App) -> bool) -> Self {
        Self { can, ..self }
    }
}

/// Carries out the action whose keys were pressed. `true` when the keys are ours.
pub(crate) fn heard(app: App, event: &KeyboardEvent) -> bool {
    // Letters that are typed are not worth a look through the table.
    let command = event.ctrl_key() || event.meta_key();
    if event.default_prevented() || (!command && dom::is_typing()) {
        return false;
    }
    let apple = dom::is_apple();
    let ours = |action: &Action| {
        action.keys.is_some_and(|keys| dom::press(event, |press| keys.is(press, apple)))
    };
    let Some(action) = heard_by_page().into_iter().find(ours) else { return false };
    // A dialog has the page for itself; the browser's meaning of the keys would leave it.
    if dom::is_modal() {
        return command;
    }
    if (action.can)(app) {
        (action.run)(app);
    }
    true
}

impl App {
    pub(crate) fn open_palette(self) {
        self.drawer.set(false);
        self.palette_open.set(true);
    }

    pub(crate) fn open_settings(self, section: Option<Section>) {
        self.drawer.set(false);
        self.settings_section.set(section);
        self.settings_open.set(true);
    }
}

/// The open conversation, as the list has it.
fn here(app: App) -> Option<ConversationSummary> {
    let Place::Chat(Some(id)) = app.place.get_untracked() else { return None };
    app.history.read_untracked().get(id).cloned()
}

/// The conversation that is shown, also one that no list has.
fn open_one(app: App) -> Option<ConversationId> {
    let Place::Chat(id) = app.place.get_untracked() else { return None };
    id.or_else(|| app.open.id()).filter(|_| !app.open.with(|open| open.messages().is_empty()))
}

fn begin(app: App, task: Task) {
    if let Some(id) = open_one(app) {
        app.moves.begin(task, id, app.heading());
    }
}

fn to_data(app: App) {
    app.open_settings(Some(Section::Data));
}

fn pin(app: App, pinned: bool) {
    change(app, ConversationPatch { pinned: Some(pinned), ..Default::default() });
}

fn change(app: App, patch: ConversationPatch) {
    if let Some(here) = here(app) {
        app.change(Spot { list: "sidebar", id: here.conversation_id }, patch);
    }
}

fn last_answer(app: App) -> Option<u64> {
    app.open.with(|open| {
        let mut answers = open.messages().iter().rev().filter(|message| message.answer().is_some());
        answers.find(|message| !message.plain_text().is_empty()).map(|message| message.key)
    })
}

fn regenerate(app: App) {
    if let Some(key) = last_answer(app) {
        app.regenerate(key, By::TheSame);
    }
}

fn copy_last(app: App) {
    let text = |message: &Message| message.plain_text().to_owned();
    let text = last_answer(app).and_then(|key| app.open.message(key, text));
    let Some(text) = text else { return };
    spawn_local(async move {
        let copied = dom::copy(&text).await;
        let told = if copied { words::answer_copied() } else { words::not_copied() };
        app.toast(told.to_owned(), None);
    });
}
