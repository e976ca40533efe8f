//! Passages in the order in which they answer a question, as a model sees it that reads both
//! together: a reranker, at a server that the operator names.
//!
//! The form is the one that Cohere began and Jina, vLLM, llama.cpp, LocalAI and others speak:
//! <https://docs.cohere.com/reference/rerank>. They differ in what a score is, and not all keep to
//! an order.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::Secret;
use crate::client::{self, Trouble, first};

/// Some servers send the texts back.
const LARGEST_ANSWER: usize = 4_000_000;

/// A reranker, as unbroken.toml describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RerankerConfig {
    /// Where the server is: what comes before `/rerank`, usually up to `/v1`.
    pub base_url: String,
    /// What the server calls the model. One that has a single model needs no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// How many characters of a passage are read.
    #[serde(default = "chars")]
    pub chars: usize,
    /// How long an answer waits for it.
    #[serde(default = "seconds")]
    pub seconds: u64,
}

/// A reranker that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RerankerConfigError {
    #[error("sources.reranker: base_url is no http:// or https:// address")]
    BadAddress,
    #[error("sources.reranker: the environment variable {variable} is not set")]
    NoSuchVariable { variable: String },
    #[error("sources.reranker: the key cannot be sent")]
    BadKey,
    #[error("sources.reranker: zero seconds or zero chars leave nothing to rank")]
    Nothing,
}

/// Whole passages.
fn chars() -> usize {
    4_000
}

fn seconds() -> u64 {
    5
}

impl RerankerConfig {
    /// Takes the key from the variable that `api_key_env` names, unless `api_key` is given.
    pub fn read_key(
        &mut self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), RerankerConfigError> {
        Secret::read(&mut self.api_key, self.api_key_env.as_deref(), env)
            .map_err(|variable| RerankerConfigError::NoSuchVariable { variable })
    }

    /// The reranker that this describes. Connects to nothing.
    pub fn open(&self) -> Result<Reranker, RerankerConfigError> {
        if self.seconds == 0 || self.chars == 0 {
            return Err(RerankerConfigError::Nothing);
        }
        let url =
            client::address(&self.base_url, "/rerank").ok_or(RerankerConfigError::BadAddress)?;
        let headers = client::bearer(self.api_key.as_ref()).ok_or(RerankerConfigError::BadKey)?;
        let model = self.model.as_deref().map(str::trim).filter(|model| !model.is_empty());
        Ok(Reranker(Arc::new(Inner {
            client: client::build(&url),
            url,
            headers,
            model: model.map(str::to_owned),
            chars: self.chars,
            patience: Duration::from_secs(self.seconds),
        })))
    }
}

/// Why passages were not ranked. Each is one sentence that an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RerankError {
    #[error("the reranker cannot be reached: check base_url in sources.reranker")]
    Unreachable,
    #[error("the reranker did not answer in time")]
    TooSlow,
    #[error("the reranker refuses the key: check it in sources.reranker")]
    Key,
    #[error("the reranker has had too many requests")]
    TooMany,
    #[error(
        "the reranker answered with the status {status}: check base_url and model in \
         sources.reranker"
    )]
    Status { status: u16 },
    #[error("the reranker answered something else than a score for every passage")]
    NoScores,
}

impl From<Trouble> for RerankError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable => Self::Unreachable,
            Trouble::Key => Self::Key,
            Trouble::TooMany => Self::TooMany,
            Trouble::Status(status) => Self::Status { status },
            Trouble::Unread => Self::NoScores,
        }
    }
}

/// Says how well passages answer a question. Clones are the same.
#[derive(Clone)]
pub struct Reranker(Arc<Inner>);

struct Inner {
    client: Client,
    url: Url,
    headers: HeaderMap,
    model: Option<String>,
    /// Unicode scalar values of a passage that are sent; what comes after them is left out.
    chars: usize,
    patience: Duration,
}

impl fmt::Debug for Reranker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reranker").field(&self.0.model).finish()
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Ranked>,
}

#[derive(Deserialize)]
struct Ranked {
    index: usize,
    relevance_score: f64,
}

