//! What went wrong at a model server, as a code and a sentence that a person can act on.
//!
//! A server's own words are searched for known causes and never shown: they may quote the
//! conversation or the key.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use unbroken_protocol::ErrorCode;

use super::wire::Fault;
use crate::Failure;
use crate::http::Unanswered;

/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A model server, as messages name it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// The address without credentials and query.
    pub(crate) shown: String,
    /// Where its key comes from: `OPENAI_API_KEY`, or the name of a setting.
    pub(crate) key_source: String,
    pub(crate) has_key: bool,
}

/// The answer of a server to one call that failed.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    /// The HTTP status; none when the fault came inside a stream that began well.
    pub(crate) status: Option<u16>,
    pub(crate) fault: Fault<'a>,
    pub(crate) is_web_page: bool,
    pub(crate) retry_after: Option<Duration>,
    /// The model that was asked for; none where the list of models was.
    pub(crate) model: Option<&'a str>,
}

impl Endpoint {
    /// The one place that decides which code a refusal is.
    pub(crate) fn refused(&self, refusal: &Refusal<'_>) -> Failure {
        let status = refusal.status.or(refusal.fault.status());
        let code = category(status, refusal);
        let server = format!("The model server at {}", self.shown);
        let message = match code {
            Category::WebPage => return self.web_page(),
            Category::ContextLength => {
                "The conversation is too long for this model. Start a new one, or choose a model \
                 with a longer context."
                    .into()
            }
            Category::ContentFilter => {
                format!("{server} refuses to answer this: its content filter does not allow it.")
            }
            Category::NoCredit => {
                format!("The account at {} has no credit left. Top it up there.", self.shown)
            }
            Category::NoModel => match refusal.model {
                Some(model) => {
                    format!("{server} has no model «{}». Choose another one.", brief(model))
                }
                None => format!("{server} has no models."),
            },
            Category::NoSuchPage => format!(
                "{server} has no chat completions there. Is the address (base URL) right? It \
                 usually ends in /v1."
            ),
            Category::Key if self.has_key => {
                format!("{server} refuses the API key. Check {}.", self.key_source)
            }
            Category::Key => format!("{server} asks for an API key. Set {}.", self.key_source),
            Category::RateLimit => match refusal.retry_after {
                Some(wait) => format!(
                    "{server} takes no more requests for now. Try again in {} s.",
                    wait.as_secs().max(1)
                ),
                None => format!("{server} takes no more requests for now. Try again in a minute."),
            },
            Category::Overload => {
                format!("{server} is busy or still loading the model. Try again in a moment.")
            }
            Category::Timeout => format!("{server} took too long. Try again."),
            Category::Redirect => format!(
                "{server} points to another address. Enter the final address as base URL; it \
                 usually ends in /v1."
            ),
            Category::BadRequest => {
                format!("{server} does not accept the request{}.", hint(&refusal.fault))
            }
            Category::Other => match status {
                Some(status) => {
                    format!(
                        "{server} reports an error (status {status}). Try again, or look at its log."
                    )
                }
                None => format!("{server} reports an error. Try again, or look at its log."),
            },
        };
        Failure { code: code.code(), message, retry_after: refusal.retry_after }
    }

    pub(crate) fn web_page(&self) -> Failure {
        self.failure(
            ErrorCode::ProviderError,
            "answered with a web page instead of a model's stream. Is the address (base URL) \
             right? It usually ends in /v1.",
        )
    }

    /// No connection, or none that lasted until the answer's head.
    pub(crate) fn unreachable(&self, why: Unanswered) -> Failure {
        match why {
            Unanswered::Timeout => self.failure(
                ErrorCode::ProviderTimeout,
                "does not take a connection. Is it reachable?",
            ),
            Unanswered::Refused => Failure {
                code: ErrorCode::ModelUnavailable,
                message: format!(
                    "The model server does not answer at {}. Is it running?",
                    self.shown
                ),
                retry_after: None,
            },
            Unanswered::Broken => {
                self.failure(ErrorCode::ProviderError, "closed the connection without an answer.")
            }
        }
    }

    pub(crate) fn silent(&self, silence: Duration) -> Failure {
        let said = format!("said nothing for {} s. Try again.", silence.as_secs().max(1));
        self.failure(ErrorCode::ProviderTimeout, &said)
    }

    pub(crate) fn truncated(&self) -> Failure {
        self.failure(ErrorCode::ProviderTruncated, "broke off in the middle of the answer.")
    }

    pub(crate) fn unreadable(&self) -> Failure {
        self.failure(
            ErrorCode::ProviderError,
            "sent something that is not a chat completion. Is the address (base URL) right?",
        )
    }

    fn failure(&self, code: ErrorCode, said: &str) -> Failure {
        let message = format!("The model server at {} {said}", self.shown);
        Failure { code, message, retry_after: None }
    }
}

/// What a refusal says about a means of going on that the request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This model does not do that.
    Never,
    /// The request as it is was not accepted, while the one without that was.
    NotThis,
    /// It failed as any call can.
    Other,
}

