//! Embeddings in OpenAI's and in Ollama's form, and reranking in Cohere's: words that mean the same
//! lie at the same place.

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{error::ApiError, server::Shared};

/// Numbers of a vector.
const LENGTH: usize = 256;
/// The model of this name refuses texts of more bytes than that, as one with a short context does.
const SHORT: (&str, usize) = ("short", 200);

/// Words that mean the same.
const MEANINGS: [&[&str]; 6] = [
    &["whale", "leviathan", "wal"],
    &["eat", "devour", "feed", "diet"],
    &["krill", "crustacean", "shrimp"],
    &["ship", "vessel", "boat"],
    &["banding", "stripe", "streak"],
    &["sea", "ocean", "meer"],
];

/// Texts that a model was given, in their order.
#[derive(Default)]
pub(crate) struct Texts(watch::Sender<Vec<String>>);

impl Texts {
    pub(crate) fn list(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    pub(crate) async fn wait_until(&self, holds: impl Fn(&[String]) -> bool) {
        let held = self.0.subscribe().wait_for(|texts| holds(texts)).await.map(drop);
        held.expect("the sender is here");
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    model: String,
    input: Vec<String>,
}

pub(crate) async fn open_ai(
    State(shared): State<Shared>,
    Json(asked): Json<Asked>,
) -> Result<Json<Value>, ApiError> {
    let vectors = embed(&shared, &asked)?.into_iter().enumerate().map(
        |(index, vector)| json!({ "object": "embedding", "index": index, "embedding": vector }),
    );
    // The index tells the order, not the place.
    let data: Vec<_> = vectors.rev().collect();
    Ok(Json(json!({ "object": "list", "model": asked.model, "data": data })))
}

pub(crate) async fn ollama(
    State(shared): State<Shared>,
    Json(asked): Json<Asked>,
) -> Result<Json<Value>, ApiError> {
    let vectors = embed(&shared, &asked)?;
    Ok(Json(json!({ "model": asked.model, "embeddings": vectors })))
}

#[derive(Deserialize)]
pub(crate) struct AskedToRank {
    query: String,
    documents: Vec<String>,
}

/// As servers differ: the scores are those of a model, no shares of one, and in no order.
pub(crate) async fn rerank(
    State(shared): State<Shared>,
    Json(asked): Json<AskedToRank>,
) -> Json<Value> {
    let question = vector(&asked.query);
    let results = asked.documents.iter().enumerate().map(|(index, text)| {
        let score = 20.0 * likeness(&question, &vector(text)) - 10.0;
        json!({ "index": index, "relevance_score": score })
    });
    let results: Vec<_> = results.rev().collect();
    shared.reranked.0.send_modify(|questions| questions.push(asked.query));
    Json(json!({ "results": results }))
}

fn embed(shared: &Shared, asked: &Asked) -> Result<Vec<Vec<f32>>, ApiError> {
    if asked.model == SHORT.0 && asked.input.iter().any(|text| text.len() > SHORT.1) {
        return Err(ApiError::bad_request("The input is too long for this model."));
    }
    shared.embedded.0.send_modify(|texts| texts.extend(asked.input.iter().cloned()));
    Ok(asked.input.iter().map(|text| vector(text)).collect())
}

/// The cosine of the angle between two vectors.
fn likeness(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

/// Each meaning has a number of its own; a text has those of its words.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; LENGTH];
    // A text without words lies somewhere too.
    vector[0] = 0.1;
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        if word.chars().count() >= 3 {
            vector[place(meaning(word))] += 1.0;
        }
    }
    vector
}

fn meaning(word: &str) -> &str {
    let one = word.strip_suffix('s').unwrap_or(word);
    let group = MEANINGS.iter().find(|group| group.contains(&one));
    group.map_or(one, |group| group[0])
}

/// FNV-1a.
fn place(word: &str) -> usize {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    1 + usize::try_from(hash % (LENGTH as u64 - 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_near_although_no_word_is_the_same() {
        let likeness = |one, other| likeness(&vector(one), &vector(other));
        assert!(likeness("Whales eat krill", "the diet: leviathan, shrimp") > 0.8);
        assert!(likeness("Whales eat krill", "the ship sails on the ocean") < 0.2);
    }
}
