//! Texts that a server embeds, over real TCP.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use unbroken_sources::embed::{BATCH, EmbedError, Embedder, EmbeddingsConfig};
use unbroken_standin::{Options, Standin};

/// A server that answers every request in one way; it lives as long as the test.
async fn server(answer: impl Fn(Value) -> Response + Clone + Send + Sync + 'static) -> SocketAddr {
    let routes = Router::new().fallback(async move |Json(asked): Json<Value>| answer(asked));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let addr = listener.local_addr().expect("a socket has an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}

fn embedder(config: Value) -> Embedder {
    serde_json::from_value::<EmbeddingsConfig>(config)
        .expect("it is a config")
        .open()
        .expect("it holds")
}

fn at(addr: SocketAddr) -> Embedder {
    embedder(json!({ "kind": "openai", "base_url": format!("http://{addr}/v1"), "model": "m",
        "seconds": 1 }))
}

fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

#[tokio::test]
async fn both_forms_give_a_vector_for_every_text_in_its_place() {
    let options = Options { api_key: Some("hush".into()), ..Options::default() };
    let standin = Standin::start_on(("127.0.0.1", 0), options).await.unwrap();
    let base = standin.base_url();
    for config in [
        json!({ "kind": "openai", "base_url": base, "model": "meanings", "api_key": "hush" }),
        json!({ "kind": "ollama", "base_url": base.replace("/v1", ""), "model": "meanings" }),
    ] {
        let embedder = embedder(config);
        // More than go into one request.
        let texts: Vec<_> = (0..=BATCH).map(|number| format!("text number{number}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let vectors = embedder.passages(&texts).await.unwrap();
        assert_eq!(vectors.len(), texts.len());
        for (text, vector) in texts.iter().zip(&vectors) {
            let alone = embedder.question(text).await.unwrap();
            assert_eq!(vector.as_ref(), Some(&alone), "{text}");
        }
    }
    let wrong = json!({ "kind": "openai", "base_url": base, "model": "m", "api_key": "wrong" });
    assert_eq!(embedder(wrong).question("a").await, Err(EmbedError::Key));
}

#[tokio::test]
async fn a_question_and_a_passage_have_prefixes_of_their_own() {
    let standin = Standin::start().await;
    let embedder = embedder(json!({ "kind": "openai", "base_url": standin.base_url(),
        "model": "m", "query_prefix": "query: ", "passage_prefix": "passage: ", "chars": 5 }));
    embedder.question("größer").await.unwrap();
    embedder.passages(&["größer", "b"]).await.unwrap();
    assert_eq!(standin.embedded(), ["query: größe", "passage: größe", "passage: b"]);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_until_it_is_taken() {
    let standin = Standin::start().await;
    let embedder =
        embedder(json!({ "kind": "openai", "base_url": standin.base_url(), "model": "short" }));
    let long = format!("whale {}", "ä".repeat(300));
    let texts = ["krill", &long, "sea", "ship"];
    let vectors: Vec<_> =
        embedder.passages(&texts).await.unwrap().into_iter().map(Option::unwrap).collect();
    assert_eq!(vectors[0], embedder.question("krill").await.unwrap());
    assert!(likeness(&vectors[1], &embedder.question("leviathan").await.unwrap()) > 0.5);
    assert_eq!(vectors[3], embedder.question("boat").await.unwrap());
}

#[tokio::test]
async fn a_text_that_is_refused_however_short_has_no_vector_and_the_others_have() {
    let addr = server(|asked| {
        let input = asked["input"].as_array().unwrap();
        if input.iter().any(|text| text.as_str().unwrap().contains("bad")) {
            return (StatusCode::BAD_REQUEST, "no").into_response();
        }
        let data: Vec<_> = input.iter().map(|_| json!({ "embedding": [1, 2] })).collect();
        Json(json!({ "data": data })).into_response()
    })
    .await;
    let vectors = at(addr).passages(&["good", "bad", "good"]).await.unwrap();
    assert_eq!(vectors, [Some(vec![1.0, 2.0]), None, Some(vec![1.0, 2.0])]);
}

#[tokio::test]
async fn a_text_of_which_a_server_makes_no_vector_leaves_the_others_theirs() {
    let bad = "bad ".repeat(100);
    for what in ["numbers", "text", "fewer", "slow"] {
        let addr = server(move |asked| {
            let input = asked["input"].as_array().unwrap();
            let is_bad = |text: &Value| text.as_str().unwrap().contains("bad");
            let mut data: Vec<_> = input.iter().map(|_| json!({ "embedding": [1, 2] })).collect();
            if let Some(at) = input.iter().position(is_bad) {
                match what {
                    "numbers" => data[at] = json!({ "embedding": [1e300, 2] }),
                    "text" => data[at] = json!({ "embedding": ["a"] }),
                    "fewer" => drop(data.remove(at)),
                    _ => {
                        return Response::new(Body::from_stream(futures_util::stream::pending::<
                            Result<Vec<u8>, Infallible>,
                        >()));
                    }
                }
            }
            Json(json!({ "data": data })).into_response()
        })
        .await;
        let texts = ["good", "good", bad.as_str(), "good"];
        let vectors = at(addr).passages(&texts).await;
        let good = || Some(vec![1.0, 2.0]);
        assert_eq!(vectors, Ok(vec![good(), good(), None, good()]), "{what}");
    }
}

#[tokio::test]
async fn what_goes_wrong_with_a_server_is_said() {
    let vectors = |vectors: &[&str]| {
        let data = vectors.iter().map(|vector| format!("{{ \"embedding\": {vector} }}"));
        format!("{{ \"data\": [{}] }}", data.collect::<Vec<_>>().join(","))
    };
    for (status, answer, error) in [
        (404, String::new(), EmbedError::Status { status: 404 }),
        (302, String::new(), EmbedError::Status { status: 302 }),
        (400, String::new(), EmbedError::Status { status: 400 }),
        (401, String::new(), EmbedError::Key),
        (429, String::new(), EmbedError::TooMany),
        (200, "<html>".into(), EmbedError::NoVectors),
        (200, vectors(&["[1]", "[1]", "[1]"]), EmbedError::NoVectors),
        (200, vectors(&["[1]", "[1, 2]"]), EmbedError::Length { found: 2 }),
        (200, vectors(&["[]", "[]"]), EmbedError::Length { found: 0 }),
        (200, vectors(&["[1]", "[1e300]"]), EmbedError::NotNumbers),
        (200, " ".repeat(8_000_001), EmbedError::NoVectors),
    ] {
        let said = answer.clone();
        let status = StatusCode::from_u16(status).unwrap();
        let addr = server(move |_| (status, said.clone()).into_response()).await;
        let answer = &answer[..answer.len().min(80)];
        assert_eq!(at(addr).passages(&["a", "b"]).await, Err(error), "{status} {answer}");
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(at(addr).question("a").await, Err(EmbedError::TooSlow));
    drop(listener);
    assert_eq!(at(addr).question("a").await, Err(EmbedError::Unreachable));
}

/// A model whose name is wrong is refused with 400 by some.
#[tokio::test]
async fn a_server_that_refuses_everything_is_not_asked_for_every_text() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let addr = server(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        StatusCode::BAD_REQUEST.into_response()
    })
    .await;
    let long = "word ".repeat(200);
    let texts = vec![long.as_str(); BATCH];
    assert_eq!(at(addr).passages(&texts).await, Err(EmbedError::Status { status: 400 }));
    let calls = calls.load(Ordering::Relaxed);
    assert!(calls <= 12, "{calls} calls");
}
