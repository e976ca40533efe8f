//! What people change, besides the answers that models write: each is carried out in the log
//! writer's next commit.

use std::sync::Arc;

use tokio::sync::oneshot;
use unbroken_protocol::{
    CollectionId, ConversationId, DeviceId, FileId, GenerationId, ImportId, PrincipalId, Prompt,
    PromptId, Timestamp, limits,
};
use unbroken_store::{
    Arrangement, Collected, Collection, ContentHash, Drop, Due, FileOutcome, Import, ImportStep,
    NewFile, NewTurn, ReadStep, SecretHash, Session, Share, StoreError, Transaction, TurnOutcome,
};

use crate::keep::Change;

/// Texts that come into the search index at once while a search waits for it.
pub(crate) const INDEXED_AT_ONCE: u32 = 64;
/// Passages that go in or out at once: others wait for the writer no longer than these take.
pub(crate) const PASSAGES_AT_ONCE: u32 = 64;

/// A change, and who waits for what came of it.
pub(crate) enum Command {
    CreateTurn(Arc<NewTurn>, oneshot::Sender<TurnOutcome>),
    RunNext(ConversationId, oneshot::Sender<Option<GenerationId>>),
    /// Puts texts into the search index, and says how many are left at most.
    Index(oneshot::Sender<u64>),
    EditQueued(GenerationId, String, oneshot::Sender<bool>),
    RemoveQueued(GenerationId, oneshot::Sender<bool>),
    Change(ConversationId, Box<Change>, oneshot::Sender<bool>),
    Delete(ConversationId, Timestamp, oneshot::Sender<bool>),
    Restore(PrincipalId, ConversationId, oneshot::Sender<bool>),
    Erase(ConversationId, oneshot::Sender<bool>),
    EraseDue(Due, oneshot::Sender<Vec<ConversationId>>),
    Deliver(GenerationId, DeviceId, oneshot::Sender<()>),
    PutSession(SecretHash, Session, Timestamp, oneshot::Sender<()>),
    PutLinkCode(SecretHash, PrincipalId, Timestamp, oneshot::Sender<()>),
    TakeLinkCode(SecretHash, Timestamp, oneshot::Sender<Option<PrincipalId>>),
    SetPreference(PrincipalId, Option<String>, oneshot::Sender<()>),
    PutImport(Box<Import>, oneshot::Sender<()>),
    CountImport(ImportId, u64, oneshot::Sender<()>),
    ImportStep(Arc<ImportStep>, oneshot::Sender<bool>),
    EndImport(ImportId, Option<String>, oneshot::Sender<()>),
    PutShare(Box<Share>, Vec<u8>, oneshot::Sender<()>),
    Revoke(PrincipalId, String, oneshot::Sender<bool>),
    ForgetMoves(PrincipalId, oneshot::Sender<()>),
    PutPrompt(PrincipalId, Prompt, oneshot::Sender<bool>),
    DeletePrompt(PrincipalId, PromptId, oneshot::Sender<bool>),
    /// With how many bytes a person may have.
    PutFile(Box<NewFile>, u64, oneshot::Sender<FileOutcome>),
    DeleteFile(PrincipalId, FileId, oneshot::Sender<Option<ContentHash>>),
    ForgetFiles(PrincipalId, oneshot::Sender<()>),
    BeginReading(ContentHash, oneshot::Sender<Option<u32>>),
    PutPassages(Arc<ReadStep>, oneshot::Sender<bool>),
    DropPassages(ContentHash, Drop, oneshot::Sender<bool>),
    RefuseDocument(ContentHash, u32, &'static str, oneshot::Sender<bool>),
    RemoveDocument(ContentHash, oneshot::Sender<bool>),
    PutCollection(PrincipalId, Box<Collection>, oneshot::Sender<bool>),
    RenameCollection(PrincipalId, CollectionId, String, oneshot::Sender<bool>),
    DeleteCollection(PrincipalId, CollectionId, oneshot::Sender<bool>),
    Collect(PrincipalId, CollectionId, FileId, oneshot::Sender<Collected>),
    Uncollect(PrincipalId, CollectionId, FileId, oneshot::Sender<bool>),
}

impl Command {
    /// Nobody waits for it, and a power cut may take it back: it is done again then.
    pub(crate) fn can_wait(&self) -> bool {
        matches!(
            self,
            Self::Deliver(..)
                | Self::ImportStep(..)
                | Self::Index(..)
                | Self::PutPassages(..)
                | Self::DropPassages(..)
        )
    }

    /// What a search finds may be another afterwards.
    pub(crate) fn changes_texts(&self) -> bool {
        matches!(
            self,
            Self::CreateTurn(..) | Self::EditQueued(..) | Self::Change(..) | Self::ImportStep(..)
        )
    }

