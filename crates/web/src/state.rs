//! What every part of the page may read and change: the session, the connection, the lists, and
//! the message that is being written.

use std::ops::Deref;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::history::{Group, History, Kind};
use unbroken_chat_view::pace;
use unbroken_chat_view::picker::{self, Picker};
use unbroken_client::browser::Link;
use unbroken_client::{Config, Output, Rest, RestError, Status};
use unbroken_protocol::{Capability, ConversationSummary, ErrorCode, Event, Timestamp, path};

use crate::address::{Address, Place};
use crate::attaching::Attaching;
use crate::calls::ask;
use crate::conversation::Open;
use crate::files::Files;
use crate::keep::Keep;
use crate::moves::Moves;
use crate::notify::Notices;
use crate::outbox::Outbox;
use crate::own::Own;
use crate::parts::settings;
use crate::prompts::Prompts;
use crate::session::{NoSession, Pair};
use crate::writing::Writing;
use crate::{dom, session, words};

const FOLDED: &str = "sidebar_folded";
/// How many conversations one page of the list holds.
const PAGE: u32 = 50;
/// Pages that new conversations may fill before what was shown is not looked for any more.
const MORE_PAGES: usize = 2;

/// Whether the server lets this device in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Opening,
    Open,
    /// The operator asks for an access code; `problem` says what was wrong with the last one.
    Locked {
        problem: Option<String>,
    },
    /// No session could be had.
    Down {
        sentence: String,
    },
}

/// The state of the connection, as far as a person cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    Live,
    Reconnecting,
    Offline,
}

/// A part of a list of conversations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) entries: Vec<ConversationSummary>,
}

/// A handle on everything; copies are the same.
#[derive(Clone, Copy)]
pub(crate) struct App(&'static Parts);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        self.0
    }
}

pub(crate) struct Parts {
    pub(crate) address: Address,
    pub(crate) place: Memo<Place>,
    pub(crate) access: RwSignal<Access>,
    pub(crate) connection: RwSignal<Connection>,
    /// How often this page has found the server again.
    pub(crate) reconnects: RwSignal<u32>,
    pub(crate) history: RwSignal<History>,
    pub(crate) sections: Memo<Vec<Section>>,
    pub(crate) keep: Keep,
    pub(crate) moves: Moves,
    pub(crate) picker: RwSignal<Picker>,
    pub(crate) open: Open,
    pub(crate) writing: Writing,
    pub(crate) outbox: Outbox,
    pub(crate) notices: Notices,
    pub(crate) prompts: Prompts,
    pub(crate) attaching: Attaching,
    pub(crate) files: Files,
    pub(crate) folded: RwSignal<bool>,
    pub(crate) drawer: RwSignal<bool>,
    pub(crate) settings_open: RwSignal<bool>,
    /// What the settings show; `None` is the list of sections, or the first where both fit.
    pub(crate) settings_section: RwSignal<Option<settings::Section>>,
    pub(crate) palette_open: RwSignal<bool>,
    pub(crate) shortcuts_open: RwSignal<bool>,
    inner: Own<Inner>,
}

#[derive(Default)]
struct Inner {
    pair: Option<Pair>,
    link: Option<Link>,
    /// Whether the page has found the server once.
    was_live: bool,
    /// The choice of a model is on its way: one after the other, so that the last one stays.
    saves_choice: bool,
}

