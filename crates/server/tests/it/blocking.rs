//! The blocking call, for clients without a socket (PROTOCOL A4).

use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time;
use unbroken_client::RestError;
use unbroken_protocol::{ChatRequest, ErrorCode};
use unbroken_standin::numbered;

use crate::support::{Device, Reply, TestServer, ask, fast, held, soon};

fn body(device: &Device, model: &str) -> Value {
    let mut body = device.pair();
    body["message"] = json!("Count!");
    body["model_id"] = json!(model);
    body["query_type"] = json!("general");
    body
}

#[tokio::test]
async fn the_headers_leave_before_the_model_has_answered() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    for (path, gate) in [("/ai/chat", "one"), ("/api/chat", "two")] {
        let model = format!("{},gate={gate}@0", fast(40));
        let request = server.post(path).json(&body(&device, &model));
        let response = soon(request.send()).await.unwrap();
        assert_eq!(response.status(), 200);
        let id = response.headers()["x-conversation-id"].to_str().unwrap().to_owned();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(device.history(id.parse().unwrap()).await[0].content, "Count!");
        server.standin.open_gate(gate);
        let answer: Value = soon(response.json()).await.unwrap();
        assert_eq!(answer["conversation_id"], *id);
        assert_eq!(answer["response"], numbered(40));
        assert!(answer["tokens_used"].as_u64().unwrap() >= 40);
        assert_eq!((&answer["model"], answer.get("error")), (&json!(model), None));
        assert!(answer["model_name"].is_string() && answer["timestamp"].is_string());
        assert!(answer["response_time_ms"].is_u64());
    }
}

#[tokio::test]
async fn a_failure_after_the_start_is_a_200_with_what_there_is() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    for (parameters, text, code, retryable) in [
        ("cut_at=20", numbered(20), "provider_truncated", true),
        ("error_at=20", numbered(20), "provider_error", true),
        ("cut_at=0", String::new(), "provider_truncated", true),
        ("status=401", String::new(), "provider_auth", false),
    ] {
        let model = format!("{},{parameters}", fast(40));
        let answer = Reply::of(server.post("/ai/chat").json(&body(&device, &model))).await.ok();
        assert_eq!(answer["response"], text, "{parameters}");
        assert_eq!((&answer["code"], &answer["error"]), (&json!(code), &json!(code)));
        assert_eq!(answer["retryable"], retryable, "{parameters}");
        assert!(answer["message"].as_str().unwrap().ends_with('.'), "{answer}");
        for id in ["conversation_id", "generation_id"] {
            assert!(answer[id].is_string(), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_stopped_answer_is_what_there_is() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let mut tab = device.hello(&[]).await;
    let request = server.post("/ai/chat").json(&body(&device, &held(40, 20)));
    let response = soon(request.send()).await.unwrap();
    let id = tab.next_of("generation_started").await["generation_id"].clone();
    tab.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    while tab.next_of("content_chunk").await["seq"] != 20 {}
    tab.say(&json!({"routeKey": "stop", "generation_id": id})).await;
    let answer: Value = soon(response.json()).await.unwrap();
    assert_eq!(answer["response"], numbered(20));
    assert_eq!(answer.get("error"), None);
}

/// B8.8
#[tokio::test]
async fn a_caller_who_goes_away_ends_nothing() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let request = server.post("/ai/chat").json(&body(&device, &held(40, 20)));
    let response = soon(request.send()).await.unwrap();
    let id = response.headers()["x-conversation-id"].to_str().unwrap().parse().unwrap();
    drop(response);
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "conversation_id": id})).await;
    talk.next_of("content_chunk").await;
    server.standin.open_gate("hold");
    talk.next_of("stream_complete").await;
    assert_eq!(device.answer(id).await.content, numbered(40));
}

/// White space every 15 s, also while the answer grows all the time.
#[tokio::test]
async fn a_call_shows_signs_of_life_while_its_answer_grows() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let mut tab = device.hello(&[]).await;
    let model = format!("{},gate=one@1,gate=two@2", fast(3));
    let response = soon(server.post("/ai/chat").json(&body(&device, &model)).send()).await.unwrap();
    let id = tab.next_of("generation_started").await["generation_id"].clone();
    tab.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    tab.next_of("content_chunk").await;

    let clock = StoppedClock::new();
    time::advance(Duration::from_secs(10)).await;
    server.standin.open_gate("one");
    while tab.next_of("content_chunk").await["seq"] != 2 {}
    time::advance(Duration::from_secs(10)).await;
    drop(clock);
    server.standin.open_gate("two");
    let text = soon(response.text()).await.unwrap();
    assert!(text.starts_with(' '), "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["response"], numbered(3));
}

/// The clock moves by [`time::advance`] alone as long as this lives: tokio does not move a paused
/// clock while a blocking task runs.
struct StoppedClock(Option<mpsc::Sender<()>>);

impl StoppedClock {
    fn new() -> Self {
        let (sender, ended) = mpsc::channel();
        tokio::task::spawn_blocking(move || ended.recv());
        time::pause();
        Self(Some(sender))
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        time::resume();
        self.0.take();
    }
}

#[tokio::test]
async fn the_client_reads_it() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let request = ChatRequest { start: ask("Count!", &fast(9)), query_type: None };
    let answer = device.rest.chat(request).await.unwrap();
    assert_eq!(answer.response, numbered(9));
    let request = ChatRequest { start: ask("", &fast(9)), query_type: None };
    let refused = device.rest.chat(request).await;
    assert!(matches!(refused, Err(RestError::Refused(body)) if body.code == ErrorCode::BadRequest));
}
