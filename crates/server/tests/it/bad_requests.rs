//! REST calls that are wrong, too large, or about what is not there (PROTOCOL A5, B6, B8.18).

use reqwest::Method;
use serde_json::{Value, json};
use unbroken_protocol::{ConversationId, GenerationId, MessageId};

use crate::support::{Reply, TestServer, fast};

#[tokio::test]
async fn a_bad_body_is_a_bad_request_that_names_what_is_wrong() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut wrong_type = device.pair();
    wrong_type["message"] = json!(["x"]);
    let mut wrong_word = device.pair();
    wrong_word["message"] = json!("x");
    wrong_word["request_type"] = json!("king");
    for path in ["/ai/chat/start", "/ai/chat", "/api/chat"] {
        for (body, word) in [
            ("{", "JSON"),
            ("", "JSON"),
            ("[]", "bad field"),
            ("\"x\"", "bad field"),
            (&device.pair().to_string(), "message"),
            (&wrong_type.to_string(), "expected a string"),
            (&wrong_word.to_string(), "king"),
        ] {
            let reply = Reply::of(server.post(path).body(body.to_owned())).await;
            let message = reply.refused(400, "bad_request");
            assert!(message.contains(word), "{path} {body}: {message}");
        }
    }
    for (method, path) in [
        (Method::POST, "/auth/device-session".to_owned()),
        (Method::POST, "/auth/link".to_owned()),
        (Method::POST, "/routing/preferences".to_owned()),
        (Method::DELETE, "/routing/preferences".to_owned()),
        (Method::PATCH, format!("/ai/conversations/{}", ConversationId::new())),
        (Method::POST, format!("/ai/generations/{}/stop", GenerationId::new())),
    ] {
        for body in ["{", r#"{"session_id":7,"model_id":"x"}"#] {
            let reply = Reply::of(server.request(method.clone(), &path).body(body)).await;
            reply.refused(400, "bad_request");
        }
    }
    assert!(server.standin.calls().is_empty());
}

#[tokio::test]
async fn a_bad_query_is_a_bad_request() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = device.start("Count!", &fast(3)).await.conversation_id;
    for query in ["limit=many", "limit=-1", "cursor=x", "request_type=king"] {
        let path = format!("/ai/conversations?{query}");
        Reply::of(server.get(&path).query(&device.query()[..2])).await.refused(400, "bad_request");
    }
    let path = format!("/ai/conversations/{id}?limit=x");
    Reply::of(server.get(&path).query(&device.query())).await.refused(400, "bad_request");
}

#[tokio::test]
async fn unknown_fields_are_ignored_in_bodies_and_queries() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut body = device.pair();
    body["message"] = json!("Count!");
    body["model_id"] = json!(fast(3));
    body["from_the_future"] = json!({"a": 1});
    let started = Reply::of(server.post("/ai/chat/start").json(&body)).await.ok();
    assert_eq!(started["status"], "conversation_created");
    let list = server.get("/ai/conversations?from_the_future=1").query(&device.query());
    assert_eq!(Reply::of(list).await.ok()["total"], 1);
    // No content type, as some clients send it.
    let untyped = Reply::of(server.post("/ai/chat/start").body(body.to_string())).await;
    untyped.ok();
}

