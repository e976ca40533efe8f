//! kill -9 of the real binary, and what the next one finds ("Done when" 5; PROTOCOL B7, B8.4).

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_client::{Output, Target, Update};
use unbroken_protocol::GenerationState;
use unbroken_standin::{Standin, numbered};

use crate::support::{
    Device, Process, Talk, contents, fast, followed, held, number, refused_start, soon,
};

async fn follow(talk: &mut Talk, generation: &Value, after: u64, epoch: u64) -> Value {
    talk.say(&json!({"routeKey": "follow", "generation_id": generation, "after_seq": after,
        "epoch": epoch}))
        .await;
    talk.next_is("following").await
}

/// Stands-in, folder, and a process in the middle of an answer of which 20 tokens were shown.
async fn in_the_middle(folder: &Path) -> (Standin, Process, Device, Vec<Value>) {
    let standin = Standin::start().await;
    let process = Process::start(folder, &standin.base_url()).await;
    let device = process.device("laptop").await;
    let mut talk = device.hello(&[]).await;
    talk.say(&device.stream_chat("Count!", None, &held(40, 20))).await;
    let events = talk.until_text(&numbered(20)).await;
    (standin, process, device, events)
}

/// B8.4
#[tokio::test]
async fn what_a_follower_was_shown_is_there_after_kill_9() {
    let folder = TempDir::new().unwrap();
    let (standin, process, device, events) = in_the_middle(folder.path()).await;
    process.kill().await;

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    let conversation = started["conversation_id"].as_str().unwrap();
    let answer = device.answer(conversation.parse().unwrap()).await;
    assert_eq!(answer.state, Some(GenerationState::Interrupted));
    assert_eq!(answer.content, numbered(20));
    assert_eq!(answer.code.unwrap().as_str(), "owner_lost");
    assert_eq!(device.history(conversation.parse().unwrap()).await[0].content, "Count!");

    // Positions from before are valid still.
    let chunks: Vec<_> = events.iter().filter(|event| event["type"] == "content_chunk").collect();
    let mut talk = device.hello(&[]).await;
    let mut shown = String::new();
    for chunk in &chunks {
        shown.push_str(chunk["content"].as_str().unwrap());
        let (seq, epoch) = (number(chunk, "seq"), number(chunk, "epoch"));
        let following = follow(&mut talk, &chunk["generation_id"], seq, epoch).await;
        assert_eq!(following["recovered"], true, "{following}");
        assert_eq!(following["state"], "interrupted");
        let rest = talk.until(&["generation_state"]).await;
        assert_eq!(shown.clone() + &contents(&rest), numbered(20));
        let state = rest.last().unwrap();
        assert_eq!(
            (&state["state"], &state["code"]),
            (&json!("interrupted"), &json!("owner_lost"))
        );
        assert_eq!(number(state, "seq"), 21);
    }
    // An old client is told so with the text.
    let mut old = device.socket().await;
    old.say(&device.stream_chat("", Some(conversation), "")).await;
    let events = old.answer().await;
    assert_eq!(contents(&events), numbered(20));
    assert_eq!(events.last().unwrap()["status"], "interrupted");
    // The conversation goes on.
    old.say(&device.stream_chat("Go on!", Some(conversation), &fast(3))).await;
    assert_eq!(contents(&old.answer().await), numbered(3));
    assert_eq!(standin.calls().len(), 2);
}

/// B8.4: at whatever moment while text is pouring in.
#[tokio::test]
async fn kill_9_in_full_flow_takes_nothing_back() {
    let whole = numbered(200_000);
    for chunks in [1, 3, 10] {
        let folder = TempDir::new().unwrap();
        let standin = Standin::start().await;
        let process = Process::start(folder.path(), &standin.base_url()).await;
        let device = process.device("laptop").await;
        let mut talk = device.socket().await;
        talk.say(&device.stream_chat("Count!", None, &fast(200_000))).await;
        let mut events = Vec::new();
        for _ in 0..chunks {
            events.extend(talk.until(&["content_chunk"]).await);
        }
        process.kill().await;
        // What was on its way when it died was shown too.
        while let Some(event) = talk.last_words().await {
            events.push(event);
        }
        let process = Process::start(folder.path(), &standin.base_url()).await;
        let device = device.at(process.base());
        let id = events[0]["conversation_id"].as_str().unwrap().parse().unwrap();
        let answer = device.answer(id).await;
        assert!(answer.content.starts_with(&contents(&events)));
        assert!(whole.starts_with(&answer.content));
        let last = events.iter().rfind(|event| event["type"] == "content_chunk").unwrap();
        let mut talk = device.hello(&[]).await;
        let (seq, epoch) = (number(last, "seq"), number(last, "epoch"));
        let following = follow(&mut talk, &last["generation_id"], seq, epoch).await;
        assert_eq!(following["recovered"], true);
        let rest = talk.until(&["generation_state", "stream_complete"]).await;
        assert!(contents(&events) + &contents(&rest) == answer.content);
    }
}

