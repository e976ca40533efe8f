//! History (PROTOCOL A5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use serde::Deserialize;
use unbroken_engine::{Delete, Page};
use unbroken_protocol::{
    ConversationDeleted, ConversationId, ConversationList, ConversationPage, ConversationPatch,
    ConversationSummary, DELETE_EVERYTHING, DeleteEverything, EverythingDeleted,
};
use unbroken_store::Shelf;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, OptionalJson, PathId, Query};

/// A part of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Window {
    limit: Option<u32>,
    cursor: Option<String>,
    before: Option<String>,
    leaf: Option<String>,
}

/// Which list is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    archived: bool,
    /// Only what is pinned or in a folder.
    #[serde(default)]
    kept: bool,
}

impl Wanted {
    fn shelf(&self) -> Shelf {
        match self {
            Self { archived: true, .. } => Shelf::Archived,
            Self { kept: true, .. } => Shelf::Kept,
            _ => Shelf::Listed,
        }
    }
}

/// `GET /ai/conversations`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    Query(window): Query<Window>,
    Query(wanted): Query<Wanted>,
) -> Result<JsonReply<ConversationList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let cursor = window.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let (limit, shelf) = (window.limit, wanted.shelf());
    Ok(JsonReply(app.engine.conversations(speaker.principal, shelf, limit, cursor).await?))
}

/// `GET /ai/conversations/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(window): Query<Window>,
) -> Result<JsonReply<ConversationPage>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let page = Page {
        limit: window.limit,
        before: window.before.filter(|before| !before.is_empty()),
        leaf: window.leaf.filter(|leaf| !leaf.is_empty()),
    };
    let page = app.engine.conversation(speaker.principal, parse(&id)?, page).await?;
    Ok(JsonReply(page))
}

/// `PATCH /ai/conversations/{id}`
pub(crate) async fn patch(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    Json(patch): Json<PatchBody>,
) -> Result<JsonReply<ConversationSummary>, ApiError> {
    let pair = Pair::new(
        patch.pair.session_id.or(in_query.session_id),
        patch.pair.device_id.or(in_query.device_id),
    );
    let speaker = auth::speaker(&app, &Method::PATCH, &headers, pair).await?;
    let id = parse(&id)?;
    app.engine.change(speaker.principal, id, patch.patch).await?;
    Ok(JsonReply(app.engine.conversation_summary(speaker.principal, id).await?))
}

/// A change with the pair beside it.
#[derive(Debug, Deserialize)]
pub(crate) struct PatchBody {
    #[serde(flatten)]
    pair: Pair,
    #[serde(flatten)]
    patch: ConversationPatch,
}

/// `DELETE /ai/conversations/{id}`
pub(crate) async fn delete(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
    Query(Deleting { now }): Query<Deleting>,
) -> Result<JsonReply<ConversationDeleted>, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    let conversation_id = parse(&id)?;
    let how = if now { Delete::Erase } else { Delete::Hide };
    app.engine.delete(speaker.principal, conversation_id, how).await?;
    Ok(JsonReply(ConversationDeleted { success: true, conversation_id }))
}

/// `DELETE /ai/conversations`: everything that a person has here.
pub(crate) async fn delete_all(
    State(app): State<App>,
    headers: HeaderMap,
    Query(in_query): Query<Pair>,
    OptionalJson(body): OptionalJson<DeleteEverything>,
) -> Result<JsonReply<EverythingDeleted>, ApiError> {
    let pair =
        Pair::new(body.session_id.or(in_query.session_id), body.device_id.or(in_query.device_id));
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    if body.confirm != DELETE_EVERYTHING {
        return Err(ApiError::bad_request(format!(
            "To delete everything, the field confirm says \"{DELETE_EVERYTHING}\"."
        )));
    }
    let conversations = app.engine.delete_everything(speaker.principal).await?;
    Ok(JsonReply(EverythingDeleted { success: true, conversations }))
}

/// Whether there is no way back.
#[derive(Debug, Deserialize)]
pub(crate) struct Deleting {
    #[serde(default)]
    now: bool,
}

/// `POST /ai/conversations/{id}/restore`
pub(crate) async fn restore(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    OptionalJson(pair): OptionalJson<Pair>,
) -> Result<JsonReply<ConversationSummary>, ApiError> {
    let pair =
        Pair::new(pair.session_id.or(in_query.session_id), pair.device_id.or(in_query.device_id));
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let id = parse(&id)?;
    app.engine.restore(speaker.principal, id).await?;
    Ok(JsonReply(app.engine.conversation_summary(speaker.principal, id).await?))
}

/// An id that is no id names nothing.
pub(crate) fn parse(id: &str) -> Result<ConversationId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("conversation"))
}
