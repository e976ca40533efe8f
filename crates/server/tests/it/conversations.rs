//! History (PROTOCOL A5).

use serde_json::json;
use unbroken_client::RestError;
use unbroken_protocol::{ConversationPatch, FinishReason, GenerationState, Role};
use unbroken_standin::{CallState, numbered, reasoned};

use crate::support::{Device, Reply, TestServer, contents, fast, held};

async fn finished(
    device: &Device,
    message: &str,
    tokens: usize,
) -> unbroken_protocol::StartResponse {
    let started = device.start(message, &fast(tokens)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.answer().await;
    started
}

#[tokio::test]
async fn the_list_has_pages_and_the_newest_first() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.insert(0, finished(&device, &format!("Question {n}"), 3).await.conversation_id);
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    let mut pages = 0;
    loop {
        let page = device.rest.conversations(Some(2), cursor.as_deref()).await.unwrap();
        assert_eq!((page.total, page.owner_type.as_str()), (5, "device_session"));
        assert!(!page.owner_id.is_empty());
        seen.extend(page.conversations.iter().map(|line| line.conversation_id));
        pages += 1;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (ids.clone(), 3));
    let page = device.rest.conversations(None, None).await.unwrap();
    let line = &page.conversations[0];
    assert_eq!((line.title.as_str(), line.message_count), ("Question 4", 2));
    assert_eq!((line.model.as_str(), line.session_type.as_str()), (fast(3).as_str(), "chat"));
    assert!(line.total_tokens > 0 && !line.running);
    // A new turn brings a conversation to the top.
    finished_turn(&device, ids[4]).await;
    let page = device.rest.conversations(Some(1), None).await.unwrap();
    assert_eq!(page.conversations[0].conversation_id, ids[4]);
}

async fn finished_turn(device: &Device, id: unbroken_protocol::ConversationId) {
    let started = device.go_on(id, "More", &fast(3)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.answer().await;
}

#[tokio::test]
async fn history_has_pages_from_its_end() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = finished(&device, "One", 3).await.conversation_id;
    finished_turn(&device, id).await;
    let all = device.rest.conversation(id, None, None).await.unwrap();
    assert_eq!((all.total, all.messages.len(), all.title.as_str()), (4, 4, "One"));
    let roles: Vec<_> = all.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::Assistant]);
    let page = device.rest.conversation(id, Some(3), None).await.unwrap();
    assert_eq!((page.total, &page.messages[..]), (4, &all.messages[1..]));
    let before = Some(page.messages[0].message_id);
    let earlier = device.rest.conversation(id, Some(3), before).await.unwrap();
    assert_eq!(earlier.messages, all.messages[..1]);
    let parents: Vec<_> = all.messages.iter().map(|message| message.parent_id).collect();
    let ids: Vec<_> = all.messages.iter().map(|message| Some(message.message_id)).collect();
    assert_eq!((parents[0], &parents[1..]), (None, &ids[..3]));
}

#[tokio::test]
async fn a_finished_answer_carries_how_it_ended() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Think!", "reasoning:tokens=9,reasoning=4,rate=0,first=0").await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    let end = talk.answer().await.pop().unwrap();
    let answer = device.answer(started.conversation_id).await;
    assert_eq!(answer.message_id, started.message_id);
    assert_eq!(answer.generation_id, Some(started.generation_id));
    assert_eq!(answer.state, Some(GenerationState::Completed));
    assert_eq!((answer.epoch, answer.seq), (Some(1), end["seq"].as_u64()));
    assert_eq!(answer.finish_reason, Some(FinishReason::Stop));
    assert_eq!(answer.tokens_used, end["tokens"].as_u64());
    assert_eq!((answer.content, answer.reasoning), (numbered(9), reasoned(4)));
}

