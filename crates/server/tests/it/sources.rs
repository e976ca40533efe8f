//! Files that answers draw on: brought, read, cited, and deleted (PROTOCOL B5).

mod embeddings;
mod files;
mod reranking;
mod turns;
mod uploads;
mod web;

use serde_json::Value;
use unbroken_protocol::{Source, StartRequest, StartResponse};

use crate::support::{Device, Talk, ask};

/// A text that is given whole.
const WHALES: &str = "Whales sing. Their songs last for half an hour.\n\nKrill is what they eat.";

/// The beginning of a picture, in which nothing can be read.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

fn of_file(id: &str) -> Source {
    Source::File { file_id: id.into() }
}

fn asking(message: &str, model: &str, sources: Vec<Source>) -> StartRequest {
    StartRequest { sources: Some(sources), ..ask(message, model) }
}

/// A question about files.
async fn start(device: &Device, model: &str, sources: Vec<Source>) -> StartResponse {
    device.rest.start(asking("What do whales eat?", model, sources)).await.unwrap()
}

/// The records and the end of an answer.
async fn answer(device: &Device, started: &StartResponse) -> Vec<Value> {
    let mut talk: Talk = device.hello(&["tools"]).await;
    talk.say(&serde_json::json!({
        "routeKey": "follow", "generation_id": started.generation_id, "after_seq": 0,
    }))
    .await;
    talk.answer().await
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}
