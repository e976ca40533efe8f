//! Messages that the server is not known to have: kept on this device from the moment they are sent,
//! beyond a reload, and sent once when the server can be reached. Their `client_message_id` makes a
//! second try harmless, also one of another tab.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_client::RestError;
use unbroken_protocol::{ClientMessageId, StartResponse};

use crate::address::Place;
use crate::own::Own;
use crate::state::{self, App, Connection};
use crate::writing::Turn;
use crate::{dom, instructions};

const KEPT: &str = "outbox.";
const TEMPORARY: &str = "temporary";
/// When to try again while the socket lives and calls fail.
const AGAIN: Duration = Duration::from_secs(5);

/// The messages that wait for the network.
#[derive(Clone, Copy)]
pub(crate) struct Outbox {
    pub(crate) turns: RwSignal<Vec<Turn>>,
    inner: Own<Inner>,
}

#[derive(Default)]
struct Inner {
    is_sending: bool,
    /// Those that are on their way for the first time: not for this page to send once more.
    under_way: Vec<ClientMessageId>,
    /// Those that the browser has no room for: they live as long as the page.
    unkept: Vec<ClientMessageId>,
}

impl Outbox {
    /// With what an earlier page left.
    pub(crate) fn kept() -> Self {
        Self { turns: RwSignal::new(all_kept()), inner: Own::new(Inner::default()) }
    }
}

impl App {
    /// Keeps a message that goes out now: the page may end before the server answers.
    pub(crate) fn keep_under_way(self, turn: &Turn) {
        let (id, is_kept) = (turn.client_message_id, dom::keep(&key(turn), &written(turn)));
        self.outbox.inner.change(|inner| {
            inner.under_way.push(id);
            if !is_kept {
                inner.unkept.push(id);
            }
        });
    }

    /// Keeps a message that is under way until the network is back.
    pub(crate) fn keep_for_later(self, turn: Turn) {
        let id = turn.client_message_id;
        self.outbox.inner.change(|inner| inner.under_way.retain(|known| *known != id));
        self.outbox.turns.update(|turns| turns.push(turn));
        self.send_kept_later();
    }

    fn send_kept_later(self) {
        if self.connection.get_untracked() == Connection::Live {
            // Nothing else would say when to try again.
            set_timeout(move || self.send_kept(), AGAIN);
        }
    }

    /// Takes a message out: the server has it or refused it, or it is not to be sent.
    pub(crate) fn forget_kept(self, turn: &Turn) {
        dom::forget(&key(turn));
        let id = turn.client_message_id;
        self.outbox.inner.change(|inner| {
            inner.under_way.retain(|known| *known != id);
            inner.unkept.retain(|known| *known != id);
        });
        if self.outbox.turns.read_untracked().iter().any(|kept| kept.client_message_id == id) {
            self.outbox.turns.update(|turns| turns.retain(|kept| kept.client_message_id != id));
        }
    }

    /// Takes a message that waits back into the composer, on the page where it was written.
    pub(crate) fn edit_kept(self, turn: &Turn) {
        self.forget_kept(turn);
        if !self.give_back_turn(turn) {
            match turn.conversation_id {
                Some(id) => self.go(&format!("/chat?conversation_id={id}")),
                None => self.go("/"),
            }
        }
        dom::focus("message");
    }

    /// Sends what waits, in order, as the network is there.
    pub(crate) fn send_kept(self) {
        let mut turns = all_kept();
        let under_way = self.outbox.inner.read(|inner| inner.under_way.clone());
        turns.retain(|turn| !under_way.contains(&turn.client_message_id));
        for turn in self.outbox.turns.get_untracked() {
            let id = turn.client_message_id;
            if let Some(kept) = turns.iter_mut().find(|kept| kept.client_message_id == id) {
                // With its options, which are not kept.
                *kept = turn;
            } else if self.outbox.inner.read(|inner| inner.unkept.contains(&id)) {
                turns.push(turn);
            }
        }
        let is_nothing = turns.is_empty();
        self.outbox.turns.set(turns);
        let begin = |inner: &mut Inner| std::mem::replace(&mut inner.is_sending, true);
        if is_nothing || self.outbox.inner.change(begin) {
            return;
        }
        spawn_local(async move {
            loop {
                let next = self.outbox.turns.read_untracked().first().cloned();
                let Some(turn) = next else { break };
                match self.start(&turn).await {
                    // It may be taken another time.
                    Err(error) if error.retryable() => {
                        self.send_kept_later();
                        break;
                    }
                    outcome => self.sent_at_last(&turn, outcome),
                }
            }
            self.outbox.inner.change(|inner| inner.is_sending = false);
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
                if self.give_back_turn(turn) {
                    self.complain(Some(state::sentence(&error)));
                }
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
        options: instructions::options(),
    })
}

/// The oldest first: their keys begin with the time.
fn all_kept() -> Vec<Turn> {
    let mut kept = dom::all_kept(KEPT);
    kept.sort();
    kept.iter().filter_map(|(key, written)| read(key, written)).collect()
}
