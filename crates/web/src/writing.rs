//! The message that is being written, and its way to the server: it is sent under one
//! `client_message_id` however often the network fails, so it is never sent twice.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::attachments::{self, EDIT, Readiness};
use unbroken_chat_view::composer::{self, Composer, PENDING_MESSAGE};
use unbroken_client::RestError;
use unbroken_protocol::{
    ClientMessageId, ConversationId, GenerationId, MessageSource, Options, StartRequest,
    StartResponse,
};

use crate::address::Place;
use crate::calls::Patience;
use crate::own::Own;
use crate::session::{self, Pair};
use crate::state::{self, App, Connection};
use crate::{dom, editing, instructions, words};

/// How often a start is sent again while the network fails, before the person is asked.
pub(crate) const TRIES: u32 = 6;
pub(crate) const FIRST_WAIT: Duration = Duration::from_millis(400);
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The model that answers from the guide.
pub(crate) const GUIDE: &str = "quotes";

#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) composer: RwSignal<Composer>,
    /// The message goes as soon as what is attached to it is sent.
    pub(crate) waits: RwSignal<bool>,
    /// Whether answers search the web; `None` once the server has told that it does not.
    pub(crate) web: RwSignal<Option<bool>>,
    /// Why the last message was not taken.
    pub(crate) refusal: RwSignal<Option<String>>,
    /// Whether the last message can be sent again as it was.
    pub(crate) unsent: RwSignal<Option<Turn>>,
    /// What the composer changes, when it does not write a new message.
    pub(crate) editing: RwSignal<Option<Editing>>,
    /// The next conversation is temporary.
    pub(crate) temporary: RwSignal<bool>,
    /// The draft that an edit has put aside.
    aside: RwSignal<String>,
    /// The places that a message is on its way from.
    under_way: Own<Vec<Place>>,
}

/// A message that is being edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Editing {
    /// A sibling of a message that was sent: `parent` is what that one follows, or `root`.
    Branch { parent: String },
    /// A message that waits.
    Queued { id: GenerationId },
}

/// One message on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) text: String,
    /// What goes along, as it is kept.
    pub(crate) sources: String,
    pub(crate) conversation_id: Option<ConversationId>,
    /// Where it branches off, when it does not go to the end.
    pub(crate) parent_id: Option<String>,
    /// Who answers, when it is not the one that the server knows to be preferred.
    pub(crate) model_id: Option<String>,
    pub(crate) client_message_id: ClientMessageId,
    pub(crate) temporary: bool,
    /// What the answer has to mind, as it was when the message was sent: every try is the same.
    pub(crate) options: Option<Options>,
}

impl Writing {
    pub(crate) fn new() -> Self {
        Self {
            composer: RwSignal::default(),
            waits: RwSignal::default(),
            web: RwSignal::new(Some(false)),
            refusal: RwSignal::default(),
            unsent: RwSignal::default(),
            editing: RwSignal::default(),
            temporary: RwSignal::default(),
            aside: RwSignal::default(),
            under_way: Own::new(Vec::new()),
        }
    }
}

impl Turn {
    /// Where it was written.
    pub(crate) fn place(&self) -> Place {
        match self.conversation_id {
            Some(id) => Place::Chat(Some(id)),
            None => Place::Home,
        }
    }
}

impl App {
    /// Shows the draft of the page that is open now.
    pub(crate) fn load_draft(self) {
        let place = self.place.get();
        let mut composer = Composer::with_draft(self.kept_draft().unwrap_or_default());
        composer.set_sending(self.is_under_way(place));
        self.writing.composer.set(composer);
        self.writing.refusal.set(None);
        self.leave_edit();
        if let Some((editing, text, sources)) = self.kept_edit() {
            self.show_edit(&text, sources, editing);
        }
        self.want_attached();
    }

    /// Takes over what another tab writes here, so that neither writes over the other's text.
    pub(crate) fn follow_drafts(self) {
        let listener = window_event_listener(leptos::ev::storage, move |event| {
            self.want_attached();
            let is_here =
                event.key().is_some() && event.key() == draft_key(self.place.get_untracked());
            if is_here && self.writing.editing.read_untracked().is_none() {
                let [before, now] =
                    [event.old_value(), event.new_value()].map(Option::unwrap_or_default);
                let follow = |composer: &mut Composer| composer.follow(&before, &now);
                if self.writing.composer.try_update(follow) == Some(true) {
                    self.keep_draft();
                }
            }
        });
        on_cleanup(move || listener.remove());
    }