const MEANS_WORDS: [&str; 20] = [
    "prefill",
    "continue_final_message",
    "add_generation_prompt",
    "last message",
    "last role",
    "final message",
    "must end with a user",
    "alternate",
    "prefix",
    "trailing assistant",
    "assistant message at the end",
    "assistant messages at the end",
    "unknown field",
    "unknown_field",
    "unknown parameter",
    "unknown_parameter",
    "unrecognized",
    "extra_forbidden",
    "extra inputs",
    "extra fields",
];

impl Refusal<'_> {
    pub(crate) fn of_the_means(&self) -> Verdict {
        let is_refusal = matches!(self.status, Some(400 | 422));
        if !is_refusal || category(self.status, self) != Category::BadRequest {
            return Verdict::Other;
        }
        let Fault { code, kind, message, param, .. } = &self.fault;
        let words = format!("{code} {kind} {param} {message}").to_lowercase();
        if MEANS_WORDS.iter().any(|word| words.contains(word)) {
            Verdict::Never
        } else {
            Verdict::NotThis
        }
    }
}

/// How long a server asks to wait: seconds, or an HTTP date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Category {
    WebPage,
    ContextLength,
    ContentFilter,
    NoCredit,
    NoModel,
    NoSuchPage,
    Key,
    RateLimit,
    Overload,
    Timeout,
    Redirect,
    BadRequest,
    Other,
}

impl Category {
    fn code(self) -> ErrorCode {
        match self {
            Self::ContextLength => ErrorCode::ContextLengthExceeded,
            Self::ContentFilter => ErrorCode::ContentFiltered,
            Self::NoCredit => ErrorCode::QuotaExceeded,
            Self::NoModel | Self::NoSuchPage => ErrorCode::ModelUnavailable,
            Self::Key => ErrorCode::ProviderAuth,
            Self::RateLimit => ErrorCode::ProviderRateLimited,
            Self::Overload => ErrorCode::ProviderOverloaded,
            Self::Timeout => ErrorCode::ProviderTimeout,
            Self::BadRequest => ErrorCode::BadRequest,
            Self::WebPage | Self::Redirect | Self::Other => ErrorCode::ProviderError,
        }
    }
}

const CONTEXT_WORDS: [&str; 8] = [
    "context_length_exceeded",
    "exceed_context_size",
    "context length",
    "context window",
    "context size",
    "model_context_window_exceeded",
    "prompt is too long",
    "maximum number of tokens",
];
const FILTER_WORDS: [&str; 5] = [
    "content_filter",
    "content_policy",
    "content management policy",
    "responsibleaipolicy",
    "moderation",
];
const CREDIT_WORDS: [&str; 4] =
    ["insufficient_quota", "insufficient balance", "insufficient credit", "insufficient_balance"];
const MISSING_WORDS: [&str; 4] = ["not found", "not exist", "not a valid model", "no such model"];
const KEY_WORDS: [&str; 4] =
    ["invalid_api_key", "authentication_error", "incorrect api key", "invalid api key"];

fn category(status: Option<u16>, refusal: &Refusal<'_>) -> Category {
    let fault = &refusal.fault;
    let words = format!("{} {} {}", fault.code, fault.kind, fault.message).to_lowercase();
    let says = |list: &[&str]| list.iter().any(|word| words.contains(word));
    match status {
        // Their texts may speak of a context or a model and still mean the key or the pace.
        Some(401) => return Category::Key,
        Some(402) => return Category::NoCredit,
        Some(429) if says(&CREDIT_WORDS) => return Category::NoCredit,
        Some(429) => return Category::RateLimit,
        Some(200..=299 | 404 | 405) if refusal.is_web_page => return Category::WebPage,
        Some(300..=399) => return Category::Redirect,
        _ => {}
    }
    if says(&CONTEXT_WORDS) {
        return Category::ContextLength;
    }
    if says(&FILTER_WORDS) {
        return Category::ContentFilter;
    }
    if says(&CREDIT_WORDS) {
        return Category::NoCredit;
    }
    if says(&["model_not_found"]) || (words.contains("model") && says(&MISSING_WORDS)) {
        return Category::NoModel;
    }
    match status {
        Some(403) => Category::Key,
        Some(404 | 405) => Category::NoSuchPage,
        Some(408 | 504) => Category::Timeout,
        Some(413) => Category::ContextLength,
        Some(503 | 529) => Category::Overload,
        _ if says(&KEY_WORDS) => Category::Key,
        _ if says(&["rate_limit", "too many requests"]) => Category::RateLimit,
        _ if says(&["overloaded"]) => Category::Overload,
        Some(400..=499) => Category::BadRequest,
        _ => Category::Other,
    }
}

/// The names in a fault that cannot hold anything of the conversation.
fn hint(fault: &Fault<'_>) -> String {
    let is_name = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte))
    };
    let code = Some(fault.code.as_ref()).filter(|code| code.parse::<u16>().is_err());
    let names: Vec<&str> =
        [code, Some(&fault.param)].into_iter().flatten().filter(is_name).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(": ")) }
}

