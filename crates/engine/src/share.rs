//! Shares, and deleting everything.

use std::io;

use unbroken_protocol::{ConversationId, PrincipalId, SharedPage};
use unbroken_store::{Share, Which};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;

/// Random bytes in the name of a share: 192 bits.
const NAME: usize = 24;

impl Engine {
    /// Freezes the branch that is shown.
    ///
    /// # Errors
    /// `bad_request` when there is nothing to be seen yet.
    pub async fn share(
        &self,
        principal: PrincipalId,
        id: ConversationId,
        keep: bool,
    ) -> Result<Share, Refusal> {
        let conversation = self.export(principal, id).await?;
        let page = unbroken_archive::shown(&conversation);
        if page.messages.is_empty() {
            return Err(Refusal::BadRequest("There is nothing to share here yet.".into()));
        }
        let share = Share {
            share_id: hex::encode(crate::session::random::<NAME>()?),
            principal_id: principal,
            conversation_id: id,
            title: page.title.clone(),
            created_at: self.clock().now(),
            keep,
        };
        let json = serde_json::to_vec(&page).expect("a page is plain data");
        let stored = Box::new(share.clone());
        // It may have been deleted since it was read.
        let is_there = self.command(|reply| Command::PutShare(stored, json, reply)).await?;
        if is_there { Ok(share) } else { Err(Refusal::NotFound("conversation")) }
    }

    /// What a person shares, the newest first.
    pub async fn shares(&self, principal: PrincipalId) -> Result<Vec<Share>, Refusal> {
        Ok(self.store().shares(principal).await?)
    }

    /// What anybody sees who has the link.
    pub async fn shared(&self, id: &str) -> Result<SharedPage, Refusal> {
        let page = self.store().shared(id).await?.ok_or(Refusal::NotFound("share"))?;
        serde_json::from_slice(&page).map_err(|error| {
            tracing::error!(error = %io::Error::other(error), "failed to read a share");
            Refusal::Internal
        })
    }

    /// Takes a share back, at once.
    pub async fn revoke(&self, principal: PrincipalId, id: &str) -> Result<(), Refusal> {
        let id = id.to_owned();
        let revoked = self.command(|reply| Command::Revoke(principal, id, reply)).await?;
        if revoked { Ok(()) } else { Err(Refusal::NotFound("share")) }
    }

    /// Stops what runs and deletes all conversations, files, shares and imports of a person. Returns how
    /// many conversations there were.
    pub async fn delete_everything(&self, principal: PrincipalId) -> Result<u64, Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            engine.command(|reply| Command::ForgetMoves(principal, reply)).await?;
            engine.forget_files(principal).await?;
            let mut count = 0;
            loop {
                let ids = engine.store().conversation_ids(principal, Which::All, None, 50).await?;
                if ids.is_empty() {
                    break;
                }
                for id in ids {
                    engine.stop_conversation(id).await?;
                    engine.command(|reply| Command::Erase(id, reply)).await?;
                    engine.inner.hidden.remove(id);
                    // A turn that came meanwhile was deleted with the rest.
                    engine.stop_conversation(id).await?;
                    count += 1;
                }
            }
            // An import that ran meanwhile, and links and files made meanwhile.
            engine.command(|reply| Command::ForgetMoves(principal, reply)).await?;
            engine.forget_files(principal).await?;
            engine.inner.notices.lose(principal);
            Ok(count)
        })
        .await
    }
}
