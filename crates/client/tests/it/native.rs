//! Both native sockets over real TCP, against a few lines of server.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use unbroken_client::native::Connection;
use unbroken_client::native::raw::{RawError, Socket};
use unbroken_client::{Config, Output, Status, Target, Update};

const ID: &str = "00000000-0000-7000-8000-000000000001";
const TIME: &str = "2026-11-20T09:30:00.250Z";
const DEADLINE: Duration = Duration::from_secs(10);

struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Self(tokio_tungstenite::accept_async(stream).await.unwrap());
        peer.say(json!({"type": "connection_established", "timestamp": TIME})).await;
        peer
    }

    async fn say(&mut self, event: Value) {
        self.0.send(Message::text(event.to_string())).await.unwrap();
    }

    async fn hear(&mut self, route: &str) -> Value {
        let message = self.0.next().await.unwrap().unwrap();
        let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(frame["routeKey"], route);
        frame
    }

    async fn greet(&mut self) {
        self.hear("hello").await;
        let hello = json!({"type": "hello_ok", "version": 1, "node": "n",
            "heartbeat_ms": 15000, "max_frame": 1});
        self.say(hello).await;
    }

    /// Takes a follow and sends one record from where it asked.
    async fn serve(&mut self, content: &str, offset: u64) {
        let follow = self.hear("follow").await;
        let seq = follow["after_seq"].as_u64().unwrap() + 1;
        self.say(json!({"type": "following", "generation_id": ID, "conversation_id": ID,
            "message_id": ID, "epoch": 1, "recovered": true, "from_seq": seq, "head_seq": seq,
            "offset": offset, "state": "running", "req": follow["req"]}))
            .await;
        self.say(json!({"type": "content_chunk", "content": content, "chunk_id": seq,
            "timestamp": TIME, "generation_id": ID, "conversation_id": ID, "message_id": ID,
            "epoch": 1, "seq": seq, "offset": offset}))
            .await;
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    (listener, url)
}

async fn next_text(connection: &mut Connection) -> String {
    loop {
        if let Output::Update(_, Update::Text { text }) = connection.recv().await.unwrap() {
            return text;
        }
    }
}

#[tokio::test]
async fn a_connection_survives_its_server() {
    let (listener, url) = listen().await;
    let mut connection = Connection::open(&url, Config::default());
    connection.follow(Target::start_of(ID.parse().unwrap())).await;

    let mut peer = Peer::accept(&listener).await;
    peer.greet().await;
    peer.serve("aß", 0).await;
    assert_eq!(next_text(&mut connection).await, "aß");
    peer.close(1012).await;

    let mut peer = Peer::accept(&listener).await;
    peer.greet().await;
    peer.serve("🦀", 2).await;
    assert_eq!(next_text(&mut connection).await, "🦀");

    connection.ping(7).await;
    assert_eq!(peer.hear("ping").await["t"], 7);
    let closing = tokio::spawn(connection.close());
    assert!(matches!(peer.0.next().await, Some(Ok(Message::Close(_)))));
    assert!(peer.0.next().await.is_none());
    closing.await.unwrap();
}

#[tokio::test]
async fn a_caller_that_does_not_read_can_still_speak() {
    let (listener, url) = listen().await;
    let mut connection = Connection::open(&url, Config::default());
    connection.follow(Target::start_of(ID.parse().unwrap())).await;
    let mut peer = Peer::accept(&listener).await;
    peer.greet().await;
    peer.serve("0", 0).await;
    for seq in 2..=500_u64 {
        peer.say(json!({"type": "content_chunk", "content": "x", "chunk_id": seq,
            "timestamp": TIME, "generation_id": ID, "conversation_id": ID, "message_id": ID,
            "epoch": 1, "seq": seq, "offset": seq - 1}))
            .await;
    }
    for t in 0..200 {
        connection.ping(t).await;
        assert_eq!(peer.hear("ping").await["t"], t);
    }
    let mut text = String::new();
    while text.len() < 500 {
        text.push_str(&next_text(&mut connection).await);
    }
    connection.close().await;
}

#[tokio::test]
async fn a_session_that_is_over_is_said() {
    let (listener, url) = listen().await;
    let mut connection = Connection::open(&url, Config::default());
    let mut peer = Peer::accept(&listener).await;
    peer.greet().await;
    peer.close(4401).await;
    for status in [Status::Connecting, Status::Live, Status::SessionExpired] {
        assert_eq!(connection.recv().await, Some(Output::Status(status)));
    }
    connection.close().await;
}

#[tokio::test]
async fn a_raw_socket_speaks_by_hand() {
    let (listener, url) = listen().await;
    let (socket, peer) = tokio::join!(Socket::connect(&url, &[]), Peer::accept(&listener));
    let (mut socket, mut peer) = (socket.unwrap(), peer);
    let event = socket.next_event(DEADLINE).await.unwrap();
    assert_eq!(event["type"], "connection_established");
    socket.send_json(&json!({"routeKey": "ping", "t": 1})).await.unwrap();
    assert_eq!(peer.hear("ping").await["t"], 1);
    socket.send_binary(&[0]).await.unwrap();
    assert!(peer.0.next().await.unwrap().unwrap().is_binary());
    let silent = socket.next_event(Duration::from_millis(1)).await;
    assert!(matches!(silent, Err(RawError::Silent(_))));
    let closing = tokio::spawn(peer.close(4400));
    assert_eq!(socket.closed(DEADLINE).await.unwrap(), 4400);
    closing.await.unwrap();
}
