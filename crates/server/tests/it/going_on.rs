//! Answers that go on after a break, by every means, in one process and after a kill (PROTOCOL B7).

use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_protocol::ClientMessageId;
use unbroken_standin::{Standin, numbered};

use crate::support::{
    Device, Given, Process, Reply, Talk, TestServer, contents, going_on, kinds, number, soon,
};

/// Each kind of provider, and how many model calls one break costs.
const KINDS: [(&str, usize); 6] = [
    ("vllm-numbers", 2),
    ("llama-numbers", 2),
    ("repeating-numbers", 2),
    ("refusing-numbers", 2),
    ("plain-numbers", 2),
    ("streams-numbers", 1),
];

async fn start() -> TestServer {
    Given::new().going_on().start().await
}

/// Model calls that cost something: a look at what is kept does not, nor does a refused one.
fn calls(standin: &Standin) -> usize {
    let calls = serde_json::to_value(standin.calls()).unwrap();
    let calls = calls.as_array().unwrap().iter();
    calls.filter(|call| call["continuation"] != "reattach" && call["tokens"] != 0).count()
}

/// The text of an answer as it was streamed, checked for order, and its last event.
async fn whole(talk: &mut Talk) -> (String, Value, Vec<Value>) {
    let events = talk.until(&["stream_complete", "stream_error"]).await;
    let mut seq = 0;
    for event in events.iter().filter(|event| event["type"] == "content_chunk") {
        assert!(number(event, "seq") > seq, "{event}");
        seq = number(event, "seq");
    }
    (contents(&events), events.last().unwrap().clone(), events)
}

async fn ask(device: &Device, model: &str) -> Talk {
    let mut talk = device.hello(&["reasoning"]).await;
    talk.say(&device.stream_chat("Count!", None, model)).await;
    talk
}

/// B8.16, B8.17
#[tokio::test]
async fn a_truncated_answer_is_whole_whatever_kind_of_provider_it_is() {
    for (model, cost) in KINDS {
        let server = start().await;
        let device = server.device("laptop").await;
        let spec = format!("{model}:tokens=120,rate=0,first=0,cut_at=47,fail_times=1");
        let mut talk = ask(&device, &spec).await;
        let (text, end, events) = whole(&mut talk).await;
        assert_eq!(text, numbered(120), "{model}");
        assert_eq!(end["full_response"], text, "{model}");
        assert_eq!((&end["type"], number(&end, "epoch")), (&json!("stream_complete"), 2));
        let states: Vec<_> = events
            .iter()
            .filter(|event| event["type"] == "generation_state")
            .map(|event| event["state"].as_str().unwrap())
            .collect();
        assert_eq!(states, ["interrupted", "running"], "{model}");
        assert_eq!(calls(&server.standin), cost, "{model}");
    }
}

/// An old client notices nothing at all (B8.19).
#[tokio::test]
async fn an_old_client_sees_one_answer_without_a_seam() {
    let server = start().await;
    let device = server.device("laptop").await;
    let mut old = device.socket().await;
    let spec = "vllm-numbers:tokens=60,rate=0,first=0,cut_at=30,fail_times=1";
    old.say(&device.stream_chat("Count!", None, spec)).await;
    let events = old.answer().await;
    let seen = ["conversation_started", "stream_start", "content_chunk", "stream_complete"];
    assert_eq!(kinds(&events), seen);
    assert_eq!(contents(&events), numbered(60));
    assert_eq!(events.last().unwrap()["full_response"], numbered(60));
}

