//! Conversations that come in from files and go out again: whole trees, imports, shares.

use unbroken_protocol::{
    ConversationId, GenerationId, ImportId, ImportState, MessageId, PrincipalId,
};

use super::{Memory, Transaction};
use crate::{
    Conversation, Generation, Import, ImportStep, Imported, ImportedMessage, Message, Share, Which,
};

impl Memory {
    pub(crate) fn conversation_ids(
        &self,
        principal: PrincipalId,
        which: Which,
        after: Option<ConversationId>,
        limit: u32,
    ) -> Vec<ConversationId> {
        let state = self.state();
        let owned = state.conversations.values().filter(|found| found.principal_id == principal);
        let is_meant = |found: &&Conversation| {
            let hidden = found.temporary || state.deleted.contains_key(&found.conversation_id);
            which == Which::All || !hidden
        };
        let ids = owned.filter(is_meant).map(|found| found.conversation_id);
        ids.filter(|id| after.is_none_or(|after| *id > after)).take(limit as usize).collect()
    }

    pub(crate) fn tree(&self, conversation: ConversationId) -> Vec<(Message, Option<Generation>)> {
        let state = self.state();
        let here = state.messages.values().filter(|(of, _)| *of == conversation);
        here.map(|(_, message)| (message.clone(), state.answer_of(message.message_id).cloned()))
            .collect()
    }

    pub(crate) fn is_taken(
        &self,
        principal: PrincipalId,
        conversation: ConversationId,
        messages: &[MessageId],
        generations: &[(GenerationId, MessageId)],
    ) -> bool {
        let state = self.state();
        let elsewhere =
            |id: &MessageId| state.messages.get(id).is_some_and(|(of, _)| *of != conversation);
        let anothers = |(id, message): &(GenerationId, MessageId)| {
            state.generations.get(id).is_some_and(|found| found.message_id != *message)
        };
        let found = state.conversations.get(&conversation);
        found.is_some_and(|found| found.principal_id != principal)
            || messages.iter().any(elsewhere)
            || generations.iter().any(anothers)
    }

    pub(crate) fn import(&self, id: ImportId) -> Option<Import> {
        self.state().imports.get(&id).cloned()
    }

    pub(crate) fn imports(&self, principal: PrincipalId) -> Vec<Import> {
        let state = self.state();
        let own = state.imports.values().rev().filter(|found| found.principal_id == principal);
        own.take(50).cloned().collect()
    }

    pub(crate) fn open_imports(&self) -> Vec<Import> {
        let state = self.state();
        state.imports.values().filter(|found| !found.state.is_over()).cloned().collect()
    }

    pub(crate) fn shares(&self, principal: PrincipalId) -> Vec<Share> {
        let state = self.state();
        let own = state.shares.values().map(|(share, _)| share);
        let mut own: Vec<_> =
            own.filter(|share| share.principal_id == principal).cloned().collect();
        own.sort_by(|a, b| (b.created_at, &a.share_id).cmp(&(a.created_at, &b.share_id)));
        own.truncate(1000);
        own
    }

    pub(crate) fn shared(&self, id: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let (share, page) = state.shares.get(id)?;
        let id = share.conversation_id;
        let is_there = state.conversations.contains_key(&id) && !state.deleted.contains_key(&id);
        (share.keep || is_there).then(|| page.clone())
    }
}

