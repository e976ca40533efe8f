//! The socket (PROTOCOL A3, B2, B3): one task per connection that handles frames in order and
//! writes what its followers have.

mod connection;
mod flood;
mod frames;
mod handshake;
mod stream;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use unbroken_protocol::ErrorCode;

use crate::App;
use crate::auth;
use crate::error::ApiError;
use connection::Connection;
use stream::Socket;

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
        let Some(socket) = Socket::new(upgraded).await else { return };
        Connection::new(app, socket, peer.ip(), speaker).run().await;
    });
    Ok(switching)
}
