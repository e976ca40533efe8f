//! The socket (PROTOCOL A3, B2, B3): one task per connection that handles frames in order and
//! writes what its followers have.

mod connection;
mod flood;
mod frames;
mod handshake;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use unbroken_protocol::{ErrorCode, limits};

use crate::App;
use crate::auth;
use crate::error::ApiError;
use connection::Connection;

/// Frames a little over the limit are read whole, so that the close code reaches the client.
const READ_LIMIT: usize = 8 * limits::CLIENT_FRAME_BYTES;
/// Small buffers: thousands of sockets are idle most of the time.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 0;

/// `GET /ws`
pub(crate) async fn upgrade(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let switching = handshake::answer(&request).ok_or_else(|| {
        ApiError::bad_request("This address is a WebSocket. Connect to it with a WebSocket client.")
    })?;
    if !app.origins.allow(request.headers(), false) {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "Pages of another origin may not open this socket. The operator can allow one in \
             http.cors_origins.",
        ));
    }
    let speaker = auth::speaker_of_upgrade(&app, request.headers()).await;
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        // Whoever asks for a socket and leaves before it is there wanted none.
        let Ok(upgraded) = upgraded.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(READ_LIMIT))
            .max_frame_size(Some(READ_LIMIT))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER);
        let io = TokioIo::new(upgraded);
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Connection::new(app, socket, peer.ip(), speaker).run().await;
    });
    Ok(switching)
}
