//! What a machine speaks through: a socket, or HTTP where none opens.

use futures_util::{FutureExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use unbroken_protocol::limits::close;
use unbroken_protocol::{ErrorCode, Event, Incoming};

use super::connection::{SEND, WITHIN};
use crate::http::{Boxed, Http, QUIET};
use crate::ladder::{Fault, Transport};
use crate::rest::{Rest, RestError};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A transport that opened.
pub(super) enum Line {
    Socket(Box<Socket>),
    Http(Box<Http>),
}

/// Why one did not open.
pub(super) struct NotOpened {
    /// `None` when the server answered, and said no to who we are.
    pub(super) fault: Option<Fault>,
    /// What a socket would have been closed with.
    pub(super) code: u16,
}

/// What came of an attempt to open one.
pub(super) type Opening = Boxed<Result<Line, NotOpened>>;

impl Line {
    /// Opens one. The machine gives a socket up that takes too long.
    pub(super) fn open(transport: Transport, url: &str, rest: &Rest) -> Opening {
        let (url, rest) = (url.to_owned(), rest.clone());
        async move {
            match transport {
                Transport::Socket => socket(url).await,
                Transport::Sse => {
                    let opened = timeout(QUIET, http(rest, transport)).await;
                    opened.unwrap_or(Err(NotOpened::of(Fault::Silent)))
                }
                Transport::LongPoll => http(rest, transport).await,
            }
        }
        .boxed()
    }

    /// Tries the transports above this one, from the best down. What opened has been heard, up to
    /// the event that comes with it.
    pub(super) async fn climb(
        from: Transport,
        url: String,
        rest: Rest,
    ) -> Option<(Transport, Self, Option<Event>)> {
        let attempt = async {
            let mut line = Self::open(Transport::Socket, &url, &rest).await.ok()?;
            match line.next().await {
                Ok(event @ Event::ConnectionEstablished(_)) => Some((line, event)),
                _ => None,
            }
        };
        if let Ok(Some((line, event))) = timeout(WITHIN, attempt).await {
            return Some((Transport::Socket, line, Some(event)));
        }
        if from >= Transport::Sse {
            return None;
        }
        let line = Self::open(Transport::Sse, &url, &rest).await.ok()?;
        Some((Transport::Sse, line, None))
    }

    /// The next event, or the code with which it ended. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Event, u16> {
        match self {
            Self::Socket(socket) => match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    Ok(serde_json::from_str(&text).unwrap_or(Event::Unknown))
                }
                Some(Ok(Message::Close(frame))) => Err(frame.map_or(1005, |f| f.code.into())),
                Some(Ok(_)) => Ok(Event::Unknown),
                Some(Err(_)) | None => Err(close::ABNORMAL),
            },
            Self::Http(http) => http.next().await.map_err(|_| close::ABNORMAL),
        }
    }

    /// Sends a frame; `false` when the line is broken.
    pub(super) async fn send(&mut self, frame: Incoming) -> bool {
        match self {
            Self::Socket(socket) => {
                let text = serde_json::to_string(&frame).expect("a frame is JSON");
                let send = futures_util::SinkExt::send(socket, Message::text(text));
                matches!(timeout(SEND, send).await, Ok(Ok(())))
            }
            Self::Http(http) => {
                http.say(frame);
                true
            }
        }
    }
}

impl NotOpened {
    fn of(fault: Fault) -> Self {
        Self { fault: Some(fault), code: close::ABNORMAL }
    }
}

async fn socket(url: String) -> Result<Line, NotOpened> {
    // A snapshot or an end holds a whole answer, which has no limit.
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    match connect_async_with_config(url, Some(config), true).await {
        Ok((socket, _)) => Ok(Line::Socket(Box::new(socket))),
        Err(_) => Err(NotOpened::of(Fault::Refused)),
    }
}

async fn http(rest: Rest, transport: Transport) -> Result<Line, NotOpened> {
    let refused = |code| NotOpened { fault: None, code };
    match Http::open(rest, transport).await {
        Ok(http) => Ok(Line::Http(Box::new(http))),
        Err(RestError::Refused(body)) if body.code == ErrorCode::Unauthorized => {
            Err(refused(close::SESSION_EXPIRED))
        }
        Err(RestError::Refused(body)) if body.code == ErrorCode::Forbidden => {
            Err(refused(close::FORBIDDEN))
        }
        Err(_) => Err(NotOpened::of(Fault::Refused)),
    }
}

/// Whether a plain request is answered, by whomever.
pub(super) fn reachable(rest: &Rest) -> Boxed<bool> {
    let rest = rest.clone();
    async move {
        tokio::select! {
            health = rest.health() => health.is_ok(),
            () = sleep(SEND) => false,
        }
    }
    .boxed()
}
