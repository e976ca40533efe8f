//! From running to gone: first drain, then shut the door, then close.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How long a connection that was taken may wait with its first byte. Hyper closes it without an
/// answer otherwise.
const FIRST_WORD: Duration = Duration::from_millis(500);

/// The steps of an orderly end. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    /// No new turns; running answers finish.
    draining: CancellationToken,
    /// No new connections are taken.
    shut: CancellationToken,
    /// Connections that were taken and have not said a word.
    silent: TaskTracker,
    /// Connections close.
    closing: CancellationToken,
    limit: Arc<Duration>,
}

impl Lifecycle {
    /// `limit` is how long running answers may take to finish.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit: Arc::new(limit), ..Self::default() }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    pub(crate) async fn drained(&self) {
        self.draining.cancelled().await;
    }

    /// Taken before a connection is accepted, dropped with its first byte.
    pub(crate) fn silence(&self) -> TaskTrackerToken {
        self.silent.token()
    }

    pub(crate) async fn shut(&self) {
        self.shut.cancelled().await;
    }

    pub(crate) async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// Drains until `idle` is done or the limit is reached, then closes. Who connects in between
    /// waits in the backlog of the listening socket.
    pub(crate) async fn end(&self, idle: impl Future<Output = ()>) {
        self.draining.cancel();
        if tokio::time::timeout(*self.limit, idle).await.is_err() {
            tracing::info!("closing with answers under way; the next start takes them over");
        }
        self.shut.cancel();
        self.silent.close();
        let _ = tokio::time::timeout(FIRST_WORD, self.silent.wait()).await;
        self.closing.cancel();
    }
}
