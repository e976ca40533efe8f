//! Named sets of a person's files and of addresses of pages (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use unbroken_protocol::{CollectionId, CollectionInfo, CollectionList, CollectionRequest, FileId};
use unbroken_store::CollectionChange;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, PathId, PathIds, Query};

/// `POST /ai/collections`
pub(crate) async fn make(
    State(app): State<App>,
    headers: HeaderMap,
    Query(in_query): Query<Pair>,
    Json(request): Json<CollectionRequest>,
) -> Result<(StatusCode, JsonReply<CollectionInfo>), ApiError> {
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair(&request, in_query)).await?;
    let (name, urls) = (request.name.unwrap_or_default(), request.urls.unwrap_or_default());
    let made = app.engine.make_collection(speaker.principal, &name, urls).await?;
    Ok((StatusCode::CREATED, JsonReply(made)))
}

/// `GET /ai/collections`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<CollectionList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(app.engine.collections(speaker.principal).await?))
}

/// `GET /ai/collections/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<CollectionInfo>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(app.engine.collection(speaker.principal, parse(&id)?).await?))
}

/// `PATCH /ai/collections/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    Json(request): Json<CollectionRequest>,
) -> Result<JsonReply<CollectionInfo>, ApiError> {
    let speaker = auth::speaker(&app, &Method::PATCH, &headers, pair(&request, in_query)).await?;
    let (principal, id) = (speaker.principal, parse(&id)?);
    let change = CollectionChange { name: request.name, urls: request.urls };
    Ok(JsonReply(app.engine.change_collection(principal, id, change).await?))
}

/// `DELETE /ai/collections/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<StatusCode, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    app.engine.delete_collection(speaker.principal, parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /ai/collections/{id}/files/{file_id}`
pub(crate) async fn add(
    State(app): State<App>,
    headers: HeaderMap,
    PathIds(id, file): PathIds,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<CollectionInfo>, ApiError> {
    let speaker = auth::speaker(&app, &Method::PUT, &headers, pair).await?;
    let (id, file) = (parse(&id)?, parse_file(&file)?);
    Ok(JsonReply(app.engine.collect(speaker.principal, id, file).await?))
}

/// `DELETE /ai/collections/{id}/files/{file_id}`
pub(crate) async fn take_out(
    State(app): State<App>,
    headers: HeaderMap,
    PathIds(id, file): PathIds,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<CollectionInfo>, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    let (id, file) = (parse(&id)?, parse_file(&file)?);
    Ok(JsonReply(app.engine.uncollect(speaker.principal, id, file).await?))
}

fn pair(request: &CollectionRequest, in_query: Pair) -> Pair {
    Pair::new(
        request.session_id.clone().or(in_query.session_id),
        request.device_id.clone().or(in_query.device_id),
    )
}

/// An id that is no id names nothing.
fn parse(id: &str) -> Result<CollectionId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("collection"))
}

fn parse_file(id: &str) -> Result<FileId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("file"))
}