#[tokio::test]
async fn a_message_has_at_most_one_mebibyte() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let body = |message: String| {
        let mut body = device.pair();
        body["message"] = json!(message);
        body["model_id"] = json!(fast(3));
        body
    };
    for path in ["/ai/chat/start", "/ai/chat"] {
        Reply::of(server.post(path).json(&body("x".repeat(1 << 20)))).await.ok();
        let reply = Reply::of(server.post(path).json(&body("x".repeat((1 << 20) + 1)))).await;
        let message = reply.refused(413, "payload_too_large");
        assert!(message.contains("1048577"), "{message}");
    }
    // Its length counts, not how JSON writes it.
    Reply::of(server.post("/ai/chat/start").json(&body("\u{1}".repeat(1 << 20)))).await.ok();
    for message in ["", " \n "] {
        let reply = Reply::of(server.post("/ai/chat/start").json(&body(message.into()))).await;
        let message = reply.refused(400, "bad_request");
        assert_eq!(message, "The message is empty. Type something first.");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_our_body_on_every_route() {
    let server = TestServer::start().await;
    let id = ConversationId::new();
    for (method, path, limit) in [
        (Method::POST, "/ai/chat/start".to_owned(), 8 << 20),
        (Method::POST, "/ai/chat".to_owned(), 8 << 20),
        (Method::PATCH, format!("/ai/conversations/{id}/queue/{id}"), 8 << 20),
        (Method::POST, "/ai/highlight".to_owned(), 2 << 20),
        (Method::PUT, "/ai/prompts/one".to_owned(), 512 << 10),
        (Method::POST, "/ai/collections".to_owned(), 512 << 10),
        (Method::PATCH, format!("/ai/collections/{id}"), 512 << 10),
        (Method::POST, "/auth/device-session".to_owned(), 64 << 10),
        (Method::PATCH, format!("/ai/conversations/{id}"), 64 << 10),
        (Method::DELETE, "/routing/preferences".to_owned(), 64 << 10),
        (Method::POST, format!("/ai/generations/{}/stop", GenerationId::new()), 64 << 10),
    ] {
        let body = "x".repeat(limit + 1);
        let reply = Reply::of(server.request(method, &path).body(body)).await;
        reply.refused(413, "payload_too_large");
    }
}

#[tokio::test]
async fn nobody_gets_anything_without_a_session() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &fast(3)).await;
    let conversation = format!("/ai/conversations/{}", started.conversation_id);
    let stop = format!("/ai/generations/{}/stop", started.generation_id);
    let nobody = json!({"session_id": "nobody", "device_id": "laptop", "message": "x",
        "model_id": "x"});
    let alone = json!({"device_id": "laptop", "message": "x", "model_id": "x"});
    let mut wrong = device.pair();
    wrong["device_id"] = json!("another");
    wrong["message"] = json!("x");
    wrong["model_id"] = json!("x");
    for body in [nobody, alone, wrong] {
        for path in ["/ai/chat/start", "/ai/chat", "/auth/link", "/routing/preferences", &stop] {
            let reply = Reply::of(server.post(path).json(&body)).await;
            reply.refused(401, "unauthorized");
        }
        let query: Vec<_> = ["session_id", "device_id"]
            .into_iter()
            .filter_map(|name| Some((name, body[name].as_str()?.to_owned())))
            .collect();
        for (method, path) in [
            (Method::GET, "/ai/conversations"),
            (Method::GET, &conversation),
            (Method::DELETE, &conversation),
            (Method::DELETE, "/routing/preferences"),
        ] {
            let reply = Reply::of(server.request(method, path).query(&query)).await;
            reply.refused(401, "unauthorized");
        }
        let rename = server.request(Method::PATCH, &conversation).query(&query);
        Reply::of(rename.json(&json!({"title": "x"}))).await.refused(401, "unauthorized");
    }
    assert_eq!(device.history(started.conversation_id).await.len(), 2);
}