impl App {
    /// Makes the state and begins to connect.
    pub(crate) fn provide(address: Address) -> Self {
        let history = RwSignal::new(History::default());
        let place = address.place();
        let fresh = match place.get_untracked() {
            Place::Chat(id) => id,
            _ => None,
        };
        let parts = Parts {
            address,
            place,
            access: RwSignal::new(Access::Opening),
            connection: RwSignal::new(Connection::Live),
            reconnects: RwSignal::new(0),
            history,
            sections: Memo::new(move |_| sections(&history.read())),
            keep: Keep::new(),
            moves: Moves::new(),
            picker: RwSignal::default(),
            open: Open::new(fresh),
            writing: Writing::new(),
            outbox: Outbox::kept(),
            notices: Notices::new(),
            prompts: Prompts::new(),
            attaching: Attaching::new(),
            files: Files::new(),
            folded: RwSignal::new(dom::kept(FOLDED).is_some()),
            drawer: RwSignal::new(false),
            settings_open: RwSignal::new(false),
            settings_section: RwSignal::new(None),
            palette_open: RwSignal::new(false),
            shortcuts_open: RwSignal::new(false),
            inner: Own::new(Inner::default()),
        };
        // The app lives as long as its page.
        let app = Self(Box::leak(Box::new(parts)));
        provide_context(app);
        app.watch_looks();
        if let Some(pair) = Pair::kept() {
            app.enter(pair);
        }
        app.open_session(None);
        app
    }

    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The same with an open conversation of its own, and without a connection.
    pub(crate) fn stage(self) -> Self {
        // It lives as long as the page, as everything in the state.
        let owner = Owner::new();
        let open = owner.with(|| Open::new(None));
        std::mem::forget(owner);
        let inner = Own::new(Inner::default());
        Self(Box::leak(Box::new(Parts { open, inner, ..*self.0 })))
    }

    /// Renews the session of this device, or begins one.
    pub(crate) fn open_session(self, access_code: Option<String>) {
        spawn_local(async move {
            match session::open(access_code).await {
                Ok(pair) => self.enter(pair),
                Err(NoSession::AccessCode(problem)) => self.access.set(Access::Locked { problem }),
                // With a kept pair the app works on; the status tells of the network.
                Err(NoSession::Failed(error)) if self.access.get_untracked() != Access::Open => {
                    self.access.set(Access::Down { sentence: sentence(&error) });
                }
                Err(NoSession::Failed(_)) => {}
            }
        });
    }

    /// Speaks with that pair from now on.
    pub(crate) fn enter(self, pair: Pair) {
        let known = self.inner.read(|inner| inner.pair.clone());
        if known.as_ref() != Some(&pair) {
            if known.is_some_and(|known| known.session_id != pair.session_id) {
                // Another person's, as far as this page knows.
                dom::forget_read();
            }
            self.inner.change(|inner| inner.pair = Some(pair.clone()));
            match self.link() {
                Some(link) => link.credentials(Some(pair.device_id), Some(pair.session_id)),
                None => self.connect(pair),
            }
            self.load_lists();
        }
        self.access.set(Access::Open);
    }

    fn connect(self, pair: Pair) {
        let config = Config {
            device_id: Some(pair.device_id),
            session_id: Some(pair.session_id),
            capabilities: vec![Capability::Reasoning, Capability::Tools],
            // Between two commits of text nobody sees what comes.
            interval: Some(pace::SHORTEST),
            seed: dom::seed(),
        };
        let link = Link::open(&dom::socket_url(path::SOCKET), config, move |output| {
            self.take(output);
        });
        self.inner.change(|inner| inner.link = Some(link));
    }

    /// The live connection, once there is a session.
    pub(crate) fn link(self) -> Option<Link> {
        self.inner.read(|inner| inner.link.clone())
    }

    /// The REST calls, once there is a session.
    pub(crate) fn rest(self) -> Option<Rest> {
        self.inner.read(|inner| inner.pair.as_ref().map(Pair::rest))
    }

    fn take(self, output: Output) {
        match output {
            Output::Status(status) => self.set_status(status),
            Output::Update(id, update) => self.open.update(id, update),
            Output::Notice(Event::Conversation(event)) => self.conversation_changed(*event),
            Output::Notice(Event::Prompt(event)) => self.prompts.changed(event),
            Output::Notice(event @ (Event::File(_) | Event::Collection(_))) => {
                self.attaching.hear(Some(event));
            }
            Output::Notice(Event::Noticed(_)) => {
                self.load_lists();
                self.open.reload(self);
            }
            Output::Notice(event) => self.open.notice(self, event),
            Output::Connect | Output::Disconnect | Output::Send(_) => {}
        }
    }

