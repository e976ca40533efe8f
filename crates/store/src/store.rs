//! Reading, from whichever store there is. No read lives longer than a second.

use std::path::Path;

use unbroken_protocol::{
    ClientMessageId, ConversationId, DeviceId, GenerationId, ImportId, MessageId, PrincipalId,
    Prompt,
};

use crate::memory::Memory;
use crate::sqlite::Sqlite;
use crate::{
    Conversation, ConversationCursor, ConversationRow, Due, Generation, History, Hit, Import,
    JournalEntry, Message, Query, Record, SecretHash, Session, Share, Shelf, StoreError,
    TurnOutcome, Which, Writer, folder, search,
};

/// The reading side of a store. Clones are cheap.
///
/// What holds for one member holds for all: they run the same tests (`tests/it`).
#[derive(Clone)]
pub enum Store {
    /// Maps that end with their last handle.
    Memory(Memory),
    /// A data folder.
    Sqlite(Sqlite),
}

impl Store {
    /// Opens a data folder, creates it when it is missing, and brings it to this version.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process owns it.
    pub async fn open(path: &Path) -> Result<(Self, Writer), StoreError> {
        let (sqlite, writer) = Sqlite::open(path).await?;
        Ok((Self::Sqlite(sqlite), Writer::Sqlite(writer)))
    }

    /// A new store in memory. To open its state once more, keep a [`Memory`].
    pub fn memory() -> (Self, Writer) {
        Memory::default().open()
    }

    /// The id of the process that owns a data folder now, if one does.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when one does and its id is not known.
    pub fn holder(path: &Path) -> Result<Option<u32>, StoreError> {
        folder::holder(path)
    }

    /// Looks through the database of a folder that nobody owns, and changes nothing. What is
    /// damaged, in SQLite's words; `None` when nothing is, or when there is no database yet.
    pub async fn examine(path: &Path) -> Result<Option<String>, StoreError> {
        Sqlite::examine(path).await
    }

