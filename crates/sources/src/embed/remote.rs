//! A server of embeddings, in the two forms that there are.
//!
//! OpenAI: <https://platform.openai.com/docs/api-reference/embeddings/create>;
//! Ollama: <https://docs.ollama.com/api/embed>.

use reqwest::Client;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::EmbedError;
use crate::client;

/// 32 vectors of 4,096 numbers, each of 60 characters at most.
const LARGEST_ANSWER: usize = 8_000_000;

pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) form: Form,
    pub(super) url: Url,
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
        let call = self.client.post(self.url.clone()).headers(self.headers.clone()).json(&body);
        self.form.read(&client::answer(call, LARGEST_ANSWER).await?)
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
