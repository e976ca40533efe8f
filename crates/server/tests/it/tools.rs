//! Tool calls, from a model server to the socket, into history and through a file (ADR 16).

use serde_json::{Value, json};
use tempfile::TempDir;
use unbroken_protocol::{GenerationState, ToolStep};
use unbroken_standin::{Options, Standin};

use crate::support::{
    Device, Given, Process, Reply, Talk, contents, followed, going_on, number, soon,
};

/// A model that asks for a tool, and whose server runs another one: its output comes when the
/// gate `hold` is open.
fn options() -> Options {
    let search = json!({"index": 0, "type": "search", "arguments": "{\"query\":\"Rome\"}"});
    let mut found = search.clone();
    found["output"] = json!("It rains.");
    let asked = |piece: Value| json!({"delta": {"tool_calls": [piece]}});
    let models = json!({"tools": {"with": "rate=0,first=0", "steps": [
        {"text": "Let me see. "},
        asked(json!({"index": 0, "id": "c", "function": {"name": "weather", "arguments": "{\"in\":"}})),
        asked(json!({"index": 0, "function": {"arguments": " \"Rome\"}"}})),
        {"delta": {"executed_tools": [search]}},
        {"gate": "hold"},
        {"delta": {"executed_tools": [found]}},
        {"text": "Take a coat."},
    ]}});
    Options { scripts: models.to_string().parse().unwrap(), ..Options::default() }
}

/// What the log then says of tools.
fn steps() -> Vec<ToolStep> {
    let step = |call_id: &str, phase: &str, name: &str, data: Value| {
        let [call_id, phase, name] = [call_id, phase, name].map(str::to_owned);
        ToolStep { call_id, phase, name, data }
    };
    vec![
        step("c", "call", "weather", json!({"arguments": {"in": "Rome"}})),
        step("executed-0", "call", "search", json!({"arguments": {"query": "Rome"}})),
        step("executed-0", "result", "search", json!({"output": "It rains."})),
    ]
}

/// The steps among events, as a list of them has them.
fn told(events: &[Value]) -> Vec<ToolStep> {
    let events = events.iter().filter(|event| event["type"] == "tool_event");
    events.map(|event| serde_json::from_value(event.clone()).unwrap()).collect()
}

async fn follow(device: &Device, capabilities: &[&str], id: &Value, after: u64) -> Talk {
    let mut talk = device.hello(capabilities).await;
    talk.say(&json!({"routeKey": "follow", "generation_id": id, "after_seq": after})).await;
    talk.next_of("following").await;
    talk
}

/// Reads until so many steps of tools came.
async fn until_steps(talk: &mut Talk, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    while told(&events).len() < count {
        events.extend(talk.until(&["tool_event"]).await);
    }
    events
}

#[tokio::test]
async fn steps_of_tools_are_records_in_order_with_text_and_stay_in_history() {
    let server = Given::new().standin(options()).start().await;
    let device = server.device("laptop").await;
    let started = device.start("Do I need a coat?", "tools").await;
    let (id, conversation) = (json!(started.generation_id), started.conversation_id);
    let mut talk = follow(&device, &["tools"], &id, 0).await;
    let mut events = until_steps(&mut talk, 2).await;
    assert_eq!(told(&events), steps()[..2]);

    // So far: in history, and in the snapshot of whoever comes from another place.
    assert_eq!(device.answer(conversation).await.tool_events, steps()[..2]);
    let mut lost = follow(&device, &["tools"], &id, 999).await;
    let snapshot = lost.next_is("snapshot").await;
    assert_eq!(snapshot["tool_events"], json!(steps()[..2]));
    assert_eq!(snapshot["content"], "Let me see. ");
    let mut plain = follow(&device, &[], &id, 999).await;
    assert_eq!(plain.next_is("snapshot").await["tool_events"], json!([]));

    server.standin.open_gate("hold");
    events.extend(talk.answer().await);
    let kinds = ["stream_start", "content_chunk", "tool_event", "content_chunk", "stream_complete"];
    assert_eq!(followed(&events), kinds);
    assert_eq!(told(&events), steps());
    let places = events.iter().filter(|event| event["type"] == "tool_event");
    let places: Vec<_> = places.map(|event| number(event, "seq")).collect();
    assert_eq!(places, [2, 3, 4], "records like any other");
    assert_eq!(told(&lost.answer().await), steps()[2..]);
    // Who did not ask for them is told that they are no gap.
    let rest = plain.answer().await;
    assert_eq!(followed(&rest), ["stream_start", "content_chunk", "stream_complete"]);
    let chunk = rest.iter().find(|event| event["type"] == "content_chunk").unwrap();
    assert_eq!((number(chunk, "seq_from"), number(chunk, "seq")), (4, 5));

    let answer = device.answer(conversation).await;
    assert_eq!((answer.state, answer.tool_events), (Some(GenerationState::Completed), steps()));
    assert_eq!(answer.content, "Let me see. Take a coat.");
}

