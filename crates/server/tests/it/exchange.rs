//! The binary is exchanged while people use the server (PROTOCOL B8.20).

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use tokio::process::Command;
use unbroken_standin::{Standin, numbered};

use crate::support::{Process, contents, going_on, soon};

/// Calls the server all the time until it is told to stop; returns how many calls were answered.
async fn knock(base: String, stop: Arc<AtomicBool>) -> usize {
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        // A connection of its own for each call: one that is refused would be seen.
        let reply = reqwest::Client::new().get(format!("{base}/health")).send().await;
        assert!(reply.expect("no connection is refused").status().is_success());
        answered += 1;
    }
    answered
}

#[tokio::test]
async fn no_connection_is_refused_and_no_word_is_lost_while_the_binary_is_exchanged() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let (name, provider) = going_on(&standin.base_url());
    let env = [(name, provider.as_str()), ("UNBROKEN__SHUTDOWN__DRAIN_SECONDS", "0")];
    let process = Process::start_with(folder.path(), &standin.base_url(), &env).await;
    let device = process.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    let spec = "vllm-numbers:tokens=90,rate=0,first=0,gate=hold@40";
    talk.say(&device.stream_chat("Count!", None, spec)).await;
    let seen = talk.until_text(&numbered(40)).await;
    let before = seen[0]["conversation_id"].as_str().unwrap().to_owned();

    let stop = Arc::new(AtomicBool::new(false));
    let knocking = tokio::spawn(knock(process.base().to_owned(), Arc::clone(&stop)));
    let binary = env!("CARGO_BIN_EXE_unbroken");
    let told = Command::new(binary)
        .args(["upgrade", "--to", binary, "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .status();
    assert!(soon(told).await.unwrap().success());
    standin.open_gate("hold");
    // The old process closes the socket; the new one has taken the answer over.
    while talk.last_words().await.is_some() {}
    let mut talk = device.hello(&[]).await;
    talk.say(&serde_json::json!({"routeKey": "follow", "conversation_id": before})).await;
    let rest = talk.until(&["stream_complete"]).await;
    assert_eq!(contents(&rest), numbered(90));
    stop.store(true, Ordering::Relaxed);
    assert!(soon(knocking).await.unwrap() > 0);
}
