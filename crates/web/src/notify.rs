//! Word of an answer that ended while nobody looked: a mark in the tab's title, and, where the
//! person asked for it, a notification of the system. It names the conversation and says no more.

use std::collections::HashMap;

use leptos::prelude::*;
use unbroken_protocol::{ConversationId, ConversationSummary};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use crate::own::Own;
use crate::state::App;
use crate::{dom, words};

/// The person's choice is kept under this name.
pub(crate) const NOTIFY: &str = "notify";
/// Shorter answers are waited for, in milliseconds.
const LONG: f64 = 15_000.0;

/// What runs, and what ended unseen.
#[derive(Clone, Copy)]
pub(crate) struct Notices {
    /// Conversations whose answer ended while the tab was hidden.
    pub(crate) unseen: RwSignal<Vec<ConversationId>>,
    running: Own<HashMap<ConversationId, Running>>,
}

#[derive(Clone, Copy)]
struct Running {
    since: f64,
    /// The tab was visible at some time since.
    seen: bool,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Self { unseen: RwSignal::default(), running: Own::new(HashMap::new()) }
    }

    /// The tab is looked at.
    fn looked_at(self) {
        self.running.change(|running| running.values_mut().for_each(|run| run.seen = true));
        if !self.unseen.read_untracked().is_empty() {
            self.unseen.set(Vec::new());
        }
    }
}

impl App {
    pub(crate) fn watch_looks(self) {
        let looked = move || {
            if !document().hidden() {
                self.notices.looked_at();
            }
        };
        let listener = Closure::<dyn Fn()>::new(looked);
        let _ = document().add_event_listener_with_callback(
            "visibilitychange",
            listener.as_ref().unchecked_ref(),
        );
        // As long as the page.
        listener.forget();
    }

    /// That is how a conversation stands now.
    pub(crate) fn note_running(self, conversation: &ConversationSummary) {
        let id = conversation.conversation_id;
        let hidden = document().hidden();
        if conversation.running {
            let since = js_sys::Date::now();
            self.notices.running.change(|running| {
                running.entry(id).or_insert(Running { since, seen: !hidden });
            });
            return;
        }
        let Some(run) = self.notices.running.change(|running| running.remove(&id)) else { return };
        if hidden && (!run.seen || js_sys::Date::now() - run.since > LONG) {
            self.notices.unseen.update(|unseen| {
                unseen.retain(|known| *known != id);
                unseen.push(id);
            });
            if dom::kept(NOTIFY).as_deref() == Some("on") {
                self.tell(id, &conversation.title);
            }
        }
    }

    fn tell(self, id: ConversationId, title: &str) {
        if !supported() || Notification::permission() != NotificationPermission::Granted {
            return;
        }
        let options = NotificationOptions::new();
        options.set_body(words::answer_ready());
        options.set_tag(&id.to_string());
        let title = if title.trim().is_empty() { words::APP } else { title };
        let Ok(shown) = Notification::new_with_options(title, &options) else { return };
        let own = shown.clone();
        let clicked = Closure::once_into_js(move || {
            let _ = window().focus();
            self.go(&format!("/chat?conversation_id={id}"));
            own.close();
        });
        shown.set_onclick(Some(clicked.unchecked_ref()));
    }
}

/// The person switched it on: only now the browser asks.
pub(crate) fn ask_permission(choice: &'static str) {
    if choice == "on" && supported() {
        let _ = Notification::request_permission();
    }
}

fn supported() -> bool {
    js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
}
