//! What a test sees and steers.

use reqwest::StatusCode;
use serde_json::{Value, json};
use unbroken_standin::{Call, CallState, Options, Standin, numbered};

use crate::support::{ask, client, read};

fn states(calls: &[Call]) -> Vec<CallState> {
    calls.iter().map(|call| call.state).collect()
}

#[tokio::test]
async fn a_gate_holds_a_stream_at_its_token() {
    let standin = Standin::start().await;
    let reading = tokio::spawn(read(ask(&standin, "numbers:tokens=9,gate=a@4,gate=b@6").await));
    standin.wait_until(|calls| calls.first().is_some_and(|call| call.tokens == 4)).await;
    standin.open_gate("a");
    standin.wait_until(|calls| calls.first().is_some_and(|call| call.tokens == 6)).await;
    let gate = format!("http://{}/standin/gates/b", standin.addr());
    let opened = client().post(gate).send().await.expect("it answers");
    assert_eq!(opened.status(), StatusCode::NO_CONTENT);
    assert_eq!(reading.await.expect("the reader ends").text(), numbered(9));
}

#[tokio::test]
async fn a_caller_who_leaves_cancels_the_call() {
    let standin = Standin::start().await;
    for model in ["numbers:stall_at=3", "numbers:gate=never@3,split=5", "numbers:stall_at=3,json=1"]
    {
        standin.clear_calls();
        let addr = standin.addr();
        let body = json!({ "model": model, "stream": true, "messages": [] });
        let call = tokio::spawn(async move {
            let url = format!("http://{addr}/v1/chat/completions");
            let response = client().post(url).json(&body).send().await;
            response.expect("it answers").bytes().await
        });
        standin.wait_until(|calls| calls.first().is_some_and(|call| call.tokens == 3)).await;
        assert_eq!(states(&standin.calls()), [CallState::Running]);
        call.abort();
        standin.wait_until(|calls| states(calls) == [CallState::Cancelled]).await;
    }
}

#[tokio::test]
async fn calls_are_listed_and_cleared() {
    let standin = Standin::start().await;
    read(ask(&standin, "numbers:tokens=2").await).await;
    standin.wait_for_calls(1).await;
    let calls = format!("http://{}/standin/calls", standin.addr());
    let list: Value =
        client().get(&calls).send().await.expect("it answers").json().await.expect("it is JSON");
    let expected = json!([{
        "n": 1,
        "model": "numbers:rate=0,first=0,tokens=2",
        "last_user": "Count, please.",
        "messages": 2,
        "state": "finished",
        "tokens": 2,
    }]);
    assert_eq!(list, expected);
    let cleared = client().delete(&calls).send().await.expect("it answers");
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    assert_eq!(standin.calls(), []);
}

#[tokio::test]
async fn a_stopped_stand_in_closes_its_streams_and_frees_its_address() {
    let standin = Standin::start().await;
    let addr = standin.addr();
    let response = ask(&standin, "numbers:stall_at=3").await;
    standin.stop().await;
    assert!(read(response).await.cut);
    let refused = client().get(format!("http://{addr}/v1/models")).send().await;
    assert!(refused.expect_err("nobody listens").is_connect());

    let standin = Standin::start_on(addr, Options::default()).await.expect("the address is free");
    assert!(read(ask(&standin, "numbers:tokens=1").await).await.done);
}

#[tokio::test]
async fn five_hundred_streams_at_once_are_all_whole() {
    let standin = Standin::start().await;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..500 {
        readers.spawn(read(ask(&standin, "numbers:tokens=40,gate=all@10").await));
    }
    standin.wait_until(|calls| calls.iter().filter(|call| call.tokens == 10).count() == 500).await;
    standin.open_gate("all");
    for read in readers.join_all().await {
        assert_eq!(read.text(), numbered(40));
    }
}
