//! How an operator names a search engine.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use super::shape::Shape;
use super::{BRAVE, Search, TAVILY};
use crate::{Secret, client};

/// A search engine, as unbroken.toml describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig {
    pub engine: Engine,
    /// Where it is. SearXNG: the address of the instance. Described: an address with `{query}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// How long a search may take.
    #[serde(default = "seconds")]
    pub seconds: u64,
    /// Further headers of every request. Described: `{key}` in one stands for the key.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Described: where things are in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Shape>,
}

/// What an engine speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// <https://docs.searxng.org/dev/search_api.html>
    SearXng,
    /// <https://api-dashboard.search.brave.com/app/documentation/web-search/get-started>
    Brave,
    /// <https://docs.tavily.com/documentation/api-reference/endpoint/search>
    Tavily,
    /// Any that answers a GET with JSON.
    Described,
}

/// A search engine that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchConfigError {
    #[error("search: url is no http:// or https:// address")]
    BadAddress,
    #[error("search: url needs {{query}} where the question goes")]
    NoQuery,
    #[error("search: this engine needs a key, as api_key or api_key_env")]
    NoKey,
    #[error("search: the environment variable {variable} is not set")]
    NoSuchVariable { variable: String },
    #[error("search: the header «{name}» or its value cannot be sent")]
    BadHeader { name: String },
    #[error("search: answer has to say where list, title, url and snippet are, as JSON pointers")]
    NoAnswer,
    #[error("search: a time of zero seconds leaves no time to answer")]
    NoTime,
}

fn seconds() -> u64 {
    8
}

impl SearchConfig {
    /// Takes the key from the variable that `api_key_env` names, unless `api_key` is given.
    pub fn read_key(
        &mut self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), SearchConfigError> {
        Secret::read(&mut self.api_key, self.api_key_env.as_deref(), env)
            .map_err(|variable| SearchConfigError::NoSuchVariable { variable })
    }

    /// The engine that this describes. Connects to nothing.
    pub fn open(&self) -> Result<Search, SearchConfigError> {
        if self.seconds == 0 {
            return Err(SearchConfigError::NoTime);
        }
        let (url, address) = self.address()?;
        Ok(Search {
            client: client::build(&address),
            engine: self.engine,
            url,
            headers: self.all_headers()?,
            shape: self.shape()?,
            patience: Duration::from_secs(self.seconds),
        })
    }

    /// The address as it is asked for, and as it is read.
    fn address(&self) -> Result<(String, Url), SearchConfigError> {
        let given = self.url.as_deref().map(str::trim);
        let url = match self.engine {
            Engine::Brave => given.unwrap_or(BRAVE).to_owned(),
            Engine::Tavily => given.unwrap_or(TAVILY).to_owned(),
            Engine::Described => given.unwrap_or_default().to_owned(),
            Engine::SearXng => {
                let base = given.unwrap_or_default().trim_end_matches('/');
                format!("{}/search", base.strip_suffix("/search").unwrap_or(base))
            }
        };
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
        let read = Url::parse(&url).ok().filter(is_web).ok_or(SearchConfigError::BadAddress)?;
        if self.engine == Engine::Described {
            // In the host it would send the question to anybody's server.
            let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
            if !after_host.contains("{query}") {
                return Err(SearchConfigError::NoQuery);
            }
        }
        Ok((url, read))
    }

    fn all_headers(&self) -> Result<HeaderMap, SearchConfigError> {
        let key = self.api_key.as_ref().map(Secret::reveal);
        let mut headers = HeaderMap::new();
        for (name, text) in &self.headers {
            let text = text.reveal();
            let text = match key {
                Some(key) => text.replace("{key}", key),
                None if text.contains("{key}") => return Err(SearchConfigError::NoKey),
                None => text.to_owned(),
            };
            let name = name.parse().map_err(|_| bad_header(name))?;
            insert(&mut headers, name, &text)?;
        }
        let key = key.ok_or(SearchConfigError::NoKey);
        match self.engine {
            Engine::Brave => {
                insert(&mut headers, HeaderName::from_static("x-subscription-token"), key?)?;
            }
            Engine::Tavily => insert(&mut headers, AUTHORIZATION, &format!("Bearer {}", key?))?,
            Engine::SearXng | Engine::Described => {}
        }
        Ok(headers)
    }

    fn shape(&self) -> Result<Shape, SearchConfigError> {
        match self.engine {
            Engine::SearXng | Engine::Tavily => {
                Ok(Shape::new("/results", "/title", "/url", "/content"))
            }
            Engine::Brave => Ok(Shape::new("/web/results", "/title", "/url", "/description")),
            Engine::Described => {
                let shape = self.answer.clone().filter(Shape::is_readable);
                shape.ok_or(SearchConfigError::NoAnswer)
            }
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) -> Result<(), SearchConfigError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| bad_header(name.as_str()))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn bad_header(name: &str) -> SearchConfigError {
    SearchConfigError::BadHeader { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: serde_json::Value) -> SearchConfig {
        serde_json::from_value(value).unwrap()
    }

    fn refused(value: serde_json::Value) -> SearchConfigError {
        config(value).open().map(drop).unwrap_err()
    }

    #[test]
    fn a_config_says_what_it_lacks() {
        use SearchConfigError::{BadAddress, NoAnswer, NoKey, NoQuery, NoTime};
        let answer = json!({ "list": "/r", "title": "/t", "url": "/u", "snippet": "/s" });
        for (value, error) in [
            (json!({ "engine": "searxng" }), BadAddress),
            (json!({ "engine": "searxng", "url": "ftp://a.example" }), BadAddress),
            (json!({ "engine": "brave" }), NoKey),
            (json!({ "engine": "tavily" }), NoKey),
            (json!({ "engine": "described", "url": "https://a.example/?q=" }), NoQuery),
            (json!({ "engine": "described", "url": "https://a.example/?q={query}" }), NoAnswer),
            (
                json!({ "engine": "described", "url": "https://a.example/{query}",
                        "headers": { "X-Key": "{key}" }, "answer": answer }),
                NoKey,
            ),
            (json!({ "engine": "searxng", "url": "http://a.example", "seconds": 0 }), NoTime),
        ] {
            assert_eq!(refused(value.clone()), error, "{value}");
        }
        let of_host = json!({ "engine": "described", "url": "https://{query}.example/" });
        assert!(matches!(refused(of_host), BadAddress | NoQuery));
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let value = json!({ "engine": "brave", "api_keys": "x" });
        assert!(serde_json::from_value::<SearchConfig>(value).is_err());
    }

    #[test]
    fn a_key_comes_from_the_environment_and_is_shown_nowhere() {
        let mut config = config(json!({ "engine": "brave", "api_key_env": "BRAVE_KEY" }));
        assert!(config.read_key(|_| None).is_err());
        config.read_key(|name| (name == "BRAVE_KEY").then(|| " hush ".to_owned())).unwrap();
        assert_eq!(config.api_key, Some(Secret::new("hush")));
        let shown = format!("{config:?} {} ", serde_json::to_string(&config).unwrap());
        let headers = format!("{:?}", config.open().unwrap().headers);
        assert!(!shown.contains("hush") && !headers.contains("hush"));
    }

    #[test]
    fn the_address_of_an_instance_may_end_in_any_way() {
        for url in ["http://a.example", "http://a.example/", "http://a.example/search"] {
            let config = config(json!({ "engine": "searxng", "url": url }));
            assert_eq!(config.open().unwrap().url, "http://a.example/search");
        }
    }
}