#[tokio::test]
async fn how_long_a_model_reasoned_is_told_while_it_writes_and_after_it_and_exported() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let model = "reasoning:tokens=9,reasoning=4,rate=20,first=0,gate=hold@6";
    let started = device.start("Think!", model).await;
    let mut talk = device.hello(&["reasoning"]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.until_text(&numbered(2)).await;
    let told = device.answer(started.conversation_id).await.reasoning_ms;
    assert!(told.is_some_and(|millis| millis > 0), "{told:?}");
    server.standin.open_gate("hold");
    talk.answer().await;
    assert_eq!(device.answer(started.conversation_id).await.reasoning_ms, told);
    let path = format!("/ai/conversations/{}/export", started.conversation_id);
    let exported = device.call("GET", &path, None).await;
    assert_eq!(exported["messages"][1]["answer"]["reasoning_ms"].as_u64(), told);
    let plain = device.start("Count!", &fast(3)).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": plain.generation_id})).await;
    talk.answer().await;
    assert_eq!(device.answer(plain.conversation_id).await.reasoning_ms, None);
}

/// B8.3
#[tokio::test]
async fn the_history_of_a_running_answer_can_be_followed_from_where_it_ends() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let waiting = device.go_on(started.conversation_id, "Again!", &fast(3)).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.until_text(&numbered(20)).await;

    let history = device.history(started.conversation_id).await;
    let (running, queued) = (&history[1], &history[3]);
    assert_eq!(running.state, Some(GenerationState::Running));
    assert_eq!(running.content, numbered(20), "the text so far");
    assert_eq!((running.epoch, running.seq), (Some(1), Some(20)));
    assert_eq!(queued.state, Some(GenerationState::Queued));
    assert_eq!((queued.content.as_str(), queued.seq), ("", Some(0)));
    assert_eq!(queued.generation_id, Some(waiting.generation_id));

    let mut second = device.hello(&[]).await;
    for message in [running, queued] {
        second
            .say(&json!({"routeKey": "follow", "generation_id": message.generation_id,
                "after_seq": message.seq, "epoch": message.epoch}))
            .await;
        assert_eq!(second.next_of("following").await["recovered"], true);
    }
    server.standin.open_gate("hold");
    let rest = second.answer().await;
    assert_eq!(numbered(20) + &contents(&rest), numbered(40));
    let next = second.answer().await;
    assert_eq!(contents(&next), numbered(3));
}

#[tokio::test]
async fn a_delete_stops_what_runs_and_leaves_nothing() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let waiting = device.go_on(started.conversation_id, "Again!", &fast(3)).await;
    let id = started.conversation_id;
    server.standin.wait_until(|calls| calls.first().is_some_and(|call| call.tokens == 20)).await;
    let deleted = device.rest.delete(id).await.unwrap();
    assert!(deleted.success && deleted.conversation_id == id);
    server.standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
    assert_eq!(server.standin.calls().len(), 1, "what waited never ran");

    let gone = device.rest.conversation(id, None, None).await;
    assert!(matches!(gone, Err(RestError::Refused(body)) if body.status_code == 404));
    let again = device.rest.delete(id).await;
    assert!(matches!(again, Err(RestError::Refused(body)) if body.status_code == 404));
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 0);
    for generation in [started.generation_id, waiting.generation_id] {
        let stop = device.rest.stop(generation).await;
        assert!(matches!(stop, Err(RestError::Refused(body)) if body.status_code == 404));
    }
}

#[tokio::test]
async fn a_conversation_can_be_renamed() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = finished(&device, "Count!", 3).await.conversation_id;
    let rename = async |title: &str| {
        device
            .rest
            .patch(
                id,
                &ConversationPatch { title: Some(title.into()), ..ConversationPatch::default() },
            )
            .await
    };
    assert_eq!(rename("  Numbers ").await.unwrap().title, "Numbers");
    assert_eq!(rename(&"ü".repeat(90)).await.unwrap().title, "ü".repeat(60));
    for empty in ["", "  "] {
        let refused = rename(empty).await;
        assert!(matches!(refused, Err(RestError::Refused(body)) if body.status_code == 400));
    }
    let unchanged = device.rest.patch(id, &ConversationPatch::default()).await.unwrap();
    assert_eq!(unchanged.title, "ü".repeat(60));
    assert_eq!(device.rest.conversation(id, None, None).await.unwrap().title, unchanged.title);
    // The pair may stand in the body.
    let mut body = device.pair();
    body["title"] = json!("By body");
    let path = format!("/ai/conversations/{id}");
    let reply = Reply::of(server.request(reqwest::Method::PATCH, &path).json(&body)).await;
    assert_eq!(reply.ok()["title"], "By body");
}
