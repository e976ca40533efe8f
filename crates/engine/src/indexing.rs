//! When changed texts come into the search index: after their commit, a few at once, so that no
//! token waits long for them. All at once when the log writer has nothing else to do.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use unbroken_store::{Durability, Indexed, StoreError, Writer};

/// Bytes of texts that come in at once. Tokens wait for it: a few milliseconds on a slow machine.
const AT_ONCE: u32 = 6 << 10;
/// How far such commits are apart beside others, at least.
const EVERY: Duration = Duration::from_millis(50);
/// And how many times as long as one takes: a machine that is full takes longer for each.
const SHARE: u32 = 10;
/// When nothing came for so long, the log writer has nothing else to do.
const PAUSE: Duration = Duration::from_millis(1);
/// How often an index that refuses is tried again.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) struct Indexing {
    /// Texts may be missing.
    due: watch::Sender<bool>,
    next: Instant,
    /// It was logged that the index refuses.
    told: bool,
}

impl Indexing {
    /// What a run before left is not known, so texts may be missing.
    pub(crate) fn new() -> (Self, watch::Receiver<bool>) {
        let (due, is_due) = watch::channel(true);
        (Self { due, next: Instant::now(), told: false }, is_due)
    }

    /// Texts were changed.
    pub(crate) fn texts_changed(&self) {
        self.due.send_replace(true);
    }

    /// How long the log writer waits for something else before it puts texts in; `None` when there
    /// are none.
    pub(crate) fn pause(&self) -> Option<Duration> {
        self.due.borrow().then(|| PAUSE.max(self.next.saturating_duration_since(Instant::now())))
    }

    /// Puts some texts in beside other work, unless some were just put in.
    pub(crate) async fn beside(&mut self, writer: &mut Writer) -> Result<(), StoreError> {
        let began = Instant::now();
        if *self.due.borrow() && self.next <= began {
            self.step(writer).await?;
            self.next += EVERY.max(began.elapsed() * SHARE);
        }
        Ok(())
    }

    /// Puts some texts in; the next may follow at once.
    ///
    /// # Errors
    /// [`StoreError::OwnerLost`] only: chats go on without an index that refuses.
    pub(crate) async fn step(&mut self, writer: &mut Writer) -> Result<(), StoreError> {
        let done = put_in(writer).await;
        self.next = Instant::now() + if done.is_ok() { Duration::ZERO } else { RETRY };
        let was_told = std::mem::replace(&mut self.told, done.is_err());
        match done {
            Ok(done) => {
                self.due.send_replace(done.left > 0);
            }
            Err(StoreError::OwnerLost) => return Err(StoreError::OwnerLost),
            Err(error) if !was_told => tracing::warn!(
                error = %error,
                "failed to put texts into the search index; it is tried again every second"
            ),
            Err(_) => {}
        }
        Ok(())
    }
}

async fn put_in(writer: &mut Writer) -> Result<Indexed, StoreError> {
    let mut transaction = writer.begin(Durability::Process).await?;
    let done = transaction.index(AT_ONCE).await?;
    transaction.commit().await?;
    Ok(done)
}