    /// Who a session's secret stands for, whether or not it has expired.
    pub async fn session(&self, secret: SecretHash) -> Result<Option<Session>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.session(secret)),
            Self::Sqlite(sqlite) => sqlite.session(secret).await,
        }
    }

    /// The model that a person chose for all answers.
    pub async fn preference(&self, principal: PrincipalId) -> Result<Option<String>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.preference(principal)),
            Self::Sqlite(sqlite) => sqlite.preference(principal).await,
        }
    }

    /// A person's own prompts, the oldest first.
    pub async fn prompts(&self, principal: PrincipalId) -> Result<Vec<Prompt>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.prompts(principal)),
            Self::Sqlite(sqlite) => sqlite.prompts(principal).await,
        }
    }

    /// How many answers a person has asked for.
    pub async fn usage_count(&self, principal: PrincipalId) -> Result<u64, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.usage_count(principal)),
            Self::Sqlite(sqlite) => sqlite.usage_count(principal).await,
        }
    }

    /// A conversation, if it is there, not deleted, and belongs to `principal`.
    pub async fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.conversation(principal, id)),
            Self::Sqlite(sqlite) => sqlite.conversation(principal, id).await,
        }
    }

    /// A page of a list of a person's conversations, the one that changed last first.
    pub async fn conversations(
        &self,
        principal: PrincipalId,
        list: Shelf,
        limit: u32,
        after: Option<ConversationCursor>,
    ) -> Result<Vec<ConversationRow>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.conversations(principal, list, limit, after)),
            Self::Sqlite(sqlite) => sqlite.conversations(principal, list, limit, after).await,
        }
    }

    /// How many conversations a list of a person holds.
    pub async fn conversation_count(
        &self,
        principal: PrincipalId,
        list: Shelf,
    ) -> Result<u64, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.conversation_count(principal, list)),
            Self::Sqlite(sqlite) => sqlite.conversation_count(principal, list).await,
        }
    }

    /// What was deleted and not erased yet, of all people.
    pub async fn deleted(&self) -> Result<Vec<ConversationId>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.deleted()),
            Self::Sqlite(sqlite) => sqlite.deleted().await,
        }
    }

    /// Whether [`crate::Transaction::erase_due`] would erase anything.
    pub async fn anything_due(&self, due: &Due) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.anything_due(due)),
            Self::Sqlite(sqlite) => sqlite.anything_due(due).await,
        }
    }

    /// The selected branch of a conversation, oldest first; with `limit` the last ones, and with
    /// `before` those before that message. `None` when `before` is not on the branch.
    pub async fn history(
        &self,
        conversation: &Conversation,
        limit: Option<u32>,
        before: Option<MessageId>,
    ) -> Result<Option<History>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.history(conversation, limit, before)),
            Self::Sqlite(sqlite) => sqlite.history(conversation, limit, before).await,
        }
    }

    /// Whether that message is one of the conversation's, on whichever branch.
    pub async fn is_in(
        &self,
        message: MessageId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.is_in(message, conversation)),
            Self::Sqlite(sqlite) => sqlite.is_in(message, conversation).await,
        }
    }

    /// The newest texts of a person in which all of a query is: messages, and titles. Only what
    /// [`Transaction::index`](crate::Transaction::index) put in is found.
    pub async fn search(
        &self,
        principal: PrincipalId,
        query: &Query,
    ) -> Result<Vec<Hit>, StoreError> {
        let mut hits = match self {
            Self::Memory(memory) => memory.search(principal, query),
            Self::Sqlite(sqlite) => sqlite.search(principal, query).await?,
        };
        search::sort(&mut hits);
        Ok(hits)
    }

    /// One message.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.message(id)),
            Self::Sqlite(sqlite) => sqlite.message(id).await,
        }
    }

    /// The messages from the first of a conversation down to `leaf`, for a model to read.
    pub async fn branch(&self, leaf: MessageId) -> Result<Vec<Message>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.branch(leaf)),
            Self::Sqlite(sqlite) => sqlite.branch(leaf).await,
        }
    }

    /// A generation by its id, whoever it belongs to.
    pub async fn generation(&self, id: GenerationId) -> Result<Option<Generation>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.generation(id)),
            Self::Sqlite(sqlite) => sqlite.generation(id).await,
        }
    }

    /// The newest generation of a conversation.
    pub async fn newest_generation(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Generation>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.newest_generation(conversation)),
            Self::Sqlite(sqlite) => sqlite.newest_generation(conversation).await,
        }
    }

    /// Generations that are not sealed, oldest first.
    pub async fn open_generations(&self) -> Result<Vec<Generation>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.open_generations()),
            Self::Sqlite(sqlite) => sqlite.open_generations().await,
        }
    }

    /// The records of a generation that have left the journal, in order.
    pub async fn packed_records(&self, id: GenerationId) -> Result<Vec<Record>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.packed_records(id)),
            Self::Sqlite(sqlite) => sqlite.packed_records(id).await,
        }
    }

    /// A piece of the journal after row `after`: entries in commit order, and the last row's id.
    pub async fn journal(
        &self,
        after: i64,
    ) -> Result<Option<(i64, Vec<JournalEntry>)>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.journal(after)),
            Self::Sqlite(sqlite) => sqlite.journal(after).await,
        }
    }

    /// What an earlier use of a client's key made, if there was one: repeated, a conflict, or not
    /// found any more.
    pub async fn repeated(
        &self,
        principal: PrincipalId,
        key: ClientMessageId,
        body: SecretHash,
    ) -> Result<Option<TurnOutcome>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.repeated(principal, key, body)),
            Self::Sqlite(sqlite) => sqlite.repeated(principal, key, body).await,
        }
    }

    /// Whether a device was sent the end of a generation.
    pub async fn delivered(
        &self,
        generation: GenerationId,
        device: &DeviceId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.delivered(generation, device)),
            Self::Sqlite(sqlite) => sqlite.delivered(generation, device).await,
        }
    }

    /// The turns that wait in a conversation, in order: generation, and the person's message.
    pub async fn queue(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(GenerationId, Message)>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.queue(conversation)),
            Self::Sqlite(sqlite) => sqlite.queue(conversation).await,
        }
    }

    /// A person's conversations in the order of their ids, which nothing changes.
    pub async fn conversation_ids(
        &self,
        principal: PrincipalId,
        which: Which,
        after: Option<ConversationId>,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.conversation_ids(principal, which, after, limit)),
            Self::Sqlite(sqlite) => sqlite.conversation_ids(principal, which, after, limit).await,
        }
    }

    /// Every message of a conversation, in the order in which they were stored.
    pub async fn tree(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(Message, Option<Generation>)>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.tree(conversation)),
            Self::Sqlite(sqlite) => sqlite.tree(conversation).await,
        }
    }

    /// Whether any of these ids is in use by another conversation, or the conversation is another
    /// person's.
    pub async fn is_taken(
        &self,
        principal: PrincipalId,
        conversation: ConversationId,
        messages: &[MessageId],
        generations: &[(GenerationId, MessageId)],
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => {
                Ok(memory.is_taken(principal, conversation, messages, generations))
            }
            Self::Sqlite(sqlite) => {
                sqlite.is_taken(principal, conversation, messages, generations).await
            }
        }
    }

    /// An import by its id, whoever it belongs to.
    pub async fn import(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.import(id)),
            Self::Sqlite(sqlite) => sqlite.import(id).await,
        }
    }

    /// The newest imports of a person, the newest first.
    pub async fn imports(&self, principal: PrincipalId) -> Result<Vec<Import>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.imports(principal)),
            Self::Sqlite(sqlite) => sqlite.imports(principal).await,
        }
    }

    /// Imports that are not over, oldest first.
    pub async fn open_imports(&self) -> Result<Vec<Import>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.open_imports()),
            Self::Sqlite(sqlite) => sqlite.open_imports().await,
        }
    }

    /// What a person shares, the newest first.
    pub async fn shares(&self, principal: PrincipalId) -> Result<Vec<Share>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.shares(principal)),
            Self::Sqlite(sqlite) => sqlite.shares(principal).await,
        }
    }

    /// What a share shows, as it was put there.
    pub async fn shared(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.shared(id)),
            Self::Sqlite(sqlite) => sqlite.shared(id).await,
        }
    }

    /// Copies what the write-ahead log holds into the database, as far as no reader is in the way.
    /// Never waits for the writer. Returns how many bytes the write-ahead log holds, copied or not:
    /// its file may be longer.
    pub async fn checkpoint(&self) -> Result<u64, StoreError> {
        match self {
            Self::Memory(_) => Ok(0),
            Self::Sqlite(sqlite) => sqlite.checkpoint().await,
        }
    }

    /// Brings what was committed before to the disk, beside what is committed meanwhile. Only that
    /// of [`Durability::Process`](crate::Durability) is not there yet.
    pub async fn sync_wal(&self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.sync_wal().await,
        }
    }

    /// Bytes of the write-ahead log's file.
    pub fn wal_bytes(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Sqlite(sqlite) => sqlite.wal_bytes(),
        }
    }

    /// Waits until no read runs, and closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}
