//! Engines of every kind, and what is read of what they find.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use unbroken_sources::search::{Found, Search, SearchConfig, SearchError};
use unbroken_standin::Standin;

/// An engine that answers every request in one way; it lives as long as the test.
async fn engine(
    answer: impl Fn(Request) -> Response + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let routes = Router::new().fallback(async move |request: Request| answer(request));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let addr = listener.local_addr().expect("a socket has an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}

fn search(config: Value) -> Search {
    serde_json::from_value::<SearchConfig>(config)
        .expect("it is a config")
        .open()
        .expect("it holds")
}

fn searxng(addr: SocketAddr) -> Search {
    search(json!({ "engine": "searxng", "url": format!("http://{addr}"), "seconds": 1 }))
}

fn urls(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.url.as_str()).collect()
}

/// Of a machine that may read pages of this one.
#[tokio::test]
async fn searxng_is_asked_for_json() {
    let standin = Standin::start().await;
    let found = searxng(standin.addr()).find("How do lighthouses & ships work?").await.unwrap();
    assert_eq!(found[0].title, "How lighthouses work");
    assert_eq!(urls(&found)[0], format!("http://{}/pages/lighthouses", standin.addr()));
    assert!(found[0].snippet.starts_with("A lighthouse warns"));
}

#[tokio::test]
async fn a_key_goes_where_an_engine_wants_it() {
    let result = json!({ "title": "A", "url": "https://a.example/", "description": "about" });
    let addr = engine(move |request| {
        let headers = request.headers();
        let given = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        let is_brave = given("x-subscription-token") == Some(b"hush")
            && request.uri().query() == Some("q=a+%26+b&count=8&text_decorations=false");
        let is_tavily =
            given("authorization") == Some(b"Bearer hush") && request.method() == "POST";
        let is_described =
            given("x-key") == Some(b"it is hush") && request.uri().query() == Some("s=a+%26+b");
        match (is_brave, is_tavily, is_described) {
            (true, ..) => Json(json!({ "web": { "results": [result] } })).into_response(),
            (_, true, _) => Json(json!({ "results": [result] })).into_response(),
            (.., true) => Json(json!([{ "data": result }])).into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    })
    .await;
    let url = format!("http://{addr}/");
    let described = json!({
        "engine": "described", "url": format!("{url}?s={{query}}"), "api_key": "hush",
        "headers": { "X-Key": "it is {key}" },
        "answer": { "list": "", "title": "/data/title", "url": "/data/url",
                    "snippet": "/data/description" },
    });
    for config in [
        json!({ "engine": "brave", "url": url, "api_key": "hush" }),
        json!({ "engine": "tavily", "url": url, "api_key": "hush" }),
        described,
    ] {
        let found = search(config.clone()).find("a & b").await;
        assert_eq!(urls(&found.unwrap()), ["https://a.example/"], "{config}");
    }
    let wrong = json!({ "engine": "brave", "url": url, "api_key": "wrong" });
    assert_eq!(search(wrong).find("a").await, Err(SearchError::Key));
}

#[tokio::test]
async fn what_goes_wrong_with_an_engine_is_said() {
    for (status, error) in [
        (StatusCode::FORBIDDEN, SearchError::NoJson),
        (StatusCode::TOO_MANY_REQUESTS, SearchError::TooMany),
        (StatusCode::FOUND, SearchError::Status { status: 302 }),
        (StatusCode::OK, SearchError::NoResults),
    ] {
        let addr = engine(move |_| (status, "<html>").into_response()).await;
        assert_eq!(searxng(addr).find("a").await, Err(error));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(searxng(addr).find("a").await, Err(SearchError::TooSlow));
    drop(listener);
    assert_eq!(searxng(addr).find("a").await, Err(SearchError::Unreachable));
}
