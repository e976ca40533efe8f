//! Passages that are found by what they mean.

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use unbroken_standin::{Options, Standin};

use super::{answer, asking, of_file, of_kind};
use crate::support::{Device, Given, Process, nobody, refused_start, soon};

/// Nothing of it but the meaning is in the book.
const IN_OTHER_WORDS: &str = "Which crustacean does leviathan devour?";

/// Too long to be given whole; one chapter says what whales eat.
fn book() -> String {
    let filler = "The harbour lies quiet and grey below the old town, day after day. ".repeat(17);
    let mut text: Vec<_> = (0..60).map(|n| format!("# Chapter {n}\n\n{filler}")).collect();
    text[41].push_str("Krill is what whales eat.");
    text.join("\n\n")
}

/// How the configuration names a model at a stand-in.
fn model(address: SocketAddr, name: &str) -> String {
    format!("{{ kind = \"openai\", base_url = \"http://{address}/v1\", model = \"{name}\" }}")
}

async fn citations(device: &Device, question: &str, id: &str) -> Vec<Value> {
    let asked = asking(question, "quotes", vec![of_file(id)]);
    let started = device.rest.start(asked).await.unwrap();
    let events = answer(device, &started).await;
    of_kind(&events, "source_found").into_iter().map(|event| event["citation"].clone()).collect()
}

fn is_right(citation: &Value) -> bool {
    citation["quote"].as_str().unwrap().contains("Krill is what whales eat.")
}

/// Asks until the passage is found by what it means: vectors come in after the file is ready.
async fn found(device: &Device, id: &str) -> Vec<Value> {
    soon(async {
        loop {
            let citations = Box::pin(citations(device, IN_OTHER_WORDS, id)).await;
            if citations.first().is_some_and(is_right) {
                return citations;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_question_in_other_words_is_answered_with_embeddings_only() {
    let standin = Standin::start().await;
    let with = Given::new().set("sources.embeddings", &model(standin.addr(), "meanings"));
    let with = with.start().await;
    let device = with.device("laptop").await;
    let id = device.file("book.md", &book()).await;
    let citations = found(&device, &id).await;
    assert!(citations.len() <= 12);
    let scores: Vec<_> = citations.iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.iter().all(|score| *score > 0.0 && *score <= 1.0), "{scores:?}");
    assert!(standin.embedded().iter().any(|text| text == IN_OTHER_WORDS));

    let without = Given::new().start().await;
    let device = without.device("laptop").await;
    let id = device.file("book.md", &book()).await;
    let citations = self::citations(&device, IN_OTHER_WORDS, &id).await;
    assert!(!citations.iter().any(is_right));
}

#[tokio::test]
async fn a_file_is_used_at_once_and_its_vectors_follow_when_the_model_can_be_reached() {
    let address = nobody();
    let server = Given::new().set("sources.embeddings", &model(address, "meanings")).start().await;
    let device = server.device("laptop").await;
    let id = device.file("book.md", &book()).await;
    let by_words = citations(&device, "What do whales eat?", &id).await;
    assert!(is_right(&by_words[0]), "{:?}", by_words[0]);
    let by_meaning = citations(&device, IN_OTHER_WORDS, &id).await;
    assert!(!by_meaning.iter().any(is_right));
    let standin = Standin::start_on(address, Options::default()).await.unwrap();
    found(&device, &id).await;
    drop(standin);
    let by_words = citations(&device, "What do whales eat?", &id).await;
    assert!(is_right(&by_words[0]), "full text goes on alone");
}

/// A server of embeddings that is ill whenever it is given one word.
async fn delicate(Json(asked): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let texts: Vec<_> =
        asked["input"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if texts.iter().any(|text| text.contains("pandemonium")) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let meant = |text: &str| text.contains("crustacean") || text.contains("Krill");
    let vector = |text| json!({ "embedding": if meant(text) { [1, 0] } else { [0, 1] } });
    Ok(Json(json!({ "data": texts.into_iter().map(vector).collect::<Vec<_>>() })))
}

#[tokio::test]
async fn a_document_that_cannot_be_embedded_holds_up_no_other() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(delicate);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let server = Given::new().set("sources.embeddings", &model(address, "meanings")).start().await;
    let device = server.device("laptop").await;
    device.file("bad.md", "This is pandemonium.").await;
    let id = device.file("book.md", &book()).await;
    found(&device, &id).await;
}

#[tokio::test]
async fn what_lacks_vectors_at_a_kill_9_has_them_after_it_and_none_twice() {
    let (folder, standin) = (TempDir::new().unwrap(), Standin::start().await);
    let start = async |address: SocketAddr, name: &str| {
        let model = model(address, name);
        let env = [("UNBROKEN__SOURCES__EMBEDDINGS", model.as_str())];
        Process::start_with(folder.path(), &standin.base_url(), &env).await
    };
    let process = start(nobody(), "meanings").await;
    let device = process.device("laptop").await;
    let id = device.file("book.md", &book()).await;
    process.kill().await;

    let process = start(standin.addr(), "meanings").await;
    let device = device.at(process.base());
    found(&device, &id).await;
    let passages = || -> Vec<_> {
        let mut texts = standin.embedded();
        texts.retain(|text| text != IN_OTHER_WORDS);
        texts.sort();
        texts
    };
    standin.wait_until_embedded(|_| passages().len() >= 60).await;
    let mut once = passages();
    process.kill().await;
    // What is there is there; a model of another name embeds anew.
    let process = start(standin.addr(), "others").await;
    found(&device.at(process.base()), &id).await;
    standin.wait_until_embedded(|_| passages().len() >= 2 * once.len()).await;
    once.extend(once.clone());
    once.sort();
    assert_eq!(passages(), once);
}

#[tokio::test]
async fn a_server_whose_model_is_not_said_does_not_start() {
    let folder = TempDir::new().unwrap();
    let section = "[sources.embeddings]\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:1/v1\"\n";
    std::fs::write(folder.path().join("unbroken.toml"), section).unwrap();
    let (code, said) = refused_start(folder.path(), "http://127.0.0.1:1/v1").await;
    assert_eq!(code, Some(1));
    assert!(
        said.contains("failed to use embeddings: sources.embeddings: model is missing"),
        "{said}"
    );
}
