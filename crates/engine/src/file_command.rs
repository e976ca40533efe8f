//! What people change in their files and collections, and what reading a file changes: commands as
//! those of `command.rs`.

use std::sync::Arc;

use tokio::sync::oneshot;
use unbroken_protocol::{CollectionId, FileId, PrincipalId, limits};
use unbroken_store::{
    Collected, Collection, CollectionChange, ContentHash, FileOutcome, NewFile, ReadStep,
    StoreError, Transaction, VectorStep, Whose,
};

use crate::command::{Command, answer};

/// Passages that go in or out at once: others wait for the writer no longer than these take.
pub(crate) const PASSAGES_AT_ONCE: u32 = 64;

/// A change, and who waits for what came of it.
pub(crate) enum FileCommand {
    /// With how many bytes a person may have.
    PutFile(Box<NewFile>, u64, oneshot::Sender<FileOutcome>),
    DeleteFile(PrincipalId, FileId, oneshot::Sender<Option<ContentHash>>),
    ForgetFiles(PrincipalId, oneshot::Sender<()>),
    BeginReading(ContentHash, u32, oneshot::Sender<bool>),
    PutPassages(Arc<ReadStep>, oneshot::Sender<bool>),
    DropPassages(ContentHash, Whose, oneshot::Sender<bool>),
    PutVectors(Arc<VectorStep>, oneshot::Sender<bool>),
    /// Those of all models but this one.
    DropOtherVectors(Arc<str>, oneshot::Sender<bool>),
    RefuseDocument(ContentHash, u32, &'static str, oneshot::Sender<bool>),
    RemoveDocument(ContentHash, oneshot::Sender<bool>),
    PutCollection(PrincipalId, Box<Collection>, oneshot::Sender<bool>),
    ChangeCollection(PrincipalId, CollectionId, CollectionChange, oneshot::Sender<bool>),
    DeleteCollection(PrincipalId, CollectionId, oneshot::Sender<bool>),
    Collect(PrincipalId, CollectionId, FileId, oneshot::Sender<Collected>),
    Uncollect(PrincipalId, CollectionId, FileId, oneshot::Sender<bool>),
}

impl From<FileCommand> for Command {
    fn from(command: FileCommand) -> Self {
        Self::Files(command)
    }
}

impl FileCommand {
    /// Nobody waits for it, and a power cut may take it back: it is done again then.
    pub(crate) fn can_wait(&self) -> bool {
        matches!(
            self,
            Self::PutPassages(..)
                | Self::DropPassages(..)
                | Self::PutVectors(..)
                | Self::DropOtherVectors(..)
        )
    }

    /// Writes the change, and returns what tells its caller after the commit.
    pub(crate) async fn apply(
        self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Box<dyn FnOnce() + Send>, StoreError> {
        Ok(match self {
            Self::PutFile(new, quota, reply) => {
                answer(reply, transaction.put_file(&new, quota).await?)
            }
            Self::DeleteFile(principal, id, reply) => {
                answer(reply, transaction.delete_file(principal, id).await?)
            }
            Self::ForgetFiles(principal, reply) => {
                answer(reply, transaction.forget_files(principal).await?)
            }
            Self::BeginReading(content, attempt, reply) => {
                answer(reply, transaction.begin_reading(content, attempt).await?)
            }
            Self::PutPassages(step, reply) => answer(reply, transaction.put_passages(&step).await?),
            Self::DropPassages(content, whose, reply) => {
                answer(reply, transaction.drop_passages(content, whose, PASSAGES_AT_ONCE).await?)
            }
            Self::PutVectors(step, reply) => answer(reply, transaction.put_vectors(&step).await?),
            Self::DropOtherVectors(model, reply) => {
                answer(reply, transaction.drop_other_vectors(&model, PASSAGES_AT_ONCE).await?)
            }
            Self::RefuseDocument(content, attempt, reason, reply) => {
                answer(reply, transaction.refuse_document(content, attempt, reason).await?)
            }
            Self::RemoveDocument(content, reply) => {
                answer(reply, transaction.remove_document(content).await?)
            }
            Self::PutCollection(principal, new, reply) => {
                let most = limits::COLLECTIONS;
                answer(reply, transaction.put_collection(principal, &new, most).await?)
            }
            Self::ChangeCollection(principal, id, change, reply) => {
                answer(reply, transaction.change_collection(principal, id, &change).await?)
            }
            Self::DeleteCollection(principal, id, reply) => {
                answer(reply, transaction.delete_collection(principal, id).await?)
            }
            Self::Collect(principal, id, file, reply) => {
                answer(reply, transaction.collect(principal, id, file, limits::COLLECTED).await?)
            }
            Self::Uncollect(principal, id, file, reply) => {
                answer(reply, transaction.uncollect(principal, id, file).await?)
            }
        })
    }
}
