//! Whole conversations: what people change in them, deleting with a way back, and erasing.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unbroken_protocol::{
    ConversationId, ConversationOp, ConversationPatch, MessageId, PrincipalId, Timestamp, limits,
};
use unbroken_store::{Arrangement, Due};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;

/// How long a deleted conversation can be restored.
const RESTORABLE: Duration = Duration::from_mins(10);
/// How long a temporary conversation lives after its last message.
const TEMPORARY: Duration = Duration::from_hours(24);
/// How often what is due is looked for.
const SWEEP: Duration = Duration::from_mins(1);

/// Conversations that were deleted and are not erased yet: their logs are hidden, also those that
/// somebody still reads.
#[derive(Default)]
pub(crate) struct Hidden(Mutex<HashSet<ConversationId>>);

impl Hidden {
    pub(crate) fn contains(&self, id: ConversationId) -> bool {
        self.lock().contains(&id)
    }

    pub(crate) fn add(&self, id: ConversationId) {
        self.lock().insert(id);
    }

    pub(crate) fn remove(&self, id: ConversationId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<ConversationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes of one conversation, which happen together or not at all.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) title: Option<String>,
    /// Show the branch that goes through this message.
    pub(crate) shown: Option<MessageId>,
    pub(crate) arrangement: Arrangement,
}

/// How a conversation is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// It is hidden at once, and erased when it was not restored for ten minutes.
    Hide,
    /// It is gone at once, for good.
    Erase,
}

impl Engine {
    /// Renames, pins, archives, puts into a folder, and chooses the branch that is shown.
    pub async fn change(
        &self,
        principal: PrincipalId,
        id: ConversationId,
        patch: ConversationPatch,
    ) -> Result<(), Refusal> {
        let row = self.store().conversation(principal, id).await?;
        row.ok_or(Refusal::NotFound("conversation"))?;
        let ConversationPatch { title, pinned, archived, folder, selected_message_id } = patch;
        let no_message = |_| Refusal::NotFound("message");
        let change = Change {
            title: title.map(|title| checked_title(&title)).transpose()?,
            shown: selected_message_id.map(|id| id.parse().map_err(no_message)).transpose()?,
            arrangement: Arrangement {
                pinned,
                archived,
                folder: folder.map(|name| checked_folder(&name)).transpose()?,
            },
        };
        let done = self.command(|reply| Command::Change(id, Box::new(change), reply)).await?;
        if !done {
            return Err(Refusal::NotFound("message"));
        }
        self.announce(principal, id).await;
        Ok(())
    }

    /// Deletes a conversation; its answers are stopped first.
    pub async fn delete(
        &self,
        principal: PrincipalId,
        id: ConversationId,
        how: Delete,
    ) -> Result<(), Refusal> {
        let row = self.store().conversation(principal, id).await?;
        let row = row.ok_or(Refusal::NotFound("conversation"))?;
        self.inner.writer.check()?;
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            engine.stop_conversation(id).await?;
            match how {
                Delete::Hide => {
                    let now = engine.clock().now();
                    engine.command(|reply| Command::Delete(id, now, reply)).await?;
                    engine.inner.hidden.add(id);
                }
                Delete::Erase => {
                    engine.command(|reply| Command::Erase(id, reply)).await?;
                }
            }
            // A turn that came meanwhile was deleted with the rest.
            engine.stop_conversation(id).await?;
            let deleted = Self::conversation_event(ConversationOp::Delete, &row);
            engine.tell(principal, std::future::ready(Some(deleted))).await;
            Ok(())
        })
        .await
    }

    /// Takes a delete back.
    ///
    /// # Errors
    /// `not_found` when nothing was deleted, or it is erased already.
    pub async fn restore(&self, principal: PrincipalId, id: ConversationId) -> Result<(), Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let restored = engine.command(|reply| Command::Restore(principal, id, reply)).await?;
            if !restored {
                return Err(Refusal::NotFound("deleted conversation"));
            }
            engine.inner.hidden.remove(id);
            engine.announce(principal, id).await;
            Ok(())
        })
        .await
    }

    /// Erases what is due, also files that never came whole, now and as long as the process lives.
    pub(crate) async fn sweep(self) {
        let abandon = self.inner.abandon.clone();
        let inner = std::sync::Arc::downgrade(&self.inner);
        // No handle of the engine stays here: the writer ends with the last one.
        drop(self);
        loop {
            let Some(inner) = inner.upgrade() else { return };
            let engine = Self { inner };
            if let Err(refusal) = engine.erase_due().await {
                tracing::warn!(error = %refusal, "failed to erase what was deleted");
            }
            if let Err(refusal) = engine.sweep_uploads().await {
                tracing::warn!(error = %refusal, "failed to remove unfinished files");
            }
            drop(engine);
            tokio::select! {
                biased;
                () = abandon.cancelled() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    async fn erase_due(&self) -> Result<(), Refusal> {
        loop {
            let due = Due { deleted_until: self.ago(RESTORABLE), idle_since: self.ago(TEMPORARY) };
            if !self.store().anything_due(&due).await? {
                return Ok(());
            }
            let erased = self.command(|reply| Command::EraseDue(due, reply)).await?;
            for id in erased {
                self.inner.hidden.remove(id);
            }
        }
    }

    fn ago(&self, time: Duration) -> Timestamp {
        let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.clock().now().as_millis().saturating_sub(millis))
    }
}

fn checked_title(title: &str) -> Result<String, Refusal> {
    let title: String = title.trim().chars().take(limits::TITLE_CHARS).collect();
    if title.is_empty() {
        return Err(Refusal::BadRequest("A title has at least one letter.".into()));
    }
    Ok(title)
}

/// White space counts once; nothing is no folder.
fn checked_folder(name: &str) -> Result<Option<String>, Refusal> {
    let words = name.split(|char: char| char.is_whitespace() || char.is_control());
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let longest = limits::FOLDER_CHARS;
    if name.chars().count() > longest {
        let sentence = format!("The name of a folder has at most {longest} characters.");
        return Err(Refusal::BadRequest(sentence));
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}
