//! Colours of code (PROTOCOL B5).

use axum::Json as JsonReply;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use unbroken_protocol::limits::{HIGHLIGHT_BLOCKS, HIGHLIGHT_BYTES};
use unbroken_protocol::{ErrorCode, HighlightRequest, Highlighted};

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json};

/// `POST /ai/highlight`
pub(crate) async fn highlight(
    State(app): State<App>,
    headers: HeaderMap,
    Json(request): Json<HighlightRequest>,
) -> Result<JsonReply<Highlighted>, ApiError> {
    let pair = Pair::new(request.session_id, request.device_id);
    auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let bytes = request.blocks.iter().map(|block| block.code.len() + block.language.len());
    if request.blocks.len() > HIGHLIGHT_BLOCKS || bytes.sum::<usize>() > HIGHLIGHT_BYTES {
        let message = "This is too much code at once. Send less.";
        return Err(ApiError::new(ErrorCode::PayloadTooLarge, message));
    }
    Ok(JsonReply(Highlighted { blocks: app.highlighter.colour(request.blocks).await }))
}
