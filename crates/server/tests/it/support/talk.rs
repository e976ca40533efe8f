//! A socket that speaks by hand, and what it was sent.

use serde_json::{Value, json};
use unbroken_client::native::raw::{RawError, Socket};

use super::DEADLINE;

/// A bare socket after its `connection_established`.
pub(crate) struct Talk {
    socket: Socket,
    /// It said `hello`: notices come at any moment.
    hears_notices: bool,
    probes: u64,
}

/// What comes by itself to every connection of a principal.
const NOTICES: [&str; 5] = ["conversation", "queue", "generation_started", "file", "collection"];

/// The socket's address of a server.
pub(crate) fn address(base: &str) -> String {
    format!("{}/ws", base.replacen("http", "ws", 1))
}

impl Talk {
    pub(crate) async fn connect(base: &str) -> Self {
        Self::connect_with(base, &[]).await.unwrap()
    }

    /// Connects with these headers in the upgrade.
    pub(crate) async fn connect_with(
        base: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, RawError> {
        let socket = Socket::connect(&address(base), headers).await?;
        let mut talk = Self { socket, hears_notices: false, probes: 0 };
        let first = talk.next_is("connection_established").await;
        assert!(first["timestamp"].is_string());
        Ok(talk)
    }

    pub(crate) async fn say(&mut self, frame: &Value) {
        self.socket.send_json(frame).await.unwrap();
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.socket.send_text(text).await.unwrap();
    }

    /// Sends a text, or as much of it as the server takes before it closes.
    pub(crate) async fn try_say_text(&mut self, text: &str) {
        drop(self.socket.send_text(text).await);
    }

    pub(crate) async fn say_binary(&mut self, bytes: &[u8]) {
        self.socket.send_binary(bytes).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Value {
        self.socket.next_event(DEADLINE).await.unwrap()
    }

    /// The next event, which is of this type. Notices are passed over where they may come.
    pub(crate) async fn next_is(&mut self, kind: &str) -> Value {
        let mut event = self.next().await;
        let passed_over = |event: &Value| NOTICES.iter().any(|notice| event["type"] == *notice);
        while self.hears_notices && !NOTICES.contains(&kind) && passed_over(&event) {
            event = self.next().await;
        }
        self.hears_notices |= kind == "hello_ok";
        assert_eq!(event["type"], kind, "{}", brief(std::slice::from_ref(&event)));
        event
    }

    /// The next event of this type; others before it are dropped.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        self.socket.next_of(kind, DEADLINE).await.unwrap()
    }

    /// Waits until the only conversation's answer has ended.
    pub(crate) async fn ends(&mut self) {
        while self.next_of("conversation").await["conversation"]["running"] == true {}
    }

    /// Everything up to and with the first event of one of these types.
    pub(crate) async fn until(&mut self, ends: &[&str]) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let ended = ends.iter().any(|end| event["type"] == *end);
            events.push(event);
            if ended {
                return events;
            }
        }
    }

    /// Everything up to and with the end of an answer.
    pub(crate) async fn answer(&mut self) -> Vec<Value> {
        self.until(&["stream_complete", "stream_error"]).await
    }

    /// Reads until the visible text, from where it was joined, is `text`.
    pub(crate) async fn until_text(&mut self, text: &str) -> Vec<Value> {
        let mut events = Vec::new();
        while contents(&events) != text {
            let event = self.next().await;
            assert_ne!(event["type"], "stream_complete", "{event}");
            assert_ne!(event["type"], "stream_error", "{event}");
            events.push(event);
        }
        events
    }

    /// Asserts that the server has nothing to say to this connection.
    pub(crate) async fn is_quiet(&mut self) {
        let events = self.what_is_ready().await;
        assert!(events.is_empty(), "nothing else comes: {}", brief(&events));
    }

    /// Asserts that the server has nothing to say about any answer; notices may come.
    pub(crate) async fn has_no_more_records(&mut self) {
        let events = self.what_is_ready().await;
        assert!(followed(&events).is_empty(), "nothing else comes: {}", brief(&events));
    }

    /// What the server sends before it has answered two probes, the second of which is sent after
    /// the answer to the first: whatever was ready comes between them.
    pub(crate) async fn what_is_ready(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        for _ in 0..2 {
            self.probes += 1;
            let req = format!("probe {}", self.probes);
            self.say(&json!({"routeKey": "ping", "t": 1, "req": req})).await;
            loop {
                let event = self.next().await;
                if event["req"] == req {
                    break;
                }
                events.push(event);
            }
        }
        events
    }

    /// The next event of a server that has died, as long as there is one.
    pub(crate) async fn last_words(&mut self) -> Option<Value> {
        self.socket.next_event(DEADLINE).await.ok()
    }

    /// Waits until the server closes; its code.
    pub(crate) async fn closed(&mut self) -> u16 {
        self.socket.closed(DEADLINE).await.unwrap()
    }

    /// Goes away as a laptop does when its lid closes: without a word.
    pub(crate) fn vanish(self) {
        drop(self);
    }
}

/// The `type` of each event, equal neighbours once.
pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

/// The `type` of each event about an answer, equal neighbours once: [`kinds`] without notices.
pub(crate) fn followed(events: &[Value]) -> Vec<&str> {
    let mut kinds = kinds(events);
    kinds.retain(|kind| !NOTICES.contains(kind));
    kinds.dedup();
    kinds
}

/// Events for the text of a failed assertion, which may hold megabytes.
fn brief(events: &[Value]) -> String {
    let cut = |event: &Value| event.to_string().chars().take(300).collect::<String>();
    events.iter().map(cut).collect::<Vec<_>>().join("\n")
}

/// The visible text of all chunks.
pub(crate) fn contents(events: &[Value]) -> String {
    events
        .iter()
        .filter(|event| event["type"] == "content_chunk")
        .map(|event| event["content"].as_str().unwrap())
        .collect()
}

/// A number in an event.
pub(crate) fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap_or_else(|| panic!("{field} is a number in {event}"))
}
