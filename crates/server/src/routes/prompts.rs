//! A person's own prompts (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use unbroken_protocol::{Prompt, PromptId, PromptList, PromptRequest};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, PathId, Query};

/// `GET /ai/prompts`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<PromptList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(PromptList { prompts: app.engine.prompts(speaker.principal).await? }))
}

/// `PUT /ai/prompts/{id}`: a new prompt, or another text for one.
pub(crate) async fn put(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    Json(request): Json<PromptRequest>,
) -> Result<JsonReply<Prompt>, ApiError> {
    let pair = Pair::new(
        request.session_id.or(in_query.session_id),
        request.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::PUT, &headers, pair).await?;
    let id = id.parse().map_err(|_| ApiError::bad_request("A prompt's id is a UUID."))?;
    let prompt = app.engine.put_prompt(speaker.principal, id, &request.name, &request.text).await?;
    Ok(JsonReply(prompt))
}

/// `DELETE /ai/prompts/{id}`: answered with those that are left.
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<PromptList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    let id: PromptId = id.parse().map_err(|_| ApiError::not_found("prompt"))?;
    app.engine.delete_prompt(speaker.principal, id).await?;
    Ok(JsonReply(PromptList { prompts: app.engine.prompts(speaker.principal).await? }))
}
