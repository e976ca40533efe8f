//! Model servers that fail: the code, a sentence, nothing lost, and a socket that goes on (issue's
//! "Bad input"; PROTOCOL B6, B7).

use serde_json::{Value, json};
use unbroken_protocol::GenerationState;
use unbroken_standin::{Options, Standin, numbered};

use crate::support::{Device, Given, Talk, TestServer, assert_sentence, contents, fast};

/// Asks on an old client's socket and reads to the end.
async fn ask(talk: &mut Talk, device: &Device, message: &str, model: &str) -> Vec<Value> {
    talk.say(&device.stream_chat(message, None, model)).await;
    talk.answer().await
}

/// What a failed answer looks like on the socket and in history.
async fn assert_failed(device: &Device, events: &[Value], code: &str) {
    let (first, last) = (&events[0], events.last().unwrap());
    assert_eq!(last["type"], "stream_error", "{last}");
    assert_eq!((&last["status"], &last["code"]), (&json!("failed"), &json!(code)), "{last}");
    assert_eq!(last["generation_id"], first["generation_id"]);
    assert_sentence(last["error"].as_str().unwrap());
    assert!(last["retryable"].is_boolean());
    let id = first["conversation_id"].as_str().unwrap().parse().unwrap();
    let history = device.history(id).await;
    assert_eq!(history.len(), 2, "the question is kept");
    assert_eq!(history[1].state, Some(GenerationState::Failed));
    assert_eq!(history[1].content, contents(events));
    assert_eq!(history[1].error.as_deref(), last["error"].as_str());
    assert_eq!(history[1].code.unwrap().as_str(), code);
}

#[tokio::test]
async fn a_failure_before_any_text_has_its_code_and_the_socket_goes_on() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    for (model, code, retryable) in [
        ("numbers:html=1", "provider_error", true),
        ("numbers:status=500", "provider_error", true),
        ("numbers:status=401", "provider_auth", false),
        ("numbers:status=404", "model_unavailable", true),
        ("numbers:status=429", "provider_rate_limited", true),
        ("numbers:status=503", "provider_overloaded", true),
        ("numbers:rate=0,first=0,cut_at=0", "provider_truncated", true),
        ("numbers:rate=0,first=0,eof_at=0", "provider_truncated", true),
        ("numbers:rate=0,first=0,error_at=0", "provider_error", true),
        ("no-such-model", "model_unavailable", true),
    ] {
        let events = ask(&mut talk, &device, "Count!", model).await;
        assert_failed(&device, &events, code).await;
        assert_eq!(events.last().unwrap()["retryable"], retryable, "{model}");
        let next = ask(&mut talk, &device, "And now?", &fast(3)).await;
        assert_eq!(contents(&next), numbered(3), "after {model}");
    }
    talk.is_quiet().await;
}

#[tokio::test]
async fn a_model_server_that_asks_to_wait_is_passed_on() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    let events = ask(&mut talk, &device, "Count!", "numbers:status=429,retry_after=7").await;
    assert_failed(&device, &events, "provider_rate_limited").await;
    let last = events.last().unwrap();
    assert_eq!(last["retry_after_ms"], 7000);
    assert!(last["error"].as_str().unwrap().contains("7 s"), "{last}");
}

/// B8.15
#[tokio::test]
async fn an_answer_that_breaks_off_is_interrupted_and_its_text_is_kept() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    for (parameters, code) in [
        ("cut_at=20", "provider_truncated"),
        ("eof_at=20", "provider_truncated"),
        ("error_at=20", "provider_error"),
    ] {
        let model = format!("{},{parameters}", fast(40));
        let events = ask(&mut talk, &device, "Count!", &model).await;
        let last = events.last().unwrap();
        assert_eq!((&last["status"], &last["code"]), (&json!("interrupted"), &json!(code)));
        assert_sentence(last["error"].as_str().unwrap());
        assert_eq!(contents(&events), numbered(20), "{parameters}");
        let id = events[0]["conversation_id"].as_str().unwrap().parse().unwrap();
        let answer = device.answer(id).await;
        assert_eq!(answer.state, Some(GenerationState::Interrupted));
        assert_eq!(answer.content, numbered(20));
        assert_eq!(answer.code.unwrap().as_str(), code);
        assert_eq!(answer.error.as_deref(), last["error"].as_str());

        // The conversation goes on, and the model is shown what was said.
        talk.say(&device.stream_chat("Go on!", events[0]["conversation_id"].as_str(), &fast(3)))
            .await;
        assert_eq!(contents(&talk.answer().await), numbered(3));
        assert_eq!(server.standin.calls().last().unwrap().messages, 3);
    }
}