    /// Says why something did not work, or nothing any more.
    pub(crate) fn complain(self, sentence: Option<String>) {
        self.writing.unsent.set(None);
        self.writing.refusal.set(sentence);
    }

    /// Puts a message into the composer; what was there comes back after it.
    pub(crate) fn begin_edit(self, text: &str, sources: Vec<MessageSource>, editing: Editing) {
        if self.writing.composer.read_untracked().is_sending() {
            return;
        }
        self.writing.waits.set(false);
        self.drop_edit();
        self.show_edit(text, sources, editing);
        dom::focus("message");
    }

    fn show_edit(self, text: &str, sources: Vec<MessageSource>, editing: Editing) {
        if self.writing.editing.read_untracked().is_none() {
            self.writing.aside.set(self.writing.composer.read_untracked().draft().to_owned());
        }
        self.writing.editing.set(Some(editing));
        self.writing.composer.update(|composer| composer.set_draft(text));
        self.keep_draft();
        self.keep_edit_sources(&attachments::written(sources.iter()));
        self.bring_attached(EDIT, sources);
    }

    pub(crate) fn end_edit(self) {
        if self.writing.editing.get_untracked().is_some() {
            self.complain(None);
            self.forget_edit();
            self.leave_edit();
            // Another tab may have written meanwhile.
            let draft = self.kept_draft().unwrap_or_else(|| self.writing.aside.get_untracked());
            self.writing.composer.update(|composer| composer.set_draft(draft));
            dom::focus("message");
        }
    }

    fn leave_edit(self) {
        self.writing.waits.set(false);
        self.writing.editing.set(None);
        self.drop_edit();
    }

    fn send_edit(self, queued: GenerationId) {
        let draft = self.writing.composer.read_untracked().draft().to_owned();
        let (Some(rest), Some(id)) = (self.rest(), self.open.id()) else { return };
        self.end_edit();
        spawn_local(async move {
            if let Err(error) = rest.edit_queued(id, queued, &draft).await {
                // It runs already, or cannot be reached: the text is not lost.
                self.give_back(draft, "");
                self.complain(Some(state::sentence(&error)));
            }
        });
    }

    pub(crate) fn edit_draft(self, text: &str) {
        self.writing.composer.update(|composer| composer.set_draft(text));
        self.keep_draft();
    }

    /// Adds to the draft of that page what is said there: the last words come late.
    pub(crate) fn write_on(self, place: Place, text: &str) {
        let is_here = self.place.get_untracked() == place;
        let Some(key) = draft_key(place) else { return };
        let draft = if is_here {
            self.writing.composer.read_untracked().draft().to_owned()
        } else {
            dom::kept(&key).unwrap_or_default()
        };
        let gap = if draft.is_empty() || draft.ends_with(char::is_whitespace) { "" } else { " " };
        let draft = format!("{draft}{gap}{text}");
        if is_here {
            self.edit_draft(&draft);
        } else {
            dom::keep(&key, &draft);
        }
    }

    /// Sends what is in the field.
    pub(crate) fn send_draft(self) {
        let problem = self.writing.composer.read_untracked().problem();
        self.writing.refusal.set(problem);
        let editing = self.writing.editing.get_untracked();
        if let Some(Editing::Queued { id }) = editing {
            if self.writing.composer.read_untracked().can_send() {
                self.send_edit(id);
            }
            return;
        }
        if !self.can_send_attached() {
            return;
        }
        if let Some(Some(text)) = self.writing.composer.try_update(Composer::send) {
            let mut turn = self.turn(text);
            turn.sources = self.take_attached();
            if let Some(Editing::Branch { parent }) = editing {
                turn.parent_id = Some(parent);
                self.end_edit();
            }
            self.deliver(turn);
        }
    }

