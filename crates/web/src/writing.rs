//! The message that is being written, and its way to the server: it is sent under one
//! `client_message_id` however often the network fails, so it is never sent twice.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::composer::{self, Composer, PENDING_MESSAGE};
use unbroken_client::RestError;
use unbroken_protocol::{ClientMessageId, ConversationId, StartRequest, StartResponse};

use crate::dom;
use crate::session::{self, Pair};
use crate::state::{self, App, Place};

/// How often a start is sent again while the network fails, before the person is asked.
const TRIES: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(400);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) composer: RwSignal<Composer>,
    /// Why the last message was not taken.
    pub(crate) refusal: RwSignal<Option<String>>,
    unsent: RwSignal<Option<Turn>>,
}

/// One message on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) text: String,
    pub(crate) conversation_id: Option<ConversationId>,
    pub(crate) client_message_id: ClientMessageId,
}

impl Writing {
    pub(crate) fn new() -> Self {
        Self {
            composer: RwSignal::default(),
            refusal: RwSignal::default(),
            unsent: RwSignal::default(),
        }
    }
}

impl App {
    /// Shows the draft of the page that is open now.
    pub(crate) fn load_draft(self) {
        let kept = draft_key(self.place.get()).and_then(|key| dom::kept(&key));
        let sending = self.writing.composer.read_untracked().is_sending();
        // The message on its way home is not a draft any more.
        if !sending {
            self.writing.composer.set(Composer::with_draft(kept.unwrap_or_default()));
        }
        self.writing.refusal.set(None);
    }

    pub(crate) fn edit_draft(self, text: &str) {
        self.writing.composer.update(|composer| composer.set_draft(text));
        self.keep_draft();
    }

    /// Sends what is in the field.
    pub(crate) fn send_draft(self) {
        let problem = self.writing.composer.read_untracked().problem();
        self.writing.refusal.set(problem);
        if let Some(Some(text)) = self.writing.composer.try_update(Composer::send) {
            self.deliver(self.turn(text));
        }
    }

    /// Sends a message as if it had been typed; the draft stays.
    pub(crate) fn send(self, text: String) {
        if !self.writing.composer.read_untracked().is_sending() {
            self.deliver(self.turn(text));
        }
    }

    /// Sends the refused message again: under the same key, unless it was edited.
    pub(crate) fn retry_send(self) {
        let unsent = self.writing.unsent.get_untracked();
        let draft = self.writing.composer.read_untracked().draft().to_owned();
        match unsent {
            Some(turn) if turn.text == draft => {
                self.writing.composer.update(|composer| drop(composer.send()));
                self.deliver(turn);
            }
            _ => self.send_draft(),
        }
    }

    fn turn(self, text: String) -> Turn {
        let conversation_id = match self.place.get_untracked() {
            Place::Chat(id) => id,
            Place::Home | Place::History | Place::Elsewhere => None,
        };
        Turn { text, conversation_id, client_message_id: ClientMessageId::new() }
    }

    fn keep_draft(self) {
        let Some(key) = draft_key(self.place.get_untracked()) else { return };
        let composer = self.writing.composer.read_untracked();
        if composer.draft().is_empty() {
            dom::forget(&key);
        } else {
            dom::keep(&key, composer.draft());
        }
    }

    fn deliver(self, turn: Turn) {
        self.writing.refusal.set(None);
        self.writing.unsent.set(None);
        self.keep_draft();
        if turn.conversation_id.is_some() {
            self.open.sent(&turn);
        } else if let Some(storage) = dom::tab_storage() {
            let _ = storage.set_item(PENDING_MESSAGE, &turn.text);
        }
        spawn_local(async move {
            match self.start(&turn).await {
                Ok(response) => self.delivered(&turn, &response),
                Err(error) => self.refused(turn, &error),
            }
        });
    }

    async fn start(self, turn: &Turn) -> Result<StartResponse, RestError> {
        let (mut wait, mut tries, mut renewed) = (FIRST_WAIT, 1, false);
        loop {
            let request = StartRequest {
                message: turn.text.clone(),
                conversation_id: turn.conversation_id.map(|id| id.to_string()),
                client_message_id: Some(turn.client_message_id.to_string()),
                ..StartRequest::default()
            };
            let rest = self.rest().unwrap_or_else(|| unbroken_client::Rest::new(""));
            match rest.start(request).await {
                Err(error) if state::is_unauthorized(&error) && !renewed => {
                    renewed = true;
                    let pair: Pair = session::open(None).await.map_err(|_| error)?;
                    self.enter(pair);
                }
                Err(RestError::Unreachable(_)) if tries < TRIES => {
                    tries += 1;
                    dom::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                outcome => return outcome,
            }
        }
    }

    fn delivered(self, turn: &Turn, response: &StartResponse) {
        let conversation_id = response.conversation_id;
        self.open.started(self, turn, response);
        self.writing.composer.update(Composer::sent);
        if turn.conversation_id.is_none() && self.place.get_untracked() == Place::Home {
            self.go(&format!("/chat?conversation_id={conversation_id}"));
        }
    }

    fn refused(self, turn: Turn, error: &RestError) {
        self.open.refused(&turn);
        let place = match turn.conversation_id {
            Some(id) => Place::Chat(Some(id)),
            None => Place::Home,
        };
        if self.place.get_untracked() == place {
            self.writing.composer.update(|composer| composer.failed(turn.text.clone()));
            self.keep_draft();
            self.writing.refusal.set(Some(state::sentence(error)));
            self.writing.unsent.set(Some(turn));
        } else {
            self.writing.composer.update(Composer::sent);
            if let Some(key) = draft_key(place) {
                dom::keep(&key, &turn.text);
            }
        }
    }
}

fn draft_key(place: Place) -> Option<String> {
    match place {
        Place::Home => Some(composer::draft_key(None)),
        Place::Chat(id) => Some(composer::draft_key(id)),
        Place::History | Place::Elsewhere => None,
    }
}
