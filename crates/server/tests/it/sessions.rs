//! Device sessions (PROTOCOL A1).

use serde_json::{Value, json};
use unbroken_protocol::{DeviceId, PrincipalId, SessionId, Timestamp};
use unbroken_server::patience::Patience;
use unbroken_store::{Durability, SecretHash, Session, Store};

use crate::support::{Given, Reply, Talk, TestServer, fast};

async fn open(server: &TestServer, body: &Value) -> Reply {
    Reply::of(server.post("/auth/device-session").json(body)).await
}

async fn validate(server: &TestServer, query: &[(&str, &str)]) -> Reply {
    Reply::of(server.get("/auth/device-session/validate").query(query)).await
}

#[tokio::test]
async fn a_new_device_gets_a_session_with_all_fields() {
    let server = TestServer::start().await;
    let info = json!({"user_agent": "x", "platform": "y", "language": "z", "screen": "1x1"});
    let reply = open(&server, &json!({"device_id": "phone", "device_info": info})).await;
    let body = reply.ok();
    assert_eq!(body["device_id"], "phone");
    let secret = body["session_id"].as_str().unwrap();
    assert!(secret.len() >= 32, "128 random bits");
    for number in ["max_conversations", "daily_credits", "credits_remaining"] {
        assert!(body[number].is_u64(), "{number} in {body}");
    }
    for text in ["plan", "message", "expires_at"] {
        assert!(body[text].is_string(), "{text} in {body}");
    }
    let cookie = reply.header("set-cookie");
    assert!(cookie.contains(secret), "{cookie}");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite="), "{cookie}");
}

#[tokio::test]
async fn a_live_session_is_renewed_by_its_secret_in_the_body_or_in_the_cookie() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let by_body = open(&server, &device.pair()).await.ok();
    assert_eq!(by_body["session_id"], device.session.reveal());
    let cookie = format!("unbroken_session={}", device.session.reveal());
    let renew = || {
        let post = server.post("/auth/device-session").header("cookie", &cookie);
        post.json(&json!({"device_id": "phone"}))
    };
    let by_cookie = Reply::of(renew().header("origin", server.base())).await.ok();
    assert_eq!(by_cookie["session_id"], device.session.reveal());
    // It may be a foreign page that makes the browser send its cookie.
    let without_origin = Reply::of(renew()).await.ok();
    assert_ne!(without_origin["session_id"], device.session.reveal());
}

