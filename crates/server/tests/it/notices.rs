//! What comes by itself to every connection of a principal, and to nobody else (PROTOCOL B3), and
//! to whom comes back to its place (B4).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use unbroken_protocol::{ClientMessageId, ConversationId, ConversationPatch, StartRequest};
use unbroken_standin::numbered;

use crate::support::{Device, Reply, Talk, TestServer, fast, held, soon};

fn title(event: &Value) -> &str {
    event["conversation"]["title"].as_str().unwrap()
}

#[tokio::test]
async fn a_new_turn_is_on_every_tab_and_device_of_its_principal_and_nowhere_else() {
    let server = TestServer::start().await;
    let (phone, stranger) = (server.device("phone").await, server.device("stranger").await);
    let tablet = phone.link("tablet").await;
    let mut tabs = [phone.hello(&[]).await, phone.hello(&[]).await, tablet.hello(&[]).await];
    let mut foreign = stranger.hello(&[]).await;

    let key = ClientMessageId::new();
    let request = StartRequest {
        message: "Count!".into(),
        model_id: Some(held(9, 4)),
        client_message_id: Some(key.to_string()),
        ..StartRequest::default()
    };
    let started = phone.rest.start(request).await.unwrap();
    for tab in &mut tabs {
        let event = tab.next_is("generation_started").await;
        assert_eq!(event["generation_id"], started.generation_id.to_string());
        assert_eq!(event["conversation_id"], started.conversation_id.to_string());
        assert_eq!(event["message_id"], started.message_id.to_string());
        assert_eq!(event["client_message_id"], key.to_string());
        let event = tab.next_of("conversation").await;
        assert_eq!((&event["op"], title(&event)), (&json!("upsert"), "Count!"));
        assert_eq!(event["conversation"]["running"], true);
    }
    server.standin.open_gate("hold");
    for tab in &mut tabs {
        loop {
            let event = tab.next_of("conversation").await;
            if event["conversation"]["running"] == false {
                break;
            }
        }
    }
    foreign.is_quiet().await;
}

#[tokio::test]
async fn a_rename_and_a_delete_are_on_every_tab() {
    let server = TestServer::start().await;
    let (device, stranger) = (server.device("phone").await, server.device("stranger").await);
    let started = device.start("Count!", &held(40, 20)).await;
    let id = started.conversation_id;
    let mut tab = device.hello(&[]).await;
    let mut foreign = stranger.hello(&[]).await;
    tab.say(&json!({"routeKey": "follow", "generation_id": started.generation_id})).await;
    tab.until_text(&numbered(20)).await;

    let patch = ConversationPatch { title: Some("Numbers".into()), ..ConversationPatch::default() };
    let summary = device.rest.patch(id, &patch).await.unwrap();
    assert_eq!(summary.title, "Numbers");
    let event = tab.next_is("conversation").await;
    assert_eq!((&event["op"], title(&event)), (&json!("upsert"), "Numbers"));

    device.rest.delete(id).await.unwrap();
    let events = tab.until(&["conversation"]).await;
    let mut events = events;
    while events.last().unwrap()["op"] != "delete" || events.len() < 2 {
        events.push(tab.next().await);
    }
    let end = events.iter().find(|event| event["type"] == "stream_complete");
    assert_eq!(end.expect("what runs is stopped first")["status"], "stopped");
    let deleted = events.iter().find(|event| event["op"] == "delete").unwrap();
    assert_eq!(deleted["conversation"]["conversation_id"], id.to_string());
    foreign.is_quiet().await;
}

