//! Error codes: one enum that knows each code's HTTP status and whether to try again (PROTOCOL B6).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fields::read;

/// What went wrong, for a machine. The sentence for a person goes beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    PayloadTooLarge,
    RateLimited,
    QuotaExceeded,
    /// Ten turns of this conversation wait already.
    ConversationBusy,
    /// The model, or the server that runs it, is not there.
    ModelUnavailable,
    ContextLengthExceeded,
    ContentFiltered,
    /// The provider refuses our key.
    ProviderAuth,
    ProviderRateLimited,
    ProviderOverloaded,
    ProviderTimeout,
    ProviderError,
    /// The provider's stream ended without saying that it ends.
    ProviderTruncated,
    /// The process that ran the generation died.
    OwnerLost,
    StorageUnavailable,
    /// The server is about to restart.
    Draining,
    /// A code that this build does not know, or a fault of ours.
    #[serde(other)]
    Internal,
}

impl ErrorCode {
    /// The HTTP status of a REST answer that carries this code.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ContextLengthExceeded | Self::ContentFiltered => 400,
            Self::Unauthorized => 401,
            Self::QuotaExceeded => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::ConversationBusy => 409,
            Self::PayloadTooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::ProviderAuth | Self::ProviderError | Self::ProviderTruncated => 502,
            Self::ModelUnavailable
            | Self::ProviderRateLimited
            | Self::ProviderOverloaded
            | Self::OwnerLost
            | Self::StorageUnavailable
            | Self::Draining => 503,
            Self::ProviderTimeout => 504,
        }
    }

    /// Whether the same request may succeed later, unchanged.
    pub fn retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::ConversationBusy
            | Self::ModelUnavailable
            | Self::ProviderRateLimited
            | Self::ProviderOverloaded
            | Self::ProviderTimeout
            | Self::ProviderError
            | Self::ProviderTruncated
            | Self::OwnerLost
            | Self::StorageUnavailable
            | Self::Draining
            | Self::Internal => true,
            Self::BadRequest
            | Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::Conflict
            | Self::PayloadTooLarge
            | Self::QuotaExceeded
            | Self::ContextLengthExceeded
            | Self::ContentFiltered
            | Self::ProviderAuth => false,
        }
    }

    /// Whether something may have happened before the error: a model may have been called and paid.
    /// A code without effects is an answer to a request that changed nothing.
    pub fn has_effects(self) -> bool {
        match self {
            Self::ContentFiltered
            | Self::ProviderTimeout
            | Self::ProviderError
            | Self::ProviderTruncated
            | Self::OwnerLost
            | Self::Internal => true,
            Self::BadRequest
            | Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::Conflict
            | Self::PayloadTooLarge
            | Self::RateLimited
            | Self::QuotaExceeded
            | Self::ConversationBusy
            | Self::ModelUnavailable
            | Self::ContextLengthExceeded
            | Self::ProviderAuth
            | Self::ProviderRateLimited
            | Self::ProviderOverloaded
            | Self::StorageUnavailable
            | Self::Draining => false,
        }
    }

    /// The code as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::ConversationBusy => "conversation_busy",
            Self::ModelUnavailable => "model_unavailable",
            Self::ContextLengthExceeded => "context_length_exceeded",
            Self::ContentFiltered => "content_filtered",
            Self::ProviderAuth => "provider_auth",
            Self::ProviderRateLimited => "provider_rate_limited",
            Self::ProviderOverloaded => "provider_overloaded",
            Self::ProviderTimeout => "provider_timeout",
            Self::ProviderError => "provider_error",
            Self::ProviderTruncated => "provider_truncated",
            Self::OwnerLost => "owner_lost",
            Self::StorageUnavailable => "storage_unavailable",
            Self::Draining => "draining",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The body of every REST answer that is not a success (PROTOCOL A5).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorBody {
    /// The code's name again, for clients that read only this field.
    pub error: String,
    /// One sentence that a person can act on.
    pub message: String,
    pub status_code: u16,
    pub code: ErrorCode,
    pub retryable: bool,
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

read! {
    ErrorBody { error, message, status_code, code, retryable, request_id, details }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_serde_writes_it() {
        for code in [ErrorCode::BadRequest, ErrorCode::ProviderRateLimited, ErrorCode::Internal] {
            let json = serde_json::to_value(code).unwrap();
            assert_eq!(json, code.as_str());
        }
    }

    #[test]
    fn an_unknown_code_reads_as_internal() {
        let code: ErrorCode = serde_json::from_str(r#""from_the_future""#).unwrap();
        assert_eq!(code, ErrorCode::Internal);
    }
}
