//! Calls over a network that may have died in silence: the browser keeps connections for the next
//! call, and one that is dead does not say so. An answer that does not come is not waited for.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use unbroken_client::RestError;

use crate::dom;
use crate::writing::{FIRST_WAIT, LONGEST_WAIT, TRIES};

/// How long the next attempt may take: every one longer, as the last may have been slow, not dead.
pub(crate) struct Patience(Duration);

impl Patience {
    const LONGEST: Duration = Duration::from_mins(1);

    pub(crate) fn new() -> Self {
        Self(Duration::from_secs(3))
    }

    /// The answer of one attempt. What was sent may have taken effect though none came.
    pub(crate) async fn answer<T>(
        &mut self,
        call: impl Future<Output = Result<T, RestError>>,
    ) -> Result<T, RestError> {
        let (mut call, mut end) = (pin!(call), pin!(dom::sleep(self.0)));
        self.0 = (self.0 * 2).min(Self::LONGEST);
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => end.as_mut().poll(context).map(|()| Err(late())),
        })
        .await
    }
}

/// Makes a call, and again while the network fails: what it does it has to do only once.
pub(crate) async fn ask<T>(call: impl AsyncFn() -> Result<T, RestError>) -> Result<T, RestError> {
    let (mut patience, mut wait) = (Patience::new(), FIRST_WAIT);
    for _ in 1..TRIES {
        match patience.answer(call()).await {
            Err(RestError::Unreachable(_)) => dom::sleep(wait).await,
            outcome => return outcome,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    patience.answer(call()).await
}

fn late() -> RestError {
    RestError::Unreachable("no answer came in time".to_owned())
}