    /// Whether what is attached is ready to go along. Else the message waits for it, or says why it
    /// cannot.
    fn can_send_attached(self) -> bool {
        let readiness = self.readiness();
        let can_send = self.writing.composer.read_untracked().can_send();
        self.writing.waits.set(readiness == Readiness::Sending && can_send);
        if readiness == Readiness::Stuck && can_send {
            self.writing.refusal.set(Some(words::attachments_stuck().to_owned()));
        }
        readiness == Readiness::Ready
    }

    /// Sends a message as if it had been typed, with these sources; the draft stays.
    pub(crate) fn send(self, text: &str, sources: String) {
        if !self.writing.composer.read_untracked().is_sending() {
            self.deliver(Turn { sources, ..self.turn(text.to_owned()) });
        }
    }

    /// Asks the built-in guide in a conversation of its own. It needs nothing of the web.
    pub(crate) fn ask_guide(self, question: &str) {
        if self.is_under_way(Place::Home) {
            return;
        }
        self.new_chat();
        let mut turn = self.turn(question.to_owned());
        turn.model_id = Some(GUIDE.to_owned());
        self.deliver(turn);
    }

    /// Sends the refused message again: under the same key, unless it was edited.
    pub(crate) fn retry_send(self) {
        let unsent = self.writing.unsent.get_untracked();
        let draft = self.writing.composer.read_untracked().draft().to_owned();
        match unsent {
            Some(turn) if turn.text == draft && self.has_attached(&turn.sources) => {
                self.writing.composer.update(|composer| composer.set_draft(""));
                self.take_attached();
                self.end_edit();
                // The person may have chosen another model since.
                let guide = turn.model_id.filter(|id| id == GUIDE);
                let model_id = guide.or_else(|| self.unsaved_model());
                self.deliver(Turn { model_id, ..turn });
            }
            _ => self.send_draft(),
        }
    }

    fn turn(self, text: String) -> Turn {
        let conversation_id = match self.place.get_untracked() {
            Place::Chat(id) => id,
            Place::Home | Place::History | Place::Elsewhere => None,
        };
        Turn {
            text,
            sources: String::new(),
            conversation_id,
            parent_id: None,
            model_id: self.unsaved_model(),
            client_message_id: ClientMessageId::new(),
            temporary: conversation_id.is_none() && self.writing.temporary.get_untracked(),
            options: instructions::options(),
        }
    }

    /// Whether a message is on its way from there.
    fn is_under_way(self, place: Place) -> bool {
        self.writing.under_way.read(|places| places.contains(&place))
    }

    fn set_under_way(self, turn: &Turn, is: bool) {
        let place = turn.place();
        self.writing.under_way.change(|places| {
            places.retain(|known| *known != place);
            places.extend(is.then_some(place));
        });
        if self.place.get_untracked() == place {
            self.writing.composer.update(|composer| composer.set_sending(is));
        }
    }

    fn keep_draft(self) {
        let Some(key) = draft_key(self.place.get_untracked()) else { return };
        let composer = self.writing.composer.read_untracked();
        if let Some(editing) = &*self.writing.editing.read_untracked() {
            return self.keep_edit(editing, composer.draft());
        }
        // What does not fit must not leave an older text there.
        if composer.draft().is_empty() || !dom::keep(&key, composer.draft()) {
            dom::forget(&key);
        }
    }

    fn kept_draft(self) -> Option<String> {
        dom::kept(&draft_key(self.place.get_untracked())?)
    }

    /// Puts a message that was not taken before what was typed since.
    fn give_back(self, text: String, sources: &str) {
        self.writing.composer.update(|composer| composer.failed(text));
        self.keep_draft();
        if let Some(draft) = self.attaches_to() {
            self.bring_attached(&draft, attachments::read(sources));
        }
    }

    fn deliver(self, turn: Turn) {
        self.writing.refusal.set(None);
        self.writing.unsent.set(None);
        self.set_under_way(&turn, true);
        self.keep_under_way(&turn);
        self.keep_draft();
        if turn.parent_id.is_some() {
            // Its place is known when the server has it.
        } else if turn.conversation_id.is_some() {
            self.open.sent(&turn);
        } else if let Some(storage) = dom::tab_storage() {
            let _ = storage.set_item(PENDING_MESSAGE, &turn.text);
        }
        spawn_local(async move {
            let outcome = self.start(&turn).await;
            if !matches!(outcome, Err(RestError::Unreachable(_))) {
                self.forget_kept(&turn);
            }
            match outcome {
                Ok(response) => {
                    // The page of the conversation begins in a task of its own.
                    dom::sleep(Duration::ZERO).await;
                    self.delivered(&turn, &response);
                }
                Err(error) => self.refused(turn, &error),
            }
        });
    }

