use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::Html;
use axum::routing::{get, post};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use unbroken_protocol::ErrorCode;
use unbroken_providers::{Http, OpenAi, Provider, Secret};
use unbroken_standin::{Options, Standin, numbered};

use crate::support::{ask, config, hasty, provider};

/// Serves these routes on a free port; the base URL.
async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let addr = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{addr}/v1")
}

#[tokio::test]
async fn a_status_becomes_a_code_and_nothing_of_the_conversation_is_told() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for (status, code) in [
        (400, ErrorCode::BadRequest),
        (401, ErrorCode::ProviderAuth),
        (404, ErrorCode::ModelUnavailable),
        (429, ErrorCode::ProviderRateLimited),
        (500, ErrorCode::ProviderError),
        (503, ErrorCode::ProviderOverloaded),
        (529, ErrorCode::ProviderOverloaded),
    ] {
        let answer = ask(&provider, &format!("numbers:status={status}")).await;
        let failure = answer.failure.unwrap();
        assert_eq!(failure.code, code, "{status}");
        assert!(!failure.message.contains("diary"), "{failure}");
        assert!(failure.message.ends_with('.'), "{failure}");
    }
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    let failure = ask(&provider, "numbers:status=429,retry_after=2").await.failure.unwrap();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(2)));
    assert!(failure.message.ends_with("Try again in 2 s."), "{failure}");
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    let standin = Standin::start().await;
    let failure = ask(&provider(&standin.base_url()), "nothing-here").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ModelUnavailable);
    assert!(failure.message.contains("has no model «nothing-here»"), "{failure}");
}

#[tokio::test]
async fn a_key_is_sent_and_a_refused_one_is_not_told() {
    let options = Options { api_key: Some("sk-right".into()), ..Options::default() };
    let standin = Standin::start_on("127.0.0.1:0", options).await.unwrap();
    let with_key = |key: Option<&str>| {
        let mut config = config(&standin.base_url());
        config.api_key = key.map(Secret::new);
        OpenAi::new(config, &Http::new()).unwrap()
    };
    let right = with_key(Some("sk-right"));
    assert!(ask(&right, "numbers:tokens=3,rate=0,first=0ms").await.failure.is_none());
    assert!(!right.models().await.unwrap().is_empty());

    for (key, ending) in [
        (Some("sk-wrong"), "refuses the API key. Check OPENAI_API_KEY."),
        (None, "asks for an API key. Set OPENAI_API_KEY."),
    ] {
        let provider = with_key(key);
        let failure = ask(&provider, "numbers").await.failure.unwrap();
        assert_eq!(failure.code, ErrorCode::ProviderAuth);
        assert!(failure.message.ends_with(ending), "{failure}");
        assert_eq!(provider.models().await.unwrap_err(), failure);
        assert!(!format!("{provider:?}{failure:?}").contains("sk-wrong"));
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_said_to_be_so() {
    let standin = Standin::start().await;
    let base = standin.base_url();
    standin.stop().await;
    let failure = ask(&provider(&base), "numbers").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ModelUnavailable);
    let expected = format!("The model server does not answer at {base}. Is it running?");
    assert_eq!(failure.message, expected);
    assert_eq!(provider(&base).models().await.unwrap_err().code, ErrorCode::ModelUnavailable);
}

#[tokio::test]
async fn a_web_page_is_no_model_server() {
    let standin = Standin::start().await;
    let failure = ask(&provider(&standin.base_url()), "numbers:html=1").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ProviderError);
    assert!(failure.message.contains("answered with a web page"), "{failure}");

    let site = serve(Router::new().fallback(|| async { Html("<p>Welcome</p>") })).await;
    for failure in [
        ask(&provider(&site), "m").await.failure.unwrap(),
        provider(&site).models().await.unwrap_err(),
    ] {
        assert!(failure.message.contains("It usually ends in /v1."), "{failure}");
    }
}

#[tokio::test]
async fn credentials_and_query_of_the_address_are_not_told() {
    let base = serve(Router::new()).await;
    let secret = base.replace("http://", "http://me:hush@") + "?key=hush";
    let failure = ask(&provider(&secret), "m").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ModelUnavailable);
    assert!(!failure.message.contains("hush"), "{failure}");
    assert!(failure.message.contains(&base), "{failure}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = || async { (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]) };
    let routes = Router::new()
        .route("/v1/chat/completions", post(redirect))
        .route("/elsewhere", get(|| async { "never" }));
    let failure = ask(&provider(&serve(routes).await), "m").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ProviderError);
    assert!(failure.message.contains("points to another address"), "{failure}");
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 1024]).await;
    });
    let failure = ask(&provider(&base), "m").await.failure.unwrap();
    assert_eq!(failure.code, ErrorCode::ProviderError);
}

#[tokio::test]
async fn an_error_in_the_middle_keeps_what_was_said() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    let answer = ask(&provider, "numbers:tokens=50,rate=0,first=0ms,error_at=20").await;
    assert_eq!(answer.content, numbered(20));
    assert_eq!(answer.failure.unwrap().code, ErrorCode::ProviderError);
}

#[tokio::test]
async fn silence_is_a_timeout_before_and_after_the_first_token() {
    let standin = Standin::start().await;
    let provider = hasty(&standin.base_url());
    let late = ask(&provider, "numbers:tokens=3,rate=0,first=1m").await;
    assert_eq!(late.failure.unwrap().code, ErrorCode::ProviderTimeout);
    let stalled = ask(&provider, "numbers:tokens=30,rate=0,first=0ms,stall_at=10").await;
    assert_eq!(stalled.content, numbered(10));
    assert_eq!(stalled.failure.unwrap().code, ErrorCode::ProviderTimeout);
}