#[tokio::test]
async fn an_answer_at_the_models_limit_says_so() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    for (parameter, reason) in
        [("finish=length", "length"), ("finish=content_filter", "content_filter")]
    {
        let events = ask(&mut talk, &device, "Count!", &format!("{},{parameter}", fast(9))).await;
        let last = events.last().unwrap();
        let expected = (&json!("completed"), &json!(reason));
        assert_eq!((&last["status"], &last["finish_reason"]), expected);
        assert_eq!(last["full_response"], numbered(9));
    }
}

/// "Done when" 4.
#[tokio::test]
async fn a_start_is_taken_while_the_model_server_is_down() {
    let mut server = TestServer::start().await;
    let device = server.device("laptop").await;
    let address = server.standin.addr();
    server.stop_standin().await;

    let started = device.start("Count!", &fast(3)).await;
    let mut talk = device.socket().await;
    let conversation = started.conversation_id.to_string();
    talk.say(&device.stream_chat("", Some(&conversation), "")).await;
    let events = talk.answer().await;
    assert_eq!(events[0]["generation_id"], started.generation_id.to_string());
    assert_failed(&device, &events, "model_unavailable").await;
    let sentence = events.last().unwrap()["error"].as_str().unwrap();
    assert!(sentence.contains(&address.to_string()), "it says where it looked: {sentence}");

    // It comes back, and the same socket and conversation go on.
    server.standin = Standin::start_on(address, Options::default()).await.unwrap();
    talk.say(&device.stream_chat("Count!", Some(&conversation), &fast(3))).await;
    assert_eq!(contents(&talk.answer().await), numbered(3));
}

/// A server that was never there, also at the start.
#[tokio::test]
async fn a_server_starts_without_its_model_server() {
    let standin = Standin::start().await;
    let base_url = standin.base_url();
    standin.stop().await;
    let providers = format!("[{{ id = \"gone\", base_url = \"{base_url}\" }}]");
    let server = Given::new().set("providers", &providers).start_without_standin().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    let events = ask(&mut talk, &device, "Count!", "numbers").await;
    assert_failed(&device, &events, "model_unavailable").await;
}

#[tokio::test]
async fn a_key_that_is_refused_is_said_with_where_it_is_set() {
    for (key, words) in [("wrong", "refuses the API key"), ("", "asks for an API key")] {
        let options = Options { api_key: Some("right".into()), ..Options::default() };
        let server = Given::new().standin(options).api_key(key).start().await;
        let device = server.device("laptop").await;
        let mut talk = device.socket().await;
        let events = ask(&mut talk, &device, "Count!", &fast(3)).await;
        assert_failed(&device, &events, "provider_auth").await;
        let sentence = events.last().unwrap()["error"].as_str().unwrap();
        assert!(sentence.contains(words) && sentence.contains("api_key"), "{sentence}");
        assert!(!sentence.contains("wrong"), "{sentence}");
    }
    let options = Options { api_key: Some("right".into()), ..Options::default() };
    let server = Given::new().standin(options).api_key("right").start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    assert_eq!(contents(&ask(&mut talk, &device, "Count!", &fast(3)).await), numbered(3));
}

/// B8.17
#[tokio::test]
async fn a_failed_call_with_text_is_not_repeated() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut talk = device.socket().await;
    let model = format!("{},cut_at=20,fail_times=1", fast(40));
    ask(&mut talk, &device, "Count!", &model).await;
    talk.is_quiet().await;
    assert_eq!(server.standin.calls().len(), 1);
}
