//! Device sessions (PROTOCOL A1).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Json as JsonReply;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{AppendHeaders, IntoResponse};
use subtle::ConstantTimeEq as _;
use unbroken_protocol::{DeviceSession, DeviceSessionRequest, ErrorCode, LinkCode, SessionId};
use unbroken_store::Session;

use crate::App;
use crate::auth::{self, Pair};
use crate::error::{ApiError, Json, Query};

/// `POST /auth/device-session`: renews a live session, else opens a new one.
pub(crate) async fn open(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(request): Json<DeviceSessionRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let Pair { session_id, device_id, .. } = Pair::new(request.session_id, request.device_id);
    let in_body = session_id.is_some();
    let named = session_id.or_else(|| auth::trusted_cookie(&app, &Method::POST, &headers));
    let live = match named {
        Some(id) => app.engine.session(&id).await?.map(|session| (id, session)),
        None => None,
    };
    if let (Some((_, session)), Some(device), true) = (&live, &device_id, in_body)
        && session.device_id != *device
    {
        return Err(ApiError::unauthorized());
    }
    let link_code = request.link_code.as_deref();
    let (session_id, session, message) = if let (Some((id, session)), None) = (live, link_code) {
        (id, session, "Session renewed.")
    } else {
        let device =
            device_id.ok_or_else(|| ApiError::bad_request("The field device_id is missing."))?;
        if link_code.is_none() {
            check_access_code(&app, peer.ip(), request.access_code.as_deref())?;
        }
        let (id, session) = app.engine.open_session(device, link_code).await?;
        (id, session, "Session created.")
    };
    let cookie = auth::set_cookie(&session_id, app.secure_cookies());
    let headers = AppendHeaders(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((headers, JsonReply(body(session_id, session, message))))
}

/// `GET /auth/device-session/validate`
pub(crate) async fn validate(
    State(app): State<App>,
    Query(pair): Query<Pair>,
) -> Result<JsonReply<DeviceSession>, ApiError> {
    let Pair { session_id, device_id, .. } = Pair::new(pair.session_id, pair.device_id);
    let session_id = session_id.ok_or_else(ApiError::unauthorized)?;
    let session = app.engine.session(&session_id).await?.ok_or_else(ApiError::unauthorized)?;
    if device_id.is_some_and(|device| device != session.device_id) {
        return Err(ApiError::unauthorized());
    }
    Ok(JsonReply(body(session_id, session, "Session is valid.")))
}

/// `POST /auth/link`: a code by which another device joins.
pub(crate) async fn link(
    State(app): State<App>,
    headers: HeaderMap,
    Json(pair): Json<Pair>,
) -> Result<JsonReply<LinkCode>, ApiError> {
    let speaker = auth::speaker(&app, &Method::POST, &headers, pair).await?;
    let (code, expires_at) = app.engine.link_code(speaker.principal).await?;
    Ok(JsonReply(LinkCode { code, expires_at }))
}

/// Who guesses is not heard for a while, not even with the right code.
fn check_access_code(app: &App, peer: IpAddr, given: Option<&str>) -> Result<(), ApiError> {
    let Some(wanted) = app.access_code() else { return Ok(()) };
    let given = given.unwrap_or_default();
    let guesses = (!given.is_empty() && app.patience.counts(peer)).then_some(&app.guesses);
    if let Some(Err(wait)) = guesses.map(|guesses| guesses.check(peer, Instant::now())) {
        let seconds = wait.as_secs() + 1;
        let message = format!(
            "Too many wrong access codes came from this address. Try again in {seconds} s."
        );
        return Err(asking(ApiError::too_many(message, wait)));
    }
    if bool::from(wanted.as_bytes().ct_eq(given.as_bytes())) {
        return Ok(());
    }
    if let Some(guesses) = guesses {
        let _ = guesses.count(peer, Instant::now());
    }
    let message = match given {
        "" => "This server asks for an access code. Its operator can tell you.",
        _ => "This access code is not right. Ask the server's operator for it.",
    };
    Err(asking(ApiError::new(ErrorCode::Unauthorized, message)))
}

fn asking(error: ApiError) -> ApiError {
    ApiError { details: Some(serde_json::json!({ "access_code_required": true })), ..error }
}

/// Quotas are off: the numbers say "as much as you like".
fn body(session_id: SessionId, session: Session, message: &str) -> DeviceSession {
    DeviceSession {
        session_id,
        device_id: session.device_id,
        expires_at: session.expires_at,
        max_conversations: 1_000_000,
        plan: "unlimited".into(),
        daily_credits: 1_000_000,
        credits_remaining: 1_000_000,
        message: message.into(),
    }
}
