//! Passages that a reranker chooses.

use std::net::SocketAddr;

use serde_json::Value;
use unbroken_standin::{Options, Standin};

use super::{answer, asking, of_file, of_kind};
use crate::support::{Device, Given, nobody};

/// The words find every chapter, and the one that answers last: it is the longest.
const QUESTION: &str = "What does leviathan devour in the harbour?";

/// Too long to be given whole.
fn book() -> String {
    let filler = "The harbour lies quiet and grey below the old town, day after day. ".repeat(17);
    let mut text: Vec<_> = (0..40).map(|n| format!("# Chapter {n}\n\n{filler}")).collect();
    text[31].push_str("Whales eat krill, whales eat shrimp.");
    text.join("\n\n")
}

fn reranker(address: SocketAddr) -> String {
    format!("{{ base_url = \"http://{address}/v1\", model = \"meanings\" }}")
}

async fn citations(device: &Device, id: &str) -> Vec<Value> {
    let asked = asking(QUESTION, "quotes", vec![of_file(id)]);
    let started = device.rest.start(asked).await.unwrap();
    let events = answer(device, &started).await;
    of_kind(&events, "source_found").into_iter().map(|event| event["citation"].clone()).collect()
}

fn is_right(citation: &Value) -> bool {
    citation["quote"].as_str().unwrap().contains("Whales eat krill")
}

#[tokio::test]
async fn the_passage_that_a_reranker_takes_for_the_best_is_given_first() {
    let address = nobody();
    let server = Given::new().set("sources.reranker", &reranker(address)).start().await;
    let device = server.device("laptop").await;
    let id = device.file("book.md", &book()).await;
    let as_found = citations(&device, &id).await;
    assert!(!as_found.is_empty() && !as_found.iter().any(is_right), "nobody reranks");

    let standin = Standin::start_on(address, Options::default()).await.unwrap();
    let reranked = citations(&device, &id).await;
    assert!(is_right(&reranked[0]), "{:?}", reranked[0]);
    assert!(reranked.len() <= 12);
    let scores: Vec<_> = reranked.iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
    assert_eq!(standin.reranked(), [QUESTION]);
}
