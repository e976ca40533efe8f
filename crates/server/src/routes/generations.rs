//! Commands on one generation (PROTOCOL B2).

use axum::Json as JsonReply;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use unbroken_protocol::GenerationReply;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Query};

/// `POST /ai/generations/{id}/stop`
pub(crate) async fn stop(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(in_query): Query<Pair>,
    body: Bytes,
) -> Result<JsonReply<GenerationReply>, ApiError> {
    let in_body = pair_of(&body)?;
    let pair = Pair::new(
        in_body.session_id.or(in_query.session_id),
        in_body.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let generation_id = id.parse().map_err(|_| ApiError::not_found("generation"))?;
    let state = app.engine.stop(speaker.principal, generation_id).await?;
    Ok(JsonReply(GenerationReply { success: true, generation_id, state }))
}

/// A command may come without a body.
fn pair_of(body: &[u8]) -> Result<Pair, ApiError> {
    if body.trim_ascii().is_empty() {
        return Ok(Pair::default());
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_request(format!("The body has a bad field: {error}.")))
}
