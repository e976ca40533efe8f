//! Conversations as files: what is exported, and what other chats export.
//!
//! Pure: it reads from and writes to what it is given, and knows no store and no HTTP. Everything
//! that it reads is untrusted; no name in a file ever becomes a path.

mod grown;
mod html;
mod ids;
mod markdown;
mod name;
mod notes;
mod pack;
mod pieces;
mod read;
mod tree;

pub use grown::put_beside;
pub use html::{STYLE, file as html_file, page as html_page};
pub use markdown::write as markdown;
pub use name::file_name;
pub use notes::Notes;
pub use pack::Package;
pub use pieces::{Piece, Unusable, each_piece};
pub use read::{Found, read, rekey};

use serde::Serialize;
use unbroken_protocol::{
    ARCHIVE_FORMAT, ARCHIVE_VERSION, ArchivedConversation, Role, SharedMessage, SharedPage,
};

/// A conversation as JSON, without loss (`docs/EXPORT-FORMAT.md`).
pub fn json(conversation: &ArchivedConversation) -> String {
    #[derive(Serialize)]
    struct Written<'a> {
        format: &'static str,
        version: u32,
        #[serde(flatten)]
        conversation: &'a ArchivedConversation,
    }
    let written = Written { format: ARCHIVE_FORMAT, version: ARCHIVE_VERSION, conversation };
    serde_json::to_string(&written).expect("times are within the calendar")
}

/// The branch that is shown, without ids, times and reasoning.
pub fn shown(conversation: &ArchivedConversation) -> SharedPage {
    let messages = conversation
        .shown()
        .into_iter()
        .filter(|message| message.role != Role::System && !message.content.trim().is_empty());
    let messages = messages.map(|message| SharedMessage {
        role: message.role,
        content: message.content.clone(),
        model: message.answer.as_ref().map(|answer| answer.model_name.clone()),
        citations: message.answer.as_ref().map_or_else(Vec::new, |a| a.citations.clone()),
    });
    SharedPage { title: conversation.title.clone(), messages: messages.collect() }
}
