//! A server of embeddings, in the two forms that there are.
//!
//! OpenAI: <https://platform.openai.com/docs/api-reference/embeddings/create>;
//! Ollama: <https://docs.ollama.com/api/embed>.

use std::error::Error as _;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tracing::debug;

use super::EmbedError;
use crate::fetch::body::{self, Excess};

/// 32 vectors of 4,096 numbers, each of 60 characters at most.
const LARGEST_ANSWER: usize = 8_000_000;

pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) form: Form,
    pub(super) url: String,
    pub(super) model: String,
    pub(super) headers: HeaderMap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    OpenAi,
    Ollama,
}

#[derive(Deserialize)]
struct OpenAi {
    data: Vec<Indexed>,
}

#[derive(Deserialize)]
struct Indexed {
    #[serde(default)]
    index: Option<usize>,
    embedding: Numbers,
}

#[derive(Deserialize)]
struct Ollama {
    embeddings: Vec<Numbers>,
}

/// A vector as JSON has it. One number too large for four bytes makes no answer unreadable: it is
/// infinite, and seen as such.
#[derive(Deserialize)]
#[serde(from = "Vec<f64>")]
struct Numbers(Vec<f32>);

impl From<Vec<f64>> for Numbers {
    #[expect(clippy::cast_possible_truncation, reason = "models have numbers of four bytes")]
    fn from(numbers: Vec<f64>) -> Self {
        Self(numbers.into_iter().map(|number| number as f32).collect())
    }
}

impl Remote {
    /// The vectors of texts, in their order, as they were given.
    pub(super) async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body = json!({ "model": self.model, "input": texts });
        let call = self.client.post(&self.url).headers(self.headers.clone()).json(&body);
        let response = call.send().await.map_err(|error| {
            // The address may hold a password.
            let error = error.without_url();
            debug!(%error, cause = error.source(), "the server of embeddings cannot be reached");
            EmbedError::Unreachable
        })?;
        check(&response)?;
        let read = body::read(response, LARGEST_ANSWER, Excess::Refused).await;
        self.form.read(&read.map_err(|_| EmbedError::NoVectors)?)
    }
}

fn check(response: &Response) -> Result<(), EmbedError> {
    match response.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(EmbedError::Key),
        StatusCode::TOO_MANY_REQUESTS => Err(EmbedError::TooMany),
        status => Err(EmbedError::Status { status: status.as_u16() }),
    }
}

impl Form {
    fn read(self, answer: &[u8]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if self == Self::Ollama {
            let answer: Ollama =
                serde_json::from_slice(answer).map_err(|_| EmbedError::NoVectors)?;
            return Ok(answer.embeddings.into_iter().map(|vector| vector.0).collect());
        }
        let answer: OpenAi = serde_json::from_slice(answer).map_err(|_| EmbedError::NoVectors)?;
        let mut vectors: Vec<_> = answer
            .data
            .into_iter()
            .enumerate()
            .map(|(place, vector)| (vector.index.unwrap_or(place), vector.embedding.0))
            .collect();
        vectors.sort_by_key(|(index, _)| *index);
        if vectors.iter().enumerate().any(|(place, (index, _))| place != *index) {
            return Err(EmbedError::NoVectors);
        }
        Ok(vectors.into_iter().map(|(_, vector)| vector).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_ai(answer: &str) -> Result<Vec<Vec<f32>>, EmbedError> {
        Form::OpenAi.read(answer.as_bytes())
    }

    #[test]
    fn vectors_come_in_the_order_of_their_index() {
        let answer = r#"{ "object": "list", "model": "m", "usage": { "total_tokens": 5 }, "data": [
            { "object": "embedding", "index": 1, "embedding": [0.5, -1e-3] },
            { "object": "embedding", "index": 0, "embedding": [1, 2] }] }"#;
        assert_eq!(open_ai(answer).unwrap(), [[1.0, 2.0], [0.5, -0.001]]);
        let plain = r#"{ "data": [{ "embedding": [1] }, { "embedding": [2] }] }"#;
        assert_eq!(open_ai(plain).unwrap(), [[1.0], [2.0]]);
        let answer = br#"{ "model": "m", "embeddings": [[1.0], [2.0]], "load_duration": 3 }"#;
        assert_eq!(Form::Ollama.read(answer).unwrap(), [[1.0], [2.0]]);
    }

    #[test]
    fn an_index_that_is_twice_or_missing_is_no_answer() {
        for indexes in [[0, 0], [1, 2]] {
            let vector = |index| format!("{{ \"index\": {index}, \"embedding\": [1] }}");
            let answer = format!("{{ \"data\": [{}] }}", indexes.map(vector).join(","));
            assert_eq!(open_ai(&answer), Err(EmbedError::NoVectors), "{answer}");
        }
        for answer in ["", "{}", r#"{ "error": "no" }"#, r#"{ "data": [{ "embedding": ["a"] }] }"#]
        {
            assert_eq!(open_ai(answer), Err(EmbedError::NoVectors));
            assert_eq!(Form::Ollama.read(answer.as_bytes()), Err(EmbedError::NoVectors));
        }
    }
}