impl Reranker {
    /// How well each text answers the question, from 0 to 1, in the order of the texts.
    pub async fn scores(&self, question: &str, texts: &[String]) -> Result<Vec<f64>, RerankError> {
        let inner = &*self.0;
        let documents: Vec<_> = texts.iter().map(|text| first(text, inner.chars)).collect();
        let mut body = json!({
            "query": first(question, inner.chars),
            "documents": documents,
            "top_n": documents.len(),
        });
        if let Some(model) = &inner.model {
            body["model"] = model.as_str().into();
        }
        let call = inner.client.post(inner.url.clone()).headers(inner.headers.clone()).json(&body);
        let answer = tokio::time::timeout(inner.patience, client::answer(call, LARGEST_ANSWER));
        let answer = answer.await.map_err(|_| RerankError::TooSlow)??;
        scores(&answer, texts.len()).ok_or(RerankError::NoScores)
    }
}

/// A score for each of the texts, which may come in any order.
fn scores(answer: &[u8], texts: usize) -> Option<Vec<f64>> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let mut scores = vec![None; texts];
    for Ranked { index, relevance_score } in answer.results {
        let score = scores.get_mut(index)?;
        if score.replace(relevance_score).is_some() {
            return None;
        }
    }
    let scores: Vec<f64> = scores.into_iter().collect::<Option<_>>()?;
    // Some give what their model says before it becomes a share of one.
    let are_shares = scores.iter().all(|score| (0.0..=1.0).contains(score));
    let share = |score: f64| if are_shares { score } else { 1.0 / (1.0 + (-score).exp()) };
    Some(scores.into_iter().map(share).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: serde_json::Value) -> RerankerConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_config_says_what_it_lacks() {
        use RerankerConfigError::{BadAddress, BadKey, Nothing};
        let url = "http://a.example/v1";
        for (value, error) in [
            (json!({ "base_url": "a.example" }), BadAddress),
            (json!({ "base_url": url, "api_key": "a\nb" }), BadKey),
            (json!({ "base_url": url, "seconds": 0 }), Nothing),
            (json!({ "base_url": url, "chars": 0 }), Nothing),
        ] {
            assert_eq!(config(value.clone()).open().map(drop), Err(error), "{value}");
        }
        let unknown = json!({ "base_url": url, "api_keys": "x" });
        assert!(serde_json::from_value::<RerankerConfig>(unknown).is_err());
    }

    #[test]
    fn a_key_comes_from_the_environment_and_is_shown_nowhere() {
        let mut config =
            config(json!({ "base_url": "http://a.example", "api_key_env": "THE_KEY" }));
        assert!(config.read_key(|_| None).is_err());
        config.read_key(|name| (name == "THE_KEY").then(|| " hush ".to_owned())).unwrap();
        assert_eq!(config.api_key, Some(Secret::new("hush")));
        let shown = format!("{config:?} {:?}", config.open().unwrap());
        let written = serde_json::to_string(&config).unwrap();
        assert!(!shown.contains("hush") && !written.contains("hush"), "{shown} {written}");
    }

    #[test]
    fn the_address_may_end_in_any_way() {
        for base in ["http://a.example/v1", "http://a.example/v1/", " http://a.example/v1/rerank/"]
        {
            let reranker = config(json!({ "base_url": base })).open().unwrap();
            assert_eq!(reranker.0.url.as_str(), "http://a.example/v1/rerank");
        }
    }

    #[test]
    fn every_text_has_its_score_whatever_the_order() {
        let answer = br#"{ "model": "m", "usage": {}, "results": [
            { "index": 1, "relevance_score": 0.75, "document": { "text": "b" } },
            { "index": 0, "relevance_score": 0 }] }"#;
        assert_eq!(scores(answer, 2).unwrap(), [0.0, 0.75]);
    }

    #[test]
    fn scores_that_are_no_shares_of_one_become_some_in_the_same_order() {
        let answer = br#"{ "results": [{ "index": 0, "relevance_score": -7.5 },
            { "index": 1, "relevance_score": 0.5 }, { "index": 2, "relevance_score": 0.4 }] }"#;
        let scores = scores(answer, 3).unwrap();
        assert!(scores[1] > scores[2] && scores[2] > scores[0], "{scores:?}");
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    }

    #[test]
    fn an_index_that_is_twice_or_missing_or_of_nothing_is_no_answer() {
        for indexes in [vec![0, 0], vec![1], vec![0, 2], vec![0, 1, 1]] {
            let result = |index: &usize| json!({ "index": index, "relevance_score": 1 });
            let results: Vec<_> = indexes.iter().map(result).collect();
            let answer = json!({ "results": results }).to_string();
            assert_eq!(scores(answer.as_bytes(), 2), None, "{answer}");
        }
        for answer in ["", "{}", r#"{ "results": [{ "index": 0, "relevance_score": "1" }] }"#] {
            assert_eq!(scores(answer.as_bytes(), 1), None, "{answer}");
        }
    }
}
