//! Who speaks: by the pair in body or query, by bearer token, or by cookie (PROTOCOL A1).

use axum::http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use unbroken_engine::Speaker;
use unbroken_protocol::{DeviceId, RequestType, SessionId};

use crate::App;
use crate::error::ApiError;

const COOKIE: &str = "unbroken_session";
/// As long as a session lives after its last use: 400 days, in seconds.
const COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// The pair, as it comes in a body or a query.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Pair {
    pub(crate) session_id: Option<SessionId>,
    pub(crate) device_id: Option<DeviceId>,
    #[serde(rename = "request_type")]
    pub(crate) _request_type: Option<RequestType>,
}

impl Pair {
    pub(crate) fn new(session_id: Option<SessionId>, device_id: Option<DeviceId>) -> Self {
        // Clients that have none yet send empty texts.
        let session_id = session_id.filter(|session| !session.reveal().is_empty());
        let device_id = device_id.filter(|device| !device.0.is_empty());
        Self { session_id, device_id, _request_type: None }
    }
}

/// Who makes a REST request.
///
/// # Errors
/// `unauthorized` when nothing identifies, or what identifies is not valid.
pub(crate) async fn speaker(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    pair: Pair,
) -> Result<Speaker, ApiError> {
    let Pair { session_id, device_id, .. } = Pair::new(pair.session_id, pair.device_id);
    let session_id = session_id
        .or_else(|| bearer(headers))
        .or_else(|| trusted_cookie(app, method, headers))
        .ok_or_else(ApiError::unauthorized)?;
    Ok(app.engine.authenticate(&session_id, device_id.as_ref()).await?)
}

/// Who opened a socket, if its upgrade already says so.
pub(crate) async fn speaker_of_upgrade(app: &App, headers: &HeaderMap) -> Option<Speaker> {
    let session_id = bearer(headers).or_else(|| trusted_cookie(app, &Method::POST, headers))?;
    app.engine.authenticate(&session_id, None).await.ok()
}

/// The cookie's session. A request that could have been made by a foreign page does not count.
pub(crate) fn trusted_cookie(app: &App, method: &Method, headers: &HeaderMap) -> Option<SessionId> {
    let session_id = cookie(headers)?;
    let reads_only = matches!(*method, Method::GET | Method::HEAD);
    (reads_only || app.origins.allow(headers, true)).then_some(session_id)
}

fn bearer(headers: &HeaderMap) -> Option<SessionId> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SessionId::new(token.trim()))
}

fn cookie(headers: &HeaderMap) -> Option<SessionId> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| SessionId::new(value))
}

/// The cookie that keeps a session in a browser, out of reach of scripts.
pub(crate) fn set_cookie(session_id: &SessionId, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let mut value = HeaderValue::try_from(format!(
        "{COOKIE}={}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Strict{secure}",
        session_id.reveal()
    ))
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}
