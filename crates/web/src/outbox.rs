//! Messages that were sent while the server could not be reached: kept on this device, beyond a
//! reload, and sent once when it can. Their `client_message_id` makes a second try harmless, also
//! one of another tab.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_client::RestError;
use unbroken_protocol::StartResponse;

use crate::address::Place;
use crate::dom;
use crate::state::{self, App, Connection};
use crate::writing::Turn;

const KEPT: &str = "outbox.";
const TEMPORARY: &str = "temporary";
/// When to try again while the socket lives and calls fail.
const AGAIN: Duration = Duration::from_secs(5);

/// The messages that wait for the network.
#[derive(Clone, Copy)]
pub(crate) struct Outbox {
    pub(crate) turns: RwSignal<Vec<Turn>>,
    is_sending: RwSignal<bool>,
}

impl Outbox {
    /// With what an earlier page left.
    pub(crate) fn kept() -> Self {
        Self { turns: RwSignal::new(all_kept()), is_sending: RwSignal::new(false) }
    }
}

impl App {
    /// Keeps a message until the network is back.
    pub(crate) fn keep_for_later(self, turn: Turn) {
        dom::keep(&key(&turn), &written(&turn));
        self.outbox.turns.update(|turns| turns.push(turn));
        if self.connection.get_untracked() == Connection::Live {
            // Nothing else would say when to try again.
            set_timeout(move || self.send_kept(), AGAIN);
        }
    }

    /// Takes a message that waits out.
    pub(crate) fn forget_kept(self, turn: &Turn) {
        dom::forget(&key(turn));
        let is_other = |kept: &Turn| kept.client_message_id != turn.client_message_id;
        self.outbox.turns.update(|turns| turns.retain(is_other));
    }

    /// Takes a message that waits back into the composer.
    pub(crate) fn edit_kept(self, turn: &Turn) {
        self.forget_kept(turn);
        self.give_back(turn.text.clone(), &turn.sources);
        dom::focus("message");
    }

    /// Sends what waits, in order, as the network is there.
    pub(crate) fn send_kept(self) {
        self.outbox.turns.set(all_kept());
        if self.outbox.turns.read_untracked().is_empty() || self.outbox.is_sending.get_untracked() {
            return;
        }
        self.outbox.is_sending.set(true);
        spawn_local(async move {
            loop {
                let next = self.outbox.turns.read_untracked().first().cloned();
                let Some(turn) = next else { break };
                match self.start(&turn).await {
                    Err(RestError::Unreachable(_)) => break,
                    outcome => self.sent_at_last(&turn, outcome),
                }
            }
            self.outbox.is_sending.set(false);
        });
    }

    fn sent_at_last(self, turn: &Turn, outcome: Result<StartResponse, RestError>) {
        self.forget_kept(turn);
        match outcome {
            Ok(response) => {
                let id = response.conversation_id;
                if turn.conversation_id.is_none() && self.place.get_untracked() == Place::Home {
                    self.go(&format!("/chat?conversation_id={id}"));
                } else if self.open.id() == Some(id) {
                    self.open.switch(self);
                    self.open.to_end.notify();
                }
            }
            Err(error) => {
                // It will never be taken as it is: the text is not lost.
                self.give_back(turn.text.clone(), &turn.sources);
                self.complain(Some(state::sentence(&error)));
            }
        }
    }
}

fn key(turn: &Turn) -> String {
    format!("{KEPT}{}", turn.client_message_id)
}

/// Where it goes and what goes along, a line each, and the text.
fn written(turn: &Turn) -> String {
    let conversation = turn.conversation_id.map(|id| id.to_string()).unwrap_or_default();
    let parent = turn.parent_id.as_deref().unwrap_or_default();
    let temporary = if turn.temporary { TEMPORARY } else { "" };
    let sources = &turn.sources;
    let model = turn.model_id.as_deref().unwrap_or_default();
    format!("{conversation}\n{parent}\n{temporary} {sources}\n{model}\n{}", turn.text)
}

fn read(key: &str, written: &str) -> Option<Turn> {
    let mut parts = written.splitn(5, '\n');
    let (conversation, parent) = (parts.next()?, parts.next()?);
    let (how, model, text) = (parts.next()?, parts.next()?, parts.next()?);
    // An earlier version of the app kept none.
    let (temporary, sources) = how.split_once(' ').unwrap_or((how, ""));
    Some(Turn {
        text: text.to_owned(),
        sources: sources.to_owned(),
        conversation_id: conversation.parse().ok(),
        parent_id: Some(parent.to_owned()).filter(|parent| !parent.is_empty()),
        client_message_id: key.strip_prefix(KEPT)?.parse().ok()?,
        temporary: temporary == TEMPORARY,
        model_id: Some(model.to_owned()).filter(|model| !model.is_empty()),
    })
}

/// The oldest first: their keys begin with the time.
fn all_kept() -> Vec<Turn> {
    let mut kept = dom::all_kept(KEPT);
    kept.sort();
    kept.iter().filter_map(|(key, written)| read(key, written)).collect()
}
