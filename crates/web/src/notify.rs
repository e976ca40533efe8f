//! Word of an answer that ended while nobody looked: a mark in the tab's title, and, where the
//! person asked for it, a notification of the system. It names the conversation and says no more.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_protocol::{ConversationId, ConversationSummary, MessageId};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Notification, NotificationOptions, NotificationPermission, ServiceWorkerRegistration,
};

use crate::own::Own;
use crate::state::App;
use crate::{dom, words};

/// The person's choice is kept under this name.
pub(crate) const NOTIFY: &str = "notify";
pub(crate) const ON: &str = "on";
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
    /// The last answer of the conversation: with another one it begins anew.
    answer: Option<MessageId>,
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
        self.note_since(conversation, js_sys::Date::now());
    }

    /// The same of all that run, after a time without events: some may have ended in it.
    pub(crate) fn note_all_running(self) {
        let known = self.notices.running.read(|all| all.keys().copied().collect::<Vec<_>>());
        let history = self.history.read_untracked();
        let is_asked =
            |one: &&ConversationSummary| one.running || known.contains(&one.conversation_id);
        let asked: Vec<_> = history.entries().iter().filter(is_asked).cloned().collect();
        drop(history);
        for conversation in asked {
            #[expect(clippy::cast_precision_loss, reason = "a date")]
            let since = conversation.updated_at.as_millis() as f64;
            self.note_since(&conversation, since.min(js_sys::Date::now()));
        }
    }

    /// `since` is when an answer began that was not known to run.
    fn note_since(self, conversation: &ConversationSummary, since: f64) {
        let id = conversation.conversation_id;
        let hidden = document().hidden();
        if conversation.running {
            let answer = conversation.selected_message_id;
            self.notices.running.change(|running| {
                let known = running.get(&id);
                if known.is_none_or(|known| known.answer != answer) {
                    running.insert(id, Running { answer, since, seen: !hidden });
                }
            });
            return;
        }
        let Some(run) = self.notices.running.change(|running| running.remove(&id)) else { return };
        if hidden && (!run.seen || js_sys::Date::now() - run.since > LONG) {
            self.notices.unseen.update(|unseen| {
                unseen.retain(|known| *known != id);
                unseen.push(id);
            });
            if dom::kept(NOTIFY).as_deref() == Some(ON) {
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
        let Ok(shown) = Notification::new_with_options(title, &options) else {
            return show_by_worker(title.to_owned(), options);
        };
        let own = shown.clone();
        let clicked = Closure::once_into_js(move || {
            let _ = window().focus();
            self.go(&format!("/chat?conversation_id={id}"));
            own.close();
        });
        shown.set_onclick(Some(clicked.unchecked_ref()));
    }
}

/// Some browsers, those of phones above all, show nothing but what the service worker tells; it also
/// hears of the click.
fn show_by_worker(title: String, options: NotificationOptions) {
    let Some(worker) = dom::service_worker() else { return };
    spawn_local(async move {
        let Ok(ready) = worker.ready() else { return };
        if let Ok(registration) = JsFuture::from(ready).await {
            let registration: ServiceWorkerRegistration = registration.unchecked_into();
            let shown = registration.show_notification_with_options(&title, &options);
            if let Ok(shown) = shown {
                let _ = JsFuture::from(shown).await;
            }
        }
    });
}

/// The person switched it on: only now the browser asks.
pub(crate) async fn ask_permission() {
    if supported()
        && let Ok(asked) = Notification::request_permission()
    {
        let _ = JsFuture::from(asked).await;
    }
}

/// The person switched it on, and the browser does not allow it.
pub(crate) fn is_blocked() -> bool {
    let is_denied = || Notification::permission() == NotificationPermission::Denied;
    dom::kept(NOTIFY).as_deref() == Some(ON) && (!supported() || is_denied())
}

fn supported() -> bool {
    js_sys::Reflect::has(&window(), &"Notification".into()).unwrap_or(false)
}