/// "Done when" 2: kill -9 in the middle; after the restart the answer ends whole by itself.
#[tokio::test]
async fn an_answer_survives_a_kill_9_of_its_server_and_ends_whole() {
    for (model, _) in KINDS {
        let folder = TempDir::new().unwrap();
        let standin = Standin::start().await;
        let (name, provider) = going_on(&standin.base_url());
        let env = [(name, provider.as_str())];
        let process = Process::start_with(folder.path(), &standin.base_url(), &env).await;
        let device = process.device("laptop").await;
        let spec = format!("{model}:tokens=90,rate=0,first=0,gate=hold@40");
        let mut talk = ask(&device, &spec).await;
        let seen = talk.until_text(&numbered(40)).await;
        process.kill().await;
        standin.open_gate("hold");

        let process = Process::start_with(folder.path(), &standin.base_url(), &env).await;
        let device = device.at(process.base());
        let mut talk = device.hello(&[]).await;
        let last = seen.iter().rfind(|event| event["type"] == "content_chunk").unwrap();
        talk.say(&json!({
            "routeKey": "follow", "generation_id": last["generation_id"],
            "after_seq": last["seq"], "epoch": last["epoch"],
        }))
        .await;
        let (rest, end, _) = whole(&mut talk).await;
        assert_eq!(contents(&seen) + &rest, numbered(90), "{model}");
        assert_eq!(end["full_response"], numbered(90), "{model}");
    }
}

#[tokio::test]
async fn continue_takes_an_answer_that_waits_for_a_person() {
    let server = start().await;
    let device = server.device("laptop").await;
    let spec = "vllm-numbers:tokens=50,rate=0,first=0,error_at=20,fail_times=1";
    let mut talk = ask(&device, spec).await;
    let seen = talk.until(&["generation_state"]).await;
    let state = seen.last().unwrap();
    assert_eq!((&state["state"], &state["can_continue"]), (&json!("interrupted"), &json!(true)));
    talk.say(&json!({
        "routeKey": "continue", "generation_id": state["generation_id"], "req": "go",
    }))
    .await;
    let (rest, _, events) = whole(&mut talk).await;
    assert_eq!(contents(&seen) + &rest, numbered(50));
    assert!(events.iter().any(|event| event["type"] == "ok" && event["req"] == "go"));
}

#[tokio::test]
async fn what_waits_can_be_changed_and_taken_out_from_any_device() {
    let server = start().await;
    let device = server.device("laptop").await;
    let spec = "numbers:tokens=30,rate=0,first=0,gate=hold@10";
    let mut talk = ask(&device, spec).await;
    let seen = talk.until_text(&numbered(10)).await;
    let id = seen.iter().find_map(|event| event["conversation_id"].as_str()).unwrap().to_owned();
    let conversation = id.parse().unwrap();
    let second = device.go_on(conversation, "Two", "echo:rate=0,first=0").await;
    let third = device.go_on(conversation, "Three", "echo:rate=0,first=0").await;
    let queue = format!("/ai/conversations/{id}/queue");
    let listed = device.call("GET", &queue, None).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let path = format!("{queue}/{}", third.generation_id);
    let patched = device.call("PATCH", &path, Some(json!({"message": "Three, better"}))).await;
    assert_eq!(patched["items"][1]["message"], "Three, better");
    let path = format!("{queue}/{}", second.generation_id);
    let left = device.call("DELETE", &path, None).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    server.standin.open_gate("hold");
    soon(server.standin.wait_for_calls(2)).await;
    let asked: Vec<_> = server.standin.calls().into_iter().map(|call| call.last_user).collect();
    assert_eq!(asked, ["Count!", "Three, better"]);
}

#[tokio::test]
async fn regenerate_makes_a_sibling_and_the_first_answer_can_be_shown_again() {
    let server = start().await;
    let device = server.device("laptop").await;
    let mut talk = ask(&device, "numbers:tokens=5,rate=0,first=0").await;
    let (_, end, _) = whole(&mut talk).await;
    let id = end["conversation_id"].as_str().unwrap();
    let history = device.history(id.parse().unwrap()).await;
    let path = format!("/ai/messages/{}/generate", history[0].message_id);
    let body = json!({"model_id": "numbers:tokens=7,rate=0,first=0"});
    let started = device.call("POST", &path, Some(body)).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": started["generation_id"]})).await;
    let (text, ..) = whole(&mut talk).await;
    assert_eq!(text, numbered(7));
    let page = device.history(id.parse().unwrap()).await;
    assert_eq!((page.len(), page[1].content.clone()), (2, numbered(7)));
    assert_eq!(page[1].sibling_ids.len(), 2);
    let body = json!({"selected_message_id": history[1].message_id});
    device.call("PATCH", &format!("/ai/conversations/{id}"), Some(body)).await;
    assert_eq!(device.history(id.parse().unwrap()).await[1].content, numbered(5));
}

