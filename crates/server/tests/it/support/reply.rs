//! The answer to a REST call that a test makes by hand.

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::soon;

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = soon(request.send()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: soon(response.text()).await.unwrap() }
    }

    /// The status of an answer whose body is no text.
    pub(crate) async fn status_of(request: RequestBuilder) -> StatusCode {
        soon(request.send()).await.unwrap().status()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// Asserts that this is a refusal with the whole body of PROTOCOL A5, and returns its sentence.
    pub(crate) fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!(body["error"], code, "{body}");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status_code"], status, "{body}");
        assert!(body["retryable"].is_boolean(), "{body}");
        let id = self.header("x-request-id");
        assert!(!id.is_empty());
        assert_eq!(body["request_id"], id, "{body}");
        let message = body["message"].as_str().unwrap();
        assert_sentence(message);
        message.to_owned()
    }
}

/// Something that a person can read.
pub(crate) fn assert_sentence(text: &str) {
    assert!(text.ends_with('.') || text.ends_with('?'), "a sentence has an end: {text}");
    assert!(text.starts_with(char::is_uppercase), "a sentence has a beginning: {text}");
}
