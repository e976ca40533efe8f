//! Following from a position (PROTOCOL B2, B3, B8.3, B8.8, B8.12).

use serde_json::{Value, json};
use unbroken_client::{Output, Target, Update};
use unbroken_protocol::{GenerationId, Position};
use unbroken_standin::{CallState, numbered, reasoned};

use crate::support::{Talk, TestServer, contents, fast, followed, held, number, soon};

async fn follow(talk: &mut Talk, id: GenerationId, after: u64, epoch: Option<u32>) -> Value {
    let frame =
        json!({"routeKey": "follow", "generation_id": id, "after_seq": after, "epoch": epoch});
    talk.say(&frame).await;
    talk.next_of("following").await
}

/// B8.3
#[tokio::test]
async fn following_from_any_position_gives_exactly_the_rest() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &fast(30)).await;
    let id = started.generation_id;
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, id, 0, None).await;
    let head = number(talk.answer().await.last().unwrap(), "seq");
    assert_eq!(head, 31, "a record per token, and the end");

    let text = numbered(30);
    for after in 0..=head {
        let following = follow(&mut talk, id, after, Some(1)).await;
        assert_eq!(following["recovered"], true, "{following}");
        assert_eq!(following["state"], "completed");
        assert_eq!(number(&following, "head_seq"), head);
        let answer = talk.answer().await;
        let offset = usize::try_from(number(&following, "offset")).unwrap();
        assert_eq!(contents(&answer), text[offset..], "from {after}");
        assert_eq!(text[..offset], numbered(usize::try_from(after.min(30)).unwrap()));
        let end = answer.last().unwrap();
        assert_eq!(end["type"], "stream_complete", "also from its head: {end}");
        assert_eq!((number(end, "seq"), &end["full_response"]), (head, &json!(text)));
    }
    talk.has_no_more_records().await;
}

#[tokio::test]
async fn following_a_running_answer_goes_on_live() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let id = started.generation_id;
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, id, 0, None).await;
    talk.until_text(&numbered(20)).await;

    let mut second = device.hello(&[]).await;
    let following = follow(&mut second, id, 15, Some(1)).await;
    assert_eq!((&following["recovered"], &following["state"]), (&json!(true), &json!("running")));
    assert_eq!((number(&following, "from_seq"), number(&following, "head_seq")), (16, 20));
    server.standin.open_gate("hold");
    let rest = second.answer().await;
    assert_eq!(numbered(15) + &contents(&rest), numbered(40));
}

/// B8.12
#[tokio::test]
async fn a_position_of_another_history_gets_exactly_one_snapshot() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let id = started.generation_id;
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, id, 0, None).await;
    talk.until_text(&numbered(20)).await;

    for (after, epoch, reason) in [(5, Some(99), "epoch"), (1000, Some(1), "ahead")] {
        let mut talk = device.hello(&[]).await;
        let following = follow(&mut talk, id, after, epoch).await;
        assert_eq!(
            (&following["recovered"], &following["reason"]),
            (&json!(false), &json!(reason))
        );
        let snapshot = talk.next_is("snapshot").await;
        assert_eq!(snapshot["content"], numbered(20));
        assert_eq!((number(&snapshot, "seq"), &snapshot["state"]), (20, &json!("running")));
        talk.next_is("stream_start").await;
        talk.has_no_more_records().await;
    }
    server.standin.open_gate("hold");
    talk.answer().await;
    // Of a sealed one it covers all but the end.
    for (after, epoch) in [(5, Some(99)), (1000, None)] {
        let mut talk = device.hello(&[]).await;
        assert_eq!(follow(&mut talk, id, after, epoch).await["recovered"], false);
        let events = talk.answer().await;
        assert_eq!(followed(&events), ["snapshot", "stream_start", "stream_complete"]);
        let snapshot = events.iter().find(|event| event["type"] == "snapshot").unwrap();
        assert_eq!(snapshot["content"], numbered(40));
        talk.has_no_more_records().await;
    }
}

