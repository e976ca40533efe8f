//! A bare JSON socket without any rule: for tests that speak the protocol by hand, as an old client
//! does or as a broken one would.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::tls;

/// Why there is no socket, or no next event.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// The server answered the upgrade with this status.
    #[error("the upgrade was refused with {0}")]
    Refused(u16),
    /// Closed with this code; 1005 when none was said, 1006 when the connection just went away.
    #[error("the socket closed with {0}")]
    Closed(u16),
    /// Nothing came before the deadline.
    #[error("nothing came within {0:?}")]
    Silent(Duration),
    #[error("the frame is not JSON text: {0}")]
    NotJson(String),
    #[error("the socket failed: {0}")]
    Failed(String),
}

/// One WebSocket.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens `url`, such as `ws://127.0.0.1:8484/ws`, with these headers added to the upgrade.
    pub async fn connect(url: &str, headers: &[(&str, &str)]) -> Result<Self, RawError> {
        tls::install();
        let failed = |e: &dyn std::error::Error| RawError::Failed(e.to_string());
        let mut request = url.into_client_request().map_err(|e| failed(&e))?;
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).map_err(|e| failed(&e))?;
            let value = HeaderValue::try_from(*value).map_err(|e| failed(&e))?;
            request.headers_mut().insert(name, value);
        }
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        match connect_async_with_config(request, Some(config), true).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(response)) => {
                Err(RawError::Refused(response.status().as_u16()))
            }
            Err(e) => Err(failed(&e)),
        }
    }

    pub async fn send_text(&mut self, text: &str) -> Result<(), RawError> {
        self.send(Message::text(text)).await
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) -> Result<(), RawError> {
        self.send(Message::binary(bytes.to_vec())).await
    }

    pub async fn send_json(&mut self, frame: &impl Serialize) -> Result<(), RawError> {
        let text = serde_json::to_string(frame).map_err(|e| RawError::NotJson(e.to_string()))?;
        self.send_text(&text).await
    }

    /// The next text frame. Cancel safe.
    pub async fn next_event(&mut self, deadline: Duration) -> Result<Value, RawError> {
        timeout(deadline, self.next()).await.unwrap_or(Err(RawError::Silent(deadline)))
    }

    /// The next text frame of this `type`; those before it are dropped.
    pub async fn next_of(&mut self, kind: &str, deadline: Duration) -> Result<Value, RawError> {
        let wanted = async {
            loop {
                let event = self.next().await?;
                if event["type"] == kind {
                    return Ok(event);
                }
            }
        };
        timeout(deadline, wanted).await.unwrap_or(Err(RawError::Silent(deadline)))
    }

    /// Waits until the server closes; its code.
    pub async fn closed(&mut self, deadline: Duration) -> Result<u16, RawError> {
        let end = async {
            loop {
                match self.next().await {
                    Err(RawError::Closed(code)) => return Ok(code),
                    Err(RawError::Failed(e)) => return Err(RawError::Failed(e)),
                    _ => {}
                }
            }
        };
        timeout(deadline, end).await.unwrap_or(Err(RawError::Silent(deadline)))
    }

    /// Closes, and waits for the server to do the same.
    pub async fn close(mut self, deadline: Duration) -> Result<(), RawError> {
        // It may be closed already.
        drop(self.0.close(None).await);
        self.closed(deadline).await.map(drop)
    }

    async fn send(&mut self, message: Message) -> Result<(), RawError> {
        self.0.send(message).await.map_err(|e| RawError::Failed(e.to_string()))
    }

    async fn next(&mut self) -> Result<Value, RawError> {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    serde_json::from_str(&text).map_err(|_| RawError::NotJson(text.to_string()))
                }
                Some(Ok(Message::Close(frame))) => {
                    Err(RawError::Closed(frame.map_or(1005, |frame| frame.code.into())))
                }
                Some(Ok(Message::Binary(_))) => Err(RawError::NotJson("a binary frame".into())),
                // Ping and pong are tungstenite's.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Err(RawError::Closed(1006)),
            };
        }
    }
}
