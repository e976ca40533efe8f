//! What each kind of model makes of a call that goes on.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use unbroken_standin::{CallState, Continuation, Standin, numbered, numbered_from};

use crate::support::{client, question, read, request};

const WORDS: &str = "Continue exactly where it ends, beginning with the next character.";

async fn given(standin: &Standin, kind: &str, beginning: &str, extra: Value) -> Response {
    let mut body = question(&format!("{kind}:tokens=60,rate=0,first=0"));
    let messages = body["messages"].as_array_mut().expect("a question has messages");
    messages.push(json!({ "role": "assistant", "content": beginning }));
    for (name, value) in extra.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    request(standin, &body).send().await.expect("the stand-in answers")
}

fn flags() -> Value {
    json!({ "continue_final_message": true, "add_generation_prompt": false })
}

#[tokio::test]
async fn each_kind_honours_a_beginning_in_its_way() {
    let standin = Standin::start().await;
    let beginning = &numbered(33)[..90];
    let rest = numbered_from(beginning, 60);
    for (kind, plain, with_flags) in [
        ("vllm-numbers", numbered(60), rest.clone()),
        ("llama-numbers", rest.clone(), rest.clone()),
        ("streams-numbers", rest.clone(), rest),
        ("repeating-numbers", numbered(60), numbered(60)),
        ("plain-numbers", numbered(60), numbered(60)),
    ] {
        let said = read(given(&standin, kind, beginning, json!({})).await).await.text();
        assert_eq!(said, plain, "{kind}");
        let said = read(given(&standin, kind, beginning, flags()).await).await.text();
        assert_eq!(said, with_flags, "{kind}");
    }
    let call = standin.calls().remove(0);
    assert_eq!((call.continuation, call.given), (Some(Continuation::Prefill), Some(90)));
}

#[tokio::test]
async fn a_beginning_is_refused_in_the_words_of_its_kind() {
    let standin = Standin::start().await;
    for (kind, extra, words) in [
        ("refusing-numbers", flags(), "prefill"),
        ("vllm-numbers", json!({ "continue_final_message": true }), "add_generation_prompt"),
    ] {
        let response = given(&standin, kind, "1 2 3", extra).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let error: Value = response.json().await.expect("it is JSON");
        assert!(error["error"]["message"].as_str().is_some_and(|said| said.contains(words)));
    }
    assert!(standin.calls().iter().all(|call| call.state == CallState::Finished));
}

#[tokio::test]
async fn words_are_answered_with_an_overlap() {
    let standin = Standin::start().await;
    let beginning = numbered(33);
    let mut body = question("plain-numbers:tokens=60,rate=0,first=0");
    let messages = body["messages"].as_array_mut().expect("a question has messages");
    messages.push(json!({ "role": "assistant", "content": beginning }));
    messages.push(json!({ "role": "user", "content": WORDS }));
    let said = read(request(&standin, &body).send().await.expect("it answers")).await.text();
    assert_eq!(said, format!("{}{}", &beginning[beginning.len() - 40..], &numbered(60)[90..]));
    let call = standin.calls().remove(0);
    assert_eq!((call.continuation, call.given), (Some(Continuation::Prompt), Some(90)));
    assert_eq!(call.last_user, "Count, please.");
}

#[tokio::test]
async fn engines_are_listed_by_their_names() {
    let standin = Standin::start().await;
    let models = format!("{}/models", standin.base_url());
    let models = client().get(models).send().await.expect("it answers");
    let models: Value = models.json().await.expect("it is JSON");
    let owner = |id: &str| {
        let models = models["data"].as_array().expect("it is a list");
        models.iter().find(|model| model["id"] == id).expect("it is listed")["owned_by"].clone()
    };
    assert_eq!(owner("vllm-numbers"), "vllm");
    assert_eq!(owner("refusing-numbers"), "vllm");
    assert_eq!(owner("streams-numbers"), "llamacpp");
    assert_eq!(owner("numbers"), "standin");
}

async fn kept(standin: &Standin, name: &str, parameters: &str) -> Response {
    let body = question(&format!("streams-numbers:tokens=60,rate=0,first=0,{parameters}"));
    let call = request(standin, &body).header("x-conversation-id", name);
    call.send().await.expect("the stand-in answers")
}

#[tokio::test]
async fn a_kept_answer_is_read_again_from_any_byte() {
    let standin = Standin::start().await;
    let first = read(kept(&standin, "a", "cut_at=20").await).await;
    assert!(first.cut && first.text() == numbered(20));
    let get = async |path: &str| {
        let url = format!("{}/{path}", standin.base_url());
        client().get(url).send().await.expect("it answers")
    };
    let whole = read(get("stream?conv_id=a").await).await;
    assert_eq!((whole.text(), whole.done, whole.cut), (numbered(60), true, false));
    assert!(whole.raw.starts_with(&first.raw));
    let rest = get(&format!("stream/a?from={}", first.raw.len())).await;
    assert_eq!(format!("{}{}", first.raw, rest.text().await.expect("it is text")), whole.raw);
    assert_eq!(get("stream?conv_id=b").await.status(), StatusCode::NOT_FOUND);
    let listed: Value = get("streams").await.json().await.expect("it is JSON");
    assert_eq!(listed[0]["conversation_id"], "a");
    assert_eq!(listed[0]["total_bytes"], whole.raw.len());
}

#[tokio::test]
async fn a_kept_answer_outlives_its_caller_and_ends_when_it_is_told() {
    let standin = Standin::start().await;
    drop(kept(&standin, "a", "gate=never@10").await);
    standin.wait_until(|calls| calls[0].tokens == 10).await;
    assert_eq!(standin.calls()[0].state, CallState::Running);
    for _ in 0..2 {
        let url = format!("{}/stream?conv_id=a", standin.base_url());
        let ended = client().delete(url).send().await.expect("it answers");
        assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    }
    standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
}
