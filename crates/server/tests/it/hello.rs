//! `hello`, and what every reply repeats (PROTOCOL B2, B3).

use serde_json::json;
use unbroken_standin::numbered;

use crate::support::{Talk, TestServer, contents, fast, held};

#[tokio::test]
async fn replies_repeat_req_whatever_it_is() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(9, 4)).await;
    let id = started.generation_id;
    let mut talk = device.socket().await;
    let hello = json!({"routeKey": "hello", "version": 1, "req": {"n": 1}, "device_id": device.id,
        "session_id": device.session.reveal()});
    talk.say(&hello).await;
    let greeting = talk.next_is("hello_ok").await;
    assert_eq!(greeting["req"], json!({"n": 1}));
    assert_eq!((&greeting["version"], &greeting["max_frame"]), (&json!(1), &json!(262_144)));
    assert_eq!(greeting["heartbeat_ms"], 15_000);
    assert!(!greeting["node"].as_str().unwrap().is_empty());

    talk.say(&json!({"routeKey": "ping", "t": 123, "req": "a"})).await;
    let pong = talk.next_is("pong").await;
    assert_eq!((&pong["t"], &pong["req"]), (&json!(123), &json!("a")));
    talk.say(&json!({"routeKey": "follow", "generation_id": id, "req": 2})).await;
    assert_eq!(talk.next_is("following").await["req"], 2);
    talk.until_text(&numbered(4)).await;
    talk.say(&json!({"routeKey": "unfollow", "generation_id": id, "req": 3})).await;
    assert_eq!(talk.next_is("ok").await["req"], 3);
    talk.say(&json!({"routeKey": "continue", "generation_id": id, "req": 4})).await;
    let refused = talk.next_is("error").await;
    assert_eq!((&refused["req"], &refused["code"]), (&json!(4), &json!("conflict")));
    assert_eq!(refused["generation_id"], id.to_string());
    talk.say(&json!({"routeKey": "stop", "generation_id": id, "req": 5})).await;
    let replies = talk.until(&["ok"]).await;
    assert_eq!(replies.last().unwrap()["req"], 5);
    talk.say(&json!({"routeKey": "stream_chat", "message": "Go on!", "req": 6,
        "conversation_id": started.conversation_id, "model_id": fast(3)}))
        .await;
    assert_eq!(talk.next_of("conversation_started").await["req"], 6);
}

#[tokio::test]
async fn frames_may_follow_hello_without_waiting() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(9, 4)).await;
    let mut talk = device.socket().await;
    talk.say(&json!({"routeKey": "hello", "session_id": device.session.reveal()})).await;
    talk.say(&json!({"routeKey": "follow", "conversation_id": started.conversation_id})).await;
    talk.say(&json!({"routeKey": "ping", "t": 1})).await;
    talk.next_is("hello_ok").await;
    talk.next_is("following").await;
    // The answer is on its way meanwhile.
    let before = contents(&talk.until(&["pong"]).await);
    talk.until_text(numbered(4).strip_prefix(&before).unwrap()).await;
}

#[tokio::test]
async fn an_unknown_session_is_said_and_the_socket_stays_open() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    for (session, device_id) in [("nobody", "laptop"), ("", "laptop")] {
        talk.say(&json!({"routeKey": "hello", "req": 1, "session_id": session,
            "device_id": device_id}))
            .await;
        let refused = talk.next_is("error").await;
        assert_eq!((&refused["code"], &refused["req"]), (&json!("unauthorized"), &json!(1)));
        assert_eq!(refused["retryable"], false);
        assert!(refused["message"].as_str().unwrap().ends_with('.'));
    }
    talk.say(&json!({"routeKey": "hello", "session_id": device.session.reveal(),
        "device_id": "another"}))
        .await;
    assert_eq!(talk.next_is("error").await["code"], "unauthorized");
    talk.say(&json!({"routeKey": "hello", "session_id": device.session.reveal()})).await;
    talk.next_is("hello_ok").await;
}

