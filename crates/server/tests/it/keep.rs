//! Pinning, archiving, folders, deleting with a way back, and temporary conversations (PROTOCOL
//! B5).

use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_client::{RestError, Shelf};
use unbroken_protocol::{
    ClientMessageId, ConversationList, ConversationPatch, StartRequest, StartResponse,
};
use unbroken_standin::{CallState, Standin, numbered};

use crate::support::{Device, Process, TestServer, ask, fast, held};

async fn finished(device: &Device, message: &str) -> StartResponse {
    let started = device.start(message, &fast(3)).await;
    read(device, &started).await;
    started
}

async fn read(device: &Device, started: &StartResponse) {
    let mut talk = device.hello(&[]).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    talk.answer().await;
}

async fn list(device: &Device, shelf: Shelf) -> ConversationList {
    device.rest.conversations_on(shelf, None, None).await.unwrap()
}

/// How many conversations each list holds; what it holds and what it says are the same.
async fn listed(device: &Device) -> [u64; 3] {
    let mut counts = [0; 3];
    for (count, shelf) in counts.iter_mut().zip([Shelf::Listed, Shelf::Kept, Shelf::Archived]) {
        let list = list(device, shelf).await;
        assert_eq!(list.conversations.len() as u64, list.total);
        *count = list.total;
    }
    counts
}

fn status<A: std::fmt::Debug>(refused: Result<A, RestError>) -> u16 {
    match refused {
        Err(RestError::Refused(body)) => body.status_code,
        other => panic!("not refused: {other:?}"),
    }
}

async fn found(device: &Device, text: &str) -> usize {
    device.rest.search(text, None, None).await.unwrap().hits.len()
}

#[tokio::test]
async fn pin_archive_and_folder_are_in_the_lists_and_on_every_tab() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let tablet = device.link("tablet").await;
    let id = finished(&device, "Count!").await.conversation_id;
    let mut tab = tablet.hello(&[]).await;
    let change = async |patch: Value| {
        let patch: ConversationPatch = serde_json::from_value(patch).unwrap();
        device.rest.patch(id, &patch).await
    };
    let line = change(json!({"pinned": true, "folder": "  Sea \n travel "})).await.unwrap();
    assert!(line.pinned && !line.archived);
    assert_eq!(line.folder.as_deref(), Some("Sea travel"));
    // The end of the answer may be told of still.
    let event = loop {
        let event = tab.next_is("conversation").await;
        if event["conversation"].get("pinned").is_some() {
            break event;
        }
    };
    assert_eq!(event["op"], "upsert");
    assert_eq!(event["conversation"]["pinned"], true);
    assert_eq!(event["conversation"]["folder"], "Sea travel");
    assert!(event["conversation"].get("archived").is_none(), "absent when not");
    assert_eq!(listed(&device).await, [1, 1, 0]);

    assert!(change(json!({"archived": true})).await.unwrap().archived);
    assert_eq!(tab.next_is("conversation").await["conversation"]["archived"], true);
    assert_eq!(listed(&device).await, [0, 0, 1]);
    assert_eq!(found(&device, "count").await, 1, "what is archived is found");
    change(json!({"archived": false, "pinned": false, "folder": ""})).await.unwrap();
    assert_eq!(listed(&device).await, [1, 0, 0]);
    let line = list(&device, Shelf::Listed).await.conversations.remove(0);
    assert!(!line.pinned && line.folder.is_none());

    let refused = change(json!({"title": "Changed", "folder": "x".repeat(61)})).await;
    assert_eq!(status(refused), 400);
    let refused = change(json!({"title": "Changed", "selected_message_id": "none"})).await;
    assert_eq!(status(refused), 404);
    let line = list(&device, Shelf::Listed).await.conversations.remove(0);
    assert_eq!(line.title, "Count!", "all of a change or nothing");
    let stranger = server.device("stranger").await;
    let patch = ConversationPatch { pinned: Some(true), ..ConversationPatch::default() };
    assert_eq!(status(stranger.rest.patch(id, &patch).await), 404);
}