#[tokio::test]
async fn a_known_device_id_alone_gets_a_new_and_empty_principal() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let started = device.start("Count!", &fast(3)).await;
    for body in [
        json!({"device_id": "phone"}),
        json!({"device_id": "phone", "session_id": ""}),
        json!({"device_id": "phone", "session_id": "expired"}),
    ] {
        let reply = open(&server, &body).await.ok();
        assert_ne!(reply["session_id"], device.session.reveal());
        let session = reply["session_id"].as_str().unwrap();
        let query = [("session_id", session), ("device_id", "phone")];
        let list = server.get("/ai/conversations").query(&query);
        assert_eq!(Reply::of(list).await.ok()["total"], 0);
        let path = format!("/ai/conversations/{}", started.conversation_id);
        Reply::of(server.get(&path).query(&query)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_session_is_validated() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let secret = device.session.reveal();
    for query in [&[("session_id", secret)][..], &[("session_id", secret), ("device_id", "phone")]]
    {
        let body = validate(&server, query).await.ok();
        assert_eq!((&body["session_id"], &body["device_id"]), (&json!(secret), &json!("phone")));
    }
    for query in [
        &[][..],
        &[("device_id", "phone")],
        &[("session_id", "nobody")],
        &[("session_id", secret), ("device_id", "tablet")],
    ] {
        validate(&server, query).await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_live_session_with_another_device_id_is_not_renewed() {
    let server = TestServer::start().await;
    let body = open(&server, &json!({"device_id": "phone"})).await.ok();
    let secret = body["session_id"].as_str().unwrap();
    let reply = open(&server, &json!({"device_id": "tablet", "session_id": secret})).await;
    reply.refused(401, "unauthorized");
}

#[tokio::test]
async fn a_device_id_is_needed_and_not_endless() {
    let server = TestServer::start().await;
    for body in [json!({}), json!({"device_id": ""}), json!({"device_id": "x".repeat(257)})] {
        open(&server, &body).await.refused(400, "bad_request");
    }
    open(&server, &json!({"device_id": "x".repeat(256)})).await.ok();
}

/// B8.18
#[tokio::test]
async fn an_expired_session_is_nobody() {
    let given = Given::new();
    let secret = SessionId::new("s".repeat(64));
    let (store, mut writer) = Store::open(given.folder.path()).await.unwrap();
    let session = Session {
        device_id: DeviceId("phone".into()),
        principal_id: PrincipalId::new(),
        expires_at: Timestamp::from_millis(Timestamp::now().as_millis() - 1),
    };
    let mut transaction = writer.begin(Durability::Power).await.unwrap();
    let long_ago = Timestamp::from_millis(0);
    transaction.put_session(SecretHash::from(&secret), &session, long_ago).await.unwrap();
    transaction.commit().await.unwrap();
    writer.close().await.unwrap();
    store.close().await;
    drop(store);

    let server = given.start().await;
    let pair = json!({"session_id": secret.reveal(), "device_id": "phone"});
    let query = [("session_id", secret.reveal()), ("device_id", "phone")];
    validate(&server, &query).await.refused(401, "unauthorized");
    let list = server.get("/ai/conversations").query(&query);
    Reply::of(list).await.refused(401, "unauthorized");
    let mut ask = pair.clone();
    ask["message"] = json!("x");
    Reply::of(server.post("/ai/chat/start").json(&ask)).await.refused(401, "unauthorized");

    let mut talk = Talk::connect(&server.base()).await;
    let mut frame = ask.clone();
    frame["routeKey"] = json!("stream_chat");
    talk.say(&frame).await;
    assert_eq!(talk.next_is("stream_error").await["code"], "unauthorized");
    let mut hello = pair.clone();
    hello["routeKey"] = json!("hello");
    talk.say(&hello).await;
    assert_eq!(talk.next_is("error").await["code"], "unauthorized");

    let renewed = open(&server, &pair).await.ok();
    assert_ne!(renewed["session_id"], secret.reveal());
}

#[tokio::test]
async fn a_link_code_joins_another_device_once() {
    let server = TestServer::start().await;
    let phone = server.device("phone").await;
    phone.start("Count!", &fast(3)).await;
    let reply = Reply::of(server.post("/auth/link").json(&phone.pair())).await.ok();
    let code = reply["code"].as_str().unwrap();
    let typed = code.to_lowercase().replace('-', " ");
    let body = json!({"device_id": "tablet", "link_code": typed});
    let joined = open(&server, &body).await.ok();
    assert_eq!(joined["device_id"], "tablet");
    assert_ne!(joined["session_id"], phone.session.reveal());
    let query = [("session_id", joined["session_id"].as_str().unwrap())];
    let list = server.get("/ai/conversations").query(&query);
    assert_eq!(Reply::of(list).await.ok()["total"], 1);

    open(&server, &body).await.refused(400, "bad_request");
    let wrong = json!({"device_id": "tablet", "link_code": "ABCD-EFGH"});
    open(&server, &wrong).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_link_code_expires() {
    let given = Given::new();
    let (store, mut writer) = Store::open(given.folder.path()).await.unwrap();
    let mut transaction = writer.begin(Durability::Power).await.unwrap();
    let past = Timestamp::from_millis(Timestamp::now().as_millis() - 1);
    let code = SecretHash::of("OLDCODE2");
    transaction.put_link_code(code, PrincipalId::new(), past).await.unwrap();
    transaction.commit().await.unwrap();
    writer.close().await.unwrap();
    store.close().await;
    drop(store);

    let server = given.start().await;
    let body = json!({"device_id": "tablet", "link_code": "OLDC-ODE2"});
    open(&server, &body).await.refused(400, "bad_request");

    let phone = server.device("phone").await;
    let reply = Reply::of(server.post("/auth/link").json(&phone.pair())).await.ok();
    let expires: Timestamp = serde_json::from_value(reply["expires_at"].clone()).unwrap();
    let lives = expires.as_millis() - Timestamp::now().as_millis();
    assert!((290_000..=300_000).contains(&lives), "five minutes: {lives}");
}

#[tokio::test]
async fn who_tries_many_wrong_access_codes_is_not_heard_for_a_while() {
    let patience = Patience { count_loopback: true, ..Patience::default() };
    let given = Given::new().set("auth.access_code", "open sesame").patience(patience);
    let server = given.start().await;
    let body = |code: &str| json!({"device_id": "phone", "access_code": code});
    let known = open(&server, &body("open sesame")).await.ok();
    for _ in 0..20 {
        // Who asks whether there is one guesses nothing.
        open(&server, &json!({"device_id": "phone"})).await.refused(401, "unauthorized");
        open(&server, &body("wrong")).await.refused(401, "unauthorized");
    }
    for code in ["wrong", "open sesame"] {
        let reply = open(&server, &body(code)).await;
        let message = reply.refused(429, "rate_limited");
        assert!(message.contains("wrong access codes"), "{message}");
        let seconds: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds));
    }
    open(&server, &json!({"device_id": "phone", "session_id": known["session_id"]})).await.ok();
}

#[tokio::test]
async fn an_access_code_is_asked_of_each_new_device() {
    let server = Given::new().set("auth.access_code", "open sesame").start().await;
    for body in
        [json!({"device_id": "phone"}), json!({"device_id": "phone", "access_code": "wrong"})]
    {
        let reply = open(&server, &body).await;
        reply.refused(401, "unauthorized");
        assert_eq!(reply.json()["details"]["access_code_required"], true);
        assert_eq!(reply.header("set-cookie"), "");
    }
    let body = json!({"device_id": "phone", "access_code": "open sesame"});
    let phone = open(&server, &body).await.ok();
    // A live session, and one that a live one vouches for, need none.
    let pair = json!({"device_id": "phone", "session_id": phone["session_id"]});
    assert_eq!(open(&server, &pair).await.ok()["session_id"], phone["session_id"]);
    let link = Reply::of(server.post("/auth/link").json(&pair)).await.ok();
    let tablet = json!({"device_id": "tablet", "link_code": link["code"]});
    open(&server, &tablet).await.ok();
}
