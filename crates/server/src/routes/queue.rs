//! The turns that wait in a conversation (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use unbroken_engine::Speaker;
use unbroken_protocol::{ConversationId, GenerationId, QueueList, QueuePatch};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, PathId, PathIds, Query};
use crate::routes::conversations::parse;

/// `GET /ai/conversations/{id}/queue`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<QueueList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    reply(&app, &speaker, parse(&id)?).await
}

/// `PATCH /ai/conversations/{id}/queue/{queue_id}`: another text for a turn that waits.
pub(crate) async fn patch(
    State(app): State<App>,
    headers: HeaderMap,
    ids: PathIds,
    Query(in_query): Query<Pair>,
    Json(patch): Json<QueuePatch>,
) -> Result<JsonReply<QueueList>, ApiError> {
    let pair =
        Pair::new(patch.session_id.or(in_query.session_id), patch.device_id.or(in_query.device_id));
    let speaker = auth::speaker(&app, &Method::PATCH, &headers, pair).await?;
    let (conversation, queued) = place(&app, &speaker, ids).await?;
    app.engine.edit_queued(speaker.principal, queued, &patch.message).await?;
    reply(&app, &speaker, conversation).await
}

/// `DELETE /ai/conversations/{id}/queue/{queue_id}`: takes a turn that waits out.
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    ids: PathIds,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<QueueList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    let (conversation, queued) = place(&app, &speaker, ids).await?;
    app.engine.remove_queued(speaker.principal, queued).await?;
    reply(&app, &speaker, conversation).await
}

/// The conversation and the turn that an address names; they must belong together.
async fn place(
    app: &App,
    speaker: &Speaker,
    PathIds(conversation, queued): PathIds,
) -> Result<(ConversationId, GenerationId), ApiError> {
    let conversation = parse(&conversation)?;
    let missing = || ApiError::not_found("message");
    let queued = queued.parse().map_err(|_| missing())?;
    let log = app.engine.log(speaker.principal, queued).await?;
    if log.identity.conversation_id != conversation {
        return Err(missing());
    }
    Ok((conversation, queued))
}

async fn reply(
    app: &App,
    speaker: &Speaker,
    conversation_id: ConversationId,
) -> Result<JsonReply<QueueList>, ApiError> {
    let items = app.engine.queue_of(speaker.principal, conversation_id).await?;
    Ok(JsonReply(QueueList { conversation_id, items }))
}