/// A reload shows the seams that were seen live, and Continue where it is taken.
#[tokio::test]
async fn history_after_going_on_has_the_seams_that_were_streamed() {
    let server = start().await;
    let device = server.device("laptop").await;
    let spec = "vllm-numbers:tokens=60,rate=0,first=0,cut_at=20,fail_times=1";
    let mut talk = ask(&device, spec).await;
    let (text, end, events) = whole(&mut talk).await;
    assert_eq!(text, numbered(60));
    let went_on = events.iter().position(|event| event["state"] == "running").unwrap();
    let seam = contents(&events[..went_on]).chars().count() as u64;
    assert_eq!(seam, numbered(20).chars().count() as u64);
    let id = end["conversation_id"].as_str().unwrap();
    let path = format!("/ai/conversations/{id}");
    let page = device.call("GET", &path, None).await;
    assert_eq!(page["messages"][1]["seams"], json!([seam]));
    assert!(page["messages"][1].get("can_continue").is_none(), "{page}");
    assert!(page["messages"][0].get("seams").is_none(), "{page}");

    let spec = "vllm-numbers:tokens=50,rate=0,first=0,error_at=20,fail_times=1";
    let mut talk = ask(&device, spec).await;
    let seen = talk.until(&["generation_state"]).await;
    let state = seen.last().unwrap();
    let id = state["conversation_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(state["can_continue"], json!(true));
    let interrupted = device.answer(id).await;
    assert!(interrupted.can_continue && interrupted.seams.is_empty());
    let generation = state["generation_id"].as_str().unwrap().parse().unwrap();
    let reply = device.rest.go_on(generation, ClientMessageId::new()).await.unwrap();
    assert_eq!(reply.generation_id, generation);
    whole(&mut talk).await;
    let sealed = device.answer(id).await;
    assert_eq!((sealed.can_continue, sealed.seams), (false, vec![seam]));
}

/// B8.11: regenerate and the sibling of a stopped answer, as start.
#[tokio::test]
async fn another_answer_is_made_once_under_one_key() {
    let server = start().await;
    let device = server.device("laptop").await;
    let mut talk = ask(&device, "numbers:tokens=5,rate=0,first=0").await;
    let (_, end, _) = whole(&mut talk).await;
    let id = end["conversation_id"].as_str().unwrap().parse().unwrap();
    let question = device.history(id).await[0].message_id;
    let (model, key) =
        ("vllm-numbers:tokens=40,rate=0,first=0,gate=hold@20", ClientMessageId::new());
    let first = device.rest.regenerate(question, Some(model), key).await.unwrap();
    talk.say(&json!({"routeKey": "follow", "generation_id": first.generation_id})).await;
    talk.until_text(&numbered(20)).await;
    let again = device.rest.regenerate(question, Some(model), key).await.unwrap();
    assert_eq!(again, first);
    let path = format!("/ai/messages/{question}/generate");
    let mut other = device.pair();
    other["client_message_id"] = json!(key);
    Reply::of(server.post(&path).json(&other)).await.refused(409, "conflict");
    other["client_message_id"] = json!("x");
    Reply::of(server.post(&path).json(&other)).await.refused(400, "bad_request");

    device.rest.stop(first.generation_id).await.unwrap();
    server.standin.open_gate("hold");
    let key = ClientMessageId::new();
    let sibling = device.rest.go_on(first.generation_id, key).await.unwrap().generation_id;
    assert_ne!(sibling, first.generation_id);
    talk.say(&json!({"routeKey": "follow", "generation_id": sibling})).await;
    while talk.next_of("stream_complete").await["generation_id"] != json!(sibling) {}
    let again = device.rest.go_on(first.generation_id, key).await.unwrap().generation_id;
    assert_eq!(again, sibling);
    // Over the socket too.
    talk.say(&json!({
        "routeKey": "continue", "generation_id": first.generation_id, "client_message_id": key,
        "req": "again",
    }))
    .await;
    assert_eq!(talk.next_of("ok").await["req"], "again");
    assert_eq!(device.answer(id).await.sibling_ids.len(), 3);
    assert_eq!(server.standin.calls().len(), 3);
}
