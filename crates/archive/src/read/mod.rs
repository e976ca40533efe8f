//! Tells from its content which chat a conversation comes from, and reads it.
//!
//! Facts of other formats change without notice: whatever is missing or of another type is left
//! out, and the rest is read.

mod chatgpt;
mod claude;
mod librechat;
mod open_webui;
mod own;
mod value;

use serde_json::Value;
use unbroken_protocol::{ARCHIVE_FORMAT, ArchivedConversation, PrincipalId};

use crate::notes::Notes;
pub use own::rekey;

/// A conversation, and whether its ids are those of a server like this one.
#[derive(Debug)]
pub struct Found {
    pub conversation: ArchivedConversation,
    /// Its ids may be in use here: [`rekey`] makes others.
    pub has_own_ids: bool,
}

/// Reads one value of a file. `None` when it is no conversation, or an empty one.
pub fn read(json: &[u8], principal: PrincipalId, notes: &mut Notes) -> Option<Found> {
    let Ok(value) = serde_json::from_slice::<Value>(json) else {
        notes.add("unreadable", "");
        return None;
    };
    if value["format"] == ARCHIVE_FORMAT {
        let conversation = own::read(value, notes)?;
        return Some(Found { conversation, has_own_ids: true });
    }
    let foreign = if value["mapping"].is_object() {
        chatgpt::read(&value, notes)
    } else if value["chat_messages"].is_array() {
        claude::read(&value, notes)
    } else if value["chat"]["history"]["messages"].is_object() {
        open_webui::read(&value, notes)
    } else if value["conversationId"].is_string()
        && (value["messages"].is_array() || value["messagesTree"].is_array())
    {
        librechat::read(&value, notes)
    } else {
        notes.add("other", "");
        return None;
    };
    let title = foreign.title.clone();
    let conversation = foreign.build(principal, notes);
    if conversation.is_none() {
        notes.add("empty", &title);
    }
    Some(Found { conversation: conversation?, has_own_ids: false })
}
