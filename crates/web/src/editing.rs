//! An edit in progress, kept beyond a reload and a visit elsewhere: for this tab alone, as another
//! may edit the same conversation.

use leptos::prelude::*;
use unbroken_chat_view::attachments;
use unbroken_protocol::MessageSource;

use crate::address::Place;
use crate::dom;
use crate::state::App;
use crate::writing::{Editing, Turn};

const KEPT: &str = "edit:";
const FILES: &str = ":files";
const BRANCH: &str = "branch";
const QUEUED: &str = "queued";

impl App {
    /// Keeps the text of an edit.
    pub(crate) fn keep_edit(self, editing: &Editing, text: &str) {
        if let Some(key) = key(self.place.get_untracked()) {
            keep(&key, &written(editing, text));
        }
    }

    /// Keeps what goes along with the edit, while there is one.
    pub(crate) fn keep_edit_sources(self, sources: &str) {
        if self.writing.editing.read_untracked().is_some()
            && let Some(key) = key(self.place.get_untracked())
        {
            keep(&format!("{key}{FILES}"), sources);
        }
    }

    /// The edit that was left on the page that is open now.
    pub(crate) fn kept_edit(self) -> Option<(Editing, String, Vec<MessageSource>)> {
        let key = key(self.place.get_untracked())?;
        let (editing, text) = read(&kept(&key)?)?;
        let sources = kept(&format!("{key}{FILES}")).unwrap_or_default();
        Some((editing, text, attachments::read(&sources)))
    }

    pub(crate) fn forget_edit(self) {
        if let Some(key) = key(self.place.get_untracked()) {
            keep(&format!("{key}{FILES}"), "");
            keep(&key, "");
        }
    }
}

/// Leaves a branch that was not taken as an edit where it was written. `false` when another edit is
/// there.
pub(crate) fn leave_for_later(turn: &Turn, editing: &Editing) -> bool {
    let Some(key) = key(turn.place()).filter(|key| kept(key).is_none()) else { return false };
    keep(&key, &written(editing, &turn.text));
    keep(&format!("{key}{FILES}"), &turn.sources);
    true
}

fn key(place: Place) -> Option<String> {
    match place {
        Place::Chat(Some(id)) => Some(format!("{KEPT}{id}")),
        Place::Chat(None) | Place::Home | Place::History | Place::Elsewhere => None,
    }
}

/// What is edited in a line, and the text.
fn written(editing: &Editing, text: &str) -> String {
    match editing {
        Editing::Branch { parent } => format!("{BRANCH} {parent}\n{text}"),
        Editing::Queued { id } => format!("{QUEUED} {id}\n{text}"),
    }
}

fn read(written: &str) -> Option<(Editing, String)> {
    let (what, text) = written.split_once('\n')?;
    let editing = match what.split_once(' ')? {
        (BRANCH, parent) => Editing::Branch { parent: parent.to_owned() },
        (QUEUED, id) => Editing::Queued { id: id.parse().ok()? },
        _ => return None,
    };
    Some((editing, text.to_owned()))
}

fn kept(key: &str) -> Option<String> {
    dom::tab_storage()?.get_item(key).ok()?
}

/// What does not fit must not leave an older text there.
fn keep(key: &str, value: &str) {
    let Some(storage) = dom::tab_storage() else { return };
    if value.is_empty() || storage.set_item(key, value).is_err() {
        let _ = storage.remove_item(key);
    }
}
