//! Stopping (PROTOCOL B2, B7, B8.9, B8.10).

use serde_json::json;
use unbroken_protocol::GenerationState;
use unbroken_standin::{Call, CallState, numbered};

use crate::support::{TestServer, contents, fast, held, soon};

/// B8.9
#[tokio::test]
async fn a_stop_is_idempotent_and_nothing_visible_comes_after_it() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.until_text(&numbered(20)).await;

    for _ in 0..2 {
        let reply = device.rest.stop(started.generation_id).await.unwrap();
        assert_eq!(reply.state, GenerationState::Stopped);
    }
    let stopped = device.answer(started.conversation_id).await;
    server.standin.open_gate("hold");
    server.standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
    let end = talk.next_of("stream_complete").await;
    assert_eq!((&end["status"], &end["finish_reason"]), (&json!("stopped"), &json!("user")));
    assert_eq!(end["full_response"], numbered(20));
    talk.say(&json!({"routeKey": "stop", "generation_id": started.generation_id, "req": 1})).await;
    let replies = talk.until(&["ok"]).await;
    assert!(replies.iter().all(|event| event["type"] != "stream_complete"));
    assert_eq!(device.answer(started.conversation_id).await, stopped);
    assert_eq!(stopped.content, numbered(20));
    assert_eq!(server.standin.calls().len(), 1);
}

/// B8.9: while text is pouring in.
#[tokio::test]
async fn the_text_of_a_stopped_answer_is_a_beginning_of_it() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let whole = numbered(100_000);
    for _ in 0..5 {
        let started = device.start("Count!", &fast(100_000)).await;
        let mut talk = device.hello(&[]).await;
        talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
        let mut events = talk.until(&["content_chunk"]).await;
        talk.say(&json!({"routeKey": "stop", "generation_id": started.generation_id})).await;
        events.extend(talk.answer().await);
        let end = events.last().unwrap();
        let text = end["full_response"].as_str().unwrap();
        assert!(whole.starts_with(text));
        assert!(contents(&events) == text);
        assert!(device.answer(started.conversation_id).await.content == text);
        assert_eq!(end["status"], "stopped");
    }
}

/// B8.10
#[tokio::test]
async fn stopping_an_old_generation_does_not_touch_the_newer_one() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let first = device.start("One", &format!("{},gate=first@2", fast(3))).await;
    let second = device.go_on(first.conversation_id, "Two", &held(40, 20)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": second.generation_id})).await;
    assert_eq!(talk.next_is("following").await["state"], "queued");
    // While the newer one waits, and again while it runs.
    let reply = device.rest.stop(first.generation_id).await.unwrap();
    assert_eq!(reply.state, GenerationState::Stopped);
    talk.until_text(&numbered(20)).await;
    let reply = device.rest.stop(first.generation_id).await.unwrap();
    assert_eq!(reply.state, GenerationState::Stopped);
    server.standin.open_gate("hold");
    let end = talk.next_of("stream_complete").await;
    assert_eq!(
        (&end["status"], &end["full_response"]),
        (&json!("completed"), &json!(numbered(40)))
    );
}

#[tokio::test]
async fn stopping_a_sealed_answer_says_how_it_ended() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &fast(3)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.answer().await;
    let reply = device.rest.stop(started.generation_id).await.unwrap();
    assert!(reply.success);
    assert_eq!(reply.state, GenerationState::Completed);
}

#[tokio::test]
async fn a_turn_that_waits_can_be_stopped_and_never_calls_a_model() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    let first = device.start("One", &held(40, 20)).await;
    let second = device.go_on(first.conversation_id, "Two", &fast(3)).await;
    assert_eq!(second.queued.as_ref().unwrap().position, 1);
    while talk.next_of("queue").await["items"][0]["message"] != "Two" {}
    let reply = device.rest.stop(second.generation_id).await.unwrap();
    assert_eq!(reply.state, GenerationState::Stopped);
    // A queue change is on every tab at once.
    while talk.next_of("queue").await["items"] != json!([]) {}
    talk.say(&json!({"routeKey": "follow", "generation_id": first.generation_id})).await;
    server.standin.open_gate("hold");
    talk.next_of("stream_complete").await;
    assert_eq!(server.standin.calls().len(), 1);
    assert_eq!(device.answer(first.conversation_id).await.state, Some(GenerationState::Stopped));
}

/// B8.5, B8.17: also at the moment in which the turn before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_turn_that_is_stopped_as_it_begins_is_not_run_all_the_same() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    for n in 0..30 {
        let hold = format!("hold{n}");
        let mut talk = device.socket().await;
        talk.say(&device.stream_chat("One", None, &format!("{},gate={hold}@0", fast(1)))).await;
        let taken = talk.next_is("conversation_started").await;
        let id = taken["conversation_id"].as_str().unwrap().parse().unwrap();
        let second = device.go_on(id, "Two", &format!("{},gate=never@2", fast(4))).await;
        server.standin.open_gate(&hold);
        // Between its last word and its end.
        talk.next_of("content_chunk").await;
        let reply = device.rest.stop(second.generation_id).await.unwrap();
        assert_eq!(reply.state, GenerationState::Stopped);
        let stopped = device.answer(id).await;
        // A turn later the model is not asked any more, and nothing was added.
        talk.next_is("stream_complete").await;
        talk.say(&device.stream_chat("Three", Some(&id.to_string()), &fast(3))).await;
        assert_eq!(contents(&talk.answer().await), numbered(3));
        let runs = |call: &Call| call.last_user == "Two" && call.state == CallState::Running;
        soon(server.standin.wait_until(|calls| !calls.iter().any(runs))).await;
        assert_eq!(device.history(id).await[3], stopped);
    }
}
