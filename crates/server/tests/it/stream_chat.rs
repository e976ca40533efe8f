//! The four rules of `stream_chat` (PROTOCOL A3), and one model call per turn.

use serde_json::Value;
use unbroken_standin::numbered;

use crate::support::{TestServer, contents, fast, held, kinds};

fn text_of<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_else(|| panic!("{field} is a text in {event}"))
}

#[tokio::test]
async fn rule_1_without_a_conversation_a_new_one_starts_each_time() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut talk = device.socket().await;
    let mut conversations = Vec::new();
    for conversation in [None, Some("")] {
        talk.say(&device.stream_chat("Count!", conversation, &fast(3))).await;
        let events = talk.answer().await;
        conversations.push(text_of(&events[0], "conversation_id").to_owned());
    }
    assert_ne!(conversations[0], conversations[1]);
    assert_eq!(server.standin.calls().len(), 2);
}

#[tokio::test]
async fn rule_2_an_empty_message_follows_the_newest_answer_from_its_beginning() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut first = device.socket().await;
    first.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = first.until_text(&numbered(20)).await;
    let conversation = text_of(&events[0], "conversation_id");

    let mut second = device.socket().await;
    second.say(&device.stream_chat("", Some(conversation), &fast(9))).await;
    let joined = second.until_text(&numbered(20)).await;
    assert_eq!(kinds(&joined), ["conversation_started", "stream_start", "content_chunk"]);
    assert_eq!(joined[0]["generation_id"], events[0]["generation_id"]);
    server.standin.open_gate("hold");
    for talk in [&mut first, &mut second] {
        assert_eq!(talk.answer().await.last().unwrap()["full_response"], numbered(40));
    }

    // Sealed, and its end was sent to this device: an empty message is never a new turn.
    second.say(&device.stream_chat("", Some(conversation), &fast(9))).await;
    let again = second.answer().await;
    assert_eq!(again[0]["generation_id"], events[0]["generation_id"]);
    assert_eq!(contents(&again), numbered(40));
    assert_eq!(server.standin.calls().len(), 1);
}

#[tokio::test]
async fn rule_3_the_same_text_while_its_answer_runs_follows_it() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut first = device.socket().await;
    first.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = first.until_text(&numbered(20)).await;
    let conversation = text_of(&events[0], "conversation_id");
    first.vanish();

    let repeat = device.stream_chat("Count!", Some(conversation), &held(40, 20));
    let mut second = device.socket().await;
    second.say(&repeat).await;
    let joined = second.until_text(&numbered(20)).await;
    assert_eq!(joined[0]["generation_id"], events[0]["generation_id"]);
    server.standin.open_gate("hold");
    let rest = second.answer().await;
    assert_eq!(contents(&joined) + &contents(&rest), numbered(40));
    assert_eq!(server.standin.calls().len(), 1, "one model call per turn");

    // Its end was sent to this device: now the person asks the same thing again.
    second.say(&repeat).await;
    let again = second.answer().await;
    assert_ne!(again[0]["generation_id"], events[0]["generation_id"]);
    assert_eq!(contents(&again), numbered(40));
    assert_eq!(server.standin.calls().len(), 2);
}

#[tokio::test]
async fn rule_3_the_same_text_after_an_end_that_was_not_sent_follows_it() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut first = device.socket().await;
    first.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = first.until_text(&numbered(20)).await;
    let conversation = text_of(&events[0], "conversation_id");
    // The answer ends while the phone is in a tunnel; a tablet of the same person sees the end.
    let tablet = device.link("tablet").await;
    let mut watching = tablet.hello(&[]).await;
    watching.say(&serde_json::json!({"routeKey": "follow", "conversation_id": conversation})).await;
    watching.next_is("following").await;
    first.vanish();
    server.standin.open_gate("hold");
    watching.answer().await;

    let repeat = device.stream_chat("Count!", Some(conversation), &fast(9));
    let mut second = device.socket().await;
    second.say(&repeat).await;
    let joined = second.answer().await;
    assert_eq!(joined[0]["generation_id"], events[0]["generation_id"]);
    assert_eq!(contents(&joined), numbered(40));
    assert_eq!(server.standin.calls().len(), 1);
}

