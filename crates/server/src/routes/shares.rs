//! Links by which anybody reads a copy of a conversation (PROTOCOL B5).

use std::net::SocketAddr;
use std::time::Instant;

use axum::Json as JsonReply;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use unbroken_engine::Refusal;
use unbroken_protocol::{
    ErrorCode, ShareList, ShareRequest, ShareRevoked, ShareView, SharedPage, path,
};
use unbroken_store::Share;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, OptionalJson, PathId, Query};
use crate::routes::conversations::parse;

/// Nothing but its own style.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const NOTE: &str = "A copy that somebody shared. Answers are written by a model and may be wrong.";

/// `POST /ai/conversations/{id}/shares`
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(id): PathId,
    Query(in_query): Query<Pair>,
    OptionalJson(body): OptionalJson<ShareRequest>,
) -> Result<JsonReply<ShareView>, ApiError> {
    let pair =
        Pair::new(body.session_id.or(in_query.session_id), body.device_id.or(in_query.device_id));
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    if !app.config.share.enabled {
        let message = "Links are switched off here. The operator can allow them in share.enabled.";
        return Err(ApiError::new(ErrorCode::Forbidden, message));
    }
    let share = app.engine.share(speaker.principal, parse(&id)?, body.keep).await?;
    Ok(JsonReply(view(&app, &headers, share)))
}

/// `GET /ai/shares`
pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<ShareList>, ApiError> {
    let speaker = auth::speaker(&app, &Method::GET, &headers, pair).await?;
    let shares = app.engine.shares(speaker.principal).await?;
    let shares = shares.into_iter().map(|share| view(&app, &headers, share)).collect();
    Ok(JsonReply(ShareList { shares }))
}

/// `DELETE /ai/shares/{id}`
pub(crate) async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    PathId(share_id): PathId,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<ShareRevoked>, ApiError> {
    let speaker = auth::speaker(&app, &Method::DELETE, &headers, pair).await?;
    app.engine.revoke(speaker.principal, &share_id).await?;
    Ok(JsonReply(ShareRevoked { success: true, share_id }))
}

/// `GET /share/{id}`: the link itself is the permission.
pub(crate) async fn page(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    PathId(id): PathId,
) -> Result<Response, ApiError> {
    app.shares.take(peer.ip(), Instant::now()).map_err(|wait| Refusal::TooMany { wait })?;
    let found = if app.config.share.enabled {
        app.engine.shared(&id).await
    } else {
        Err(Refusal::NotFound("share"))
    };
    match found {
        Ok(page) => Ok(html(StatusCode::OK, &page, NOTE)),
        Err(Refusal::NotFound(_)) => {
            let gone = SharedPage { title: "Nothing is shared here".into(), messages: Vec::new() };
            let note = "The link is wrong, or whoever shared it took it back.";
            Ok(html(StatusCode::NOT_FOUND, &gone, note))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// `GET /share/page.css`
pub(crate) async fn style() -> Response {
    let kind =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (kind, unbroken_archive::STYLE).into_response()
}

fn html(status: StatusCode, page: &SharedPage, note: &str) -> Response {
    let page = unbroken_archive::html_page(page, path::SHARED_STYLE, note);
    let mut response = (status, axum::response::Html(page)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CSP);
    // A link that was taken back opens nothing from then on, nowhere.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive"));
    response
}

fn view(app: &App, headers: &HeaderMap, share: Share) -> ShareView {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let base = match &app.config.http.public_url {
        Some(url) => url.to_string(),
        None => format!("http://{host}"),
    };
    ShareView {
        url: format!("{base}/share/{}", share.share_id),
        share_id: share.share_id,
        conversation_id: share.conversation_id,
        title: share.title,
        created_at: share.created_at,
        keep: share.keep,
    }
}
