//! A client that knows Part A only and never says `hello` (PROTOCOL A3).

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use unbroken_standin::numbered;

use crate::support::{TestServer, contents, fast, held, kinds, number};

/// All types that Part A knows.
const A3: [&str; 8] = [
    "connection_established",
    "conversation_started",
    "stream_start",
    "content_chunk",
    "stream_complete",
    "stream_error",
    "credits_info",
    "credits_exhausted",
];

fn assert_a3(events: &[Value]) {
    for event in events {
        let kind = event["type"].as_str().unwrap();
        assert!(A3.contains(&kind), "{kind}");
    }
}

#[tokio::test]
async fn an_old_client_sees_exactly_the_events_of_a3_in_order() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &fast(40))).await;
    let events = talk.answer().await;
    talk.is_quiet().await;

    let expected = ["conversation_started", "stream_start", "content_chunk", "stream_complete"];
    assert_eq!(kinds(&events), expected);
    let text = numbered(40);
    assert_eq!(contents(&events), text);
    let (first, start, last) = (&events[0], &events[1], events.last().unwrap());
    assert!(first["conversation_id"].is_string() && first["timestamp"].is_string());
    assert_eq!(start["model"], fast(40));
    assert!(start["timestamp"].is_string());
    assert_eq!(last["full_response"], text);
    assert_eq!(number(last, "total_chunks"), 40);
    let tokens = number(last, "input_tokens") + number(last, "output_tokens");
    assert_eq!((number(last, "output_tokens"), number(last, "tokens")), (40, tokens));
    assert_eq!((&last["status"], &last["finish_reason"]), (&"completed".into(), &"stop".into()));
    assert_eq!(server.standin.calls().len(), 1);
}

/// B8.1, B8.2, B8.13
#[tokio::test]
async fn chunks_are_contiguous_and_add_up_to_the_stored_message() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut talk = device.socket().await;
    let model = "numbers:tokens=300,utf8=1,split=7,rate=0,first=0";
    talk.say(&device.stream_chat("Count!", None, model)).await;
    let events = talk.answer().await;

    let (mut seq, mut chars) = (0, 0);
    for chunk in events.iter().filter(|event| event["type"] == "content_chunk") {
        let from = chunk["seq_from"].as_u64().unwrap_or(number(chunk, "seq"));
        assert_eq!(from, seq + 1, "{chunk}");
        assert_eq!(number(chunk, "offset"), chars, "{chunk}");
        assert_eq!(number(chunk, "chunk_id"), number(chunk, "seq"));
        seq = number(chunk, "seq");
        chars += chunk["content"].as_str().unwrap().chars().count() as u64;
    }
    let last = events.last().unwrap();
    let text = contents(&events);
    assert_eq!(number(last, "seq"), seq + 1);
    assert_eq!(number(last, "content_chars"), chars);
    assert_eq!(last["content_sha256"], hex::encode(Sha256::digest(&text)));
    assert_eq!(last["full_response"], text);
    let conversation = events[0]["conversation_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(device.answer(conversation).await.content, text);
}

/// B8.19
#[tokio::test]
async fn an_old_client_is_not_told_of_reasoning() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    for field in ["reasoning_content", "reasoning", "think"] {
        let mut talk = device.socket().await;
        let model = format!("reasoning:tokens=10,reasoning=5,field={field},rate=0,first=0");
        talk.say(&device.stream_chat("Think!", None, &model)).await;
        let events = talk.answer().await;
        assert_a3(&events);
        assert_eq!(contents(&events), numbered(10), "{field}");
        let chunk = events.iter().find(|event| event["type"] == "content_chunk").unwrap();
        assert_eq!(number(chunk, "seq_from"), 1, "hidden records are folded in: {chunk}");
        talk.is_quiet().await;
    }
}

/// B8.19
#[tokio::test]
async fn an_old_client_is_told_of_an_interruption_as_an_error_and_nothing_more() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut talk = device.socket().await;
    let model = format!("{},cut_at=20", fast(40));
    talk.say(&device.stream_chat("Count!", None, &model)).await;
    let events = talk.answer().await;
    talk.is_quiet().await;

    let expected = ["conversation_started", "stream_start", "content_chunk", "stream_error"];
    assert_eq!(kinds(&events), expected);
    assert_eq!(contents(&events), numbered(20));
    let last = events.last().unwrap();
    assert_eq!(last["status"], "interrupted");
    assert_eq!(last["code"], "provider_truncated");
    assert_eq!(last["generation_id"], events[0]["generation_id"]);
}

/// B8.19: whatever happens to the principal's conversations, on whichever device.
#[tokio::test]
async fn an_old_client_hears_no_notices() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &fast(3))).await;
    talk.answer().await;
    let started = device.start("Again!", &fast(3)).await;
    server.standin.wait_for_calls(2).await;
    device.rest.delete(started.conversation_id).await.unwrap();
    talk.is_quiet().await;
}

/// B8.19: an answer that is so far ahead that a client with `hello` would be sent a snapshot.
#[tokio::test]
async fn an_old_client_that_joins_a_very_long_answer_is_sent_all_of_it_in_chunks() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let tokens = 1_300_000;
    let model = format!("{},chunk=20000", fast(tokens));
    let text = numbered(tokens);
    assert!(text.len() > 8 << 20);
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &model)).await;
    let conversation = talk.answer().await[0]["conversation_id"].as_str().unwrap().to_owned();

    let mut second = device.socket().await;
    second.say(&device.stream_chat("", Some(&conversation), &model)).await;
    let events = second.answer().await;
    assert_a3(&events);
    assert!(contents(&events) == text);
    assert!(events.last().unwrap()["full_response"] == *text);
}

/// A stopped answer is an end like any other.
#[tokio::test]
async fn an_old_client_is_told_of_a_stop_as_a_completion() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    let generation = events[0]["generation_id"].as_str().unwrap().parse().unwrap();
    device.rest.stop(generation).await.unwrap();
    let end = talk.next_is("stream_complete").await;
    assert_eq!((&end["status"], &end["finish_reason"]), (&"stopped".into(), &"user".into()));
    assert_eq!(end["full_response"], numbered(20));
}

/// B8.19, B8.20: it is told nothing, and its answer ends before the server does.
#[tokio::test]
async fn an_old_client_hears_nothing_of_a_drain() {
    let server = TestServer::start().await;
    let device = server.device("old").await;
    let mut new = device.hello(&[]).await;
    let mut old = device.socket().await;
    old.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    old.until_text(&numbered(20)).await;
    server.shut_down();
    new.next_of("draining").await;
    server.standin.open_gate("hold");
    let rest = old.answer().await;
    assert_eq!(kinds(&rest), ["content_chunk", "stream_complete"]);
    assert_eq!(rest.last().unwrap()["full_response"], numbered(40));
}
