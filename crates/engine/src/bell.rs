//! What wakes a task, and for which of its reasons: a task that is woken for every token must not
//! ask everything else that it waits for as well.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Wakes the one task that waits for it. A ring that comes before the task waits is kept; several
/// are one.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    task: AtomicWaker,
}

impl Bell {
    pub fn ring(&self) {
        // Who did not hear the last one yet will not miss this one.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
    }

    /// Ready once for all rings since it was ready last; if there were none, the next wakes the
    /// task of `context`.
    pub fn poll_rung(&self, context: &Context<'_>) -> Poll<()> {
        if self.take() {
            return Poll::Ready(());
        }
        self.task.register(context.waker());
        // Once more: it may have rung in between.
        if self.take() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn take(&self) -> bool {
        self.rung.load(Ordering::Relaxed) && self.rung.swap(false, Ordering::AcqRel)
    }

    /// Waits for a ring. Cancel safe.
    pub async fn rung(&self) {
        poll_fn(|context| self.poll_rung(context)).await;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// Polls what seldom happens when it was woken itself, and not whenever its task was.
#[derive(Debug)]
pub struct Seldom {
    bell: Arc<Bell>,
    /// Rings the bell.
    waker: Waker,
}

impl Default for Seldom {
    fn default() -> Self {
        let bell = Arc::new(Bell::default());
        // The first poll is due.
        bell.ring();
        Self { waker: Waker::from(Arc::clone(&bell)), bell }
    }
}

impl Seldom {
    /// Polls with `poll`, if anything that it polled before has woken; after it was ready it is
    /// polled again, as something else may be.
    pub fn poll<T>(
        &self,
        context: &Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Until nothing has woken, so that the next does.
        while self.bell.poll_rung(context).is_ready() {
            let polled = poll(&mut Context::from_waker(&self.waker));
            if polled.is_ready() {
                self.bell.ring();
                return polled;
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    /// Counts how often its task was woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn rings_are_kept_and_several_are_one() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.rung().await;
        assert_eq!(bell.rung().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_task_that_waits_is_woken_from_another() {
        let bell = Arc::new(Bell::default());
        for _ in 0..1000 {
            let rings = Arc::clone(&bell);
            let other = tokio::spawn(async move { rings.ring() });
            bell.rung().await;
            other.await.unwrap();
        }
    }

    #[test]
    fn what_seldom_happens_is_polled_only_when_it_woke() {
        let (count, seldom) = (Arc::new(Wakes::default()), Seldom::default());
        let waker = Waker::from(Arc::clone(&count));
        let context = Context::from_waker(&waker);
        let (send, mut receive) = oneshot::channel();
        let mut polls = 0;
        let mut poll = || {
            seldom.poll(&context, |context| {
                polls += 1;
                receive.poll_unpin(context).map(Result::unwrap)
            })
        };
        for _ in 0..5 {
            assert_eq!(poll(), Poll::Pending);
        }
        send.send("now").unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(), Poll::Ready("now"));
        assert_eq!(polls, 2, "at first, and when it woke");
    }

    #[test]
    fn after_one_was_ready_all_are_polled_again() {
        let seldom = Seldom::default();
        let context = Context::from_waker(Waker::noop());
        let mut left = 2;
        let mut poll = || {
            seldom.poll(&context, |_| {
                if left == 0 {
                    return Poll::Pending;
                }
                left -= 1;
                Poll::Ready(left)
            })
        };
        assert_eq!([poll(), poll(), poll()], [Poll::Ready(1), Poll::Ready(0), Poll::Pending]);
    }
}
