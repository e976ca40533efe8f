//! What a search finds.

use unbroken_protocol::{ConversationId, MessageId, Role, Timestamp};

/// So many of the newest texts that match are found; older ones are not looked at.
pub const NEWEST: usize = 500;
/// Of each text so much is read, in characters: enough to tell how well it fits.
pub(crate) const BEGINNING: usize = 2048;

/// A text in which all of a query's phrases are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub conversation_id: ConversationId,
    pub title: String,
    /// The message; `None` when it is the title.
    pub message: Option<(MessageId, Role)>,
    pub at: Timestamp,
    /// The beginning of the text.
    pub beginning: String,
}

/// How far the search index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Changes of texts that came into it.
    pub taken: u64,
    /// Those that are due still, at most.
    pub left: u64,
}

/// The newest first, and always in the same order.
pub(crate) fn sort(hits: &mut [Hit]) {
    hits.sort_by_key(|hit| {
        let message = hit.message.map(|(id, _)| id);
        std::cmp::Reverse((hit.at, hit.conversation_id, message))
    });
}
