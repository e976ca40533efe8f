//! Commands on one generation (PROTOCOL B2).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use unbroken_protocol::GenerationReply;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, OptionalJson, PathId, Query};

/// `POST /ai/generations/{id}/stop`
pub(crate) async fn stop(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    OptionalJson(in_body): OptionalJson<Pair>,
) -> Result<JsonReply<GenerationReply>, ApiError> {
    let pair = Pair::new(
        in_body.session_id.or(in_query.session_id),
        in_body.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let generation_id = id.parse().map_err(|_| ApiError::not_found("generation"))?;
    let state = app.engine.stop(speaker.principal, generation_id).await?;
    Ok(JsonReply(GenerationReply { success: true, generation_id, state }))
}
