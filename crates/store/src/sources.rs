//! What answers look things up in: files, what can be read in them, and collections. Reading and
//! writing, on whichever store there is.

use unbroken_protocol::{CollectionId, FileId, PrincipalId};

use crate::{
    Collected, Collection, CollectionChange, ContentHash, File, FileOutcome, Found, NewFile,
    Passage, ReadStep, Store, StoreError, Terms, ToEmbed, Transaction, Vector, VectorStep, Whose,
};

impl Store {
    /// A person's files, the newest first.
    pub async fn files(&self, principal: PrincipalId) -> Result<Vec<File>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.files(principal)),
            Self::Sqlite(sqlite) => sqlite.files(principal).await,
        }
    }

    /// A file, if it is there and belongs to `principal`.
    pub async fn file(
        &self,
        principal: PrincipalId,
        id: FileId,
    ) -> Result<Option<File>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.file(principal, id)),
            Self::Sqlite(sqlite) => sqlite.file(principal, id).await,
        }
    }

    /// The files with these bytes, of all people.
    pub async fn files_with(&self, content: ContentHash) -> Result<Vec<File>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.files_with(content)),
            Self::Sqlite(sqlite) => sqlite.files_with(content).await,
        }
    }

    /// Documents that have to be read still, the oldest first.
    pub async fn unread(&self) -> Result<Vec<ContentHash>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.unread()),
            Self::Sqlite(sqlite) => sqlite.unread().await,
        }
    }

    /// Documents that no file has any more, and that are not removed yet.
    pub async fn deleted_documents(&self) -> Result<Vec<ContentHash>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.deleted_documents()),
            Self::Sqlite(sqlite) => sqlite.deleted_documents().await,
        }
    }

    /// Every document, in whatever state.
    pub async fn documents(&self) -> Result<Vec<ContentHash>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.documents()),
            Self::Sqlite(sqlite) => sqlite.documents().await,
        }
    }

    /// Passages of a document that is ready, in order: `most` of them from `from` on.
    pub async fn passages(
        &self,
        content: ContentHash,
        from: u32,
        most: u32,
    ) -> Result<Vec<Passage>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.passages(content, from, most)),
            Self::Sqlite(sqlite) => sqlite.passages(content, from, most).await,
        }
    }

    /// The passages of some documents that fit best, the best first. Those that are not ready are
    /// passed over.
    pub async fn find_passages(
        &self,
        among: &[ContentHash],
        terms: &Terms,
        most: u32,
    ) -> Result<Vec<Found>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.find_passages(among, terms, most)),
            Self::Sqlite(sqlite) => sqlite.find_passages(among, terms, most).await,
        }
    }

    /// The newest document that is ready and lacks vectors of this model, of those that are older
    /// than `before` where one is named.
    pub async fn unembedded(
        &self,
        model: &str,
        before: Option<ContentHash>,
    ) -> Result<Option<ContentHash>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.unembedded(model, before)),
            Self::Sqlite(sqlite) => sqlite.unembedded(model, before).await,
        }
    }

    /// The next passages of a document that lack vectors of this model, `most` of them. `None` when
    /// none do, or it is not ready.
    pub async fn to_embed(
        &self,
        content: ContentHash,
        model: &str,
        most: u32,
    ) -> Result<Option<ToEmbed>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.to_embed(content, model, most)),
            Self::Sqlite(sqlite) => sqlite.to_embed(content, model, most).await,
        }
    }

    /// The passages of some documents whose vectors of this model are nearest to one of a question,
    /// the nearest first; the score is the cosine. Those without such vectors are passed over.
    pub async fn nearest(
        &self,
        among: &[ContentHash],
        model: &str,
        to: &Vector,
        most: u32,
    ) -> Result<Vec<Found>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.nearest(among, model, to, most)),
            Self::Sqlite(sqlite) => sqlite.nearest(among, model, to, most).await,
        }
    }

    /// A person's collections, the oldest first.
    pub async fn collections(&self, principal: PrincipalId) -> Result<Vec<Collection>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.collections(principal)),
            Self::Sqlite(sqlite) => sqlite.collections(principal).await,
        }
    }

    /// A collection, if it is there and belongs to `principal`.
    pub async fn collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<Option<Collection>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.collection(principal, id)),
            Self::Sqlite(sqlite) => sqlite.collection(principal, id).await,
        }
    }
}

