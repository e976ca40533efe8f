//! Files that arrive in several goes (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde::Deserialize;
use unbroken_engine::{Going, Refusal, Stored};
use unbroken_protocol::{ErrorCode, Received, UploadId};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, PathId, Query};
use crate::routes::files::media_type;

/// Which bytes of which file come.
#[derive(Debug, Deserialize)]
pub(crate) struct Stretch {
    name: String,
    at: u64,
    total: u64,
}

/// `PUT /ai/uploads/{id}`: the body is the file from `at` on, or a part of that. What came stays
/// when the request breaks off.
pub(crate) async fn put(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(Stretch { name, at, total }): Query<Stretch>,
    body: Body,
) -> Result<Response, ApiError> {
    let speaker = auth::speaker(&app, &Method::PUT, &headers, pair).await?;
    let id = id.parse().map_err(|_| ApiError::bad_request("The id of an upload is a UUID."))?;
    let mut piece = match app.engine.go_on_with_upload(speaker.principal, id, at, total).await? {
        Going::On(piece) => piece,
        Going::There(stored) => return Ok(whole(stored)),
    };
    let mut body = body.into_data_stream();
    loop {
        let next = tokio::select! {
            biased;
            () = piece.ended() => return Err(ApiError::new(
                ErrorCode::Conflict,
                "Another request goes on with this file, or it was given up.",
            )),
            // Sooner than the body: the rest can come to the next server.
            () = app.lifecycle.closed() => return Err(Refusal::Draining.into()),
            next = body.next() => next,
        };
        let Some(bytes) = next else { break };
        let bytes = bytes.map_err(|_| {
            let message = "The file broke off. Ask how much of it came, and send the rest.";
            ApiError::new(ErrorCode::Conflict, message)
        })?;
        piece.write(bytes).await?;
    }
    if !piece.is_whole() {
        let received = Received { received: piece.received() };
        return Ok((StatusCode::ACCEPTED, JsonReply(received)).into_response());
    }
    Ok(whole(app.engine.finish_upload(piece, &name, media_type).await?))
}

fn whole(stored: Stored) -> Response {
    let status = if stored.repeated { StatusCode::OK } else { StatusCode::CREATED };
    (status, JsonReply(stored.file)).into_response()
}

/// `GET /ai/uploads/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<Received>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let received = app.engine.received(speaker.principal, parse(&id)?).await?;
    Ok(JsonReply(Received { received }))
}

/// `DELETE /ai/uploads/{id}`: may be repeated.
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<StatusCode, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    app.engine.give_up_upload(speaker.principal, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An id that is no id names nothing.
fn parse(id: &str) -> Result<UploadId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("upload"))
}