/// B8.12
#[tokio::test]
async fn a_follower_that_is_too_far_behind_gets_one_snapshot() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let tokens = 1_300_000;
    let started = device.start("Count!", &format!("{},chunk=20000", fast(tokens))).await;
    let id = started.generation_id;
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, id, 0, None).await;
    let head = number(talk.until(&["stream_complete"]).await.last().unwrap(), "seq");
    let following = follow(&mut talk, id, 0, None).await;
    let expected = (&json!(false), &json!("too_far"));
    assert_eq!((&following["recovered"], &following["reason"]), expected);
    let events = talk.answer().await;
    assert_eq!(followed(&events), ["snapshot", "stream_complete"]);
    let snapshot = events.iter().find(|event| event["type"] == "snapshot").unwrap();
    assert!(snapshot["content"] == *numbered(tokens));
    let near = follow(&mut talk, id, head - 2, Some(1)).await;
    assert_eq!(near["recovered"], true);
}

#[tokio::test]
async fn capabilities_decide_what_is_shown() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let model = "reasoning:tokens=10,reasoning=5,rate=0,first=0";
    let started = device.start("Think!", model).await;
    let mut talk = device.hello(&["reasoning", "from_the_future"]).await;
    follow(&mut talk, started.generation_id, 0, None).await;
    let events = talk.answer().await;
    let expected = ["stream_start", "reasoning_chunk", "content_chunk", "stream_complete"];
    assert_eq!(followed(&events), expected);
    let reasoning: String = events
        .iter()
        .filter(|event| event["type"] == "reasoning_chunk")
        .map(|event| event["content"].as_str().unwrap())
        .collect();
    assert_eq!(reasoning, reasoned(5));

    let mut plain = device.hello(&[]).await;
    follow(&mut plain, started.generation_id, 0, None).await;
    let events = plain.answer().await;
    assert_eq!(followed(&events), ["stream_start", "content_chunk", "stream_complete"]);
    let chunk = events.iter().find(|event| event["type"] == "content_chunk").unwrap();
    assert_eq!(number(chunk, "seq_from"), 1, "hidden records are folded in");
}

/// B8.15
#[tokio::test]
async fn an_interruption_is_a_record_and_no_end() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    for model in [format!("{},cut_at=20", fast(40)), format!("{},eof_at=20", fast(40))] {
        let started = device.start("Count!", &model).await;
        let mut talk = device.hello(&[]).await;
        let following = follow(&mut talk, started.generation_id, 0, None).await;
        assert_ne!(following["state"], "completed");
        let events = talk.until(&["generation_state"]).await;
        assert_eq!(contents(&events), numbered(20));
        let state = events.last().unwrap();
        assert_eq!(state["state"], "interrupted");
        assert_eq!((number(state, "seq"), &state["code"]), (21, &json!("provider_truncated")));
        assert!(state["can_continue"].is_boolean());
        talk.has_no_more_records().await;

        // A stop seals it with what it has.
        device.rest.stop(started.generation_id).await.unwrap();
        let end = talk.next_of("stream_complete").await;
        assert_eq!(
            (&end["status"], &end["full_response"]),
            (&json!("stopped"), &json!(numbered(20)))
        );
    }
}

#[tokio::test]
async fn the_newest_generation_is_followed_when_none_is_named() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let first = device.start("One", &fast(3)).await;
    let second = device.go_on(first.conversation_id, "Two", &fast(5)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "conversation_id": first.conversation_id})).await;
    let following = talk.next_is("following").await;
    assert_eq!(following["generation_id"], second.generation_id.to_string());
}

#[tokio::test]
async fn stream_start_comes_once_per_generation_and_connection() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let mut talk = device.hello(&[]).await;
    for _ in 0..2 {
        follow(&mut talk, started.generation_id, 0, None).await;
        let events = talk.until_text(&numbered(20)).await;
        let frame = json!({"routeKey": "unfollow", "generation_id": started.generation_id});
        talk.say(&frame).await;
        talk.has_no_more_records().await;
        assert_eq!(contents(&events), numbered(20));
    }
    follow(&mut talk, started.generation_id, 20, Some(1)).await;
    server.standin.open_gate("hold");
    assert_eq!(followed(&talk.answer().await), ["content_chunk", "stream_complete"]);
}