    fn set_status(self, status: Status) {
        let was = self.connection.get_untracked();
        let is = match status {
            Status::Live => Connection::Live,
            Status::Offline => Connection::Offline,
            Status::Connecting | Status::Reconnecting => Connection::Reconnecting,
            Status::SessionExpired | Status::Refused => {
                self.open_session(None);
                Connection::Reconnecting
            }
        };
        self.connection.set(is);
        if is == Connection::Live && was != Connection::Live {
            let before = |inner: &mut Inner| std::mem::replace(&mut inner.was_live, true);
            if self.inner.change(before) {
                self.reconnects.update(|count| *count += 1);
            }
        }
        if is == Connection::Live && was != Connection::Live {
            self.send_kept();
        }
        // Events of the time without a connection are lost; what they told is asked for.
        if is == Connection::Live
            && was != Connection::Live
            && self.history.read_untracked().is_loaded()
        {
            self.load_lists();
            self.open.reload(self);
        }
    }

    /// Opens a page of the app, without a page load.
    pub(crate) fn go(self, address: &str) {
        self.address.go(address);
    }

    pub(crate) fn new_chat(self) {
        self.drawer.set(false);
        self.go("/");
        dom::focus("message");
    }

    pub(crate) fn fold(self, folded: bool) {
        self.folded.set(folded);
        if folded {
            dom::keep(FOLDED, "1");
        } else {
            dom::forget(FOLDED);
        }
    }

    /// The title of the open conversation, or the name of the page.
    pub(crate) fn heading(self) -> String {
        match self.place.get() {
            Place::Home | Place::Elsewhere => words::APP.to_owned(),
            Place::History => words::history().to_owned(),
            Place::Chat(None) => words::new_chat().to_owned(),
            Place::Chat(Some(id)) => {
                let history = self.history.read();
                let listed = history.get(id).map(|known| known.title.clone());
                listed
                    .filter(|title| !title.trim().is_empty())
                    .or_else(|| self.open.title.get())
                    .unwrap_or_else(|| words::new_chat().to_owned())
            }
        }
    }

    /// What the browser's tab is called.
    pub(crate) fn page_title(self) -> String {
        let title = match self.place.get() {
            Place::Chat(_) => self.heading(),
            Place::History => words::page_title(Some(words::history())),
            Place::Home | Place::Elsewhere => words::page_title(None),
        };
        match self.notices.unseen.read().len() {
            0 => title,
            ended => words::with_mark(ended, &title),
        }
    }

    pub(crate) fn close_drawer(self) {
        self.drawer.set(false);
        request_animation_frame(|| dom::focus("open-sidebar"));
    }

    fn load_lists(self) {
        let Some(rest) = self.rest() else { return };
        self.load_prompts();
        self.attaching.hear(None);
        self.prefer();
        spawn_local(async move {
            let page = ask(async || rest.conversations(Some(PAGE), None).await).await;
            if let Some(page) = self.checked(page) {
                let before = self.history.read_untracked().ids();
                self.history.update(|history| history.replace(page));
                self.load_kept(&rest).await;
                self.load_unsure().await;
                self.forget_gone(before);
                self.note_all_running();
            }
            if self.keep.archive.read_untracked().is_loaded() {
                self.keep.archive.set(History::archive());
                self.load_archive();
            }
            let models = ask(async || rest.models().await).await;
            if let Some(list) = self.checked(models) {
                self.picker.update(|picker| picker.set_models(list.models));
                let on = self.writing.web.get_untracked().unwrap_or(false);
                self.writing.web.set(list.web_search.then_some(on));
            }
            let choices = self.picker.read_untracked().choices();
            let stats = ask(async || rest.stats().await).await;
            if let Some(stats) = self.checked(stats) {
                let preferred = stats.preferred_model.filter(|_| stats.has_preference);
                let preferred = preferred.as_deref().unwrap_or(picker::BEST);
                self.picker.update(|picker| picker.stands(preferred, choices));
            }
        });
    }

    /// Reads again what was shown beyond the first page, unless an import or the like put much
    /// before it: then the list begins again.
    async fn load_unsure(self) {
        let shown = self.history.read_untracked().entries().len();
        for _ in 0..shown / PAGE as usize + MORE_PAGES {
            if !self.history.read_untracked().is_unsure() || !self.add_next_page().await {
                return;
            }
        }
        self.history.update(History::drop_unsure);
    }

