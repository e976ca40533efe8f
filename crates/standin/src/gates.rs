//! Gates hold a stream at a token until a test opens them, so that no test needs to sleep.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// A gate that was opened stays open.
pub(crate) struct Gates {
    open: watch::Sender<BTreeSet<String>>,
}

impl Default for Gates {
    fn default() -> Self {
        Self { open: watch::Sender::new(BTreeSet::new()) }
    }
}

impl Gates {
    pub(crate) fn open(&self, name: &str) {
        self.open.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }

    /// Returns once the gate is open.
    pub(crate) async fn pass(&self, name: &str) {
        let mut open = self.open.subscribe();
        let opened = open.wait_for(|open| open.contains(name)).await.is_ok();
        assert!(opened, "the sender lives as long as these gates");
    }
}