#[tokio::test]
async fn a_socket_follows_sixty_four_generations_and_no_more() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut ids = Vec::new();
    for n in 0..65 {
        ids.push(device.start(&format!("{n}"), &held(2, 0)).await.generation_id);
    }
    let mut talk = device.hello(&[]).await;
    for id in &ids[..64] {
        talk.say(&json!({"routeKey": "follow", "generation_id": id})).await;
        talk.next_of("following").await;
    }
    let follow_last = json!({"routeKey": "follow", "generation_id": ids[64], "req": 1});
    talk.say(&follow_last).await;
    let refused = talk.next_of("error").await;
    assert_eq!((&refused["code"], &refused["req"]), (&json!("rate_limited"), &json!(1)));
    assert_eq!(refused["generation_id"], ids[64].to_string());
    // One that is followed already takes no room, and one that is left gives room.
    talk.say(&json!({"routeKey": "follow", "generation_id": ids[0]})).await;
    talk.next_of("following").await;
    talk.say(&json!({"routeKey": "unfollow", "generation_id": ids[0]})).await;
    talk.say(&follow_last).await;
    assert_eq!(talk.next_of("following").await["generation_id"], ids[64].to_string());
}

/// B8.8
#[tokio::test]
async fn closing_every_follower_changes_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let mut talks = Vec::new();
    for _ in 0..3 {
        let mut talk = device.hello(&[]).await;
        follow(&mut talk, started.generation_id, 0, None).await;
        talk.until_text(&numbered(20)).await;
        talks.push(talk);
    }
    let mut last = talks.pop().unwrap();
    last.say(&json!({"routeKey": "unfollow", "generation_id": started.generation_id})).await;
    last.has_no_more_records().await;
    talks.into_iter().for_each(Talk::vanish);
    assert_eq!(server.standin.calls()[0].state, CallState::Running);
    server.standin.open_gate("hold");
    follow(&mut last, started.generation_id, 20, Some(1)).await;
    assert_eq!(last.answer().await.last().unwrap()["full_response"], numbered(40));
    assert_eq!(server.standin.calls().len(), 1);
}

/// B8.14
#[tokio::test]
async fn a_stalled_reader_delays_nobody() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let tokens = 1_300_000;
    let mut stalled = device.socket().await;
    let model = format!("{},chunk=20000", fast(tokens));
    stalled.say(&device.stream_chat("Count!", None, &model)).await;
    let id = stalled.next_is("conversation_started").await["generation_id"].clone();
    // From here on it does not read: more than the kernel's buffers hold is on its way to it.
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": id})).await;
    let end = talk.next_of("stream_complete").await;
    assert!(end["full_response"] == *numbered(tokens));
    // When it reads again it has lost nothing.
    let events = stalled.answer().await;
    assert!(contents(&events) == *numbered(tokens));
}

/// B8.3, with the real client: from history, then live.
#[tokio::test]
async fn the_client_follows_from_where_history_ended() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, started.generation_id, 0, None).await;
    talk.until_text(&numbered(20)).await;

    let shown = device.answer(started.conversation_id).await;
    assert_eq!(shown.content, numbered(20));
    let after = Position::new(shown.epoch.unwrap(), shown.seq.unwrap());
    let mut connection = device.connection();
    let id = started.generation_id;
    connection.follow(Target::rest_of(id, after, &shown.content)).await;
    let mut text = shown.content;
    loop {
        let Output::Update(_, update) = soon(connection.recv()).await.unwrap() else { continue };
        match update {
            Update::Following { .. } => server.standin.open_gate("hold"),
            Update::Text { text: more } => text.push_str(&more),
            Update::Replace { .. } => panic!("nothing is replaced"),
            Update::Complete(complete) => {
                assert_eq!((complete.full_response, text), (numbered(40), numbered(40)));
                break;
            }
            _ => {}
        }
    }
    connection.close().await;
}
