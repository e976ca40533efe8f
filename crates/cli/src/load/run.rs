//! What all parts of one load share.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Load;
use super::address::Address;
use super::tally::Tally;

pub(super) struct Run {
    pub(super) plan: Load,
    pub(super) address: Address,
    pub(super) model: String,
    pub(super) tally: Tally,
    /// When the first answer is asked for, once everybody is connected.
    go: watch::Sender<Option<Instant>>,
    /// Every connection is to be given up and opened again.
    cut: watch::Sender<bool>,
}

impl Run {
    pub(super) fn new(plan: Load, address: Address) -> Self {
        let readings = plan.answers.saturating_mul(plan.followers) as u64;
        Self {
            model: plan.model(),
            tally: Tally::new(readings, plan.tokens),
            plan,
            address,
            go: watch::Sender::default(),
            cut: watch::Sender::default(),
        }
    }

    pub(super) fn go(&self) {
        self.go.send_replace(Some(Instant::now()));
    }

    /// When answer `index` is to be asked for.
    pub(super) async fn turn(&self, index: usize) -> Instant {
        let mut go = self.go.subscribe();
        let go = go.wait_for(Option::is_some).await.ok().and_then(|go| *go);
        let count = u32::try_from(index).unwrap_or(u32::MAX);
        let between = Duration::from_secs(1) / self.plan.starts.max(1);
        go.unwrap_or_else(Instant::now) + between * count
    }

    pub(super) fn cut_everything(&self) {
        self.cut.send_replace(true);
    }

    pub(super) fn cuts(&self) -> watch::Receiver<bool> {
        self.cut.subscribe()
    }
}