    pub(crate) async fn start(self, turn: &Turn) -> Result<StartResponse, RestError> {
        let (mut wait, mut tries, mut renewed) = (FIRST_WAIT, 1, false);
        let mut patience = Patience::new();
        loop {
            let request = StartRequest {
                message: turn.text.clone(),
                conversation_id: turn.conversation_id.map(|id| id.to_string()),
                parent_id: turn.parent_id.clone(),
                model_id: turn.model_id.clone(),
                sources: attachments::sources_of(&turn.sources),
                options: turn.options.clone(),
                client_message_id: Some(turn.client_message_id.to_string()),
                temporary: turn.temporary.then_some(true),
                ..StartRequest::default()
            };
            let rest = self.rest().unwrap_or_else(|| unbroken_client::Rest::new(""));
            let call = async {
                if turn.model_id.is_none() {
                    self.save_best(&rest).await?;
                }
                rest.start(request).await
            };
            match patience.answer(call).await {
                Err(error) if state::is_unauthorized(&error) && !renewed => {
                    renewed = true;
                    let pair: Pair = session::open(None).await.map_err(|_| error)?;
                    self.enter(pair);
                }
                Err(RestError::Unreachable(_)) if tries < TRIES && !self.is_offline() => {
                    tries += 1;
                    dom::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                outcome => return outcome,
            }
        }
    }

    fn delivered(self, turn: &Turn, response: &StartResponse) {
        self.set_under_way(turn, false);
        if turn.temporary {
            self.writing.temporary.set(false);
        }
        if self.place.get_untracked() != turn.place() {
            // The person is elsewhere by now: it is in the list.
            return;
        }
        if turn.parent_id.is_some() {
            self.open.switch(self);
            self.open.to_end.notify();
        } else {
            self.open.started(self, turn, response);
        }
        if turn.temporary {
            self.open.temporary.set(true);
        }
        if turn.conversation_id.is_none() {
            self.go(&format!("/chat?conversation_id={}", response.conversation_id));
        }
    }

    /// The browser itself says that there is no network.
    pub(crate) fn is_offline(self) -> bool {
        self.connection.get_untracked() == Connection::Offline
    }

    fn refused(self, turn: Turn, error: &RestError) {
        self.set_under_way(&turn, false);
        if turn.parent_id.is_none() {
            self.open.refused(&turn);
        }
        if matches!(error, RestError::Unreachable(_)) {
            return self.keep_for_later(turn);
        }
        if self.give_back_turn(&turn) {
            self.writing.refusal.set(Some(state::sentence(error)));
            self.writing.unsent.set(Some(turn));
        }
    }

    /// Puts a message that was not taken back where it was written: `true` when that is here.
    pub(crate) fn give_back_turn(self, turn: &Turn) -> bool {
        let place = turn.place();
        let is_here = self.place.get_untracked() == place;
        let is_free = self.writing.editing.read_untracked().is_none();
        let editing = turn.parent_id.clone().map(|parent| Editing::Branch { parent });
        if let Some(editing) = editing.clone().filter(|_| is_here && is_free) {
            self.show_edit(&turn.text, attachments::read(&turn.sources), editing);
        } else if is_here {
            self.give_back(turn.text.clone(), &turn.sources);
        } else if editing.is_some_and(|edit| editing::leave_for_later(turn, &edit)) {
            // It is shown again with its page.
        } else if let Some(key) = draft_key(place) {
            let mut draft = Composer::with_draft(dom::kept(&key).unwrap_or_default());
            draft.failed(turn.text.clone());
            dom::keep(&key, draft.draft());
            self.bring_attached(&key, attachments::read(&turn.sources));
        }
        is_here
    }
}

pub(crate) fn draft_key(place: Place) -> Option<String> {
    match place {
        Place::Home => Some(composer::draft_key(None)),
        Place::Chat(id) => Some(composer::draft_key(id)),
        Place::History | Place::Elsewhere => None,
    }
}
