//! Writing: one writer, explicit transactions, and the rule that only the owner of the store
//! writes.

use unbroken_protocol::{
    ConversationId, DeviceId, Epoch, GenerationId, ImportId, MessageId, PrincipalId, Prompt,
    PromptId, Seq, Timestamp,
};

use crate::{
    Arrangement, Due, Import, ImportStep, Indexed, NewTurn, Record, Sealed, SecretHash, Session,
    Settled, Share, StoreError, TurnOutcome, memory, sqlite,
};

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// With the operating system: survives the death of the process.
    Process,
    /// On the disk: survives a power cut.
    Power,
}

/// The one connection that changes a store.
pub enum Writer {
    Memory(memory::Writer),
    Sqlite(sqlite::Writer),
}

impl Writer {
    /// The name of this run of the process, new at every start.
    pub fn run(&self) -> [u8; 16] {
        match self {
            Self::Memory(memory) => memory.run(),
            Self::Sqlite(sqlite) => sqlite.run(),
        }
    }

    /// Begins a transaction; dropping it undoes everything.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] when another run took the store over, from here or from what is
    /// done in the transaction, at the latest from its end: stop at once.
    pub async fn begin(&mut self, durability: Durability) -> Result<Transaction<'_>, StoreError> {
        Ok(match self {
            Self::Memory(memory) => Transaction::Memory(memory.begin()?),
            Self::Sqlite(sqlite) => Transaction::Sqlite(sqlite.begin(durability).await),
        })
    }

    /// A whole transaction that does nothing but [`Transaction::append`], for much less than one
    /// that could do more.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] when another run took the store over: stop at once.
    pub async fn append(
        &mut self,
        durability: Durability,
        records: &[(GenerationId, &Record)],
    ) -> Result<i64, StoreError> {
        match self {
            Self::Memory(memory) => {
                let mut transaction = memory.begin()?;
                let row = transaction.append(records);
                transaction.commit().await?;
                Ok(row)
            }
            Self::Sqlite(sqlite) => sqlite.append(durability, records).await,
        }
    }

    /// Lets the write-ahead log begin anew in the same file, unless somebody reads from it. What
    /// the last checkpoint did not copy is copied first.
    pub async fn restart_wal(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.restart_wal().await,
        }
    }

    /// Empties the file of the write-ahead log. Waits for readers, so only for an idle moment.
    pub async fn truncate_wal(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.truncate_wal().await,
        }
    }

    /// Closes the connection after what it still has to do.
    pub async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}

