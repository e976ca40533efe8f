//! Two answers to one message at the same time (PROTOCOL B5).

use serde_json::json;
use unbroken_protocol::ClientMessageId;
use unbroken_standin::numbered;

use crate::support::{Given, Reply, fast};

/// B8.10 and B8.11 hold for both, and what is sent meanwhile waits until both have ended.
#[tokio::test]
async fn an_answer_beside_another_runs_at_once_and_what_comes_then_waits_for_both() {
    let server = Given::new().start().await;
    let device = server.device("laptop").await;
    let held = |at: &str| format!("numbers:tokens=40,rate=0,first=0,gate={at}@20");
    let first = device.start("hi", &held("one")).await;
    let question = first.user_message_id;
    let model = held("two");

    let busy = device.rest.regenerate(question, Some(&model), ClientMessageId::new()).await;
    assert!(busy.is_err(), "without `beside` as before");
    let key = ClientMessageId::new();
    let second = device.rest.answer_beside(question, Some(&model), key).await.unwrap();
    let again = device.rest.answer_beside(question, Some(&model), key).await.unwrap();
    assert_eq!(again, second);
    assert_eq!(second.queued, None);
    let third = device.rest.answer_beside(question, Some(&model), ClientMessageId::new()).await;
    assert!(third.is_err(), "two at most");
    // With another kind of call the key stands for something else.
    let mut other = device.pair();
    other["client_message_id"] = json!(key);
    other["model_id"] = json!(model);
    let path = format!("/ai/messages/{question}/generate");
    Reply::of(server.post(&path).json(&other)).await.refused(409, "conflict");

    for generation in [first.generation_id, second.generation_id] {
        let mut talk = device.hello(&[]).await;
        talk.say(&json!({"routeKey": "follow", "generation_id": generation})).await;
        talk.until_text(&numbered(20)).await;
    }
    let next = device.go_on(first.conversation_id, "and", &fast(5)).await;
    assert_eq!(next.queued.map(|queued| queued.position), Some(1));

    // The stop of one leaves the other alone.
    device.rest.stop(first.generation_id).await.unwrap();
    assert_eq!(server.standin.calls().len(), 2, "it still waits");
    server.standin.open_gate("two");
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": next.generation_id})).await;
    talk.next_of("stream_complete").await;
    assert_eq!(server.standin.calls().len(), 3);

    // The other one can be read though it is not on the branch that is shown.
    let page = device.rest.message(first.conversation_id, first.message_id).await.unwrap();
    let [answer] = page.messages.as_slice() else { panic!("{page:?}") };
    assert_eq!(answer.content, numbered(20));
    assert_eq!(answer.sibling_ids, [first.message_id, second.message_id]);
    let stranger = server.device("stranger").await;
    assert!(stranger.rest.message(first.conversation_id, first.message_id).await.is_err());
    let elsewhere = device.start("hi", &fast(5)).await;
    let foreign = device.rest.message(elsewhere.conversation_id, first.message_id).await;
    assert!(foreign.is_err(), "a message of another conversation is not there");
}
