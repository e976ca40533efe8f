//! Conversations as a whole: titles, what is kept and put away, deleting and taking back.

use unbroken_protocol::{ConversationId, PrincipalId, Timestamp};

use super::state::State;
use super::{Memory, Transaction};
use crate::{Arrangement, Due};

impl Memory {
    pub(crate) fn deleted(&self) -> Vec<ConversationId> {
        self.state().deleted.keys().copied().collect()
    }

    pub(crate) fn anything_due(&self, due: &Due) -> bool {
        !find_due(&self.state(), due).is_empty()
    }
}

fn find_due(state: &State, due: &Due) -> Vec<ConversationId> {
    let is_due = |id: &ConversationId| {
        let deleted = state.deleted.get(id).is_some_and(|at| *at <= due.deleted_until);
        let idle = state.conversations.get(id).is_some_and(|found| {
            found.temporary && found.updated_at <= due.idle_since && state.unsettled(*id) == 0
        });
        deleted || idle
    };
    state.conversations.keys().copied().filter(is_due).take(Due::AT_ONCE).collect()
}

impl Transaction<'_> {
    pub(crate) fn rename(&mut self, conversation: ConversationId, title: &str) -> bool {
        let found = self.state().conversations.get_mut(&conversation);
        found.map(|found| title.clone_into(&mut found.title)).is_some()
    }

    pub(crate) fn arrange(&mut self, conversation: ConversationId, change: &Arrangement) -> bool {
        let Some(found) = self.state().conversations.get_mut(&conversation) else { return false };
        found.pinned = change.pinned.unwrap_or(found.pinned);
        found.archived = change.archived.unwrap_or(found.archived);
        if let Some(folder) = &change.folder {
            found.folder.clone_from(folder);
        }
        true
    }

    pub(crate) fn delete(&mut self, conversation: ConversationId, at: Timestamp) -> bool {
        let state = self.state();
        let there = state.conversations.contains_key(&conversation);
        let hidden = there && !state.deleted.contains_key(&conversation);
        if hidden {
            state.deleted.insert(conversation, at);
        }
        hidden
    }

    pub(crate) fn restore(&mut self, principal: PrincipalId, conversation: ConversationId) -> bool {
        let state = self.state();
        let found = state.conversations.get(&conversation);
        found.is_some_and(|found| found.principal_id == principal)
            && state.deleted.remove(&conversation).is_some()
    }

    pub(crate) fn erase(&mut self, conversation: ConversationId) -> bool {
        let state = self.state();
        let gone: Vec<_> =
            state.generations_of(conversation).map(|found| found.generation_id).collect();
        state.packs.retain(|(id, _), _| !gone.contains(id));
        state.deliveries.retain(|(id, _)| !gone.contains(id));
        state.generations.retain(|id, _| !gone.contains(id));
        state.messages.retain(|_, (of, _)| *of != conversation);
        state.deleted.remove(&conversation);
        state.shares.retain(|_, (share, _)| share.keep || share.conversation_id != conversation);
        state.conversations.remove(&conversation).is_some()
    }

    pub(crate) fn erase_due(&mut self, due: &Due) -> Vec<ConversationId> {
        let erased = find_due(&self.state, due);
        for id in &erased {
            self.erase(*id);
        }
        erased
    }
}