/// Changes that become durable together, or not at all. What returns nothing to wait for may be
/// carried out only with what comes after it, or with the end.
pub enum Transaction<'a> {
    Memory(memory::Transaction<'a>),
    Sqlite(sqlite::Transaction<'a>),
}

impl Transaction<'_> {
    /// Makes the changes durable, as [`Writer::begin`] was told.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => memory.commit().await,
            Self::Sqlite(sqlite) => sqlite.commit().await,
        }
    }

    /// Appends records to the journal, as one row, and returns its id. Ids rise.
    pub fn append(&mut self, records: &[(GenerationId, &Record)]) -> i64 {
        match self {
            Self::Memory(memory) => memory.append(records),
            Self::Sqlite(sqlite) => sqlite.append(records),
        }
    }

    /// Deletes the rows of the journal before `id`: nobody needs them any more.
    pub fn trim_journal(&mut self, id: i64) {
        match self {
            Self::Memory(memory) => memory.trim_journal(id),
            Self::Sqlite(sqlite) => sqlite.trim_journal(id),
        }
    }

    /// Puts about so many bytes of texts into the search index that are not in it yet, the oldest
    /// first, and one text at least. Until then a search does not find them, or as they were.
    pub async fn index(&mut self, bytes: u32) -> Result<Indexed, StoreError> {
        match self {
            Self::Memory(_) => Ok(Indexed::default()),
            Self::Sqlite(sqlite) => sqlite.index(bytes).await,
        }
    }

    /// Moves a stretch of a log from the journal into a pack.
    pub fn pack(&mut self, generation: GenerationId, records: &[Record]) {
        match self {
            Self::Memory(memory) => memory.pack(generation, records),
            Self::Sqlite(sqlite) => sqlite.pack(generation, records),
        }
    }

    /// Seals or interrupts generations: their records are packed, their messages get the text, and
    /// the next turn that waits in each conversation becomes the running one. Each generation once.
    pub async fn settle(&mut self, settled: &[Settled<'_>]) -> Result<Vec<Sealed>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.settle(settled)),
            Self::Sqlite(sqlite) => sqlite.settle(settled).await,
        }
    }

    /// Gives a generation to another run: its epoch rises by one, and what it has in the journal is
    /// packed. `None` when it is sealed, or another run was faster (PROTOCOL B8.7).
    pub async fn take_over(
        &mut self,
        generation: GenerationId,
        epoch: Epoch,
        head_seq: Seq,
        records: &[Record],
    ) -> Result<Option<Epoch>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.take_over(generation, epoch, head_seq, records)),
            Self::Sqlite(sqlite) => sqlite.take_over(generation, epoch, head_seq, records).await,
        }
    }

    /// Lets the oldest turn that waits in a conversation run, unless one runs already.
    pub async fn run_next(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<GenerationId>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.run_next(conversation)),
            Self::Sqlite(sqlite) => sqlite.run_next(conversation).await,
        }
    }

    /// Looks up at once which of the clients' keys of these turns were used before.
    pub async fn look_up_keys(
        &mut self,
        turns: impl Iterator<Item = &NewTurn>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(sqlite) => sqlite.look_up_keys(turns).await,
        }
    }

    /// Stores a person's message and the generation that answers it.
    pub async fn create_turn(&mut self, turn: &NewTurn) -> Result<TurnOutcome, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.create_turn(turn)),
            Self::Sqlite(sqlite) => sqlite.create_turn(turn).await,
        }
    }

    /// Changes the text of a turn that waits. `false` when it does not wait (any more).
    pub async fn edit_queued(
        &mut self,
        generation: GenerationId,
        content: &str,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.edit_queued(generation, content)),
            Self::Sqlite(sqlite) => sqlite.edit_queued(generation, content).await,
        }
    }

    /// Takes a turn that waits out of its conversation. What hangs on it hangs on what was before
    /// it; where it was shown, that is, or else the newest branch. `false` when it does not wait
    /// (any more).
    pub async fn remove_queued(&mut self, generation: GenerationId) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.remove_queued(generation)),
            Self::Sqlite(sqlite) => sqlite.remove_queued(generation).await,
        }
    }

    /// Shows the branch that goes through a message: down to its newest leaf. `false` when the
    /// conversation has no such message.
    pub async fn select_branch(
        &mut self,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.select_branch(conversation, message)),
            Self::Sqlite(sqlite) => sqlite.select_branch(conversation, message).await,
        }
    }

    /// Hides a conversation until it is restored or erased. `false` when it is not there.
    pub async fn delete(
        &mut self,
        conversation: ConversationId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.delete(conversation, at)),
            Self::Sqlite(sqlite) => sqlite.delete(conversation, at).await,
        }
    }

    /// Takes a delete back. `false` when the principal has no such deleted conversation.
    pub async fn restore(
        &mut self,
        principal: PrincipalId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.restore(principal, conversation)),
            Self::Sqlite(sqlite) => sqlite.restore(principal, conversation).await,
        }
    }

    /// Removes a conversation with everything in it, deleted or not. `false` when it is not there.
    pub async fn erase(&mut self, conversation: ConversationId) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.erase(conversation)),
            Self::Sqlite(sqlite) => sqlite.erase(conversation).await,
        }
    }

    /// Erases what is due, [`Due::AT_ONCE`] conversations at most, and says which. A temporary one
    /// in which an answer runs or waits is not due.
    pub async fn erase_due(&mut self, due: &Due) -> Result<Vec<ConversationId>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.erase_due(due)),
            Self::Sqlite(sqlite) => sqlite.erase_due(due).await,
        }
    }

    /// Pins, archives, or puts into a folder. `false` when the conversation is not there.
    pub async fn arrange(
        &mut self,
        conversation: ConversationId,
        change: &Arrangement,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.arrange(conversation, change)),
            Self::Sqlite(sqlite) => sqlite.arrange(conversation, change).await,
        }
    }

    /// Gives a conversation another title. `false` when it is not there.
    pub async fn rename(
        &mut self,
        conversation: ConversationId,
        title: &str,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.rename(conversation, title)),
            Self::Sqlite(sqlite) => sqlite.rename(conversation, title).await,
        }
    }

    /// Remembers that a device was sent the end of a generation, unless that is erased.
    pub fn deliver(&mut self, generation: GenerationId, device: &DeviceId) {
        match self {
            Self::Memory(memory) => memory.deliver(generation, device),
            Self::Sqlite(sqlite) => sqlite.deliver(generation, device),
        }
    }

    /// Stores a session, or moves the end of one that is there.
    pub async fn put_session(
        &mut self,
        secret: SecretHash,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.put_session(secret, session, now);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.put_session(secret, session, now).await,
        }
    }

    /// Stores a one-time code by which another device joins a principal.
    pub async fn put_link_code(
        &mut self,
        code: SecretHash,
        principal: PrincipalId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.put_link_code(code, principal, expires_at);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.put_link_code(code, principal, expires_at).await,
        }
    }

    /// Uses a code up: whose it was, if it is known and has not expired. Forgets expired ones.
    pub async fn take_link_code(
        &mut self,
        code: SecretHash,
        now: Timestamp,
    ) -> Result<Option<PrincipalId>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.take_link_code(code, now)),
            Self::Sqlite(sqlite) => sqlite.take_link_code(code, now).await,
        }
    }

    /// Sets or, with `None`, clears the model that a person wants for all answers.
    pub async fn set_preference(
        &mut self,
        principal: PrincipalId,
        model: Option<&str>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.set_preference(principal, model);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.set_preference(principal, model).await,
        }
    }

    /// Puts conversations from a file in, and notes how far its import is. `false` and nothing when
    /// the import is not there any more.
    pub async fn import_step(&mut self, step: &ImportStep) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.import_step(step)),
            Self::Sqlite(sqlite) => sqlite.import_step(step).await,
        }
    }

    /// Notes an import that begins.
    pub async fn put_import(&mut self, import: &Import) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.put_import(import);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.put_import(import).await,
        }
    }

    /// Notes how many conversations the file of an import has.
    pub async fn count_import(&mut self, id: ImportId, total: u64) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.count_import(id, total);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.count_import(id, total).await,
        }
    }

    /// Notes that an import is over; with an error, that its file cannot be used.
    pub async fn end_import(
        &mut self,
        id: ImportId,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.end_import(id, error);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.end_import(id, error).await,
        }
    }

    /// Stores a share, and what it shows. `false` when the conversation is not the principal's, or
    /// not any more.
    pub async fn put_share(&mut self, share: &Share, page: &[u8]) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_share(share, page)),
            Self::Sqlite(sqlite) => sqlite.put_share(share, page).await,
        }
    }

    /// Takes a share back. `false` when the person has no such share.
    pub async fn revoke(&mut self, principal: PrincipalId, id: &str) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.revoke(principal, id)),
            Self::Sqlite(sqlite) => sqlite.revoke(principal, id).await,
        }
    }

    /// Deletes all shares and imports of a person.
    pub async fn forget_moves(&mut self, principal: PrincipalId) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.forget_moves(principal);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.forget_moves(principal).await,
        }
    }

    /// Stores a person's prompt, or changes it. `false` when it would be more than `most`.
    pub async fn put_prompt(
        &mut self,
        principal: PrincipalId,
        prompt: &Prompt,
        most: u32,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_prompt(principal, prompt, most)),
            Self::Sqlite(sqlite) => sqlite.put_prompt(principal, prompt, most).await,
        }
    }

    /// Deletes a person's prompt. `false` when it is not there.
    pub async fn delete_prompt(
        &mut self,
        principal: PrincipalId,
        id: PromptId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.delete_prompt(principal, id)),
            Self::Sqlite(sqlite) => sqlite.delete_prompt(principal, id).await,
        }
    }
}
