use futures_util::StreamExt;
use unbroken_protocol::{ErrorCode, FinishReason};
use unbroken_providers::{Provider, Usage};
use unbroken_standin::{CallState, Standin, numbered, numbered_utf8, reasoned};

use crate::support::{ask, provider, request};

#[tokio::test]
async fn a_plain_answer_is_whole() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    let answer = ask(&provider, "numbers:tokens=2000,rate=0,first=0ms").await;
    assert_eq!(answer.content, numbered(2000));
    assert_eq!(answer.finish, Some(FinishReason::Stop));
    assert_eq!(answer.usage.map(|usage| usage.output_tokens), Some(2000));
    assert_eq!(standin.calls().len(), 1);
    assert_eq!(standin.calls()[0].last_user, "my diary: Hi");
}

#[tokio::test]
async fn bytes_may_be_split_anywhere() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for split in 1..=4 {
        let model =
            format!("numbers:tokens=40,rate=0,first=0ms,utf8=1,crlf=1,comments=1,split={split}");
        let answer = ask(&provider, &model).await;
        assert_eq!(answer.content, numbered_utf8(40));
        assert_eq!(answer.finish, Some(FinishReason::Stop));
    }
}

#[tokio::test]
async fn reasoning_is_told_from_the_answer() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for field in ["reasoning_content", "reasoning", "think"] {
        let model =
            format!("numbers:tokens=30,reasoning=20,field={field},rate=0,first=0ms,split=3");
        let answer = ask(&provider, &model).await;
        assert_eq!(answer.reasoning.trim_end(), reasoned(20).trim_end(), "{field}");
        assert_eq!(answer.content, numbered(30), "{field}");
    }
}

#[tokio::test]
async fn shapes_of_other_servers_are_understood() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for extra in ["no_done=1", "array=1", "json=1", "usage=finish", "usage=every", "chunk=7"] {
        let answer = ask(&provider, &format!("numbers:tokens=30,rate=0,first=0ms,{extra}")).await;
        assert_eq!(answer.content, numbered(30), "{extra}");
        assert_eq!(answer.finish, Some(FinishReason::Stop), "{extra}");
        let usage = answer.usage.unwrap_or_default();
        assert!(matches!(usage, Usage { output_tokens: 30, .. }), "{extra}: {usage:?}");
    }
    let silent = ask(&provider, "numbers:tokens=30,rate=0,first=0ms,usage=none").await;
    assert_eq!((silent.usage, silent.finish), (None, Some(FinishReason::Stop)));
}

#[tokio::test]
async fn finish_reasons_are_mapped() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for (finish, reason) in [
        ("length", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("weird", FinishReason::Other),
    ] {
        let model = format!("numbers:tokens=3,rate=0,first=0ms,finish={finish}");
        assert_eq!(ask(&provider, &model).await.finish, Some(reason), "{finish}");
    }
}

/// PROTOCOL B8.15, the provider's part.
#[tokio::test]
async fn b8_15_a_stream_without_its_end_is_truncated() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    for cut in ["cut_at", "eof_at"] {
        let answer = ask(&provider, &format!("numbers:tokens=50,rate=0,first=0ms,{cut}=20")).await;
        assert_eq!(answer.failure.unwrap().code, ErrorCode::ProviderTruncated, "{cut}");
        assert!(numbered(20).starts_with(&answer.content), "{cut}: {}", answer.content);
        if cut == "eof_at" {
            assert_eq!(answer.content, numbered(20));
        }
    }
}

#[tokio::test]
async fn dropping_the_stream_ends_the_call() {
    let standin = Standin::start().await;
    let provider = provider(&standin.base_url());
    let mut stream = provider.generate(request("numbers:tokens=1000,rate=200,first=0ms"));
    stream.next().await.unwrap().unwrap();
    drop(stream);
    standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
}
