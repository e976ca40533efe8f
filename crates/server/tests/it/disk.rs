//! A disk that is full or refuses, and the real binary on it (ARCHITECTURE, Durability).

mod small;

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use unbroken_client::RestError;
use unbroken_protocol::{ClientMessageId, ErrorBody, GenerationState, StartResponse};
use unbroken_standin::{CallState, Standin, numbered};

use self::small::{Disk, memory, refuse_writes};
use crate::support::{
    Device, Reply, Talk, ask, assert_sentence, contents, fast, followed, held, kinds, soon,
};

/// An answer of which 20 tokens of 40 were shown, and more come once the gate `hold` is opened.
async fn in_the_middle(device: &Device) -> (StartResponse, Talk, Vec<Value>) {
    shown_20_of(device, &held(40, 20)).await
}

async fn shown_20_of(device: &Device, model: &str) -> (StartResponse, Talk, Vec<Value>) {
    let started = device.start("Count!", model).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    let events = talk.until_text(&numbered(20)).await;
    (started, talk, events)
}

/// Waits for the frame that says that the store refuses.
async fn told(talk: &mut Talk, started: &StartResponse) {
    let error = talk.next_is("error").await;
    assert_eq!(error["code"], "storage_unavailable");
    assert_eq!(error["generation_id"], json!(started.generation_id));
    assert_eq!(error["retryable"], true);
    assert_full(error["message"].as_str().unwrap());
}

fn assert_full(sentence: &str) {
    assert_sentence(sentence);
    assert!(sentence.contains("disk may be full"), "{sentence}");
}

/// A call that was refused because nothing can be stored.
fn assert_refused<T: std::fmt::Debug>(called: Result<T, RestError>) {
    let Err(RestError::Refused(error)) = called else { panic!("it is refused: {called:?}") };
    let ErrorBody { status_code, code, retryable, message, .. } = *error;
    assert_eq!((status_code, code.as_str(), retryable), (503, "storage_unavailable", true));
    assert_full(&message);
}

/// B8.2, B8.4, B8.19
#[tokio::test]
async fn an_answer_on_a_full_disk_waits_and_is_whole_when_there_is_room() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let (started, mut talk, mut events) = in_the_middle(&device).await;
    let mut old = device.socket().await;
    old.say(&device.stream_chat("", Some(&started.conversation_id.to_string()), "")).await;
    let mut seen = old.until_text(&numbered(20)).await;

    disk.fill();
    standin.open_gate("hold");
    told(&mut talk, &started).await;
    // What can be read can be read still.
    let answer = device.answer(started.conversation_id).await;
    assert_eq!((answer.content, answer.state), (numbered(20), Some(GenerationState::Running)));
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);
    assert_refused(device.rest.start(ask("Another!", &fast(3))).await);
    assert_refused(device.rest.delete(started.conversation_id).await);

    disk.make_room();
    events.extend(talk.answer().await);
    seen.extend(old.answer().await);
    for events in [&events, &seen] {
        assert_eq!(contents(events), numbered(40));
        assert_eq!(events.last().unwrap()["full_response"], numbered(40));
    }
    let known = ["conversation_started", "stream_start", "content_chunk", "stream_complete"];
    assert_eq!(kinds(&seen), known);
    assert_eq!(device.answer(started.conversation_id).await.content, numbered(40));
    assert_eq!(standin.calls().len(), 1);
    log.writes_again().await;
}

/// B8.11: with nothing else to write, so that only the writer's own tries find the room.
#[tokio::test]
async fn a_start_on_a_full_disk_is_refused_and_afterwards_the_same_one_is_one_turn() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let mut request = ask("Count!", &fast(3));
    request.client_message_id = Some(ClientMessageId::new().to_string());

    disk.fill();
    for _ in 0..3 {
        assert_refused(device.rest.start(request.clone()).await);
    }
    let mut old = device.socket().await;
    old.say(&device.stream_chat("Count!", None, &fast(3))).await;
    let error = old.next_is("stream_error").await;
    assert_eq!(
        (&error["code"], &error["generation_id"]),
        (&json!("storage_unavailable"), &Value::Null)
    );
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 0);

    disk.make_room();
    log.writes_again().await;
    let first = device.rest.start(request.clone()).await.unwrap();
    let again = device.rest.start(request).await.unwrap();
    assert_eq!(again.generation_id, first.generation_id);
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": first.generation_id})).await;
    assert_eq!(contents(&talk.answer().await), numbered(3));
    assert_eq!(device.rest.conversations(None, None).await.unwrap().total, 1);
    assert_eq!(standin.calls().len(), 1);
}