impl Transaction<'_> {
    pub(crate) fn import_step(&mut self, step: &ImportStep) -> bool {
        if !self.state.imports.contains_key(&step.import_id) {
            return false;
        }
        let mut adds = self.state.adding.contains(&step.import_id);
        let (mut conversations, mut messages, mut unchanged) = (0, 0, 0);
        for slice in &step.slices {
            let (is_new, added) = self.import_slice(step.principal_id, slice);
            conversations += u64::from(is_new);
            messages += added;
            adds |= added > 0;
            if slice.is_last {
                unchanged += u64::from(!adds);
                adds = false;
            }
        }
        if adds {
            self.state().adding.insert(step.import_id);
        } else {
            self.state().adding.remove(&step.import_id);
        }
        let Some(import) = self.state().imports.get_mut(&step.import_id) else { return false };
        import.state = ImportState::Running;
        import.done = step.done;
        import.notes.clone_from(&step.notes);
        import.conversations += conversations;
        import.messages += messages;
        import.unchanged += unchanged;
        true
    }

    fn import_slice(&mut self, principal: PrincipalId, slice: &Imported) -> (bool, u64) {
        let here = self.state.conversations.get(&slice.conversation_id);
        if here.is_some_and(|here| here.principal_id != principal) {
            return (false, 0);
        }
        let is_new = here.is_none();
        // Who brings it in wants it back.
        let deleted = self.state.deleted.contains_key(&slice.conversation_id);
        let selects = here.is_none_or(|here| slice.known.contains(&here.selected_message_id));
        let is_stored = |message: &&ImportedMessage| {
            let answer = message.message.answer.as_ref();
            self.state.messages.contains_key(&message.message.message_id)
                || answer.is_some_and(|a| self.state.generations.contains_key(&a.generation_id))
        };
        let new: Vec<_> =
            slice.messages.iter().filter(|message| !is_stored(message)).cloned().collect();
        if deleted {
            self.state().deleted.remove(&slice.conversation_id);
        }
        let Some(newest) = new.last() else { return (false, 0) };
        if is_new {
            let conversation = conversation(principal, slice, newest.message.message_id);
            self.state().conversations.insert(slice.conversation_id, conversation);
        }
        let mut tokens = 0;
        for message in &new {
            tokens += self.import_message(principal, slice.conversation_id, message);
        }
        let leaf = self.state.messages.get(&slice.selected_message_id);
        let is_in = leaf.is_some_and(|(of, _)| *of == slice.conversation_id);
        if let Some(found) = self.state().conversations.get_mut(&slice.conversation_id) {
            found.message_count += new.len() as u64;
            found.total_tokens += tokens;
            found.updated_at = found.updated_at.max(slice.updated_at);
            if selects && is_in {
                found.selected_message_id = slice.selected_message_id;
            }
            if selects {
                found.model.clone_from(&slice.model);
            }
        }
        (is_new, new.len() as u64)
    }

    /// The tokens that it cost.
    fn import_message(
        &mut self,
        principal_id: PrincipalId,
        conversation_id: ConversationId,
        imported: &ImportedMessage,
    ) -> u64 {
        let message = &imported.message;
        let stored = Message {
            message_id: message.message_id,
            parent_id: message.parent_id,
            role: message.role,
            content: message.content.clone(),
            created_at: message.created_at,
            sources: message.sources.clone(),
        };
        self.state().messages.insert(message.message_id, (conversation_id, stored));
        let (Some(answer), Some(log)) = (&message.answer, &imported.log) else { return 0 };
        let answer = answer.clone();
        let tokens = answer.input_tokens + answer.output_tokens;
        let is_sealed = answer.state.is_sealed();
        self.pack(answer.generation_id, &log.records);
        self.state().generations.insert(
            answer.generation_id,
            Generation {
                generation_id: answer.generation_id,
                conversation_id,
                message_id: message.message_id,
                principal_id,
                state: answer.state,
                epoch: log.epoch,
                head_seq: log.head_seq,
                model: answer.model,
                model_name: answer.model_name,
                routing: answer.routing,
                options: answer.options,
                created_at: answer.created_at,
                finish_reason: answer.finish_reason,
                input_tokens: answer.input_tokens,
                output_tokens: answer.output_tokens,
                citations: answer.citations,
                reasoning: answer.reasoning,
                reasoning_ms: answer.reasoning_ms,
                tool_events: answer.tool_events,
                error_code: answer.code,
                error: answer.error,
            },
        );
        if is_sealed { tokens } else { 0 }
    }

    pub(crate) fn put_import(&mut self, import: &Import) {
        let stored = self.state().imports.entry(import.import_id);
        stored.or_insert_with(|| import.clone());
    }

    pub(crate) fn count_import(&mut self, id: ImportId, total: u64) {
        if let Some(import) = self.state().imports.get_mut(&id) {
            (import.state, import.total) = (ImportState::Running, total);
        }
    }

    pub(crate) fn end_import(&mut self, id: ImportId, error: Option<&str>) {
        if let Some(import) = self.state().imports.get_mut(&id) {
            import.state = if error.is_some() { ImportState::Failed } else { ImportState::Done };
            import.error = error.map(str::to_owned);
        }
    }

    pub(crate) fn put_share(&mut self, share: &Share, page: &[u8]) -> bool {
        let state = self.state();
        let is_there = state.conversation(share.principal_id, share.conversation_id).is_some();
        if is_there {
            state.shares.insert(share.share_id.clone(), (share.clone(), page.to_vec()));
        }
        is_there
    }

    pub(crate) fn revoke(&mut self, principal: PrincipalId, id: &str) -> bool {
        let shares = &mut self.state().shares;
        let is_own = shares.get(id).is_some_and(|(share, _)| share.principal_id == principal);
        is_own && shares.remove(id).is_some()
    }

    pub(crate) fn forget_moves(&mut self, principal: PrincipalId) {
        let state = self.state();
        state.shares.retain(|_, (share, _)| share.principal_id != principal);
        state.imports.retain(|_, import| import.principal_id != principal);
    }
}

/// It shows as much as is in, until all of it is.
fn conversation(principal_id: PrincipalId, slice: &Imported, newest: MessageId) -> Conversation {
    Conversation {
        conversation_id: slice.conversation_id,
        principal_id,
        title: slice.title.clone(),
        model: slice.model.clone(),
        created_at: slice.created_at,
        updated_at: slice.updated_at,
        selected_message_id: newest,
        message_count: 0,
        total_tokens: 0,
        pinned: slice.pinned,
        archived: slice.archived,
        folder: slice.folder.clone(),
        temporary: false,
    }
}
