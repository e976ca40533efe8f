//! Frames that are wrong, too large, or about what is not there (PROTOCOL B3, B6, B8.18).

use serde_json::{Value, json};
use unbroken_protocol::{ConversationId, GenerationId};
use unbroken_standin::numbered;

use crate::support::{TestServer, contents, fast};

/// What is wrong, and a word of the sentence that says so.
const BAD: [(&str, &str); 10] = [
    ("{", "JSON"),
    ("", "JSON"),
    ("[1]", "object"),
    ("\"hello\"", "object"),
    ("{}", "routeKey"),
    (r#"{"routeKey":7,"req":"r"}"#, "routeKey"),
    (r#"{"routeKey":"sing","req":"r"}"#, "sing"),
    (r#"{"routeKey":"stream_chat","message":7,"req":"r"}"#, "expected a string"),
    (r#"{"routeKey":"stream_chat","message":"x","request_type":"king","req":"r"}"#, "king"),
    (r#"{"routeKey":"hello","capabilities":"all","req":"r"}"#, "expected a sequence"),
];

fn assert_bad_request(refused: &Value, sentence: &str, frame: &str, word: &str) {
    assert_eq!(refused["code"], "bad_request", "{frame}");
    assert_eq!(refused["retryable"], false);
    let sentence = refused[sentence].as_str().unwrap();
    assert!(sentence.contains(word) && sentence.ends_with('.'), "{frame}: {sentence}");
    let tagged = frame.contains("\"req\"");
    assert_eq!(refused.get("req").and_then(Value::as_str), tagged.then_some("r"), "{frame}");
}

#[tokio::test]
async fn a_bad_frame_is_answered_and_leaves_the_socket_open() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut old = device.socket().await;
    for (frame, word) in BAD {
        old.say_text(frame).await;
        let refused = old.next_is("stream_error").await;
        assert_bad_request(&refused, "error", frame, word);
        assert!(refused.get("generation_id").is_none(), "{refused}");
    }
    old.say(&device.stream_chat("Count!", None, &fast(3))).await;
    assert_eq!(contents(&old.answer().await), numbered(3));

    let mut new = device.hello(&[]).await;
    let more = [
        (r#"{"routeKey":"follow","after_seq":"x","req":"r"}"#, "invalid type"),
        (r#"{"routeKey":"follow","after_seq":-1,"req":"r"}"#, "invalid value"),
        (r#"{"routeKey":"follow","req":"r"}"#, "generation_id"),
        (r#"{"routeKey":"stop","req":"r"}"#, "generation_id"),
        (r#"{"routeKey":"unfollow","generation_id":[],"req":"r"}"#, "expected a string"),
    ];
    for (frame, word) in BAD.into_iter().chain(more) {
        new.say_text(frame).await;
        assert_bad_request(&new.next_is("error").await, "message", frame, word);
    }
    new.is_quiet().await;
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut frame = device.stream_chat("Count!", None, &fast(3));
    frame["from_the_future"] = json!({"a": [1]});
    let mut talk = device.socket().await;
    talk.say(&frame).await;
    assert_eq!(contents(&talk.answer().await), numbered(3));
}

#[tokio::test]
async fn a_message_that_says_nothing_is_refused() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    for message in ["", "  \n\t "] {
        talk.say(&device.stream_chat(message, None, &fast(3))).await;
        let refused = talk.next_is("stream_error").await;
        assert_eq!(refused["code"], "bad_request");
        assert_eq!(refused["error"], "The message is empty. Type something first.");
    }
    talk.is_quiet().await;
    assert!(server.standin.calls().is_empty());
}

#[tokio::test]
async fn an_unknown_session_cannot_ask() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    let mut frame = device.stream_chat("Count!", None, &fast(3));
    for (session, device_id) in [
        (json!("nobody"), json!("laptop")),
        (json!(""), json!("laptop")),
        (Value::Null, json!("laptop")),
        (json!(device.session.reveal()), json!("another")),
    ] {
        frame["session_id"] = session;
        frame["device_id"] = device_id;
        talk.say(&frame).await;
        assert_eq!(talk.next_is("stream_error").await["code"], "unauthorized", "{frame}");
    }
    assert!(server.standin.calls().is_empty());
}

/// B8.18: the sentences are the same, so that nobody learns what there is.
#[tokio::test]
async fn what_is_foreign_answers_as_if_it_did_not_exist() {
    let server = TestServer::start().await;
    let (owner, stranger) = (server.device("owner").await, server.device("stranger").await);
    let started = owner.start("Count!", &fast(3)).await;
    let ids = |conversation: String, generation: String| {
        [
            json!({"routeKey": "follow", "conversation_id": conversation}),
            json!({"routeKey": "follow", "generation_id": generation}),
            json!({"routeKey": "stop", "generation_id": generation}),
            json!({"routeKey": "continue", "generation_id": generation}),
            stranger.stream_chat("Count!", Some(&conversation), &fast(3)),
            stranger.stream_chat("", Some(&conversation), &fast(3)),
        ]
    };
    let foreign = ids(started.conversation_id.to_string(), started.generation_id.to_string());
    let unknown = ids(ConversationId::new().to_string(), GenerationId::new().to_string());
    let malformed = ids("x".into(), "'; --".into());
    let mut talk = stranger.hello(&[]).await;
    for ((foreign, unknown), malformed) in foreign.iter().zip(&unknown).zip(&malformed) {
        let mut said = Vec::new();
        for frame in [foreign, unknown, malformed] {
            talk.say(frame).await;
            let refused = talk.next_is("error").await;
            assert_eq!(refused["code"], "not_found", "{frame}");
            said.push(refused["message"].clone());
        }
        assert_eq!((&said[0], &said[0]), (&said[1], &said[2]), "{foreign}");
    }
    let mut old = stranger.socket().await;
    for conversation in [started.conversation_id, ConversationId::new()] {
        let conversation = conversation.to_string();
        old.say(&stranger.stream_chat("Hi", Some(&conversation), &fast(3))).await;
        assert_eq!(old.next_is("stream_error").await["code"], "not_found");
    }
    old.is_quiet().await;
    server.standin.wait_for_calls(1).await;
    assert_eq!(server.standin.calls().len(), 1);
}

#[tokio::test]
async fn a_frame_of_256_kib_is_taken_and_one_byte_more_closes() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let frame = |length: usize| {
        let empty = device.stream_chat("", None, &fast(3)).to_string();
        device.stream_chat(&"x".repeat(length - empty.len()), None, &fast(3)).to_string()
    };
    let mut talk = device.socket().await;
    talk.say_text(&frame(256 * 1024)).await;
    assert_eq!(contents(&talk.answer().await), numbered(3));
    talk.say_text(&frame(256 * 1024 + 1)).await;
    assert_eq!(talk.closed().await, 4413);
}

#[tokio::test]
async fn a_frame_far_over_the_limit_closes_with_the_same_code() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    for megabytes in [1, 3, 30] {
        let mut talk = device.socket().await;
        // The server may close before it has read all of it.
        talk.try_say_text(&"x".repeat(megabytes << 20)).await;
        assert_eq!(talk.closed().await, 4413, "{megabytes} MB");
    }
}

#[tokio::test]
async fn a_binary_frame_closes() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    for mut talk in [device.socket().await, device.hello(&[]).await] {
        talk.say_binary(br#"{"routeKey":"ping"}"#).await;
        assert_eq!(talk.closed().await, 4400);
    }
}

/// B8.8: what was acknowledged goes on when its socket is closed for a fault.
#[tokio::test]
async fn a_fault_of_the_socket_loses_nothing_that_was_acknowledged() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &crate::support::held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    talk.say_binary(&[0]).await;
    assert_eq!(talk.closed().await, 4400);
    server.standin.open_gate("hold");
    let mut second = device.socket().await;
    let conversation = events[0]["conversation_id"].as_str();
    second.say(&device.stream_chat("", conversation, "")).await;
    assert_eq!(contents(&second.answer().await), numbered(40));
}
