//! The ways in which the stand-in fails on purpose.

use reqwest::{StatusCode, header};
use serde_json::Value;
use unbroken_standin::{CallState, Options, Standin, numbered};

use crate::support::{ask, client, question, read, request};

#[tokio::test]
async fn a_cut_stream_breaks_off_after_its_tokens() {
    let standin = Standin::start().await;
    for split in ["", ",split=1"] {
        let read = read(ask(&standin, &format!("numbers:cut_at=33{split}")).await).await;
        assert_eq!(read.text(), numbered(33));
        assert!(read.cut && !read.done && read.finish_reason().is_none());
    }
    assert_eq!(standin.calls()[0].state, CallState::Finished);
    assert!(read(ask(&standin, "numbers:cut_at=0").await).await.cut);
}

#[tokio::test]
async fn an_early_end_of_the_body_is_clean_and_without_a_reason() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:eof_at=5").await).await;
    assert_eq!(read.text(), numbered(5));
    assert!(!read.cut && !read.done && read.finish_reason().is_none());
}

#[tokio::test]
async fn an_error_comes_in_the_middle_or_before_the_first_token() {
    let standin = Standin::start().await;
    for tokens in [0, 4] {
        let read = read(ask(&standin, &format!("numbers:error_at={tokens}")).await).await;
        assert_eq!(read.text(), numbered(tokens));
        let last = read.events.last().expect("there is the error");
        assert_eq!(last["error"]["type"], "server_error");
        assert!(!read.cut && !read.done);
    }
}

#[tokio::test]
async fn a_status_comes_with_openai_s_error_and_retry_after() {
    let standin = Standin::start().await;
    let response = ask(&standin, "numbers:status=429,retry_after=7").await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    let error: Value = response.json().await.expect("it is JSON");
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn fail_times_fails_so_often_for_the_same_message() {
    let standin = Standin::start().await;
    for model in ["numbers:status=503,fail_times=2", "numbers:cut_at=1,fail_times=2"] {
        let mut whole = Vec::new();
        for _ in 0..4 {
            let response = ask(&standin, model).await;
            whole.push(response.status().is_success() && read(response).await.done);
        }
        assert_eq!(whole, [false, false, true, true], "{model}");
    }
}

#[tokio::test]
async fn html_and_json_come_instead_of_a_stream() {
    let standin = Standin::start().await;
    let page = ask(&standin, "numbers:html=1").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let whole = ask(&standin, "numbers:json=1,tokens=3").await;
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "application/json");
    let whole: Value = whole.json().await.expect("it is JSON");
    assert_eq!(whole["choices"][0]["message"]["content"], numbered(3));
}

#[tokio::test]
async fn what_the_stand_in_cannot_do_is_said_in_openai_s_form() {
    let standin = Standin::start().await;
    let unknown = ask(&standin, "gpt-9").await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let unknown: Value = unknown.json().await.expect("it is JSON");
    assert_eq!(unknown["error"]["code"], "model_not_found");

    let parameter = ask(&standin, "numbers:tokens=x").await;
    assert_eq!(parameter.status(), StatusCode::BAD_REQUEST);
    let parameter: Value = parameter.json().await.expect("it is JSON");
    let message = parameter["error"]["message"].as_str().expect("it has a message");
    assert!(message.contains("`tokens`"), "{message}");

    let broken = request(&standin, &question("numbers")).body("{\"model\":").send().await;
    assert_eq!(broken.expect("it answers").status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_key_is_asked_for_when_there_is_one() {
    let options = Options { api_key: Some("secret".into()), ..Options::default() };
    let standin = Standin::start_on("127.0.0.1:0", options).await.expect("it starts");
    let models = format!("{}/models", standin.base_url());
    let refused = client().get(&models).bearer_auth("wrong").send().await.expect("it answers");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let error: Value = refused.json().await.expect("it is JSON");
    assert_eq!(error["error"]["code"], "invalid_api_key");
    let taken = client().get(&models).bearer_auth("secret").send().await.expect("it answers");
    let models: Value = taken.json().await.expect("it is JSON");
    assert_eq!(models["data"][0]["id"], "numbers");
}
