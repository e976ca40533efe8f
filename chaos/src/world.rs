//! What everybody in a run shares.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use unbroken_client::RestError;
use unbroken_protocol::{ErrorCode, GenerationId};
use unbroken_standin::Standin;

use crate::chronicle::Chronicle;
use crate::list::List;
use crate::oracle::{Failure, Harm};
use crate::tally::Tally;

/// How long after the last fault everything must have ended.
const PATIENCE: Duration = Duration::from_secs(75);
/// How long a call may take before it is given up.
pub(crate) const CALL: Duration = Duration::from_secs(5);

pub(crate) struct World {
    /// The server's address as clients see it: the proxy's, `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) standin: Standin,
    /// What was done to server and network.
    pub(crate) chronicle: Chronicle,
    pub(crate) tally: Tally,
    pub(crate) http: reqwest::Client,
    /// Nobody asks anything new.
    pub(crate) closing: CancellationToken,
    /// When the faults ended.
    pub(crate) calm: watch::Sender<Option<Instant>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) failures: Mutex<Vec<Failure>>,
    pub(crate) last: AtomicU64,
    pub(crate) fates: Mutex<Fates>,
    pub(crate) lists: Mutex<Vec<Arc<List>>>,
}

/// What was decided about answers, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    /// They had their verdict.
    pub(crate) judged: HashSet<GenerationId>,
    /// They were taken out of a queue, and must never be.
    pub(crate) removed: HashSet<GenerationId>,
}

/// Why a call came to nothing.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    /// `None` when nothing answered.
    pub(crate) code: Option<ErrorCode>,
    text: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&RestError> for Refused {
    fn from(error: &RestError) -> Self {
        let code = match error {
            RestError::Refused(body) => Some(body.code),
            _ => None,
        };
        Self { code, text: error.to_string() }
    }
}

impl World {
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn socket(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// The number of the next answer.
    pub(crate) fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn fail(&self, failure: Failure) {
        eprintln!("broken: {}", failure.title);
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
    }

    /// A failure of no single answer.
    pub(crate) fn fail_run(&self, title: &str) {
        self.fail(Failure { harm: Harm::Other, title: title.to_owned(), story: Vec::new() });
    }

    pub(crate) fn failures(&self) -> Vec<Failure> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether everything should have ended by now.
    pub(crate) fn is_overdue(&self) -> bool {
        self.calm.borrow().is_some_and(|since| since.elapsed() > PATIENCE)
    }

    pub(crate) fn fates(&self) -> MutexGuard<'_, Fates> {
        self.fates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lists(&self) -> Vec<Arc<List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Repeats a call until it is answered, as a person's client does. The error is a refusal that
    /// does not pass, or that nothing answers though all is calm.
    pub(crate) async fn insist<T, F>(&self, call: impl Fn() -> F) -> Result<T, Refused>
    where
        F: Future<Output = Result<T, RestError>>,
    {
        loop {
            let trouble = match timeout(CALL, call()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => {
                    let refused = Refused::from(&error);
                    self.count(&refused);
                    if !error.retryable() {
                        return Err(refused);
                    }
                    refused
                }
                Err(_) => Refused { code: None, text: format!("nothing came within {CALL:?}") },
            };
            if self.is_overdue() {
                return Err(trouble);
            }
            sleep(Duration::from_millis(150)).await;
        }
    }

    /// What a full disk refuses is expected; a fault of the server is not, though it may pass.
    pub(crate) fn count(&self, refused: &Refused) {
        match refused.code {
            Some(ErrorCode::StorageUnavailable) => self.tally.add("refused, disk full", 1),
            Some(ErrorCode::Internal) => self.fail_run("a call was answered with `internal`"),
            _ => {}
        }
    }
}