impl Transaction<'_> {
    /// Stores a file whose bytes are in their place. A person has at most `quota` bytes.
    pub async fn put_file(&mut self, new: &NewFile, quota: u64) -> Result<FileOutcome, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_file(new, quota)),
            Self::Sqlite(sqlite) => sqlite.put_file(new, quota).await,
        }
    }

    /// Deletes a file of a person, also out of collections, and says what was in it. A document
    /// that no file has any more is to be removed then. `None` when it is not there.
    pub async fn delete_file(
        &mut self,
        principal: PrincipalId,
        id: FileId,
    ) -> Result<Option<ContentHash>, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.delete_file(principal, id)),
            Self::Sqlite(sqlite) => sqlite.delete_file(principal, id).await,
        }
    }

    /// Deletes all files and collections of a person.
    pub async fn forget_files(&mut self, principal: PrincipalId) -> Result<(), StoreError> {
        match self {
            Self::Memory(memory) => {
                memory.forget_files(principal);
                Ok(())
            }
            Self::Sqlite(sqlite) => sqlite.forget_files(principal).await,
        }
    }

    /// Begins to read a document; earlier readings write nothing more. `attempt` names the reading,
    /// is not 0, and was never used before: the document of an earlier one may be gone, and be there
    /// anew.
    /// `false` when it has not to be read.
    pub async fn begin_reading(
        &mut self,
        content: ContentHash,
        attempt: u32,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.begin_reading(content, attempt)),
            Self::Sqlite(sqlite) => sqlite.begin_reading(content, attempt).await,
        }
    }

    /// Puts passages of a document in; with the last ones it is ready. `false` and nothing when
    /// another reading took over, or it was deleted.
    pub async fn put_passages(&mut self, step: &ReadStep) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_passages(step)),
            Self::Sqlite(sqlite) => sqlite.put_passages(step).await,
        }
    }

    /// Puts vectors of passages in, after those that are there. `false` and nothing when others
    /// stand there already, or the document is not that reading of it.
    pub async fn put_vectors(&mut self, step: &VectorStep) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_vectors(step)),
            Self::Sqlite(sqlite) => sqlite.put_vectors(step).await,
        }
    }

    /// Drops vectors of all other models, as many rows as `most`, and says whether there may be
    /// more.
    pub async fn drop_other_vectors(&mut self, model: &str, most: u32) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.drop_other_vectors(model, most)),
            Self::Sqlite(sqlite) => sqlite.drop_other_vectors(model, most).await,
        }
    }

    /// Drops `most` passages of a document, and their vectors, and says whether there are more.
    /// `false` and nothing when they are not to be dropped (any more).
    pub async fn drop_passages(
        &mut self,
        content: ContentHash,
        whose: Whose,
        most: u32,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.drop_passages(content, whose, most)),
            Self::Sqlite(sqlite) => sqlite.drop_passages(content, whose, most).await,
        }
    }

    /// Notes that nothing can be read in a document. `false` and nothing when another reading took
    /// over, or it was deleted.
    pub async fn refuse_document(
        &mut self,
        content: ContentHash,
        attempt: u32,
        reason: &str,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.refuse_document(content, attempt, reason)),
            Self::Sqlite(sqlite) => sqlite.refuse_document(content, attempt, reason).await,
        }
    }

    /// Forgets a document that is deleted and has no passages left. `false` when somebody brought
    /// it again.
    pub async fn remove_document(&mut self, content: ContentHash) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.remove_document(content)),
            Self::Sqlite(sqlite) => sqlite.remove_document(content).await,
        }
    }

    /// Stores a new collection. `false` when it would be more than `most`.
    pub async fn put_collection(
        &mut self,
        principal: PrincipalId,
        new: &Collection,
        most: u32,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.put_collection(principal, new, most)),
            Self::Sqlite(sqlite) => sqlite.put_collection(principal, new, most).await,
        }
    }

    /// Gives a collection another name or other addresses. `false` when it is not there.
    pub async fn change_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        change: &CollectionChange,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.change_collection(principal, id, change)),
            Self::Sqlite(sqlite) => sqlite.change_collection(principal, id, change).await,
        }
    }

    /// Deletes a collection; its files stay. `false` when it is not there.
    pub async fn delete_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.delete_collection(principal, id)),
            Self::Sqlite(sqlite) => sqlite.delete_collection(principal, id).await,
        }
    }

    /// Puts a file into a collection of at most `most`.
    pub async fn collect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
        most: u32,
    ) -> Result<Collected, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.collect(principal, id, file, most)),
            Self::Sqlite(sqlite) => sqlite.collect(principal, id, file, most).await,
        }
    }

    /// Takes a file out of a collection. `false` when it is not in it.
    pub async fn uncollect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Memory(memory) => Ok(memory.uncollect(principal, id, file)),
            Self::Sqlite(sqlite) => sqlite.uncollect(principal, id, file).await,
        }
    }
}
