//! Tells from its content which chat a conversation comes from, and reads it.
//!
//! Facts of other formats change without notice: whatever is missing or of another type is left
//! out, and the rest is read.

mod chatgpt;
mod claude;
mod librechat;
mod mend;
mod open_webui;
mod own;
mod value;

use std::{io, thread};

use serde::Deserialize as _;
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

/// Memory for a conversation that is nested deeply, which is read on a thread of its own.
const STACK: usize = 64 << 20;
/// The deepest one that is read.
const DEPTH: usize = 10_000;

/// Reads one value of a file. `None` when it is no conversation, or an empty one.
pub fn read(json: &[u8], principal: PrincipalId, notes: &mut Notes) -> Option<Found> {
    if let Ok(value) = serde_json::from_slice(json) {
        return understand(value, principal, notes);
    }
    let json = mend::characters(json);
    if let Ok(value) = serde_json::from_str(&json) {
        return understand(value, principal, notes);
    }
    let read = thread::scope(|scope| {
        if mend::depth(&json) > DEPTH {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = || -> io::Result<_> {
            let mut json = serde_json::Deserializer::from_str(&json);
            json.disable_recursion_limit();
            let value = Value::deserialize(&mut json)?;
            // Nothing of another chat is kept as it is nested.
            Ok(foreign(&value, principal, notes))
        };
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read)?;
        thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    });
    read.unwrap_or_else(|_: io::Error| {
        notes.add("unreadable", &mend::title(&json));
        None
    })
}

fn understand(value: Value, principal: PrincipalId, notes: &mut Notes) -> Option<Found> {
    if value["format"] == ARCHIVE_FORMAT {
        let conversation = own::read(value, notes)?;
        return Some(Found { conversation, has_own_ids: true });
    }
    foreign(&value, principal, notes)
}

fn foreign(value: &Value, principal: PrincipalId, notes: &mut Notes) -> Option<Found> {
    let foreign = if value["mapping"].is_object() {
        chatgpt::read(value, notes)
    } else if value["chat_messages"].is_array() {
        claude::read(value, notes)
    } else if value["chat"]["history"]["messages"].is_object() {
        open_webui::read(value, notes)
    } else if value["conversationId"].is_string()
        && (value["messages"].is_array() || value["messagesTree"].is_array())
    {
        librechat::read(value, notes)
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
