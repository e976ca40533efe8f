//! Errors of the REST calls: one type, one body (PROTOCOL A5, B6).

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
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
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, message: message.into(), details: None }
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
        Self::new(refusal.code(), refusal.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
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

    async fn from_request(mut request: Request, state: &S) -> Result<Self, ApiError> {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(error)) => {
                Err(ApiError::bad_request(format!("The body has a bad field: {}.", detail(&error))))
            }
            Err(JsonRejection::JsonSyntaxError(error)) => Err(ApiError::bad_request(format!(
                "The body is not valid JSON: {}.",
                detail(&error)
            ))),
            Err(other) if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ApiError::new(
                ErrorCode::PayloadTooLarge,
                "The request is too large. Send less at once.",
            )),
            Err(other) => Err(ApiError::bad_request(format!("The body cannot be read: {other}."))),
        }
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
