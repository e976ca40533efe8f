//! Search (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use serde::Deserialize;
use unbroken_protocol::SearchPage;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Query};

/// What is searched for, and which part of what is found is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    q: String,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `GET /ai/search`
pub(crate) async fn search(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    Query(wanted): Query<Wanted>,
) -> Result<JsonReply<SearchPage>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let Wanted { q, limit, cursor } = wanted;
    let cursor = cursor.as_deref().filter(|cursor| !cursor.is_empty());
    Ok(JsonReply(app.engine.search(speaker.principal, &q, limit, cursor).await?))
}