#[tokio::test]
async fn rule_3_counts_for_each_device_by_itself() {
    let server = TestServer::start().await;
    let phone = server.device("phone").await;
    let tablet = phone.link("tablet").await;
    let mut first = phone.socket().await;
    first.say(&phone.stream_chat("Count!", None, &fast(40))).await;
    let events = first.answer().await;
    let conversation = text_of(&events[0], "conversation_id");

    let mut second = tablet.socket().await;
    let repeat = tablet.stream_chat("Count!", Some(conversation), &fast(40));
    second.say(&repeat).await;
    let joined = second.answer().await;
    assert_eq!(joined[0]["generation_id"], events[0]["generation_id"]);
    assert_eq!(contents(&joined), numbered(40));
    assert_eq!(server.standin.calls().len(), 1);

    second.say(&repeat).await;
    let again = second.answer().await;
    assert_ne!(again[0]["generation_id"], events[0]["generation_id"]);
    assert_eq!(server.standin.calls().len(), 2);
}

#[tokio::test]
async fn rule_3_compares_the_text_exactly() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("Count!", None, &held(9, 4))).await;
    let events = talk.until_text(&numbered(4)).await;
    let conversation = text_of(&events[0], "conversation_id");
    let mut second = device.socket().await;
    second.say(&device.stream_chat("Count! ", Some(conversation), &fast(3))).await;
    let taken = second.next_is("conversation_started").await;
    assert_ne!(taken["generation_id"], events[0]["generation_id"]);
}

#[tokio::test]
async fn rule_4_a_new_text_is_a_new_turn_with_the_history_before_it() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("One", None, &fast(3))).await;
    let events = talk.answer().await;
    let conversation = text_of(&events[0], "conversation_id");
    talk.say(&device.stream_chat("Two", Some(conversation), &fast(5))).await;
    let second = talk.answer().await;
    assert_eq!(
        kinds(&second),
        ["conversation_started", "stream_start", "content_chunk", "stream_complete"]
    );
    assert_eq!(second[0]["conversation_id"], conversation);
    assert_eq!(contents(&second), numbered(5));
    let calls = server.standin.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!((calls[1].messages, calls[1].last_user.as_str()), (3, "Two"));
    let roles: Vec<_> = device
        .history(conversation.parse().unwrap())
        .await
        .into_iter()
        .map(|message| message.content)
        .collect();
    assert_eq!(roles, ["One", &numbered(3), "Two", &numbered(5)]);
}

#[tokio::test]
async fn rule_4_while_an_answer_runs_turns_wait_and_are_followed_when_they_start() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut talk = device.socket().await;
    talk.say(&device.stream_chat("0", None, &held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    let conversation = text_of(&events[0], "conversation_id");
    let mut generations = vec![text_of(&events[0], "generation_id").to_owned()];
    for n in 1..=10 {
        talk.say(&device.stream_chat(&n.to_string(), Some(conversation), &fast(n))).await;
        let taken = talk.next_is("conversation_started").await;
        generations.push(text_of(&taken, "generation_id").to_owned());
    }
    // The eleventh that would have to wait.
    talk.say(&device.stream_chat("11", Some(conversation), &fast(3))).await;
    let refused = talk.next_is("stream_error").await;
    assert_eq!(refused["code"], "conversation_busy");
    assert_eq!(refused["retryable"], true);
    assert!(refused.get("generation_id").is_none(), "{refused}");
    assert_eq!(server.standin.calls().len(), 1, "those that wait do not call a model");

    server.standin.open_gate("hold");
    let rest = talk.answer().await;
    assert_eq!(contents(&events) + &contents(&rest), numbered(40));
    for (n, generation) in generations.iter().enumerate().skip(1) {
        let answer = talk.answer().await;
        assert_eq!(kinds(&answer), ["stream_start", "content_chunk", "stream_complete"]);
        assert!(answer.iter().all(|event| event["generation_id"] == **generation));
        assert_eq!(contents(&answer), numbered(n));
    }
    let calls = server.standin.calls();
    let asked: Vec<_> = calls.iter().map(|call| call.last_user.as_str()).collect();
    assert_eq!(asked, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    talk.is_quiet().await;
}

#[tokio::test]
async fn the_pair_speaks_on_a_socket_only_for_its_frame() {
    let server = TestServer::start().await;
    let (one, other) = (server.device("one").await, server.device("other").await);
    let mut talk = one.socket().await;
    for device in [&one, &other] {
        talk.say(&device.stream_chat("Count!", None, &fast(3))).await;
        assert_eq!(contents(&talk.answer().await), numbered(3));
        assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);
    }
}
