//! Colours of code (PROTOCOL B5).

use serde_json::{Value, json};
use unbroken_protocol::{Code, Colour};

use crate::support::{Reply, TestServer};

fn code(language: &str, code: &str) -> Code {
    Code { language: language.to_owned(), code: code.to_owned() }
}

#[tokio::test]
async fn several_blocks_get_their_colours_in_one_call() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let blocks = vec![code("rust", "let 𝄞 = 1;"), code("martian", "let"), code("py", "# <b>")];
    let first = device.rest.highlight(blocks.clone()).await.unwrap().blocks;
    assert_eq!(first[0].spans[0], (3, Some(Colour::Keyword)));
    assert!(first[1].spans.is_empty(), "an unknown language stays plain");
    assert_eq!(first[2].spans, [(5, Some(Colour::Comment))]);
    assert_eq!(device.rest.highlight(blocks).await.unwrap().blocks, first, "also when it is kept");
    let mut body = device.pair();
    body["blocks"] = json!([{"language": "rs", "code": "let a"}]);
    let reply: Value = device.call("POST", "/ai/highlight", Some(body)).await;
    assert_eq!(reply, json!({"blocks": [{"spans": [[3, "kw"]]}]}));
}

#[tokio::test]
async fn only_a_session_gets_colours_and_only_so_many_at_once() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let nobody = server.post("/ai/highlight").json(&json!({"blocks": []}));
    Reply::of(nobody).await.refused(401, "unauthorized");
    let refused = |blocks: Value| {
        let mut body = device.pair();
        body["blocks"] = blocks;
        Reply::of(server.post("/ai/highlight").json(&body))
    };
    let much = json!([{"language": "rs", "code": "x".repeat(300 * 1024)}]);
    refused(much).await.refused(413, "payload_too_large");
    let many = json!(vec![code("rs", "x"); 65]);
    refused(many).await.refused(413, "payload_too_large");
    refused(json!([{"language": 1}])).await.refused(400, "bad_request");
}

#[tokio::test]
async fn hostile_code_is_answered_and_the_next_call_too() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let line = |unit: &str| unit.repeat(4000 / unit.len()) + "\n";
    for unit in ["(", "\\", "\"", "`", "/*", "${", "a(", "r#\"", "'", "\u{202e}", "<a b=\""] {
        let block = code("ts", &line(unit).repeat(60));
        assert_eq!(device.rest.highlight(vec![block]).await.unwrap().blocks.len(), 1, "{unit}");
    }
}