/// The tokens of the last second are with the operating system; they cannot be brought to the disk.
#[tokio::test]
async fn a_full_disk_that_nobody_writes_to_is_told_of_once() {
    let mut tries = 0;
    let (disk, _standin, device, mut log, started, _process) = loop {
        let (disk, standin) = (Disk::new(8).await, Standin::start().await);
        let (process, log) = disk.start(&standin).await;
        let device = process.device("laptop").await;
        let began = Instant::now();
        let (started, ..) = in_the_middle(&device).await;
        disk.fill();
        if began.elapsed() < Duration::from_millis(900) {
            break (disk, standin, device, log, started, process);
        }
        // On a busy machine they were brought there already.
        tries += 1;
        assert!(tries < 10, "a second is enough to fill a small disk");
    };
    log.says_that_it_fails().await;
    for _ in 0..20 {
        assert_eq!(device.answer(started.conversation_id).await.content, numbered(20));
    }
    disk.make_room();
    log.writes_again().await;
}

/// B8.9
#[tokio::test]
async fn a_stop_on_a_full_disk_is_not_confirmed_before_it_is_stored() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let (started, mut talk, _) = in_the_middle(&device).await;

    disk.fill();
    for _ in 0..2 {
        assert_refused(device.rest.stop(started.generation_id).await);
    }
    talk.say(&json!({"routeKey": "stop", "generation_id": started.generation_id, "req": 7})).await;
    let errors = talk.until(&["error", "ok"]).await;
    // One frame says that the answer cannot be stored, one that the stop cannot.
    let refused = match errors.last().unwrap()["req"] {
        Value::Null => talk.next_is("error").await,
        _ => errors.last().unwrap().clone(),
    };
    assert_eq!((&refused["req"], &refused["code"]), (&json!(7), &json!("storage_unavailable")));
    // The model is not read any more.
    soon(standin.wait_until(|calls| calls[0].state == CallState::Cancelled)).await;
    let answer = device.answer(started.conversation_id).await;
    assert_eq!((answer.content, answer.state), (numbered(20), Some(GenerationState::Running)));

    disk.make_room();
    log.writes_again().await;
    let stopped = device.rest.stop(started.generation_id).await.unwrap();
    assert_eq!(stopped.state, GenerationState::Stopped);
    let end = talk.next_of("stream_complete").await;
    assert_eq!((&end["status"], &end["full_response"]), (&json!("stopped"), &json!(numbered(20))));
}

/// B8.9: one that waits for room, and would not look up before there is.
#[tokio::test]
async fn a_stop_while_a_model_is_held_back_ends_its_call_at_once() {
    const TOKENS: usize = 6_000_000;
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let model = format!("{},chunk=1000", held(TOKENS, 20));
    let (started, mut talk, _) = shown_20_of(&device, &model).await;
    refuse_writes(&process, true);
    standin.open_gate("hold");
    told(&mut talk, &started).await;
    read_whole(&standin, &model).await;
    assert_eq!(standin.calls()[0].state, CallState::Running);

    assert_refused(device.rest.stop(started.generation_id).await);
    soon(standin.wait_until(|calls| calls[0].state == CallState::Cancelled)).await;
    assert_eq!(device.answer(started.conversation_id).await.content, numbered(20));

    refuse_writes(&process, false);
    log.writes_again().await;
    let stopped = device.rest.stop(started.generation_id).await.unwrap();
    assert_eq!(stopped.state, GenerationState::Stopped);
    let answer = device.answer(started.conversation_id).await;
    assert!(numbered(TOKENS).starts_with(&answer.content));
}

#[tokio::test]
async fn a_continue_on_a_full_disk_is_refused_at_once_and_carried_out_when_there_is_room() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let started = device.start("Count!", &(fast(40) + ",cut_at=20,fail_times=1")).await;
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    let mut events = talk.until(&["generation_state"]).await;
    assert_eq!(contents(&events), numbered(20));

    disk.fill();
    // The first finds out that the disk is full.
    for _ in 0..2 {
        assert_refused(device.rest.go_on(started.generation_id, ClientMessageId::new()).await);
    }
    assert_eq!(standin.calls().len(), 1);
    disk.make_room();
    events.extend(talk.answer().await);
    assert_eq!(contents(&events), numbered(40));
    assert_eq!(standin.calls().len(), 2);
    log.writes_again().await;
}

/// B8.4
#[tokio::test]
async fn kill_9_on_a_full_disk_takes_nothing_back_and_the_next_start_says_what_is_missing() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, _log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let (started, mut talk, _) = in_the_middle(&device).await;
    disk.fill();
    standin.open_gate("hold");
    told(&mut talk, &started).await;
    process.kill().await;

    let (code, said) = disk.refused_start(&standin).await;
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().last().unwrap();
    assert!(
        line.starts_with("error: failed to open the store: ") && line.contains("full"),
        "{said}"
    );

    disk.make_room();
    let (process, _log) = disk.start(&standin).await;
    let device = device.at(process.base());
    let answer = device.answer(started.conversation_id).await;
    assert_eq!((answer.content, answer.state), (numbered(20), Some(GenerationState::Interrupted)));
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id,
        "after_seq": 20, "epoch": 1}))
        .await;
    assert_eq!(talk.next_is("following").await["recovered"], true);
    assert_eq!(
        followed(&talk.until(&["generation_state"]).await),
        ["stream_start", "generation_state"]
    );
    let next = device.go_on(started.conversation_id, "Go on!", &fast(5)).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": next.generation_id})).await;
    assert_eq!(contents(&talk.answer().await), numbered(5));
}

