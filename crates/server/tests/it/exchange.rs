//! The binary is exchanged while people use the server (PROTOCOL B8.20).

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use tokio::process::Command;
use unbroken_standin::{Standin, numbered};

use crate::support::{Device, Process, Reply, contents, fast, going_on, soon, unbroken};

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

#[tokio::test]
async fn what_is_no_unbroken_does_not_take_over() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let base_url = standin.base_url();
    let process = Process::start(folder.path(), &base_url).await;
    let mut talk = process.socket().await;
    for (file, reason) in
        [("/does/not/exist", "cannot be started"), ("/bin/sh", "is no binary of Unbroken")]
    {
        let words = ["upgrade", "--to", file];
        let (code, said) = unbroken(folder.path(), &base_url, &words, &[]).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    talk.is_quiet().await;
    let ready = reqwest::Client::new().get(format!("{}/health/ready", process.base()));
    Reply::of(ready).await.ok();
}

/// The worst moment: the binary was tried out, and is gone when the server wants to become it.
#[tokio::test]
async fn the_old_binary_goes_on_when_the_new_one_does_not_start() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let base_url = standin.base_url();
    let process = Process::start(folder.path(), &base_url).await;
    let device = process.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    // Written by another process: a file that this one has open for writing cannot be started.
    let script = "printf '#!/bin/sh\\nrm \"$0\"; echo unbroken 0\\n' >once; chmod +x once; \
                  printf %s \"$PWD/once\" >upgrade";
    let wrote = Command::new("/bin/sh").args(["-c", script]).current_dir(folder.path()).status();
    assert!(soon(wrote).await.unwrap().success());
    let (code, said) = unbroken(folder.path(), &base_url, &["upgrade"], &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(talk.closed().await, 1012);

    let mut talk = device.hello(&[]).await;
    talk.say(&device.stream_chat("Count!", None, &fast(5))).await;
    assert_eq!(contents(&talk.answer().await), numbered(5));
    process.terminate();
    assert_eq!(talk.closed().await, 1012);
    assert_eq!(process.ended().await, Some(0));
}

#[tokio::test]
async fn without_a_server_there_is_nothing_to_exchange() {
    let folder = TempDir::new().unwrap();
    let (code, said) = unbroken(folder.path(), "http://127.0.0.1:1/v1", &["upgrade"], &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no server runs on the data folder"), "{said}");
}

/// Socket activation: who connects before the server is there waits, and is not refused.
#[tokio::test]
async fn a_socket_of_systemd_is_served_with_who_waits_at_it() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let early = Device::new(&base, "early");
    let base_url = standin.base_url();
    let start = Process::start_on(folder.path(), &base_url, socket);
    let (early, process) = tokio::join!(early, start);
    assert_eq!(process.base(), base);
    early.hello(&[]).await;
    process.terminate();
    assert_eq!(process.ended().await, Some(0));
}
