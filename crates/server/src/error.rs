//! Errors of the REST calls: one type, one body (PROTOCOL A5, B6).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use unbroken_engine::Refusal;
use unbroken_protocol::{ErrorBody, ErrorCode};

use crate::guard::RequestId;

/// A request that was refused. Becomes the body of PROTOCOL A5 on its way out.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) details: Option<serde_json::Value>,
    /// When it is worth to try again, where that is known.
    pub(crate) retry_after: Option<Duration>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, message: message.into(), details: None, retry_after: None }
    }

    /// Too much came from one address or person at once.
    pub(crate) fn too_many(message: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(ErrorCode::RateLimited, message) }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Refusal::Unauthorized.into()
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Refusal::NotFound(what).into()
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let retry_after = match refusal {
            Refusal::TooMany { wait } => Some(wait),
            _ => None,
        };
        Self { retry_after, ..Self::new(refusal.code(), refusal.to_string()) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        }
        // The body needs the request's id: `render_errors` writes it.
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: gives every refused request its body, with the request's id.
pub(crate) async fn render_errors(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let request_id = id.map(|id| id.as_str().to_owned()).unwrap_or_default();
    if error.status.is_server_error() {
        tracing::warn!(request.id = %request_id, code = %error.code, "refused: {}", error.message);
    }
    let body = ErrorBody {
        error: error.code.as_str().into(),
        message: error.message,
        status_code: error.status.as_u16(),
        code: error.code,
        retryable: error.code.retryable(),
        request_id,
        details: error.details,
    };
    let mut rendered = (error.status, axum::Json(body)).into_response();
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

/// A JSON body, whatever content type it claims to have; refusals are ours.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        parse(&body(request, state).await?).map(Self)
    }
}

/// A JSON body that may be missing.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = body(request, state).await?;
        if body.trim_ascii().is_empty() { Ok(Self(T::default())) } else { parse(&body).map(Self) }
    }
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|error| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = "The request is too large. Send less at once.";
            return ApiError::new(ErrorCode::PayloadTooLarge, message);
        }
        ApiError::bad_request(format!("The body cannot be read: {}.", detail(&error)))
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let wrong = if error.is_data() { "has a bad field" } else { "is not valid JSON" };
        ApiError::bad_request(format!("The body {wrong}: {error}."))
    })
}

/// The id in an address. One that is no text names nothing, as an empty one does.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(id.map(|Path(id)| id).unwrap_or_default()))
    }
}

/// The two ids in an address. Those that are no text name nothing, as empty ones do.
pub(crate) struct PathIds(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathIds {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let ids = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (outer, inner) = ids.map(|Path(ids)| ids).unwrap_or_default();
        Ok(Self(outer, inner))
    }
}

/// What serde says, without the extractor's words around it.
fn detail(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The query, with refusals that are ours.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => Err(
                ApiError::bad_request(format!("The query has a bad field: {}.", detail(&error))),
            ),
            Err(other) => Err(ApiError::bad_request(format!("The query cannot be read: {other}."))),
        }
    }
}