    /// Writes the change, and returns what tells its caller after the commit.
    pub(crate) async fn apply(
        self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Box<dyn FnOnce() + Send>, StoreError> {
        Ok(match self {
            Self::CreateTurn(turn, reply) => answer(reply, transaction.create_turn(&turn).await?),
            Self::RunNext(conversation, reply) => {
                answer(reply, transaction.run_next(conversation).await?)
            }
            Self::Index(reply) => answer(reply, transaction.index(INDEXED_AT_ONCE).await?),
            Self::EditQueued(generation, content, reply) => {
                answer(reply, transaction.edit_queued(generation, &content).await?)
            }
            Self::RemoveQueued(generation, reply) => {
                answer(reply, transaction.remove_queued(generation).await?)
            }
            Self::Change(conversation, change, reply) => {
                answer(reply, apply_change(transaction, conversation, &change).await?)
            }
            Self::Delete(conversation, at, reply) => {
                answer(reply, transaction.delete(conversation, at).await?)
            }
            Self::Restore(principal, conversation, reply) => {
                answer(reply, transaction.restore(principal, conversation).await?)
            }
            Self::Erase(conversation, reply) => {
                answer(reply, transaction.erase(conversation).await?)
            }
            Self::EraseDue(due, reply) => answer(reply, transaction.erase_due(&due).await?),
            Self::Deliver(generation, device, reply) => {
                answer(reply, transaction.deliver(generation, &device).await?)
            }
            Self::PutSession(secret, session, now, reply) => {
                answer(reply, transaction.put_session(secret, &session, now).await?)
            }
            Self::PutLinkCode(code, principal, expires_at, reply) => {
                answer(reply, transaction.put_link_code(code, principal, expires_at).await?)
            }
            Self::TakeLinkCode(code, now, reply) => {
                answer(reply, transaction.take_link_code(code, now).await?)
            }
            Self::SetPreference(principal, model, reply) => {
                answer(reply, transaction.set_preference(principal, model.as_deref()).await?)
            }
            Self::PutImport(import, reply) => answer(reply, transaction.put_import(&import).await?),
            Self::CountImport(id, total, reply) => {
                answer(reply, transaction.count_import(id, total).await?)
            }
            Self::ImportStep(step, reply) => answer(reply, transaction.import_step(&step).await?),
            Self::EndImport(id, error, reply) => {
                answer(reply, transaction.end_import(id, error.as_deref()).await?)
            }
            Self::PutShare(share, page, reply) => {
                answer(reply, transaction.put_share(&share, &page).await?)
            }
            Self::Revoke(principal, id, reply) => {
                answer(reply, transaction.revoke(principal, &id).await?)
            }
            Self::ForgetMoves(principal, reply) => {
                answer(reply, transaction.forget_moves(principal).await?)
            }
            Self::PutPrompt(principal, prompt, reply) => {
                answer(reply, transaction.put_prompt(principal, &prompt, limits::PROMPTS).await?)
            }
            Self::DeletePrompt(principal, id, reply) => {
                answer(reply, transaction.delete_prompt(principal, id).await?)
            }
            Self::PutFile(new, quota, reply) => {
                answer(reply, transaction.put_file(&new, quota).await?)
            }
            Self::DeleteFile(principal, id, reply) => {
                answer(reply, transaction.delete_file(principal, id).await?)
            }
            Self::ForgetFiles(principal, reply) => {
                answer(reply, transaction.forget_files(principal).await?)
            }
            Self::BeginReading(content, reply) => {
                answer(reply, transaction.begin_reading(content).await?)
            }
            Self::PutPassages(step, reply) => answer(reply, transaction.put_passages(&step).await?),
            Self::DropPassages(content, whose, reply) => {
                answer(reply, transaction.drop_passages(content, whose, PASSAGES_AT_ONCE).await?)
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
            Self::RenameCollection(principal, id, name, reply) => {
                answer(reply, transaction.rename_collection(principal, id, &name).await?)
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

/// `false` when the conversation has no such message: nothing is changed then.
async fn apply_change(
    transaction: &mut Transaction<'_>,
    id: ConversationId,
    change: &Change,
) -> Result<bool, StoreError> {
    if let Some(message) = change.shown
        && !transaction.select_branch(id, message).await?
    {
        return Ok(false);
    }
    if let Some(title) = &change.title {
        transaction.rename(id, title).await?;
    }
    if change.arrangement != Arrangement::default() {
        transaction.arrange(id, &change.arrangement).await?;
    }
    Ok(true)
}

/// A caller that went away does not want its answer.
fn answer<T: Send + 'static>(reply: oneshot::Sender<T>, value: T) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        let _ = reply.send(value);
    })
}
