//! Every text of the app, each by a function. They come from `locales/`, whose `en.ftl` says how to
//! add one; here is what needs more than a message.

use unbroken_protocol::ErrorCode;

use crate::language::translated;

pub use messages::*;

#[expect(clippy::inline_always, reason = "a call of such a function is smaller than the function")]
mod messages {
    use crate::language::{Message, Value, filled, text};

    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// Where each message is in the table of a language.
#[expect(dead_code, reason = "few are asked for by their place")]
mod places {
    include!(concat!(env!("OUT_DIR"), "/places.rs"));
}

/// The same in every language.
pub const APP: &str = "Unbroken";

/// A number of bytes, rounded up.
pub fn size(bytes: usize) -> String {
    let bytes = bytes as u64;
    match bytes {
        0..1024 => size_bytes(bytes),
        1024..1_048_576 => size_kib(bytes.div_ceil(1024)),
        _ => size_mib(bytes.div_ceil(1_048_576)),
    }
}

/// How much a model reads at once.
pub fn context_length(tokens: u64) -> String {
    match tokens {
        0..1000 => token_count(tokens),
        1000..1_000_000 => thousand_tokens(tokens / 1000),
        _ => million_tokens(tokens / 1_000_000),
    }
}

/// A number in thousands, when it is so large.
pub fn rounded(number: u64) -> String {
    if number < 1000 { number.to_string() } else { thousands(number / 1000) }
}

/// What a person can do about an error that came without a sentence.
pub fn error(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadRequest => error_bad_request(),
        ErrorCode::Unauthorized => error_unauthorized(),
        ErrorCode::Forbidden => error_forbidden(),
        ErrorCode::NotFound => error_not_found(),
        ErrorCode::Conflict => error_conflict(),
        ErrorCode::PayloadTooLarge => error_payload_too_large(),
        ErrorCode::RateLimited => error_rate_limited(),
        ErrorCode::QuotaExceeded => error_quota_exceeded(),
        ErrorCode::ConversationBusy => error_conversation_busy(),
        ErrorCode::ModelUnavailable => error_model_unavailable(),
        ErrorCode::ContextLengthExceeded => error_context_length_exceeded(),
        ErrorCode::ContentFiltered => error_content_filtered(),
        ErrorCode::ProviderAuth => error_provider_auth(),
        ErrorCode::ProviderRateLimited => error_provider_rate_limited(),
        ErrorCode::ProviderOverloaded => error_provider_overloaded(),
        ErrorCode::ProviderTimeout => error_provider_timeout(),
        ErrorCode::ProviderError => error_provider_error(),
        ErrorCode::ProviderTruncated => error_provider_truncated(),
        ErrorCode::OwnerLost => error_owner_lost(),
        ErrorCode::StorageUnavailable => error_storage_unavailable(),
        ErrorCode::Draining => error_draining(),
        ErrorCode::Internal => error_internal(),
    }
}

/// What is shown of an error that came with the server's sentence, which is English: that, or in
/// another language ours, where the code says as much (PROTOCOL B6).
pub fn told(code: ErrorCode, sentence: &str) -> &str {
    // By its place, as the first view shall not carry what `error` says in English.
    let place = match code {
        // What was bad, not found or in conflict, only the server knows.
        ErrorCode::BadRequest
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::PayloadTooLarge => return sentence,
        ErrorCode::Unauthorized => places::ERROR_UNAUTHORIZED,
        ErrorCode::RateLimited => places::ERROR_RATE_LIMITED,
        ErrorCode::QuotaExceeded => places::ERROR_QUOTA_EXCEEDED,
        ErrorCode::ConversationBusy => places::ERROR_CONVERSATION_BUSY,
        ErrorCode::ModelUnavailable => places::ERROR_MODEL_UNAVAILABLE,
        ErrorCode::ContextLengthExceeded => places::ERROR_CONTEXT_LENGTH_EXCEEDED,
        ErrorCode::ContentFiltered => places::ERROR_CONTENT_FILTERED,
        ErrorCode::ProviderAuth => places::ERROR_PROVIDER_AUTH,
        ErrorCode::ProviderRateLimited => places::ERROR_PROVIDER_RATE_LIMITED,
        ErrorCode::ProviderOverloaded => places::ERROR_PROVIDER_OVERLOADED,
        ErrorCode::ProviderTimeout => places::ERROR_PROVIDER_TIMEOUT,
        ErrorCode::ProviderError => places::ERROR_PROVIDER_ERROR,
        ErrorCode::ProviderTruncated => places::ERROR_PROVIDER_TRUNCATED,
        ErrorCode::OwnerLost => places::ERROR_OWNER_LOST,
        ErrorCode::StorageUnavailable => places::ERROR_STORAGE_UNAVAILABLE,
        ErrorCode::Draining => places::ERROR_DRAINING,
        ErrorCode::Internal => places::ERROR_INTERNAL,
    };
    translated(place).unwrap_or(sentence)
}

/// The title of the browser's tab.
pub fn page_title(conversation: Option<&str>) -> String {
    match conversation.filter(|title| !title.is_empty()) {
        Some(title) => format!("{title} · {APP}"),
        None => APP.to_owned(),
    }
}
