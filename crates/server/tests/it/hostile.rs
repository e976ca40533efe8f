//! Who connects and means no good, or is broken in such a way (PROTOCOL B6, B8.14).

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use unbroken_protocol::limits::close;
use unbroken_server::patience::{Frames, Patience};
use unbroken_standin::numbered;

use crate::support::{Given, Reply, TestServer, contents, fast, soon};

/// Long enough for a busy machine to be in time with what comes at once, short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);
/// As long, where a busy machine must not look like a reader that takes nothing.
const STALL: Duration = Duration::from_secs(2);

async fn connect(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(server.address).await.unwrap()
}

/// What the server says until it closes.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A close with unread bytes of ours is a reset.
    let _ = soon(stream.read_to_end(&mut said)).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_request_without_an_end_is_given_up() {
    let patience = Patience { head: SHORT, body: SHORT, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    for head in ["", "GET ", "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = connect(&server).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let said = until_closed(&mut stream).await;
        assert!(!said.contains("200"), "{head:?}: {said}");
    }
    let mut stream = connect(&server).await;
    let head =
        "POST /auth/device-session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = until_closed(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("bad_request"), "{said}");
    // Whoever is in time is served.
    Reply::of(server.get("/health")).await.ok();
}

/// A stream of which nothing is taken ends, and its place is free again.
#[tokio::test]
async fn a_stream_that_nobody_reads_does_not_live_for_ever() {
    let patience = Patience { stall: STALL, readers: 2, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let device = server.device("laptop").await;
    let tokens = 600_000;
    let mut tab = device.hello(&[]).await;
    let id = device.start("Count!", &format!("{},chunk=2000", fast(tokens))).await.generation_id;
    let path = format!("/ai/generations/{id}/events");
    tab.ends().await;
    for accept in ["text/event-stream", "application/json"] {
        let mut stream = connect(&server).await;
        let query = device.query().map(|(name, value)| format!("{name}={value}")).join("&");
        let request =
            format!("GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut byte = [0];
        soon(stream.read_exact(&mut byte)).await.unwrap();
        // The other place is taken until the server gives the reader up.
        let list = || server.get("/ai/events").query(&device.query());
        let mut refused = 0;
        loop {
            let reply = Reply::of(list().header("accept", "application/json")).await;
            if reply.status == 200 {
                break;
            }
            reply.refused(429, "rate_limited");
            refused += 1;
        }
        assert!(refused > 0, "{accept}: it was there");
        let said = until_closed(&mut stream).await;
        assert!(said.len() < numbered(tokens).len(), "{accept}: it was cut");
    }
}

/// The same for a socket, which can come back and lose nothing.
#[tokio::test]
async fn a_socket_that_takes_nothing_is_closed_and_may_come_back() {
    let patience = Patience { frame: STALL, readers: 1, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let device = server.device("laptop").await;
    let tokens = 1_300_000;
    let id = device.start("Count!", &format!("{},chunk=2000", fast(tokens))).await.generation_id;
    let mut stalled = device.hello(&[]).await;
    stalled.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    // Others are turned away until its place is free.
    let mut refused = 0;
    let mut back = loop {
        let mut talk = device.socket().await;
        let mut hello = device.pair();
        hello["routeKey"] = json!("hello");
        talk.say(&hello).await;
        match talk.last_words().await {
            Some(event) if event["type"] == "hello_ok" => break talk,
            Some(event) => panic!("{event}"),
            None => refused += 1,
        }
    };
    assert!(refused > 0, "it was there");
    let mut events = Vec::new();
    while let Some(event) = stalled.last_words().await {
        assert_ne!(event["type"], "stream_complete");
        events.push(event);
    }
    let text = contents(&events);
    assert!(numbered(tokens).starts_with(&text));
    let last = events.last().unwrap();
    let after = last["seq"].as_u64().unwrap_or_default();
    back.say(&json!({"routeKey": "follow", "generation_id": id, "after_seq": after})).await;
    let rest = back.answer().await;
    assert!(rest.last().unwrap()["full_response"] == numbered(tokens));
}

#[tokio::test]
async fn who_has_too_many_readers_is_told_so() {
    let server = Given::new().set("limits.readers_per_person", "2").start().await;
    let (device, other) = (server.device("laptop").await, server.device("other").await);
    let (first, _second) = (device.hello(&[]).await, device.hello(&[]).await);
    let mut third = device.socket().await;
    let mut hello = device.pair();
    hello["routeKey"] = json!("hello");
    third.say(&hello).await;
    assert_eq!(third.closed().await, close::TOO_MANY);
    let events = || server.get("/ai/events").header("accept", "application/json");
    Reply::of(events().query(&device.query())).await.refused(429, "rate_limited");
    // Others are not concerned, and who leaves makes room.
    Reply::of(events().query(&other.query())).await.ok();
    first.vanish();
    while Reply::of(events().query(&device.query())).await.status != 200 {}
}

#[tokio::test]
async fn sockets_that_do_not_say_who_they_are_are_counted_by_address() {
    let patience = Patience { strangers: 2, count_loopback: true, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let device = server.device("laptop").await;
    let _silent = device.socket().await;
    // Who says so makes room.
    let _known = device.hello(&[]).await;
    let _silent_too = device.socket().await;
    let mut hello = connect(&server).await;
    let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    hello.write_all(request.as_bytes()).await.unwrap();
    let said = until_closed(&mut hello).await;
    assert!(said.starts_with("HTTP/1.1 101") && said.contains("too many sockets"), "{said}");
}

#[tokio::test]
async fn a_flood_of_frames_closes_the_socket() {
    let frames = Frames { at_once: 20, per_second: 1 };
    let patience = Patience { frames, count_loopback: true, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let device = server.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    for t in 0..15 {
        talk.say(&json!({"routeKey": "ping", "t": t})).await;
        assert_eq!(talk.next_is("pong").await["t"], t);
    }
    for t in 0..100 {
        talk.try_say_text(&json!({"routeKey": "ping", "t": t}).to_string()).await;
    }
    assert_eq!(talk.closed().await, close::TOO_MANY);
}

/// A frame that never ends is silence, and so is a client that answers no ping.
#[tokio::test]
async fn a_hello_byte_by_byte_is_given_up() {
    let patience = Patience { ping: SHORT / 3, silence: SHORT, ..Patience::default() };
    let server = Given::new().patience(patience).start().await;
    let mut stream = connect(&server).await;
    let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    // The head of a masked frame of 100 bytes, and a few of them: one for each that comes.
    stream.write_all(&[0x81, 0x80 | 0x64, 0, 0, 0, 0]).await.unwrap();
    let (mut said, mut byte) = (Vec::new(), [0]);
    while let Ok(1) = soon(stream.read(&mut byte)).await {
        said.push(byte[0]);
        if said.len() < 90 && stream.write_all(b" ").await.is_err() {
            break;
        }
    }
    let said = String::from_utf8_lossy(&said);
    assert!(said.ends_with("no pong"), "{said}");
}