/// B8.18: the same answer, so that nobody learns what there is.
#[tokio::test]
async fn what_is_foreign_answers_as_if_it_did_not_exist() {
    let server = TestServer::start().await;
    let (owner, stranger) = (server.device("owner").await, server.device("stranger").await);
    let started = owner.start("Count!", &fast(3)).await;
    let (theirs, generation) = (started.conversation_id, started.generation_id);
    let question = started.user_message_id.to_string();
    let mut said = Vec::new();
    for (conversation, generation, message) in [
        (theirs.to_string(), generation.to_string(), question),
        (
            ConversationId::new().to_string(),
            GenerationId::new().to_string(),
            MessageId::new().to_string(),
        ),
        ("x".to_owned(), "%20".to_owned(), "x".to_owned()),
        ("%FF".to_owned(), "%FF".to_owned(), "%FF".to_owned()),
    ] {
        let path = format!("/ai/conversations/{conversation}");
        let mut next = stranger.pair();
        next["message"] = json!("x");
        next["conversation_id"] = json!(conversation);
        let queued = format!("{path}/queue/{generation}");
        let requests = [
            server.get(&path).query(&stranger.query()),
            server.request(Method::DELETE, &path).query(&stranger.query()),
            server
                .request(Method::PATCH, &path)
                .query(&stranger.query())
                .json(&json!({"title": "x"})),
            server.post(&format!("/ai/generations/{generation}/stop")).json(&stranger.pair()),
            server.post(&format!("/ai/generations/{generation}/continue")).json(&stranger.pair()),
            server.get(&format!("{path}/queue")).query(&stranger.query()),
            server.request(Method::PATCH, &queued).query(&stranger.query()).json(&next),
            server.request(Method::DELETE, &queued).query(&stranger.query()),
            server.post("/ai/chat/start").json(&next),
            server.post("/ai/chat").json(&next),
            server.post(&format!("/ai/messages/{message}/generate")).json(&stranger.pair()),
        ];
        let mut answers = Vec::new();
        for request in requests {
            let mut body = Reply::of(request).await;
            body.refused(404, "not_found");
            let mut json = body.json();
            json.as_object_mut().unwrap().remove("request_id");
            body.text.clear();
            answers.push(json);
        }
        said.push(answers);
    }
    // The rest may name another part of what was not found, when it is no id at all.
    for other in &said[1..] {
        assert_eq!(said[0][..6], other[..6]);
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(owner.history(theirs).await[0].content, "Count!");
}

#[tokio::test]
async fn parents_and_keys_that_are_none_are_refused() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &fast(3)).await;
    let post = async |change: Value| {
        let mut body = device.pair();
        body["message"] = json!("x");
        body["model_id"] = json!(fast(3));
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        Reply::of(server.post("/ai/chat/start").json(&body)).await
    };
    let id = started.conversation_id;
    post(json!({"parent_id": started.message_id})).await.refused(400, "bad_request");
    post(json!({"conversation_id": id, "parent_id": "x"})).await.refused(404, "not_found");
    let foreign = json!({"conversation_id": id, "parent_id": ConversationId::new()});
    post(foreign).await.refused(404, "not_found");
    let mine = json!({"conversation_id": id, "parent_id": started.user_message_id});
    post(mine).await.refused(404, "not_found");
    post(json!({"client_message_id": "x"})).await.refused(400, "bad_request");
    let path = format!("/ai/conversations/{id}?before=x");
    Reply::of(server.get(&path).query(&device.query())).await.refused(404, "not_found");
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_wrong_method_and_an_unknown_address_have_our_body() {
    let server = TestServer::start().await;
    for (method, path) in [
        (Method::GET, "/ai/chat/start"),
        (Method::PUT, "/ai/conversations"),
        (Method::POST, "/routing/models"),
        (Method::DELETE, "/health"),
        (Method::PATCH, "/auth/device-session"),
    ] {
        let reply = Reply::of(server.request(method.clone(), path)).await;
        let message = reply.refused(405, "bad_request");
        assert!(message.contains(method.as_str()), "{message}");
    }
    for path in ["/ai/nothing", "/auth/x", "/api/x", "/routing", "/health/x", "/ai"] {
        let browser = server.get(path).header("accept", "text/html");
        Reply::of(browser).await.refused(404, "not_found");
    }
    Reply::of(server.post("/nothing").body("x")).await.refused(404, "not_found");
    let asks_for_json = server.get("/nothing").header("accept", "application/json");
    Reply::of(asks_for_json).await.refused(404, "not_found");
    Reply::of(server.get("/ws")).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_request_id_of_the_client_comes_back() {
    let server = TestServer::start().await;
    let request = server.get("/ai/conversations").header("x-request-id", "mine-7");
    let reply = Reply::of(request).await;
    reply.refused(401, "unauthorized");
    assert_eq!(reply.json()["request_id"], "mine-7");
}
