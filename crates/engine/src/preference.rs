//! The model that a person chose for all answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unbroken_protocol::PrincipalId;

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;

/// Preferences that are remembered without asking the store.
const REMEMBERED: usize = 10_000;

/// Preferences looked up lately, so that a new turn costs no read.
#[derive(Default)]
pub(crate) struct Preferences(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    known: HashMap<PrincipalId, Option<String>>,
    /// How often one was changed. What was read before a change is not kept after it.
    changes: u64,
}

impl Preferences {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `read` finds, unless it is known.
    async fn get<E>(
        &self,
        principal: PrincipalId,
        read: impl Future<Output = Result<Option<String>, E>>,
    ) -> Result<Option<String>, E> {
        let changes = {
            let kept = self.lock();
            if let Some(known) = kept.known.get(&principal) {
                return Ok(known.clone());
            }
            kept.changes
        };
        let found = read.await?;
        let mut kept = self.lock();
        if kept.changes == changes {
            if kept.known.len() >= REMEMBERED {
                kept.known.clear();
            }
            kept.known.insert(principal, found.clone());
        }
        Ok(found)
    }

    /// Another one is stored.
    fn changed(&self, principal: PrincipalId) {
        let mut kept = self.lock();
        kept.changes += 1;
        kept.known.remove(&principal);
    }
}

impl Engine {
    /// The model that a person chose for all answers.
    pub async fn preference(&self, principal: PrincipalId) -> Result<Option<String>, Refusal> {
        let read = self.store().preference(principal);
        Ok(self.inner.preferences.get(principal, read).await?)
    }

    /// Sets or, with `None`, clears the model that a person wants for all answers.
    pub async fn set_preference(
        &self,
        principal: PrincipalId,
        model: Option<String>,
    ) -> Result<(), Refusal> {
        let engine = self.clone();
        self.carry_out(async move {
            let set = engine.command(|reply| Command::SetPreference(principal, model, reply)).await;
            engine.inner.preferences.changed(principal);
            set
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;

    use super::*;

    type Found = Result<Option<String>, Infallible>;

    async fn get(preferences: &Preferences, me: PrincipalId, stored: &str) -> Option<String> {
        let stored: Found = Ok(Some(stored.to_owned()));
        preferences.get(me, ready(stored)).await.unwrap()
    }

    #[tokio::test]
    async fn a_preference_is_read_once_until_it_changes() {
        let (preferences, me) = (Preferences::default(), PrincipalId::new());
        assert_eq!(get(&preferences, me, "first").await.unwrap(), "first");
        assert_eq!(get(&preferences, me, "second").await.unwrap(), "first");
        preferences.changed(me);
        assert_eq!(get(&preferences, me, "second").await.unwrap(), "second");
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (preferences, me) = (Preferences::default(), PrincipalId::new());
        let read = async {
            preferences.changed(me);
            Found::Ok(Some("old".into()))
        };
        assert_eq!(preferences.get(me, read).await.unwrap().unwrap(), "old");
        assert_eq!(get(&preferences, me, "new").await.unwrap(), "new");
    }
}
