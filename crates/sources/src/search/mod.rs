//! Web search: a question to one engine, and what it found.
//!
//! The engine is chosen by the operator, so it may be on a private network. What it finds is not
//! trusted: those addresses go through [`crate::fetch`].

mod config;
mod shape;

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tracing::warn;
use url::Url;

pub use config::{Engine, SearchConfig, SearchConfigError};
pub use shape::Shape;

use crate::fetch::body::{self, Excess};

/// So many results are asked for and kept.
pub const RESULTS: usize = 8;
const LARGEST_ANSWER: usize = 2_000_000;
const BRAVE: &str = "https://api.search.brave.com/res/v1/web/search";
const TAVILY: &str = "https://api.tavily.com/search";

/// A page that an engine found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub title: String,
    /// `http` or `https`, without a fragment.
    pub url: Url,
    /// What the engine shows of it; may be empty.
    pub snippet: String,
}

/// Why a search found nothing. Each is one sentence that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    #[error("The search engine cannot be reached: check its address in the settings.")]
    Unreachable,
    #[error("The search engine did not answer in time: try again later.")]
    TooSlow,
    #[error("The search engine refuses the key: check it in the settings.")]
    Key,
    #[error("SearXNG gives no JSON: add json to search.formats in its settings.yml.")]
    NoJson,
    #[error("The search engine has had too many questions: try again later.")]
    TooMany,
    #[error("The search engine answered with the status {status}: check its settings.")]
    Status { status: u16 },
    #[error("The search engine answered something else than results: check its settings.")]
    NoResults,
}

/// Asks one engine. It keeps connections; one serves all.
pub struct Search {
    client: Client,
    engine: Engine,
    url: String,
    headers: HeaderMap,
    shape: Shape,
    patience: Duration,
}

impl Search {
    /// Finds at most [`RESULTS`] pages, the best first, each once.
    pub async fn find(&self, question: &str) -> Result<Vec<Found>, SearchError> {
        let answer = tokio::time::timeout(self.patience, self.ask(question)).await;
        let answer = answer.unwrap_or(Err(SearchError::TooSlow))?;
        self.shape.read(&answer).ok_or(SearchError::NoResults)
    }

    async fn ask(&self, question: &str) -> Result<Value, SearchError> {
        let sent = self.request(question).headers(self.headers.clone()).send().await;
        let response = sent.map_err(|error| {
            // The address may hold a key.
            let error = error.without_url();
            warn!(%error, cause = error.source(), "the search engine cannot be reached");
            SearchError::Unreachable
        })?;
        self.check(&response)?;
        let read = body::read(response, LARGEST_ANSWER, Excess::Refused).await;
        let bytes = read.map_err(|_| SearchError::NoResults)?;
        serde_json::from_slice(&bytes).map_err(|_| SearchError::NoResults)
    }

    fn request(&self, question: &str) -> RequestBuilder {
        let count = RESULTS.to_string();
        match self.engine {
            Engine::SearXng => {
                self.client.get(&self.url).query(&[("format", "json"), ("q", question)])
            }
            Engine::Brave => {
                let query = [("q", question), ("count", &count), ("text_decorations", "false")];
                self.client.get(&self.url).query(&query)
            }
            Engine::Tavily => {
                let body = json!({ "query": question, "max_results": RESULTS });
                self.client.post(&self.url).json(&body)
            }
            Engine::Described => self.client.get(self.url.replace("{query}", &encoded(question))),
        }
    }

    fn check(&self, response: &Response) -> Result<(), SearchError> {
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::FORBIDDEN if self.engine == Engine::SearXng => Err(SearchError::NoJson),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(SearchError::Key),
            StatusCode::TOO_MANY_REQUESTS => Err(SearchError::TooMany),
            status => Err(SearchError::Status { status: status.as_u16() }),
        }
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
