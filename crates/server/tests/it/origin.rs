//! Who may call: origins, hosts, and cookies (PROTOCOL B6, B8.18).

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use unbroken_client::native::raw::RawError;

use crate::support::{Device, Given, Reply, Talk, TestServer, fast};

/// The cookie that a browser keeps for a device.
fn cookie(device: &Device) -> String {
    format!("other=1; unbroken_session={}", device.session.reveal())
}

/// B8.18
#[tokio::test]
async fn a_foreign_origin_can_neither_call_nor_open_a_socket() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut body = device.pair();
    body["message"] = json!("Count!");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let calls: [RequestBuilder; 4] = [
            server.post("/ai/chat/start").json(&body),
            server.post("/auth/device-session").json(&json!({"device_id": "x"})),
            server.get("/ai/conversations").query(&device.query()),
            server.request(Method::DELETE, "/routing/preferences").query(&device.query()),
        ];
        for call in calls {
            let reply = Reply::of(call.header("origin", origin)).await;
            reply.refused(403, "forbidden");
            assert_eq!(reply.header("access-control-allow-origin"), "");
        }
        for with in [vec![], vec![("cookie", cookie(&device))]] {
            let mut headers: Vec<_> =
                with.iter().map(|(name, value)| (*name, value.as_str())).collect();
            headers.push(("origin", origin));
            let refused = Talk::connect_with(&server.base(), &headers).await;
            assert!(matches!(refused, Err(RawError::Refused(403))), "{origin}");
        }
    }
    assert!(server.standin.calls().is_empty());
}

#[tokio::test]
async fn the_own_origin_and_a_listed_one_may() {
    let server =
        Given::new().set("http.cors_origins", r#"["https://intranet.example"]"#).start().await;
    let device = server.device("laptop").await;
    for origin in [server.base(), "https://intranet.example".to_owned()] {
        let call = server.get("/ai/conversations").query(&device.query());
        Reply::of(call.header("origin", &origin)).await.ok();
        let headers = [("origin", origin.as_str())];
        Talk::connect_with(&server.base(), &headers).await.unwrap();
    }
    let preflight = server
        .request(Method::OPTIONS, "/ai/chat/start")
        .header("origin", "https://intranet.example")
        .header("access-control-request-method", "POST");
    let reply = Reply::of(preflight).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://intranet.example");
}

#[tokio::test]
async fn a_foreign_host_is_misdirected() {
    let server = TestServer::start().await;
    for path in ["/", "/health", "/ai/conversations"] {
        let reply = Reply::of(server.get(path).header("host", "evil.example")).await;
        reply.refused(421, "bad_request");
    }
    let headers = [("host", "evil.example")];
    let refused = Talk::connect_with(&server.base(), &headers).await;
    assert!(matches!(refused, Err(RawError::Refused(421))));
}

#[tokio::test]
async fn a_cookie_without_an_origin_does_not_identify_a_change() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let body = json!({"message": "Count!", "model_id": fast(3),
        "request_type": "authenticated"});
    let start = || server.post("/ai/chat/start").header("cookie", cookie(&device)).json(&body);
    Reply::of(start()).await.refused(401, "unauthorized");
    Reply::of(start().header("origin", "https://evil.example")).await.refused(403, "forbidden");
    assert!(server.standin.calls().is_empty());
    Reply::of(start().header("origin", server.base())).await.ok();
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);
}

#[tokio::test]
async fn a_cookie_alone_identifies_a_reader() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    device.start("Count!", &fast(3)).await;
    let list = server.get("/ai/conversations?request_type=authenticated");
    let reply = Reply::of(list.header("cookie", cookie(&device))).await;
    assert_eq!(reply.ok()["total"], 1);
}

#[tokio::test]
async fn a_cookie_identifies_a_socket_only_with_an_own_origin() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let (cookie, base) = (cookie(&device), server.base());
    let with_origin = [("cookie", cookie.as_str()), ("origin", base.as_str())];
    let mut talk = Talk::connect_with(&base, &with_origin).await.unwrap();
    talk.say(&json!({"routeKey": "hello"})).await;
    talk.next_is("hello_ok").await;

    let mut alone = Talk::connect_with(&base, &with_origin[..1]).await.unwrap();
    alone.say(&json!({"routeKey": "hello"})).await;
    assert_eq!(alone.next_is("error").await["code"], "unauthorized");
}

#[tokio::test]
async fn a_bearer_token_identifies() {
    let server = TestServer::start().await;
    let device = server.device("program").await;
    let body = json!({"message": "Count!", "model_id": fast(3),
        "request_type": "authenticated"});
    let start = server.post("/ai/chat/start").bearer_auth(device.session.reveal()).json(&body);
    Reply::of(start).await.ok();
    let list = server.get("/ai/conversations").bearer_auth(device.session.reveal());
    assert_eq!(Reply::of(list).await.ok()["total"], 1);
    let wrong = server.get("/ai/conversations").bearer_auth("nobody");
    Reply::of(wrong).await.refused(401, "unauthorized");
}