/// B8.20, with the real client: it comes back by itself and knows what it has.
#[tokio::test]
async fn the_client_survives_a_kill_9_without_losing_or_doubling_a_word() {
    let folder = TempDir::new().unwrap();
    let (standin, process, device, events) = in_the_middle(folder.path()).await;
    let mut connection = device.connection();
    let id = events[0]["generation_id"].as_str().or(events[1]["generation_id"].as_str()).unwrap();
    let id = id.parse().unwrap();
    connection.follow(Target::start_of(id)).await;
    let mut text = String::new();
    while text != numbered(20) {
        if let Some(Output::Update(_, Update::Text { text: more })) = soon(connection.recv()).await
        {
            text.push_str(&more);
        }
    }
    let port = process.base().rsplit(':').next().unwrap().to_owned();
    process.kill().await;
    let _process = Process::start_at(folder.path(), &standin.base_url(), &port).await;
    loop {
        match soon(connection.recv()).await.unwrap() {
            Output::Update(_, Update::State { state, .. }) => {
                assert_eq!(state, GenerationState::Interrupted);
                break;
            }
            Output::Update(_, Update::Text { .. } | Update::Replace { .. }) => {
                panic!("it has all the text already")
            }
            _ => {}
        }
    }
    assert_eq!(text, numbered(20));
    connection.close().await;
}

#[tokio::test]
async fn turns_that_wait_run_after_the_restart() {
    let folder = TempDir::new().unwrap();
    let (standin, process, device, events) = in_the_middle(folder.path()).await;
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    let id = started["conversation_id"].as_str().unwrap().parse().unwrap();
    let second = device.go_on(id, "Two", &fast(5)).await;
    let third = device.go_on(id, "Three", &fast(6)).await;
    assert_eq!(third.queued.unwrap().position, 2);
    process.kill().await;
    assert_eq!(standin.calls().len(), 1);

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    let mut talk = device.hello(&[]).await;
    for (generation, tokens) in [(second.generation_id, 5), (third.generation_id, 6)] {
        follow(&mut talk, &json!(generation), 0, 1).await;
        let answer = talk.answer().await;
        assert_eq!(contents(&answer), numbered(tokens));
    }
    soon(standin.wait_for_calls(3)).await;
    let asked: Vec<_> = standin.calls().into_iter().map(|call| call.last_user).collect();
    assert_eq!(asked, ["Count!", "Two", "Three"]);
    let states: Vec<_> =
        device.history(id).await.iter().filter_map(|message| message.state).collect();
    let completed = GenerationState::Completed;
    assert_eq!(states, [GenerationState::Interrupted, completed, completed]);
}

/// B8.9
#[tokio::test]
async fn a_stop_that_was_accepted_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let (standin, process, device, events) = in_the_middle(folder.path()).await;
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    device.rest.stop(started["generation_id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    process.kill().await;
    standin.open_gate("hold");

    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    let id = started["conversation_id"].as_str().unwrap().parse().unwrap();
    let answer = device.answer(id).await;
    assert_eq!(answer.state, Some(GenerationState::Stopped));
    assert_eq!(answer.content, numbered(20));
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, &started["generation_id"], 20, 1).await;
    assert_eq!(followed(&talk.answer().await), ["stream_start", "stream_complete"]);
    assert_eq!(standin.calls().len(), 1);
}

/// B8.11: also by the next process.
#[tokio::test]
async fn a_client_message_id_survives_kill_9() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let mut request = crate::support::ask("Count!", &fast(3));
    request.client_message_id = Some(unbroken_protocol::ClientMessageId::new().to_string());
    let first = device.rest.start(request.clone()).await.unwrap();
    process.kill().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let again = device.at(process.base()).rest.start(request).await.unwrap();
    assert_eq!(again.generation_id, first.generation_id);
}

/// B8.7
#[tokio::test]
async fn a_second_process_on_the_same_folder_refuses_to_start() {
    let folder = TempDir::new().unwrap();
    let (standin, process, device, events) = in_the_middle(folder.path()).await;
    let (code, said) = refused_start(folder.path(), &standin.base_url()).await;
    assert_eq!(code, Some(1));
    let line = said.lines().last().unwrap();
    let expected =
        format!("the data folder {} is in use by another process", folder.path().display());
    assert!(line.starts_with("error: ") && line.ends_with(&expected), "{said}");

    // The first one has not noticed.
    standin.open_gate("hold");
    let started = events.iter().find(|event| event["type"] == "stream_start").unwrap();
    let mut talk = device.hello(&[]).await;
    follow(&mut talk, &started["generation_id"], 0, 1).await;
    assert_eq!(talk.answer().await.last().unwrap()["full_response"], numbered(40));
    process.kill().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let id = started["conversation_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(device.at(process.base()).answer(id).await.content, numbered(40));
}
