//! The browser's address: which page it names, and going to another page without a page load.

use leptos::ev::{self, MouseEvent};
use leptos::prelude::*;
use unbroken_protocol::{ConversationId, MessageId};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement};

/// Which page the address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Home,
    /// A conversation; `None` when the address holds no id.
    Chat(Option<ConversationId>),
    History,
    Elsewhere,
}

/// What the address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    /// `message=`: the message to scroll to.
    message: Option<MessageId>,
    /// `beside=`: the answer to show beside its sibling.
    beside: Option<MessageId>,
}

impl Said {
    fn now() -> Self {
        let location = window().location();
        let (path, query) = (location.pathname(), location.search().unwrap_or_default());
        Self {
            place: Place::of(&path.unwrap_or_default(), &query),
            message: field(&query, "message=").and_then(|id| id.parse().ok()),
            beside: field(&query, "beside=").and_then(|id| id.parse().ok()),
        }
    }
}

fn field<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.trim_start_matches('?').split('&').find_map(|field| field.strip_prefix(name))
}

impl Place {
    fn of(path: &str, query: &str) -> Self {
        match path.trim_end_matches('/') {
            "" => Self::Home,
            "/history" => Self::History,
            "/chat" => Self::Chat(field(query, "conversation_id=").and_then(|id| id.parse().ok())),
            path => match path.strip_prefix("/chat/") {
                Some(id) if !id.contains('/') => Self::Chat(id.parse().ok()),
                _ => Self::Elsewhere,
            },
        }
    }
}

/// The address, as long as the page lives; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct Address(RwSignal<Said>);

impl Address {
    /// Follows the browser's own ways, and takes over clicks on links to pages of the app.
    pub(crate) fn follow() -> Self {
        let address = Self(RwSignal::new(Said::now()));
        window_event_listener(ev::popstate, move |_| address.read());
        window_event_listener(ev::click, move |event| address.clicked(&event));
        address
    }

    pub(crate) fn place(self) -> Memo<Place> {
        Memo::new(move |_| self.0.read().place)
    }

    /// The message that the address asks for; told again when it is asked for again.
    pub(crate) fn message(self) -> Option<MessageId> {
        self.0.get().message
    }

    /// The answer that is shown beside its sibling.
    pub(crate) fn beside(self) -> Memo<Option<MessageId>> {
        Memo::new(move |_| self.0.read().beside)
    }

    /// Opens a page of the app.
    pub(crate) fn go(self, address: &str) {
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
        }
        self.read();
    }

    /// Opens a page in place of one that is none: the way back does not lead there again.
    pub(crate) fn go_instead(self, address: &str) {
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
        }
        self.read();
    }

    fn read(self) {
        self.0.set(Said::now());
    }

    fn clicked(self, event: &MouseEvent) {
        let elsewhere =
            event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if elsewhere || event.button() != 0 || event.default_prevented() {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href^='/']").ok().flatten());
        let link = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
        if let Some(link) = link.filter(|link| link.target().is_empty()) {
            event.prevent_default();
            self.go(&link.get_attribute("href").unwrap_or_default());
        }
    }
}
