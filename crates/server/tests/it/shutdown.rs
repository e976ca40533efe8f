//! An orderly end: drain, then close (PROTOCOL B3, B6, B8.20).

use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_protocol::GenerationState;
use unbroken_standin::{Call, Standin, numbered};

use crate::support::{Process, Reply, TestServer, contents, fast, held, soon};

/// B8.20
#[tokio::test]
async fn a_running_answer_finishes_before_the_process_ends_with_0() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let mut old = process.socket().await;
    old.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = old.until_text(&numbered(20)).await;
    let mut new = device.hello(&[]).await;
    new.say(&json!({"routeKey": "follow", "generation_id": events[0]["generation_id"]})).await;
    new.next_is("following").await;
    new.until_text(&numbered(20)).await;

    process.terminate();
    assert!(new.next_is("draining").await["reconnect_after_ms"].is_u64());
    standin.open_gate("hold");
    for talk in [&mut old, &mut new] {
        let rest = talk.until(&["stream_complete"]).await;
        assert_eq!(numbered(20) + &contents(&rest), numbered(40));
        assert_eq!(talk.closed().await, 1012);
    }
    assert_eq!(process.ended().await, Some(0));

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let id = events[0]["conversation_id"].as_str().unwrap().parse().unwrap();
    let answer = device.at(process.base()).answer(id).await;
    assert_eq!((answer.content, answer.state), (numbered(40), Some(GenerationState::Completed)));
    assert_eq!(standin.calls().len(), 1);
}

/// The end of an answer is also the end of the drain: nobody may miss it, every time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_end_of_the_last_answer_reaches_everybody() {
    for _ in 0..3 {
        let server = TestServer::start().await;
        let device = server.device("laptop").await;
        // All of them end at once, so that the last frames wait when the server wants to close.
        let mut talk = device.socket().await;
        for n in 0..50 {
            talk.say(&device.stream_chat(&format!("{n}"), None, &held(40, 20))).await;
        }
        let all_wait = |calls: &[Call]| calls.iter().filter(|call| call.tokens == 20).count() == 50;
        soon(server.standin.wait_until(all_wait)).await;
        let mut body = device.pair();
        body["message"] = json!("Count!");
        body["model_id"] = json!(held(40, 20));
        let call = soon(server.post("/ai/chat").json(&body).send()).await.unwrap();
        server.shut_down();
        server.standin.open_gate("hold");
        for _ in 0..50 {
            let end = talk.next_of("stream_complete").await;
            assert_eq!(end["full_response"], numbered(40));
        }
        assert_eq!(talk.closed().await, 1012);
        let answer: Value = soon(call.json()).await.unwrap();
        assert_eq!(answer["response"], numbered(40));
    }
}

#[tokio::test]
async fn while_draining_new_turns_are_refused_and_the_rest_is_served() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    talk.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    let mut old = device.socket().await;
    server.shut_down();
    talk.next_is("draining").await;

    let mut body = device.pair();
    body["message"] = json!("More!");
    for path in ["/ai/chat/start", "/ai/chat"] {
        let reply = Reply::of(server.post(path).json(&body)).await;
        reply.refused(503, "draining");
        assert_eq!(reply.json()["retryable"], true);
    }
    let ready = Reply::of(server.get("/health/ready")).await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (503, &json!("draining")));
    Reply::of(server.get("/health")).await.ok();
    talk.say(&device.stream_chat("More!", None, &fast(3))).await;
    assert_eq!(talk.next_is("error").await["code"], "draining");
    old.say(&device.stream_chat("More!", None, &fast(3))).await;
    assert_eq!(old.next_is("stream_error").await["code"], "draining");

    // To follow is no new turn, also for a client that has only `stream_chat` for it.
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    let conversation = started["conversation_id"].as_str();
    old.say(&device.stream_chat("", conversation, "")).await;
    old.next_is("conversation_started").await;
    old.until_text(&numbered(20)).await;
    server.standin.open_gate("hold");
    assert_eq!(old.next_of("stream_complete").await["full_response"], numbered(40));
    assert_eq!(server.standin.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_left_to_the_next_process() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let env = [("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", "0")];
    let process = Process::start_with(folder.path(), &standin.base_url(), &env).await;
    let device = process.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    talk.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    process.terminate();
    assert_eq!(talk.closed().await, 1012);
    assert_eq!(process.ended().await, Some(0));

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    let id = started["conversation_id"].as_str().unwrap().parse().unwrap();
    let answer = device.at(process.base()).answer(id).await;
    assert_eq!((answer.content, answer.state), (numbered(20), Some(GenerationState::Interrupted)));
}

#[tokio::test]
async fn an_idle_server_ends_at_once_with_connections_open() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let mut talks = [device.hello(&["heartbeat"]).await, device.socket().await];
    process.terminate();
    for talk in &mut talks {
        assert_eq!(talk.closed().await, 1012);
    }
    assert_eq!(process.ended().await, Some(0));
}
