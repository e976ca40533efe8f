//! Writing: the journal, the ends of runs, and what belongs to people and devices.

use unbroken_protocol::{
    ConversationId, DeviceId, Epoch, GenerationId, GenerationState, PrincipalId, Seq, Timestamp,
};

use super::Transaction;
use crate::{JournalEntry, Record, Sealed, SecretHash, Session, Settled};

impl Transaction<'_> {
    pub(crate) fn append(&mut self, records: &[(GenerationId, &Record)]) -> i64 {
        let journal = &mut self.state().journal;
        let row = journal.last_key_value().map_or(1, |(last, _)| last + 1);
        let entries = records.chunk_by(|(one, _), (next, _)| one == next).map(|entry| {
            let records = entry.iter().map(|(_, record)| Record::clone(record)).collect();
            JournalEntry { generation: entry[0].0, records }
        });
        journal.insert(row, entries.collect());
        row
    }

    pub(crate) fn trim_journal(&mut self, id: i64) {
        let journal = &mut self.state().journal;
        *journal = journal.split_off(&id);
    }

    pub(crate) fn pack(&mut self, generation: GenerationId, records: &[Record]) {
        let Some(first) = records.first() else { return };
        let before = self.state().packs.insert((generation, first.seq), records.into());
        assert!(before.is_none(), "a stretch of a log is packed once");
    }

    pub(crate) fn settle(&mut self, settled: &[Settled<'_>]) -> Vec<Sealed> {
        let done: Vec<bool> = settled.iter().map(|settled| self.end(settled)).collect();
        let sealed = settled.iter().zip(done).map(|(settled, done)| {
            if done {
                Sealed::Done { next: self.run_next(settled.conversation_id) }
            } else {
                Sealed::Stale
            }
        });
        sealed.collect()
    }

    /// `false` when it was sealed or is another run's.
    fn end(&mut self, settled: &Settled<'_>) -> bool {
        let Some(found) = self.state().generations.get_mut(&settled.generation_id) else {
            return false;
        };
        if found.epoch != settled.epoch || found.state.is_sealed() {
            return false;
        }
        found.state = settled.state;
        found.head_seq = settled.head_seq;
        found.finish_reason = settled.finish_reason;
        found.input_tokens = settled.input_tokens;
        found.output_tokens = settled.output_tokens;
        found.citations = settled.citations.to_vec();
        settled.reasoning.clone_into(&mut found.reasoning);
        found.reasoning_ms = settled.reasoning_ms;
        found.tool_events = settled.tool_events.to_vec();
        found.error_code = settled.error.map(|(code, _)| code);
        found.error = settled.error.map(|(_, message)| message.to_owned());
        self.pack(settled.generation_id, settled.records);
        if let Some((_, message)) = self.state().messages.get_mut(&settled.message_id) {
            settled.content.clone_into(&mut message.content);
        }
        if let Some(found) = self.state().conversations.get_mut(&settled.conversation_id) {
            found.updated_at = found.updated_at.max(settled.at);
            if settled.state.is_sealed() {
                found.total_tokens += settled.input_tokens + settled.output_tokens;
            }
        }
        true
    }

    pub(crate) fn take_over(
        &mut self,
        generation: GenerationId,
        epoch: Epoch,
        head_seq: Seq,
        records: &[Record],
    ) -> Option<Epoch> {
        use GenerationState::{Interrupted, Running};
        let found = self.state().generations.get_mut(&generation)?;
        if found.epoch != epoch || !matches!(found.state, Running | Interrupted) {
            return None;
        }
        found.state = Running;
        found.epoch += 1;
        found.head_seq = head_seq;
        found.error_code = None;
        found.error = None;
        let epoch = found.epoch;
        self.pack(generation, records);
        Some(epoch)
    }

    pub(crate) fn run_next(&mut self, conversation: ConversationId) -> Option<GenerationId> {
        use GenerationState::{Queued, Running};
        let mut next = None;
        for found in self.state.generations_of(conversation) {
            match found.state {
                Running => return None,
                Queued => next = next.or(Some(found.generation_id)),
                _ => {}
            }
        }
        let next = next?;
        self.state().generations.get_mut(&next)?.state = Running;
        Some(next)
    }

    pub(crate) fn deliver(&mut self, generation: GenerationId, device: &DeviceId) {
        let state = self.state();
        if state.generations.get(&generation).is_some() {
            state.deliveries.insert((generation, device.clone()));
        }
    }

    pub(crate) fn put_session(&mut self, secret: SecretHash, session: &Session, _: Timestamp) {
        let stored = self.state().sessions.entry(secret).or_insert_with(|| session.clone());
        stored.expires_at = session.expires_at;
    }

    pub(crate) fn put_link_code(
        &mut self,
        code: SecretHash,
        principal: PrincipalId,
        expires_at: Timestamp,
    ) {
        self.state().link_codes.insert(code, (principal, expires_at));
    }

    pub(crate) fn take_link_code(
        &mut self,
        code: SecretHash,
        now: Timestamp,
    ) -> Option<PrincipalId> {
        let codes = &mut self.state().link_codes;
        codes.retain(|_, (_, expires_at)| *expires_at > now);
        codes.remove(&code).map(|(principal, _)| principal)
    }

    pub(crate) fn set_preference(&mut self, principal: PrincipalId, model: Option<&str>) {
        let preferences = &mut self.state().preferences;
        match model {
            Some(model) => drop(preferences.insert(principal, model.to_owned())),
            None => drop(preferences.remove(&principal)),
        }
    }
}
