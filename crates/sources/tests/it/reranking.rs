//! Passages that a server ranks, over real TCP.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use unbroken_sources::rerank::{RerankError, Reranker, RerankerConfig};
use unbroken_standin::{Options, Standin};

fn reranker(config: Value) -> Reranker {
    let config: RerankerConfig = serde_json::from_value(config).expect("it is a config");
    config.open().expect("it holds")
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn every_passage_has_a_score_and_the_best_answer_the_highest() {
    let options = Options { api_key: Some("hush".into()), ..Options::default() };
    let standin = Standin::start_on(("127.0.0.1", 0), options).await.unwrap();
    let base = standin.base_url();
    let reranker = reranker(json!({ "base_url": base, "api_key": "hush" }));
    let texts = texts(["The ship sails.", "Whales eat krill.", "Whales sing."]);
    let scores = reranker.scores("What does leviathan devour?", &texts).await.unwrap();
    assert_eq!(scores.len(), 3);
    assert!(scores[1] > scores[2] && scores[2] > scores[0], "{scores:?}");
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    let wrong = self::reranker(json!({ "base_url": base, "api_key": "wrong" }));
    assert_eq!(wrong.scores("a", &texts).await, Err(RerankError::Key));
}

#[tokio::test]
async fn what_goes_wrong_with_a_reranker_is_said() {
    let routes = Router::new().fallback(async move |Json(asked): Json<Value>| match asked["model"]
        .as_str()
        .unwrap()
    {
        "busy" => StatusCode::TOO_MANY_REQUESTS.into_response(),
        "unknown" => StatusCode::NOT_FOUND.into_response(),
        "silent" => std::future::pending().await,
        "short" => {
            assert_eq!(asked["documents"], json!(["grö"]), "cut");
            Json(json!({ "results": [] })).into_response()
        }
        _ => "no JSON".into_response(),
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    for (model, error) in [
        ("busy", RerankError::TooMany),
        ("unknown", RerankError::Status { status: 404 }),
        ("silent", RerankError::TooSlow),
        ("short", RerankError::NoScores),
        ("other", RerankError::NoScores),
    ] {
        let reranker = reranker(json!({
            "base_url": base, "model": model, "chars": 3, "seconds": 1 }));
        assert_eq!(reranker.scores("why", &texts(["größer"])).await, Err(error), "{model}");
    }
    let nobody = reranker(json!({ "base_url": "http://127.0.0.1:1/v1" }));
    assert_eq!(nobody.scores("why", &texts(["a"])).await, Err(RerankError::Unreachable));
}