#[tokio::test]
async fn a_file_carries_tool_calls_from_one_server_to_another() {
    let (first, second) =
        (Given::new().standin(options()).start().await, Given::new().start().await);
    first.standin.open_gate("hold");
    let device = first.device("one").await;
    let started = device.start("Do I need a coat?", "tools").await;
    follow(&device, &[], &json!(started.generation_id), 0).await.answer().await;
    let path = format!("/ai/conversations/{}/export", started.conversation_id);
    let exported = device.call("GET", &path, None).await;
    assert_eq!(exported["messages"][1]["answer"]["tool_events"], json!(steps()));

    let other = second.device("other").await;
    let body = exported.to_string();
    let begun = Reply::of(second.post("/ai/imports").query(&other.query()).body(body)).await;
    let import = format!("/ai/imports/{}", begun.json()["import_id"].as_str().unwrap());
    soon(async { while other.call("GET", &import, None).await["state"] != "done" {} }).await;
    assert_eq!(other.call("GET", &path, None).await, exported);
    let answer = other.answer(started.conversation_id).await;
    assert_eq!(answer.tool_events, steps());
    // And in the log that it was given there.
    let id = json!(answer.generation_id);
    assert_eq!(told(&follow(&other, &["tools"], &id, 0).await.answer().await), steps());
}

/// B8.4
#[tokio::test]
async fn steps_that_were_shown_are_there_after_kill_9_and_a_further_call_means_others() {
    let folder = TempDir::new().unwrap();
    let standin = Standin::start_on(("127.0.0.1", 0), options()).await.unwrap();
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = process.device("laptop").await;
    let started = device.start("Do I need a coat?", "tools").await;
    let id = json!(started.generation_id);
    until_steps(&mut follow(&device, &["tools"], &id, 0).await, 2).await;
    process.kill().await;

    // A provider that does not go on: the answer waits for a person, with what it has.
    let process = Process::start(folder.path(), &standin.base_url()).await;
    let device = device.at(process.base());
    let answer = device.answer(started.conversation_id).await;
    assert_eq!(answer.state, Some(GenerationState::Interrupted));
    assert_eq!(answer.tool_events, steps()[..2]);
    process.kill().await;

    // One that goes on: the model is asked again, and asks for its tools again.
    standin.open_gate("hold");
    let (name, provider) = going_on(&standin.base_url());
    let env = [(name, provider.as_str())];
    let process = Process::start_with(folder.path(), &standin.base_url(), &env).await;
    let device = device.at(process.base());
    let mut talk = follow(&device, &["tools"], &id, 0).await;
    talk.say(&json!({"routeKey": "continue", "generation_id": id})).await;
    let events = talk.answer().await;
    let again = steps().into_iter().map(|mut step| {
        step.call_id += "+2";
        step
    });
    let all: Vec<_> = steps().into_iter().take(2).chain(again).collect();
    assert_eq!(told(&events), all);
    assert_eq!(contents(&events), "Let me see. Take a coat.");
    assert_eq!(device.answer(started.conversation_id).await.tool_events, all);
}
