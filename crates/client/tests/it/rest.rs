//! REST calls over real TCP: what goes out, and how an answer is taken.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use unbroken_client::{Rest, RestError};
use unbroken_protocol::{
    ClientMessageId, ConversationId, DeviceId, GenerationId, MessageId, SessionId, StartRequest,
};

/// Answers one request, and gives it back.
async fn answer_once(listener: TcpListener, status: u16, body: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        let count = stream.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
    }
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(request).unwrap()
}

fn is_whole(request: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(request) else { return false };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.map_or(0, |length| length.parse().unwrap())
}

async fn server() -> (TcpListener, Rest) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let rest = Rest::new(&base).with_session(DeviceId("d 1".into()), SessionId::new("secret"));
    (listener, rest)
}

#[tokio::test]
async fn a_call_carries_the_pair_in_query_or_body() {
    let (listener, rest) = server().await;
    let page = r#"{"conversations":[],"total":0,"owner_type":"device_session","owner_id":"x"}"#;
    let (request, list) =
        tokio::join!(answer_once(listener, 200, page), rest.conversations(Some(5), None));
    assert_eq!(list.unwrap().total, 0);
    let line = request.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /ai/conversations?request_type=anonymous&session_id=secret&device_id=d%201&limit=5 \
         HTTP/1.1"
    );

    let (listener, rest) = server().await;
    let start = rest.start(StartRequest { message: "hi".into(), ..StartRequest::default() });
    let (request, refused) = tokio::join!(answer_once(listener, 502, "<html>"), start);
    assert!(matches!(refused, Err(RestError::Unexpected { status: 502, .. })));
    assert!(request.starts_with("POST /ai/chat/start HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(
        r#"{"message":"hi","session_id":"secret","device_id":"d 1","request_type":"anonymous"}"#
    ));
}

#[tokio::test]
async fn what_asks_for_an_answer_carries_its_key() {
    let (message, generation) = (MessageId::new(), GenerationId::new());
    let (key, end) = (ClientMessageId::new(), r#""session_id":"secret","device_id":"d 1"}"#);
    let (listener, rest) = server().await;
    let (request, _) =
        tokio::join!(answer_once(listener, 200, "{}"), rest.regenerate(message, None, key));
    assert!(request.starts_with(&format!("POST /ai/messages/{message}/generate HTTP/1.1\r\n")));
    assert!(request.ends_with(&format!(r#"{{"client_message_id":"{key}",{end}"#)), "{request}");

    let (listener, rest) = server().await;
    let (request, _) = tokio::join!(answer_once(listener, 200, "{}"), rest.go_on(generation, key));
    let line = format!("POST /ai/generations/{generation}/continue HTTP/1.1\r\n");
    assert!(request.starts_with(&line), "{request}");
    assert!(request.ends_with(&format!(r#"{{"client_message_id":"{key}",{end}"#)), "{request}");
}

#[tokio::test]
async fn a_refusal_brings_its_reason_and_no_server_is_said_without_the_secret() {
    let (listener, rest) = server().await;
    let refusal = r#"{"error":"not_found","message":"There is no such conversation.",
        "status_code":404,"code":"not_found","retryable":false,"request_id":"r"}"#;
    let id = ConversationId::new();
    let (request, refused) =
        tokio::join!(answer_once(listener, 404, refusal), rest.conversation(id, None, None));
    assert!(request.starts_with(&format!("GET /ai/conversations/{id}?")));
    let error = refused.unwrap_err();
    assert_eq!(error.to_string(), "There is no such conversation.");
    assert!(!error.retryable());

    // The listener is gone with its one answer.
    let error = rest.models().await.unwrap_err();
    assert!(matches!(error, RestError::Unreachable(_)) && error.retryable());
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn what_shares_and_what_deletes_everything_says_so_in_its_body() {
    let (id, end) = (ConversationId::new(), r#""session_id":"secret","device_id":"d 1"}"#);
    let (listener, rest) = server().await;
    let (request, _) = tokio::join!(answer_once(listener, 200, "{}"), rest.share(id, true));
    let line = format!("POST /ai/conversations/{id}/shares HTTP/1.1\r\n");
    assert!(request.starts_with(&line), "{request}");
    assert!(request.ends_with(&format!(r#"{{"keep":true,{end}"#)), "{request}");

    let (listener, rest) = server().await;
    let done = r#"{"success":true,"conversations":3}"#;
    let (request, deleted) =
        tokio::join!(answer_once(listener, 200, done), rest.delete_everything());
    assert_eq!(deleted.unwrap().conversations, 3);
    assert!(request.starts_with("DELETE /ai/conversations HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(&format!(r#"{{"confirm":"delete everything",{end}"#)), "{request}");
}
