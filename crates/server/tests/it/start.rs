//! Starting a turn by REST: an id at once (PROTOCOL A2, B1).

use serde_json::{Value, json};
use unbroken_protocol::ClientMessageId;
use unbroken_standin::numbered;

use crate::support::{Device, Reply, TestServer, fast, held, soon};

fn body(device: &Device, change: &Value) -> Value {
    let mut body = device.pair();
    body["message"] = json!("Count!");
    body["model_id"] = json!(fast(3));
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_start_answers_with_all_ids_before_the_model_does() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let model = held(3, 0);
    let request = server.post("/ai/chat/start");
    let started = Reply::of(request.json(&body(&device, &json!({"model_id": model})))).await.ok();
    assert_eq!(started["model"], model);
    assert_eq!((&started["epoch"], &started["after_seq"]), (&json!(1), &json!(0)));
    assert_eq!(started["status"], "conversation_created");
    assert_eq!(started["websocket_route"], "stream_chat");
    for text in [
        "conversation_id",
        "model_name",
        "transaction_id",
        "message",
        "generation_id",
        "message_id",
    ] {
        assert!(started[text].is_string(), "{text} in {started}");
    }
    assert!(started.get("queued").is_none() && started.get("routing").is_none(), "{started}");
    let id = started["conversation_id"].as_str().unwrap().parse().unwrap();
    let history = device.history(id).await;
    assert_eq!(history[0].content, "Count!");
    assert_eq!(history[1].message_id.to_string(), started["message_id"].as_str().unwrap());
}

/// B8.11
#[tokio::test]
async fn one_client_message_id_is_one_generation_and_one_model_call() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let key = ClientMessageId::new().to_string();
    let keyed = |change: &Value| {
        let mut body = body(&device, change);
        body["client_message_id"] = json!(key);
        server.post("/ai/chat/start").json(&body)
    };
    let (one, two, three) = tokio::join!(
        Reply::of(keyed(&json!({}))),
        Reply::of(keyed(&json!({}))),
        Reply::of(keyed(&json!({}))),
    );
    let first = one.ok();
    for again in [two.ok(), three.ok(), Reply::of(keyed(&json!({}))).await.ok()] {
        for id in ["conversation_id", "generation_id", "message_id", "user_message_id", "model"] {
            assert_eq!(again[id], first[id], "{id}");
        }
    }
    // Also over the socket.
    let mut frame = device.stream_chat("Count!", None, &fast(3));
    frame["client_message_id"] = json!(key);
    let mut talk = device.socket().await;
    talk.say(&frame).await;
    let events = talk.answer().await;
    assert_eq!(events[0]["generation_id"], first["generation_id"]);
    assert_eq!(events.last().unwrap()["full_response"], numbered(3));
    assert_eq!(server.standin.calls().len(), 1);
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);

    for change in [
        json!({"message": "Something else"}),
        json!({"model_id": fast(4)}),
        json!({"options": {"temperature": 0.5}}),
        json!({"conversation_id": first["conversation_id"]}),
    ] {
        Reply::of(keyed(&change)).await.refused(409, "conflict");
    }
    assert_eq!(server.standin.calls().len(), 1);

    // Unique per principal: another person may use the same one.
    let other = server.device("other").await;
    let mut theirs = body(&other, &json!({}));
    theirs["client_message_id"] = json!(key);
    let theirs = Reply::of(server.post("/ai/chat/start").json(&theirs)).await.ok();
    assert_ne!(theirs["generation_id"], first["generation_id"]);
}

#[tokio::test]
async fn a_turn_that_has_to_wait_says_its_place() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let first = device.start("One", &held(9, 4)).await;
    assert!(first.queued.is_none());
    for position in 1..=10 {
        let next = device.go_on(first.conversation_id, "Two", &fast(3)).await;
        assert_eq!(next.queued.unwrap().position, position);
    }
    let eleventh = body(&device, &json!({"conversation_id": first.conversation_id}));
    let reply = Reply::of(server.post("/ai/chat/start").json(&eleventh)).await;
    reply.refused(409, "conversation_busy");
    assert_eq!(reply.json()["retryable"], true);
}

#[tokio::test]
async fn a_parent_branches_the_conversation() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let first = device.start("One", &fast(3)).await;
    let mut talk = device.hello(&[]).await;
    let follow = json!({"routeKey": "follow", "generation_id": first.generation_id});
    talk.say(&follow).await;
    talk.answer().await;
    let second = device.go_on(first.conversation_id, "Two", &fast(4)).await;
    let branch = body(
        &device,
        &json!({"message": "Two, otherwise", "conversation_id": first.conversation_id,
            "parent_id": first.message_id}),
    );
    let branch = Reply::of(server.post("/ai/chat/start").json(&branch)).await.ok();
    let history = device.history(first.conversation_id).await;
    let texts: Vec<_> = history.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(texts[..3], ["One", &numbered(3), "Two, otherwise"]);
    let siblings = [
        second.user_message_id.to_string(),
        branch["user_message_id"].as_str().unwrap().to_owned(),
    ];
    assert_eq!(
        history[2].sibling_ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
        siblings
    );
}

#[tokio::test]
async fn the_best_model_is_the_preference_then_the_default_then_the_first() {
    let scripts = r#"{"quick": "numbers:tokens=3,rate=0,first=0",
        "quiet": "numbers:tokens=2,rate=0,first=0"}"#;
    let options = unbroken_standin::Options {
        scripts: scripts.parse().unwrap(),
        ..unbroken_standin::Options::default()
    };
    let given = crate::support::Given::new().standin(options).set("models.default", "quick");
    let server = given.start().await;
    let device = server.device("laptop").await;
    for change in [json!({"model_id": "best"}), json!({"model_id": null}), json!({"model_id": ""})]
    {
        let request = server.post("/ai/chat/start").json(&body(&device, &change));
        let started = Reply::of(request).await.ok();
        assert_eq!(started["model"], "quick");
        assert_eq!(started["routing"]["selected_model"], "quick");
        assert!(started["routing"]["reason"].is_string());
        assert!(started["routing"]["confidence"].is_number());
    }
    device.rest.preferences(Some("quiet")).await.unwrap();
    let best = body(&device, &json!({"model_id": "best"}));
    let started = Reply::of(server.post("/ai/chat/start").json(&best)).await.ok();
    assert_eq!(started["model"], "quiet");
    soon(server.standin.wait_for_calls(4)).await;
}