fn brief(model: &str) -> String {
    model.chars().filter(|char| !char.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::openai::wire;

    fn endpoint() -> Endpoint {
        Endpoint {
            shown: "http://127.0.0.1:9100/v1".into(),
            key_source: "OPENAI_API_KEY".into(),
            has_key: true,
        }
    }

    fn refused(status: u16, body: &str) -> Failure {
        endpoint().refused(&Refusal {
            status: Some(status),
            fault: wire::fault(body.as_bytes()),
            is_web_page: body.starts_with('<'),
            retry_after: None,
            model: Some("m"),
        })
    }

    #[test]
    fn a_status_and_a_body_give_a_code() {
        use ErrorCode::*;
        for (status, body, code) in [
            (401, "", ProviderAuth),
            (403, "", ProviderAuth),
            (401, "<html>", ProviderAuth),
            (402, "", QuotaExceeded),
            (404, "<html>", ProviderError),
            (200, "<html>", ProviderError),
            (404, "", ModelUnavailable),
            (404, r#"{"detail":"Not Found"}"#, ModelUnavailable),
            (404, r#"{"error":{"message":"x","code":"model_not_found"}}"#, ModelUnavailable),
            (
                400,
                r#"{"error":{"message":"m is not a valid model ID","code":400}}"#,
                ModelUnavailable,
            ),
            (
                400,
                r#"{"error":{"message":"x","code":"context_length_exceeded"}}"#,
                ContextLengthExceeded,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 9"}"#,
                ContextLengthExceeded,
            ),
            (
                400,
                r#"{"error":{"type":"exceed_context_size_error","message":"x"}}"#,
                ContextLengthExceeded,
            ),
            (400, r#"{"error":{"code":"content_filter","message":"x"}}"#, ContentFiltered),
            (400, r#"{"error":{"code":"unknown_parameter","message":"x"}}"#, BadRequest),
            (422, "", BadRequest),
            (413, "", ContextLengthExceeded),
            (429, "", ProviderRateLimited),
            (429, r#"{"error":{"code":"insufficient_quota","message":"x"}}"#, QuotaExceeded),
            (408, "", ProviderTimeout),
            (500, "", ProviderError),
            (502, "<html>", ProviderError),
            (503, "", ProviderOverloaded),
            (503, "<html>", ProviderOverloaded),
            (504, "", ProviderTimeout),
            (529, "", ProviderOverloaded),
            (307, "", ProviderError),
        ] {
            assert_eq!(refused(status, body).code, code, "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_of_the_means_is_told_from_others() {
        for (status, body, verdict) in [
            (
                400,
                r#"{"error":{"message":"This model does not support assistant message prefill. The
                    conversation must end with a user message."}}"#,
                Verdict::Never,
            ),
            (
                400,
                r#"{"object":"error","message":"Cannot set both `continue_final_message` and x"}"#,
                Verdict::Never,
            ),
            (
                400,
                r#"{"message":"Expected last role User or Tool for serving but got assistant"}"#,
                Verdict::Never,
            ),
            (422, r#"{"detail":[{"type":"extra_forbidden"}]}"#, Verdict::NotThis),
            (400, r#"{"error":{"code":"unknown_parameter","message":"x"}}"#, Verdict::Never),
            (400, "", Verdict::NotThis),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, Verdict::Other),
            (401, "", Verdict::Other),
            (429, "", Verdict::Other),
            (500, r#"{"error":{"message":"prefill"}}"#, Verdict::Other),
        ] {
            let body = body.replace('\n', " ");
            let refusal = Refusal {
                status: Some(status),
                fault: wire::fault(body.as_bytes()),
                is_web_page: false,
                retry_after: None,
                model: Some("m"),
            };
            assert_eq!(refusal.of_the_means(), verdict, "{status} {body}");
        }
    }

    #[test]
    fn sentences_say_what_to_do() {
        assert_eq!(
            refused(401, "").message,
            "The model server at http://127.0.0.1:9100/v1 refuses the API key. \
             Check OPENAI_API_KEY."
        );
        assert_eq!(
            refused(200, "<!doctype html>").message,
            "The model server at http://127.0.0.1:9100/v1 answered with a web page instead of a \
             model's stream. Is the address (base URL) right? It usually ends in /v1."
        );
        assert_eq!(
            refused(400, r#"{"error":{"code":"unsupported_value","param":"temperature"}}"#).message,
            "The model server at http://127.0.0.1:9100/v1 does not accept the request \
             (unsupported_value: temperature)."
        );
    }

    #[test]
    fn a_servers_own_words_are_not_shown() {
        let body = r#"{"error":{"message":"key sk-secret of prompt: my diary","code":"my diary"}}"#;
        for status in [400, 401, 403, 404, 429, 500, 503] {
            let message = refused(status, body).message;
            assert!(!message.contains("sk-secret") && !message.contains("diary"), "{message}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
            retry_after(&headers, now)
        };
        assert_eq!(wait("2"), Some(Duration::from_secs(2)));
        assert_eq!(wait("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Tue, 06 Nov 1984 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait("-1"), None);
        assert_eq!(wait("soon"), None);
    }
}
