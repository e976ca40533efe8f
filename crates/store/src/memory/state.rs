//! What is stored, as maps.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use unbroken_protocol::{
    ClientMessageId, CollectionId, ConversationId, DeviceId, FileId, FileState, GenerationId,
    GenerationState, ImportId, MessageId, PrincipalId, Prompt, PromptId, Seq, Timestamp,
};

use super::rows::Rows;
use crate::vector::Pack;
use crate::{
    Collection, ContentHash, Conversation, ConversationRow, Generation, Import, JournalEntry,
    Message, NewFile, Passage, Ready, Record, SecretHash, Session, Share, Shelf,
};

/// Everything. What is large is shared between copies.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) sessions: HashMap<SecretHash, Session>,
    pub(super) link_codes: HashMap<SecretHash, (PrincipalId, Timestamp)>,
    pub(super) preferences: HashMap<PrincipalId, String>,
    pub(super) prompts: BTreeMap<(PrincipalId, PromptId), Prompt>,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    /// Hidden conversations, and since when.
    pub(super) deleted: BTreeMap<ConversationId, Timestamp>,
    pub(super) messages: Rows<MessageId, (ConversationId, Message)>,
    pub(super) generations: Rows<GenerationId, Generation>,
    /// What a client's key asked for, and the generation that came of it.
    pub(super) client_messages: HashMap<(PrincipalId, ClientMessageId), (SecretHash, GenerationId)>,
    pub(super) deliveries: HashSet<(GenerationId, DeviceId)>,
    pub(super) journal: BTreeMap<i64, Arc<[JournalEntry]>>,
    /// By their first record.
    pub(super) packs: BTreeMap<(GenerationId, Seq), Arc<[Record]>>,
    pub(super) imports: BTreeMap<ImportId, Import>,
    /// Those whose conversation got messages by a step before.
    pub(super) adding: HashSet<ImportId>,
    /// Each with what it shows.
    pub(super) shares: BTreeMap<String, (Share, Vec<u8>)>,
    pub(super) documents: Rows<ContentHash, Document>,
    pub(super) files: Rows<FileId, NewFile>,
    pub(super) collections: BTreeMap<CollectionId, (PrincipalId, Collection)>,
}

/// What can be read in files with the same bytes.
#[derive(Clone, Default)]
pub(super) struct Document {
    /// `None` while it is being removed.
    pub(super) state: Option<FileState>,
    pub(super) reason: Option<String>,
    pub(super) attempt: u32,
    pub(super) ready: Option<Ready>,
    /// Of all passages: how many, and Unicode scalar values of their texts.
    pub(super) count: u32,
    pub(super) chars: u64,
    pub(super) passages: Arc<Vec<Passage>>,
    /// By model and first passage.
    pub(super) vectors: BTreeMap<(String, u32), Pack>,
}

impl State {
    pub(super) fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Option<&Conversation> {
        let shown = self.conversations.get(&id).filter(|_| !self.deleted.contains_key(&id));
        shown.filter(|found| found.principal_id == principal)
    }

    /// The conversations of a list, in no order.
    pub(super) fn shelf(
        &self,
        principal: PrincipalId,
        list: Shelf,
    ) -> impl Iterator<Item = &Conversation> {
        let shown =
            self.conversations.keys().filter_map(move |id| self.conversation(principal, *id));
        shown.filter(move |found| {
            let is_kept = found.pinned || found.folder.is_some();
            let is_there = match list {
                Shelf::Listed => !found.archived,
                Shelf::Kept => !found.archived && is_kept,
                Shelf::Archived => found.archived,
            };
            is_there && !found.temporary
        })
    }

    pub(super) fn row(&self, conversation: &Conversation) -> ConversationRow {
        let id = conversation.conversation_id;
        ConversationRow { conversation: conversation.clone(), running: self.unsettled(id) > 0 }
    }

    pub(super) fn message(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(&id).map(|(_, message)| message)
    }

    /// The generations of a conversation, oldest first.
    pub(super) fn generations_of(
        &self,
        conversation: ConversationId,
    ) -> impl DoubleEndedIterator<Item = &Generation> {
        self.generations.values().filter(move |found| found.conversation_id == conversation)
    }

    pub(super) fn answer_of(&self, message: MessageId) -> Option<&Generation> {
        self.generations.values().find(|found| found.message_id == message)
    }

    /// How many turns come before a new one: those that wait, and what runs.
    pub(super) fn unsettled(&self, conversation: ConversationId) -> u64 {
        let in_state = |state| {
            self.generations_of(conversation).filter(move |found| found.state == state).count()
        };
        let runs = in_state(GenerationState::Running).min(1);
        (in_state(GenerationState::Queued) + runs) as u64
    }

    /// How many turns keep another answer to that message from running beside the one that may run.
    pub(super) fn in_the_way(&self, conversation: ConversationId, asked: MessageId) -> u64 {
        let beside = |found: &&Generation| {
            found.state == GenerationState::Running
                && self.message(found.message_id).and_then(|answer| answer.parent_id) == Some(asked)
        };
        let waits_or_runs = |found: &&Generation| {
            matches!(found.state, GenerationState::Queued | GenerationState::Running)
        };
        let beside = self.generations_of(conversation).filter(beside).count().min(1);
        let all = self.generations_of(conversation).filter(waits_or_runs).count();
        (all - beside) as u64
    }

    /// The ids from a message up to the first of its conversation.
    pub(super) fn branch(&self, leaf: MessageId) -> Vec<MessageId> {
        let up = |id: &MessageId| {
            self.message(*id)?.parent_id.filter(|parent| self.messages.contains_key(parent))
        };
        std::iter::successors(self.message(leaf).map(|leaf| leaf.message_id), up).collect()
    }

    pub(super) fn newest_message(&self, conversation: ConversationId) -> Option<MessageId> {
        let here = self.messages.iter().filter(|(_, (of, _))| *of == conversation);
        here.map(|(id, _)| *id).next_back()
    }

    /// The messages of a conversation that have this parent, oldest first.
    pub(super) fn children(
        &self,
        conversation: ConversationId,
        parent: Option<MessageId>,
    ) -> impl DoubleEndedIterator<Item = MessageId> {
        let here = self
            .messages
            .iter()
            .filter(move |(_, (of, message))| *of == conversation && message.parent_id == parent);
        here.map(|(id, _)| *id)
    }
}
