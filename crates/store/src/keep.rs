//! What people do with whole conversations: list, keep, put away, delete.

use unbroken_protocol::Timestamp;

/// A list of conversations. None holds what was deleted or is temporary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    /// What is not archived.
    #[default]
    Listed,
    /// Of these: what is pinned or in a folder.
    Kept,
    Archived,
}

/// What changes in a conversation; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrangement {
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    /// The name of a folder; `Some(None)` takes it out.
    pub folder: Option<Option<String>>,
}

/// What has to be erased.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// What was deleted up to then.
    pub deleted_until: Timestamp,
    /// What is temporary and had its last message by then.
    pub idle_since: Timestamp,
}

impl Due {
    /// Conversations that are erased at once at most.
    pub const AT_ONCE: usize = 16;
}