fn waiting(queue: &Value) -> Vec<&str> {
    let items = queue["items"].as_array().unwrap();
    items.iter().map(|item| item["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_queue_change_is_on_every_tab() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let first = device.start("One", &held(40, 20)).await;
    let mut tab = device.hello(&[]).await;
    let second = device.go_on(first.conversation_id, "Two", &fast(3)).await;
    let third = device.go_on(first.conversation_id, "Three", &fast(3)).await;
    let mut queue = json!({"items": []});
    for messages in [&["Two"][..], &["Two", "Three"]] {
        while waiting(&queue) != messages {
            queue = tab.next_of("queue").await;
            assert_eq!(queue["conversation_id"], first.conversation_id.to_string());
        }
    }
    assert_eq!(third.queued.unwrap().position, 2);
    server.standin.open_gate("hold");
    for messages in [&["Three"][..], &[]] {
        while waiting(&queue) != messages {
            queue = tab.next_of("queue").await;
        }
        assert!(messages.is_empty() || queue["items"][0]["position"] == 1);
    }
    assert_eq!(second.queued.unwrap().queue_id, second.generation_id);
}

/// However many answers begin and end at once, the last notice of each is how it stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_notice_of_a_conversation_is_how_it_stands() {
    let server = TestServer::start().await;
    let device = server.device("phone").await;
    let mut tab = device.hello(&[]).await;
    let mut starts = tokio::task::JoinSet::new();
    for n in 0..40 {
        let device = device.clone();
        starts.spawn(async move {
            for _ in 0..5 {
                let first = device.start(&format!("{n}"), &fast(1)).await;
                device.go_on(first.conversation_id, "And?", &fast(1)).await;
            }
        });
    }
    let mut last = Last::default();
    while last.ended.len() < 200 {
        last.hear(&tab.next().await);
    }
    starts.join_all().await;
    for event in tab.what_is_ready().await {
        last.hear(&event);
    }
    assert!(last.running.values().all(|running| !running), "nothing runs any more");
    assert!(last.waiting.values().all(|waiting| *waiting == 0), "nothing waits any more");
}

/// What was last heard of each conversation.
#[derive(Default)]
struct Last {
    /// Both answers have ended.
    ended: BTreeSet<String>,
    running: BTreeMap<String, bool>,
    waiting: BTreeMap<String, usize>,
}

impl Last {
    fn hear(&mut self, event: &Value) {
        if event["type"] == "conversation" {
            let conversation = &event["conversation"];
            let id = conversation["conversation_id"].to_string();
            let running = conversation["running"] == true;
            if conversation["message_count"] == 4 && !running {
                self.ended.insert(id.clone());
            }
            self.running.insert(id, running);
        } else if event["type"] == "queue" {
            self.waiting.insert(event["conversation_id"].to_string(), waiting(event).len());
        }
    }
}

async fn rename(device: &Device, id: ConversationId, title: &str) {
    let patch = ConversationPatch { title: Some(title.into()), ..ConversationPatch::default() };
    device.rest.patch(id, &patch).await.unwrap();
}

/// The titles that these events tell, each once.
fn titles(events: &[Value]) -> Vec<&str> {
    let about = events.iter().filter(|event| event["type"] == "conversation");
    let mut titles: Vec<_> = about.map(title).collect();
    titles.dedup();
    titles
}

/// A device with a conversation whose answer has ended, and the place after everything.
async fn a_quiet_device(server: &TestServer) -> (Device, ConversationId, String) {
    let device = server.device("laptop").await;
    let mut tab = device.hello(&[]).await;
    let id = device.start("Count!", &fast(3)).await.conversation_id;
    tab.ends().await;
    let place = poll(server, &device, "").await["next_after"].as_str().unwrap().to_owned();
    (device, id, place)
}

async fn poll(server: &TestServer, device: &Device, query: &str) -> Value {
    let request = server.get(&format!("/ai/events?{query}")).query(&device.query());
    Reply::of(request.header("accept", "application/json")).await.ok()
}

/// The messages of a stream, up to one that says a place after this many others.
async fn stream(server: &TestServer, device: &Device, place: &str, others: usize) -> Vec<Value> {
    let request = server.get("/ai/events").query(&device.query()).header("last-event-id", place);
    let mut response = soon(request.send()).await.unwrap();
    let (mut text, mut events) = (String::new(), Vec::<Value>::new());
    while events.len() <= others || events.last().unwrap()["type"] != "noticed" {
        text += str::from_utf8(&soon(response.chunk()).await.unwrap().unwrap()).unwrap();
        let whole = &text[..text.rfind("\n\n").map_or(0, |end| end + 2)];
        let data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
        events = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    }
    events
}

/// A socket that comes back to its place, and what it is sent up to where it is then.
async fn come_back(device: &Device, place: &str, others: usize) -> (Talk, Vec<Value>) {
    let mut talk = device.socket().await;
    let mut hello = device.pair();
    hello["routeKey"] = json!("hello");
    hello["notices_after"] = json!(place);
    talk.say(&hello).await;
    talk.next_is("hello_ok").await;
    let mut events = Vec::<Value>::new();
    while events.len() <= others || events.last().unwrap()["type"] != "noticed" {
        events.push(talk.next().await);
    }
    (talk, events)
}

#[tokio::test]
async fn what_happens_between_two_long_polls_comes_with_the_next() {
    let server = TestServer::start().await;
    let (device, id, mut place) = a_quiet_device(&server).await;
    for title in ["One", "Two", "Three"] {
        rename(&device, id, title).await;
        let batch = poll(&server, &device, &format!("wait=25&after={place}")).await;
        assert_eq!(titles(batch["events"].as_array().unwrap()), [title]);
        assert_eq!(batch["up_to_date"], true);
        batch["next_after"].as_str().unwrap().clone_into(&mut place);
    }
    let batch = poll(&server, &device, &format!("after={place}")).await;
    assert_eq!((&batch["events"], &batch["next_after"]), (&json!([]), &json!(place)));
}

/// Three transports, one cursor: here too.
#[tokio::test]
async fn what_happens_while_a_client_is_away_is_told_when_it_is_back() {
    let server = TestServer::start().await;
    let (device, id, place) = a_quiet_device(&server).await;
    rename(&device, id, "One").await;
    rename(&device, id, "Two").await;

    let sent = stream(&server, &device, &place, 2).await;
    assert_eq!(titles(&sent), ["One", "Two"]);
    let (mut talk, heard) = come_back(&device, &place, 3).await;
    assert_eq!(titles(&heard), ["One", "Two"]);
    let after = |events: &[Value]| events.last().unwrap()["after"].as_str().unwrap().to_owned();
    assert_eq!(after(&sent), after(&heard));
    talk.is_quiet().await;

    let batch = poll(&server, &device, &format!("after={}", after(&heard))).await;
    assert_eq!(batch["events"], json!([]), "nothing comes twice");
    let (mut talk, heard) = come_back(&device, &after(&heard), 0).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    rename(&device, id, "Three").await;
    assert_eq!(title(&talk.next_is("conversation").await), "Three");
    assert_eq!(talk.next_is("noticed").await.get("missed"), None);
}

/// Whoever was away for too long is told to read its lists again.
#[tokio::test]
async fn a_place_that_is_not_kept_is_told_so() {
    let server = TestServer::start().await;
    let (device, _, place) = a_quiet_device(&server).await;
    let (epoch, seq) = place.split_once('.').unwrap();
    let another_run = format!("{}.{seq}", epoch.parse::<u32>().unwrap() ^ 1);
    let ahead = format!("{epoch}.4711");
    for place in [another_run, ahead] {
        let batch = poll(&server, &device, &format!("wait=25&after={place}")).await;
        assert_eq!(batch["events"][0]["type"], "noticed");
        assert_eq!(
            (&batch["events"][0]["missed"], &batch["up_to_date"]),
            (&json!(true), &json!(false))
        );
        let sent = stream(&server, &device, &place, 0).await;
        assert_eq!((&sent[0]["type"], &sent[0]["missed"]), (&json!("noticed"), &json!(true)));
        let (_, heard) = come_back(&device, &place, 1).await;
        assert!(heard.iter().any(|event| event["missed"] == true), "{heard:?}");
    }
    // A client that never asked for places is sent none.
    device.hello(&[]).await.is_quiet().await;
}
