//! What people change, besides the answers that models write: each is carried out in the log
//! writer's next commit.

use std::sync::Arc;

use tokio::sync::oneshot;
use unbroken_protocol::{
    ConversationId, DeviceId, GenerationId, ImportId, PrincipalId, Prompt, PromptId, Timestamp,
    limits,
};
use unbroken_store::{
    Arrangement, Due, Import, ImportStep, Indexed, NewTurn, SecretHash, Session, Share, StoreError,
    Transaction, TurnOutcome,
};

use crate::file_command::FileCommand;
use crate::keep::Change;

/// Bytes of texts that come into the search index at once while a search waits for it.
const INDEXED_AT_ONCE: u32 = 32 << 10;

/// A change, and who waits for what came of it.
pub(crate) enum Command {
    CreateTurn(Arc<NewTurn>, oneshot::Sender<TurnOutcome>),
    RunNext(ConversationId, oneshot::Sender<Option<GenerationId>>),
    /// Puts texts into the search index.
    Index(oneshot::Sender<Indexed>),
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
    PutShare(Box<Share>, Vec<u8>, oneshot::Sender<bool>),
    Revoke(PrincipalId, String, oneshot::Sender<bool>),
    ForgetMoves(PrincipalId, oneshot::Sender<()>),
    PutPrompt(PrincipalId, Prompt, oneshot::Sender<bool>),
    DeletePrompt(PrincipalId, PromptId, oneshot::Sender<bool>),
    Files(FileCommand),
}

impl Command {
    /// Nobody waits for it, and a power cut may take it back: it is done again then.
    pub(crate) fn can_wait(&self) -> bool {
        match self {
            Self::Deliver(..) | Self::ImportStep(..) | Self::Index(..) => true,
            Self::Files(command) => command.can_wait(),
            _ => false,
        }
    }

    /// What a search finds may be another afterwards.
    pub(crate) fn changes_texts(&self) -> bool {
        matches!(
            self,
            Self::CreateTurn(..) | Self::EditQueued(..) | Self::Change(..) | Self::ImportStep(..)
        )
    }

    /// The turn that it makes.
    pub(crate) fn new_turn(&self) -> Option<&NewTurn> {
        match self {
            Self::CreateTurn(turn, _) => Some(turn),
            _ => None,
        }
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
                transaction.deliver(generation, &device);
                answer(reply, ())
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
            Self::Files(command) => command.apply(transaction).await?,
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
pub(crate) fn answer<T: Send + 'static>(
    reply: oneshot::Sender<T>,
    value: T,
) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        let _ = reply.send(value);
    })
}
