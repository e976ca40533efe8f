//! The many shapes of the same stream.

use serde_json::json;
use unbroken_standin::{Standin, numbered, numbered_utf8};

use crate::support::{Read, ask, question, read, request};

#[tokio::test]
async fn split_1_sends_every_byte_by_itself() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=12,utf8=1,split=1").await).await;
    assert_eq!(read.text(), numbered_utf8(12));
    assert!(read.pieces.iter().all(|bytes| *bytes == 1), "{:?}", read.pieces);
    assert!(read.done);
}

#[tokio::test]
async fn crlf_comments_and_a_missing_done_are_shapes_of_a_whole_answer() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=3,crlf=1,comments=1,no_done=1").await).await;
    assert_eq!((read.text(), read.finish_reason()), (numbered(3), Some("stop")));
    assert!(read.raw.starts_with(": keep-alive\r\n\r\ndata: {"));
    assert_eq!(read.raw.matches('\n').count(), read.raw.matches("\r\n").count());
    assert!(!read.done && !read.cut);
}

#[tokio::test]
async fn chunk_puts_several_tokens_into_one_delta() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=10,chunk=4").await).await;
    assert_eq!((read.text(), read.events.len()), (numbered(10), 1 + 3 + 1));
}

#[tokio::test]
async fn array_sends_content_as_parts() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=1,array=1").await).await;
    let content = &read.events[1]["choices"][0]["delta"]["content"];
    assert_eq!(*content, json!([{ "type": "text", "text": "1 " }]));
}

#[tokio::test]
async fn finish_weird_is_a_reason_that_nobody_knows() {
    let standin = Standin::start().await;
    let read = read(ask(&standin, "numbers:tokens=1,finish=weird").await).await;
    assert_eq!(read.finish_reason(), Some("insufficient_system_resource"));
}

#[tokio::test]
async fn max_tokens_is_kept() {
    let standin = Standin::start().await;
    let mut body = question("numbers:rate=0,first=0");
    body["max_tokens"] = json!(7);
    let response = request(&standin, &body).send().await.expect("the stand-in answers");
    assert_eq!(read(response).await.text(), numbered(7));
}

async fn with_usage(standin: &Standin, usage: &str) -> Read {
    let mut body = question(&format!("numbers:rate=0,first=0,tokens=2,usage={usage}"));
    body["stream_options"] = json!({ "include_usage": true });
    read(request(standin, &body).send().await.expect("the stand-in answers")).await
}

#[tokio::test]
async fn usage_comes_where_it_is_asked_for() {
    let standin = Standin::start().await;
    let tokens = |read: &Read| -> Vec<Option<u64>> {
        read.events.iter().map(|e| e["usage"]["completion_tokens"].as_u64()).collect()
    };
    let last = with_usage(&standin, "last").await;
    assert_eq!(tokens(&last), [None, None, None, None, Some(2)]);
    assert_eq!(last.events[4]["choices"], json!([]));
    assert_eq!(last.events[0].get("usage"), Some(&json!(null)));
    assert_eq!(tokens(&with_usage(&standin, "finish").await), [None, None, None, Some(2)]);
    assert_eq!(tokens(&with_usage(&standin, "none").await), [None; 4]);
    let every = with_usage(&standin, "every").await;
    assert_eq!(tokens(&every), [Some(1), Some(1), Some(2), Some(2)]);
}