/// B8.2, B8.4: whatever the error is, and however often. What is shown afterwards is stored.
#[tokio::test]
async fn an_answer_on_a_disk_that_fails_waits_and_is_whole_when_it_writes_again() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let gates = [20, 40, 60, 80].map(|at| format!(",gate={at}@{at}"));
    let model = fast(100) + &gates.concat();
    let (started, mut talk, _) = shown_20_of(&device, &model).await;
    for shown in [20, 40, 60, 80] {
        refuse_writes(&process, true);
        standin.open_gate(&shown.to_string());
        told(&mut talk, &started).await;
        assert_eq!(device.answer(started.conversation_id).await.content, numbered(shown));
        assert_refused(device.rest.start(ask("Another!", &fast(3))).await);
        refuse_writes(&process, false);
        let all = numbered(shown + 20);
        let more = all.strip_prefix(&numbered(shown)).unwrap();
        if shown < 80 {
            talk.until_text(more).await;
        } else {
            assert_eq!(contents(&talk.answer().await), more);
        }
        log.writes_again().await;
    }
    process.kill().await;
    let (process, _log) = disk.start(&standin).await;
    let answer = device.at(process.base()).answer(started.conversation_id).await;
    assert_eq!((answer.content, answer.state), (numbered(100), Some(GenerationState::Completed)));
    assert_eq!(standin.calls().len(), 1);
}

#[tokio::test]
async fn a_start_on_a_read_only_folder_says_so_and_works_when_it_is_writable() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, _log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let (started, ..) = in_the_middle(&device).await;
    // While a server writes there the kernel does not make it read-only.
    assert!(!disk.remount("ro").await);
    process.kill().await;
    assert!(disk.remount("ro").await);
    let (code, said) = disk.refused_start(&standin).await;
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().last().unwrap();
    assert!(line.starts_with("error: failed to open the store: "), "{said}");
    assert!(line.contains("Read-only file system"), "{said}");

    assert!(disk.remount("rw").await);
    let (process, _log) = disk.start(&standin).await;
    let device = device.at(process.base());
    assert_eq!(device.answer(started.conversation_id).await.content, numbered(20));
}

/// However small the pieces are in which it comes.
#[tokio::test]
async fn a_model_is_read_up_to_1_mib_while_the_store_refuses() {
    const TOKENS: usize = 200_000;
    let (disk, standin) = (Disk::new(64).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let (started, mut talk, mut events) = shown_20_of(&device, &held(TOKENS, 20)).await;
    let before = memory(&process);

    refuse_writes(&process, true);
    standin.open_gate("hold");
    told(&mut talk, &started).await;
    // More than sockets hold, and the time in which another reader reads all of it.
    read_whole(&standin, &held(TOKENS, 20)).await;
    let states: Vec<_> = standin.calls().iter().map(|call| call.state).collect();
    assert_eq!(states, [CallState::Running, CallState::Finished]);
    let more = memory(&process).saturating_sub(before);
    assert!(more < 24, "{more} MiB for 1 MiB that waits");

    refuse_writes(&process, false);
    events.extend(talk.answer().await);
    assert!(contents(&events) == numbered(TOKENS));
    assert!(device.answer(started.conversation_id).await.content == numbered(TOKENS));
    log.writes_again().await;
}

/// Reads an answer from the model server itself.
async fn read_whole(standin: &Standin, model: &str) {
    let message = json!({"role": "user", "content": "Count!"});
    let call = json!({"model": model, "stream": true, "messages": [message]});
    let url = format!("{}/chat/completions", standin.base_url());
    let mut answer = soon(Client::new().post(url).json(&call).send()).await.unwrap();
    while soon(answer.chunk()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn readiness_says_that_nothing_can_be_stored() {
    let (disk, standin) = (Disk::new(8).await, Standin::start().await);
    let (process, mut log) = disk.start(&standin).await;
    let device = process.device("laptop").await;
    let ready = async |path: &str| {
        let reply = Reply::of(Client::new().get(format!("{}{path}", process.base()))).await;
        (reply.status.as_u16(), reply.json()["status"].clone())
    };
    assert_eq!(ready("/health/ready").await, (200, json!("ok")));
    disk.fill();
    assert_refused(device.rest.start(ask("Count!", &fast(3))).await);
    assert_eq!(ready("/health/ready").await, (503, json!("storage")));
    assert_eq!(ready("/health").await, (200, json!("ok")), "it lives, and can be read from");
    disk.make_room();
    log.writes_again().await;
    assert_eq!(ready("/health/ready").await, (200, json!("ok")));
}
