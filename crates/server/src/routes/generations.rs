//! Commands on one generation (PROTOCOL B2).

use std::net::SocketAddr;

use axum::Json as JsonReply;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method};
use unbroken_protocol::{ContinueRequest, GenerationReply, RegenerateRequest, StartResponse};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, OptionalJson, PathId, Query};
use crate::routes::chat::{named, start_response};

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

/// `POST /ai/generations/{id}/continue`
pub(crate) async fn go_on(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    OptionalJson(request): OptionalJson<ContinueRequest>,
) -> Result<JsonReply<GenerationReply>, ApiError> {
    let pair = Pair::new(
        request.session_id.or(in_query.session_id),
        request.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let key = named(request.client_message_id);
    let id = id.parse().map_err(|_| ApiError::not_found("generation"))?;
    let generation_id = app.engine.go_on(speaker.principal, id, key).await?;
    let state = app.engine.log(speaker.principal, generation_id).await?.state();
    Ok(JsonReply(GenerationReply { success: true, generation_id, state }))
}

/// `POST /ai/messages/{user_message_id}/generate`: another answer beside those that are there.
pub(crate) async fn regenerate(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    OptionalJson(request): OptionalJson<RegenerateRequest>,
) -> Result<JsonReply<StartResponse>, ApiError> {
    let pair = Pair::new(
        request.session_id.or(in_query.session_id),
        request.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    app.check_start(peer.ip())?;
    let message = id.parse().map_err(|_| ApiError::not_found("message"))?;
    let (model, key) = (named(request.model_id), named(request.client_message_id));
    let (by, key) = (speaker.principal, key.as_deref());
    let started = if request.beside {
        app.engine.answer_beside(by, message, model, key).await?
    } else {
        app.engine.regenerate(by, message, model, key).await?
    };
    Ok(JsonReply(start_response(started.turn)))
}