#[tokio::test]
async fn a_deleted_conversation_comes_back_with_all_it_had() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let started = device.start("Count!", &held(40, 20)).await;
    let id = started.conversation_id;
    let patch = ConversationPatch { pinned: Some(true), ..ConversationPatch::default() };
    device.rest.patch(id, &patch).await.unwrap();
    server.standin.wait_until(|calls| calls.first().is_some_and(|call| call.tokens == 20)).await;
    let mut tab = device.hello(&[]).await;
    device.rest.delete(id).await.unwrap();
    server.standin.wait_until(|calls| calls[0].state == CallState::Cancelled).await;
    while tab.next_of("conversation").await["op"] != "delete" {}

    assert_eq!(status(device.rest.conversation(id, None, None).await), 404);
    assert_eq!(listed(&device).await, [0, 0, 0]);
    assert_eq!(found(&device, "count").await, 0);
    assert_eq!(status(device.rest.stop(started.generation_id).await), 404);
    tab.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    assert_eq!(tab.next_of("error").await["code"], "not_found");
    let next = StartRequest { conversation_id: Some(id.to_string()), ..ask("More", &fast(1)) };
    assert_eq!(status(device.rest.start(next).await), 404);

    let stranger = server.device("stranger").await;
    assert_eq!(status(stranger.rest.restore(id).await), 404);
    let line = device.rest.restore(id).await.unwrap();
    assert!(line.pinned && line.title == "Count!");
    let event = tab.next_of("conversation").await;
    assert_eq!((&event["op"], &event["conversation"]["pinned"]), (&json!("upsert"), &json!(true)));
    assert_eq!(device.answer(id).await.content, numbered(20));
    assert_eq!(found(&device, "count").await, 1);
    assert_eq!(status(device.rest.restore(id).await), 404);
    read(&device, &started).await;
    read(&device, &device.go_on(id, "More", &fast(3)).await).await;
}

#[tokio::test]
async fn a_delete_for_good_leaves_nothing_to_restore() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let id = finished(&device, "Count!").await.conversation_id;
    device.call("DELETE", &format!("/ai/conversations/{id}?now=true"), None).await;
    assert_eq!(status(device.rest.restore(id).await), 404);
    assert_eq!(listed(&device).await, [0, 0, 0]);
}

#[tokio::test]
async fn the_key_of_a_deleted_conversation_makes_nothing_new() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let key = ClientMessageId::new().to_string();
    let keyed = || StartRequest { client_message_id: Some(key.clone()), ..ask("Count!", &fast(3)) };
    let started = device.rest.start(keyed()).await.unwrap();
    device.rest.delete(started.conversation_id).await.unwrap();
    assert_eq!(status(device.rest.start(keyed()).await), 404);
    device.rest.restore(started.conversation_id).await.unwrap();
    let again = device.rest.start(keyed()).await.unwrap();
    assert_eq!(again.generation_id, started.generation_id);
}

#[tokio::test]
async fn a_delete_survives_a_kill_and_so_does_the_way_back() {
    let standin = Standin::start().await;
    let folder = TempDir::new().unwrap();
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let id = finished(&device, "Count!").await.conversation_id;
    device.rest.delete(id).await.unwrap();
    process.kill().await;
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    assert_eq!(status(device.rest.conversation(id, None, None).await), 404);
    assert_eq!(listed(&device).await, [0, 0, 0]);
    device.rest.restore(id).await.unwrap();
    assert_eq!(device.answer(id).await.content, numbered(3));
}

async fn temporary(device: &Device, message: &str) -> StartResponse {
    let request = StartRequest { temporary: Some(true), ..ask(message, &fast(3)) };
    device.rest.start(request).await.unwrap()
}

#[tokio::test]
async fn a_temporary_conversation_is_read_by_its_id_and_listed_nowhere() {
    let server = TestServer::start().await;
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    let started = temporary(&device, "Whale!").await;
    read(&device, &started).await;
    let id = started.conversation_id;
    read(&device, &device.go_on(id, "Another whale!", &fast(3)).await).await;
    let page = device.rest.conversation(id, None, None).await.unwrap();
    assert!(page.temporary);
    assert_eq!(page.messages.len(), 4);
    assert_eq!(listed(&device).await, [0, 0, 0]);
    assert_eq!(found(&device, "whale").await, 0);
    assert_eq!(device.rest.stats().await.unwrap().usage_count, 0);
    let heard = tab.what_is_ready().await;
    assert!(heard.iter().all(|event| event["type"] != "conversation"), "no list takes it in");
    device.rest.delete(id).await.unwrap();
    assert_eq!(status(device.rest.conversation(id, None, None).await), 404);
}
