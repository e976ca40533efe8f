//! Files that are brought in (PROTOCOL B5).

use std::path::Path;

use axum::Json as JsonReply;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use futures_util::StreamExt as _;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use unbroken_protocol::{ErrorCode, ImportList, ImportView};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, PathId, Query};

/// `POST /ai/imports`: the body is the file. It goes to the disk as it comes.
pub(crate) async fn begin(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
    body: Body,
) -> Result<(StatusCode, JsonReply<ImportView>), ApiError> {
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let new = app.engine.new_import(speaker.principal).await?;
    store(&app, body, new.path()).await?;
    Ok((StatusCode::ACCEPTED, JsonReply(app.engine.begin_import(new).await?)))
}

/// `GET /ai/imports`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<ImportList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    Ok(JsonReply(app.engine.imports(speaker.principal).await?))
}

/// `GET /ai/imports/{id}`
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<ImportView>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let id = id.parse().map_err(|_| ApiError::not_found("import"))?;
    Ok(JsonReply(app.engine.import(speaker.principal, id).await?))
}

async fn store(app: &App, body: Body, path: &Path) -> Result<(), ApiError> {
    let limit = app.config.limits.import_bytes.get();
    let failed = |error: std::io::Error| {
        tracing::error!(error = %error, "failed to store a file");
        ApiError::new(ErrorCode::StorageUnavailable, "The server cannot store this file now.")
    };
    let mut file = File::create_new(path).await.map_err(failed)?;
    let (mut body, mut bytes) = (body.into_data_stream(), 0);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| {
            ApiError::bad_request("The file did not arrive as a whole. Send it once more.")
        })?;
        bytes += piece.len();
        if bytes > limit {
            let message = format!("The file is too large. At most {} MiB are taken.", limit >> 20);
            return Err(ApiError::new(ErrorCode::PayloadTooLarge, message));
        }
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)
}
