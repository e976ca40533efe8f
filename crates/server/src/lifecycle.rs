//! From running to gone: first drain, then close.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// The two steps of an orderly end. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    /// No new turns; running answers finish.
    draining: CancellationToken,
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

    pub(crate) async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// Drains until `idle` is done or the limit is reached, then closes.
    pub(crate) async fn end(&self, idle: impl Future<Output = ()>) {
        self.draining.cancel();
        if tokio::time::timeout(*self.limit, idle).await.is_err() {
            tracing::info!("closing with answers under way; the next start takes them over");
        }
        self.closing.cancel();
    }
}