#[tokio::test]
async fn a_pair_that_names_somebody_else_is_forbidden_after_hello() {
    let server = TestServer::start().await;
    let (one, other) = (server.device("one").await, server.device("other").await);
    let mut talk = one.hello(&[]).await;
    talk.say(&other.stream_chat("Count!", None, &fast(3))).await;
    assert_eq!(talk.next_is("error").await["code"], "forbidden");
    talk.say(&json!({"routeKey": "hello", "session_id": other.session.reveal()})).await;
    assert_eq!(talk.next_is("error").await["code"], "forbidden");
    assert_eq!(other.rest.conversations(None, None).await.unwrap().total, 0);

    // Another device of the same principal is nobody else.
    let linked = one.link("tablet").await;
    talk.say(&linked.stream_chat("Count!", None, &fast(3))).await;
    talk.next_of("conversation_started").await;
}

#[tokio::test]
async fn without_hello_only_stream_chat_is_served() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let started = device.start("Count!", &held(9, 4)).await;
    let id = started.generation_id;
    let mut talk = device.socket().await;
    for frame in [
        json!({"routeKey": "follow", "generation_id": id, "req": 1}),
        json!({"routeKey": "unfollow", "generation_id": id, "req": 1}),
        json!({"routeKey": "stop", "generation_id": id, "req": 1}),
        json!({"routeKey": "continue", "generation_id": id, "req": 1}),
        json!({"routeKey": "ping", "t": 1, "req": 1}),
    ] {
        talk.say(&frame).await;
        let refused = talk.next_is("stream_error").await;
        assert_eq!((&refused["code"], &refused["req"]), (&json!("unauthorized"), &json!(1)));
        assert!(refused["error"].is_string() && refused["retryable"].is_boolean());
        assert!(refused.get("generation_id").is_none(), "{refused}");
    }
    assert_eq!(device.answer(started.conversation_id).await.state.unwrap().as_str(), "running");
}

#[tokio::test]
async fn a_bearer_token_in_the_upgrade_says_who_speaks() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let token = format!("Bearer {}", device.session.reveal());
    let headers = [("authorization", token.as_str())];
    let mut talk = Talk::connect_with(&server.base(), &headers).await.unwrap();
    talk.say(&json!({"routeKey": "hello"})).await;
    talk.next_is("hello_ok").await;
    talk.say(&json!({"routeKey": "stream_chat", "message": "Count!", "model_id": fast(3)})).await;
    let events = talk.answer().await;
    assert_eq!(events.last().unwrap()["full_response"], numbered(3));
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);

    let other = server.device("other").await;
    talk.say(&json!({"routeKey": "hello", "session_id": other.session.reveal()})).await;
    assert_eq!(talk.next_of("error").await["code"], "forbidden");
}

#[tokio::test]
async fn who_wants_frames_apart_is_sent_few_and_loses_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    let mut hello = device.pair();
    hello["routeKey"] = json!("hello");
    hello["interval_ms"] = json!(60_000);
    talk.say(&hello).await;
    talk.next_is("hello_ok").await;
    // Half a second of text: a frame for each token, or one at the longest interval, and the end.
    talk.say(&device.stream_chat("Count!", None, "numbers:tokens=500,rate=1000,first=0")).await;
    let events = talk.answer().await;
    let end = events.last().unwrap();
    assert_eq!((contents(&events), &end["full_response"]), (numbered(500), &json!(numbered(500))));
    let chunks: Vec<_> = events.iter().filter(|event| event["type"] == "content_chunk").collect();
    assert!(chunks.len() < 10, "{} frames", chunks.len());
    let mut next = 1;
    for chunk in chunks {
        assert_eq!(chunk["seq_from"].as_u64().or(chunk["seq"].as_u64()), Some(next), "no gap");
        next = chunk["seq"].as_u64().unwrap() + 1;
    }
    // A command is answered at once all the same.
    talk.say(&json!({"routeKey": "ping", "t": 1, "req": "a"})).await;
    assert_eq!(talk.next_of("pong").await["req"], "a");
}
