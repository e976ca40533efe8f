//! Reading: conversations and their messages.

use unbroken_protocol::{ConversationId, MessageId, PrincipalId};

use super::Memory;
use super::state::State;
use crate::{
    Conversation, ConversationCursor, ConversationRow, History, HistoryMessage, Message, Shelf,
};

impl Memory {
    pub(crate) fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Option<ConversationRow> {
        let state = self.state();
        state.conversation(principal, id).map(|found| state.row(found))
    }

    pub(crate) fn conversations(
        &self,
        principal: PrincipalId,
        list: Shelf,
        limit: u32,
        after: Option<ConversationCursor>,
    ) -> Vec<ConversationRow> {
        let state = self.state();
        let place = |found: &&Conversation| (found.updated_at, found.conversation_id);
        let after = after.map(|cursor| (cursor.updated_at, cursor.conversation_id));
        let mut found: Vec<_> = state
            .shelf(principal, list)
            .filter(|found| after.is_none_or(|after| place(found) < after))
            .collect();
        found.sort_by_key(|found| std::cmp::Reverse(place(found)));
        found.into_iter().take(limit as usize).map(|found| state.row(found)).collect()
    }

    pub(crate) fn conversation_count(&self, principal: PrincipalId, list: Shelf) -> u64 {
        self.state().shelf(principal, list).count() as u64
    }

    pub(crate) fn history(
        &self,
        conversation: &Conversation,
        limit: Option<u32>,
        before: Option<MessageId>,
    ) -> Option<History> {
        let state = self.state();
        let branch = state.branch(conversation.selected_message_id);
        let newer = match before {
            None => 0,
            Some(before) => branch.iter().position(|id| *id == before)? + 1,
        };
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let page = branch.iter().skip(newer).take(limit);
        let mut messages: Vec<_> = page.filter_map(|id| history_message(&state, *id)).collect();
        messages.reverse();
        Some(History { messages, total: branch.len() as u64 })
    }

    pub(crate) fn message(&self, id: MessageId) -> Option<Message> {
        self.state().message(id).cloned()
    }

    pub(crate) fn is_in(&self, message: MessageId, conversation: ConversationId) -> bool {
        self.state().messages.get(&message).is_some_and(|(of, _)| *of == conversation)
    }

    pub(crate) fn branch(&self, leaf: MessageId) -> Vec<Message> {
        let state = self.state();
        let branch = state.branch(leaf).into_iter().rev();
        branch.filter_map(|id| state.message(id).cloned()).collect()
    }
}

fn history_message(state: &State, id: MessageId) -> Option<HistoryMessage> {
    let (conversation, message) = state.messages.get(&id)?;
    Some(HistoryMessage {
        message: message.clone(),
        sibling_ids: state.children(*conversation, message.parent_id).collect(),
        generation: state.answer_of(id).cloned(),
    })
}
