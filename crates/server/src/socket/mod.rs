//! The socket (PROTOCOL A3, B2, B3): one task per connection that handles frames in order and
//! writes what its followers have.

mod connection;
mod frames;

use std::net::SocketAddr;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use unbroken_protocol::{ErrorCode, limits};

use crate::App;
use crate::auth;
use crate::error::ApiError;
use connection::Connection;

/// Frames a little over the limit are read whole, so that the close code reaches the client.
const READ_LIMIT: usize = 8 * limits::CLIENT_FRAME_BYTES;
/// Small buffers: thousands of sockets are idle most of the time.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 0;

/// `GET /ws`
pub(crate) async fn upgrade(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        ApiError::bad_request("This address is a WebSocket. Connect to it with a WebSocket client.")
    })?;
    if !app.origins.allow(&headers, false) {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "Pages of another origin may not open this socket. The operator can allow one in \
             http.cors_origins.",
        ));
    }
    let speaker = auth::speaker_of_upgrade(&app, &headers).await;
    let tasks = app.tasks.clone();
    Ok(upgrade
        .max_message_size(READ_LIMIT)
        .max_frame_size(READ_LIMIT)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| {
            let connection = Connection::new(app, socket, peer.ip(), speaker);
            tasks.track_future(connection.run())
        }))
}