    /// Appends the next page of the list.
    pub(crate) fn load_more(self) {
        spawn_local(async move {
            self.add_next_page().await;
        });
    }

    async fn add_next_page(self) -> bool {
        let cursor = self.history.read_untracked().next_cursor().map(str::to_owned);
        let (Some(rest), Some(cursor)) = (self.rest(), cursor) else { return false };
        let page = ask(async || rest.conversations(Some(PAGE), Some(&cursor)).await).await;
        let Some(page) = self.checked(page) else { return false };
        // The list may have begun again meanwhile.
        let is_next = self.history.read_untracked().next_cursor() == Some(&*cursor);
        if is_next {
            self.history.update(|history| history.add_page(page));
        }
        is_next
    }

    /// Has the server remember which model this person chose, unless it does.
    pub(crate) fn prefer(self) {
        let begin = |inner: &mut Inner| std::mem::replace(&mut inner.saves_choice, true);
        if self.picker.read_untracked().unsaved().is_none() || self.inner.change(begin) {
            return;
        }
        spawn_local(async move {
            let saved = self.save_choice().await;
            self.inner.change(|inner| inner.saves_choice = false);
            if let Err(error) = &saved {
                self.toast(words::choice_not_saved(&sentence(error)), None);
            }
            self.checked(saved);
        });
    }

    async fn save_choice(self) -> Result<(), RestError> {
        while let Some(id) = self.unsaved_choice() {
            let Some(rest) = self.rest() else { break };
            let model = Some(&*id).filter(|id| *id != picker::BEST);
            ask(async || rest.preferences(model).await).await?;
            self.picker.update(|picker| picker.saved(&id));
        }
        Ok(())
    }

    fn unsaved_choice(self) -> Option<String> {
        self.picker.read_untracked().unsaved().map(str::to_owned)
    }

    /// The model that a message has to name, as the server may not know of the choice yet.
    pub(crate) fn unsaved_model(self) -> Option<String> {
        self.unsaved_choice().filter(|id| id != picker::BEST)
    }

    /// "Best" cannot be named: for the server it is what it knows to be preferred.
    pub(crate) async fn save_best(self, rest: &Rest) -> Result<(), RestError> {
        if self.unsaved_choice().as_deref() == Some(picker::BEST) {
            rest.preferences(None).await?;
        }
        Ok(())
    }

    /// The name of the chosen model, as short as it goes.
    pub(crate) fn model_name(self) -> String {
        let picker = self.picker.read();
        match picker.selected() {
            picker::BEST => words::best_short().to_owned(),
            _ => picker.chosen_name(),
        }
    }

    /// The answer, where there is one. A session that has ended is renewed for the next call.
    pub(crate) fn checked<A>(self, answer: Result<A, RestError>) -> Option<A> {
        if let Err(error) = &answer
            && is_unauthorized(error)
        {
            self.open_session(None);
        }
        answer.ok()
    }
}

pub(crate) fn sections(history: &History) -> Vec<Section> {
    let month = |year, month| words::month(i32::try_from(year).unwrap_or_default(), month);
    let groups = history.groups(Timestamp::from_millis(dom::now()), dom::utc_offset(), month);
    let section = |group: Group<'_>| Section {
        kind: group.kind,
        title: group.title,
        entries: group.entries.into_iter().cloned().collect(),
    };
    groups.into_iter().map(section).collect()
}

/// Whether the call failed because the session is gone.
pub(crate) fn is_unauthorized(error: &RestError) -> bool {
    matches!(error, RestError::Refused(body) if body.code == ErrorCode::Unauthorized)
}

/// What a person can do about a call that failed.
pub(crate) fn sentence(error: &RestError) -> String {
    match error {
        RestError::Refused(body) => words::told(body.code, &body.message).to_owned(),
        RestError::Unreachable(_) => words::unreachable().to_owned(),
        RestError::Unexpected { .. } => words::error_internal().to_owned(),
    }
}
