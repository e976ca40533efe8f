//! Writing: what people change in a conversation that is there.

use unbroken_protocol::{ConversationId, GenerationId, GenerationState, MessageId};

use super::Transaction;

impl Transaction<'_> {
    pub(crate) fn edit_queued(&mut self, generation: GenerationId, content: &str) -> bool {
        let Some((asked, _)) = self.waiting(generation) else { return false };
        let Some((_, message)) = self.state().messages.get_mut(&asked) else { return false };
        content.clone_into(&mut message.content);
        true
    }

    pub(crate) fn remove_queued(&mut self, generation: GenerationId) -> bool {
        let Some((asked, answer)) = self.waiting(generation) else { return false };
        let state = self.state();
        let Some((conversation, message)) = state.messages.get(&asked) else { return false };
        let (conversation, before) = (*conversation, message.parent_id);
        for (_, message) in state.messages.values_mut() {
            if message.parent_id == Some(answer) {
                message.parent_id = before;
            }
        }
        state.generations.remove(&generation);
        state.messages.remove(&answer);
        state.messages.remove(&asked);
        let newest = state.newest_message(conversation);
        if let Some(found) = state.conversations.get_mut(&conversation) {
            found.message_count -= 2;
            if found.selected_message_id == answer {
                found.selected_message_id = before.or(newest).unwrap_or(answer);
            }
        }
        true
    }

    /// The message of a turn that waits, and its answer.
    fn waiting(&self, generation: GenerationId) -> Option<(MessageId, MessageId)> {
        let found = self.state.generations.get(&generation)?;
        let asked = self.state.message(found.message_id)?.parent_id?;
        (found.state == GenerationState::Queued).then_some((asked, found.message_id))
    }

    pub(crate) fn select_branch(
        &mut self,
        conversation: ConversationId,
        message: MessageId,
    ) -> bool {
        let state = self.state();
        if state.messages.get(&message).is_none_or(|(of, _)| *of != conversation) {
            return false;
        }
        let newest = |id: &MessageId| state.children(conversation, Some(*id)).next_back();
        let leaf = std::iter::successors(Some(message), newest).last().unwrap_or(message);
        let Some(found) = state.conversations.get_mut(&conversation) else { return false };
        found.selected_message_id = leaf;
        true
    }
}
