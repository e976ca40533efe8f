//! Why the engine refuses a command.

use std::time::Duration;

use unbroken_protocol::ErrorCode;
use unbroken_store::StoreError;

/// Said to people while the store refuses to write.
pub(crate) const STORAGE_SENTENCE: &str = "The server cannot store anything right now: its disk may be full. It tries again by itself, \
     and nothing that you saw is lost.";

/// A command that was not carried out. Nothing has changed, but for a stop or a continuation that
/// [`Refusal::Storage`] refuses: it is carried out when it can be stored.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not there, or somebody else's: the two look the same (PROTOCOL B8.18).
    #[error("There is no such {0} here.")]
    NotFound(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Conflict(&'static str),
    #[error("The message is {bytes} bytes long, and at most {limit} are taken. Send it in parts.")]
    TooLong { bytes: usize, limit: usize },
    #[error("The file is too large. At most {} MiB are taken.", limit >> 20)]
    TooLarge { limit: u64 },
    #[error("Your files would take more than {} MiB. Delete some that you do not need.", quota >> 20)]
    Quota { quota: u64 },
    #[error("Too many messages came from this address. Try again in {} s.", wait.as_secs() + 1)]
    TooMany { wait: Duration },
    #[error("Other messages of this conversation wait already. Wait for an answer to end.")]
    Busy,
    #[error("Another answer of this conversation is being written. Wait for its end, or stop it.")]
    Running,
    #[error("This device's session is not known or has expired. Reload the page to get a new one.")]
    Unauthorized,
    #[error("{STORAGE_SENTENCE}")]
    Storage,
    #[error("The server is about to restart. Try again in a moment.")]
    Draining,
    #[error("Something went wrong in the server. Its log says what.")]
    Internal,
}

impl Refusal {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::BadRequest(_) => ErrorCode::BadRequest,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::TooLong { .. } | Self::TooLarge { .. } => ErrorCode::PayloadTooLarge,
            Self::Quota { .. } => ErrorCode::QuotaExceeded,
            Self::TooMany { .. } => ErrorCode::RateLimited,
            Self::Busy | Self::Running => ErrorCode::ConversationBusy,
            Self::Unauthorized => ErrorCode::Unauthorized,
            Self::Storage => ErrorCode::StorageUnavailable,
            Self::Draining => ErrorCode::Draining,
            Self::Internal => ErrorCode::Internal,
        }
    }
}

/// A read that fails is told to the person as a store that is not there; the log says why.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "failed to read from the store");
        Self::Storage
    }
}
