//! Reading: sessions, generations and their records.

use unbroken_protocol::{
    ClientMessageId, ConversationId, DeviceId, GenerationId, GenerationState, PrincipalId,
};

use super::Memory;
use super::turn::repeated;
use crate::{Generation, JournalEntry, Message, Record, SecretHash, Session, TurnOutcome};

/// Rows of the journal that are read at once.
const JOURNAL_PIECE: usize = 256;

impl Memory {
    pub(crate) fn session(&self, secret: SecretHash) -> Option<Session> {
        self.state().sessions.get(&secret).cloned()
    }

    pub(crate) fn preference(&self, principal: PrincipalId) -> Option<String> {
        self.state().preferences.get(&principal).cloned()
    }

    pub(crate) fn usage_count(&self, principal: PrincipalId) -> u64 {
        let state = self.state();
        let is_counted = |id| state.conversations.get(id).is_some_and(|found| !found.temporary);
        let asked = state
            .generations
            .values()
            .filter(|found| found.principal_id == principal && is_counted(&found.conversation_id));
        asked.count() as u64
    }

    pub(crate) fn generation(&self, id: GenerationId) -> Option<Generation> {
        self.state().generations.get(&id).cloned()
    }

    pub(crate) fn newest_generation(&self, conversation: ConversationId) -> Option<Generation> {
        self.state().generations_of(conversation).next_back().cloned()
    }

    pub(crate) fn open_generations(&self) -> Vec<Generation> {
        let state = self.state();
        state.generations.values().filter(|found| !found.state.is_sealed()).cloned().collect()
    }

    pub(crate) fn packed_records(&self, id: GenerationId) -> Vec<Record> {
        let state = self.state();
        let packs = state.packs.range((id, 0)..=(id, u64::MAX));
        packs.flat_map(|(_, records)| records.iter().cloned()).collect()
    }

    pub(crate) fn journal(&self, after: i64) -> Option<(i64, Vec<JournalEntry>)> {
        let state = self.state();
        let rows: Vec<_> = state.journal.range(after + 1..).take(JOURNAL_PIECE).collect();
        let last = *rows.last()?.0;
        Some((last, rows.iter().flat_map(|(_, entries)| entries.iter().cloned()).collect()))
    }

    pub(crate) fn repeated(
        &self,
        principal: PrincipalId,
        key: ClientMessageId,
        body: SecretHash,
    ) -> Option<TurnOutcome> {
        repeated(&self.state(), principal, key, body)
    }

    pub(crate) fn delivered(&self, generation: GenerationId, device: &DeviceId) -> bool {
        self.state().deliveries.contains(&(generation, device.clone()))
    }

    pub(crate) fn queue(&self, conversation: ConversationId) -> Vec<(GenerationId, Message)> {
        let state = self.state();
        let waiting = state
            .generations_of(conversation)
            .filter(|found| found.state == GenerationState::Queued);
        let asked = |found: &Generation| {
            let asked = state.message(state.message(found.message_id)?.parent_id?)?;
            Some((found.generation_id, asked.clone()))
        };
        waiting.filter_map(asked).collect()
    }
}
