//! How an operator names a model of embeddings.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::local::{FILES, Local};
use super::remote::{Form, Remote};
use super::{By, Embedder, Inner};
use crate::{Secret, client};

/// A model of embeddings, as unbroken.toml describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingsConfig {
    pub kind: Kind,
    /// Where the server is: usually ends in `/v1` for OpenAI's form, has no path for Ollama.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where the files of a local model are: `config.json`, `tokenizer.json`, `model.safetensors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What the server calls the model. A local one is called by its folder where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// Threads of a local model; 0 is all processors but one.
    #[serde(default)]
    pub threads: usize,
    /// What the model wants before a question.
    #[serde(default)]
    pub query_prefix: String,
    /// What the model wants before a passage.
    #[serde(default)]
    pub passage_prefix: String,
    /// How many characters of a passage are embedded.
    #[serde(default = "chars")]
    pub chars: usize,
    /// How long 32 passages may take.
    #[serde(default = "seconds")]
    pub seconds: u64,
}

/// Who embeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any server with OpenAI's `/embeddings`.
    OpenAi,
    /// Ollama's `/api/embed`.
    Ollama,
    /// A model of the BERT family in this process.
    Local,
}

/// A model that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingsConfigError {
    #[error("sources.embeddings: base_url is no http:// or https:// address")]
    BadAddress,
    #[error("sources.embeddings: model is missing")]
    NoModel,
    #[error("sources.embeddings: path is no folder with {file}")]
    NoFile { file: &'static str },
    #[error("sources.embeddings: the environment variable {variable} is not set")]
    NoSuchVariable { variable: String },
    #[error("sources.embeddings: the key cannot be sent")]
    BadKey,
    #[error("sources.embeddings: zero seconds or zero chars leave nothing to embed")]
    Nothing,
}

/// Whole passages, and no book that somebody else cut.
fn chars() -> usize {
    4_000
}

fn seconds() -> u64 {
    60
}

impl EmbeddingsConfig {
    /// Takes the key from the variable that `api_key_env` names, unless `api_key` is given.
    pub fn read_key(
        &mut self,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), EmbeddingsConfigError> {
        Secret::read(&mut self.api_key, self.api_key_env.as_deref(), env)
            .map_err(|variable| EmbeddingsConfigError::NoSuchVariable { variable })
    }

    /// The model that this describes. Connects to nothing.
    pub fn open(&self) -> Result<Embedder, EmbeddingsConfigError> {
        if self.seconds == 0 || self.chars == 0 {
            return Err(EmbeddingsConfigError::Nothing);
        }
        let model = match self.kind {
            Kind::OpenAi | Kind::Ollama => self.named()?,
            Kind::Local => self.named().unwrap_or_else(|_| self.folder()),
        };
        let by = match self.kind {
            Kind::OpenAi => self.remote(&model, Form::OpenAi, "/embeddings")?,
            Kind::Ollama => self.remote(&model, Form::Ollama, "/api/embed")?,
            Kind::Local => self.local()?,
        };
        let name = match self.passage_prefix.as_str() {
            "" => model,
            prefix => format!("{model} after {prefix:?}"),
        };
        Ok(Embedder(std::sync::Arc::new(Inner {
            name,
            query_prefix: self.query_prefix.clone(),
            passage_prefix: self.passage_prefix.clone(),
            chars: self.chars,
            patience: Duration::from_secs(self.seconds),
            by,
        })))
    }

    fn named(&self) -> Result<String, EmbeddingsConfigError> {
        let model = self.model.as_deref().map(str::trim).filter(|model| !model.is_empty());
        model.map(str::to_owned).ok_or(EmbeddingsConfigError::NoModel)
    }

    /// The last part of the path.
    fn folder(&self) -> String {
        let name = self.path.as_deref().and_then(|path| path.file_name());
        name.map_or_else(|| "local".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    fn local(&self) -> Result<By, EmbeddingsConfigError> {
        let path = self.path.clone().unwrap_or_default();
        match FILES.into_iter().find(|file| !path.join(file).is_file()) {
            Some(file) => Err(EmbeddingsConfigError::NoFile { file }),
            None => Ok(By::Local(Local::new(path, self.threads))),
        }
    }

    fn remote(&self, model: &str, form: Form, path: &str) -> Result<By, EmbeddingsConfigError> {
        let base = self.base_url.as_deref().unwrap_or_default();
        let url = client::address(base, path).ok_or(EmbeddingsConfigError::BadAddress)?;
        let headers = client::bearer(self.api_key.as_ref()).ok_or(EmbeddingsConfigError::BadKey)?;
        let (client, model) = (client::build(&url), model.to_owned());
        Ok(By::Remote(Remote { client, form, url, model, headers }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: serde_json::Value) -> EmbeddingsConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_config_says_what_it_lacks() {
        use EmbeddingsConfigError::{BadAddress, BadKey, NoFile, NoModel, Nothing};
        let url = "http://a.example/v1";
        for (value, error) in [
            (json!({ "kind": "openai", "model": "m" }), BadAddress),
            (json!({ "kind": "ollama", "model": "m", "base_url": "ftp://a.example" }), BadAddress),
            (json!({ "kind": "openai", "base_url": url }), NoModel),
            (json!({ "kind": "openai", "base_url": url, "model": " " }), NoModel),
            (json!({ "kind": "openai", "base_url": url, "model": "m", "api_key": "a\nb" }), BadKey),
            (json!({ "kind": "openai", "base_url": url, "model": "m", "seconds": 0 }), Nothing),
            (json!({ "kind": "openai", "base_url": url, "model": "m", "chars": 0 }), Nothing),
            (json!({ "kind": "local", "path": "/nowhere" }), NoFile { file: "config.json" }),
            (json!({ "kind": "local" }), NoFile { file: "config.json" }),
        ] {
            assert_eq!(config(value.clone()).open().map(drop), Err(error), "{value}");
        }
        let unknown = json!({ "kind": "openai", "api_keys": "x" });
        assert!(serde_json::from_value::<EmbeddingsConfig>(unknown).is_err());
    }

    #[test]
    fn a_key_comes_from_the_environment_and_is_shown_nowhere() {
        let url = "http://a.example/v1";
        let mut config = config(
            json!({ "kind": "openai", "base_url": url, "model": "m", "api_key_env": "THE_KEY" }),
        );
        assert!(config.read_key(|_| None).is_err());
        config.read_key(|name| (name == "THE_KEY").then(|| " hush ".to_owned())).unwrap();
        assert_eq!(config.api_key, Some(Secret::new("hush")));
        let headers = client::bearer(config.api_key.as_ref()).unwrap();
        let shown = format!("{config:?} {headers:?}");
        let written = serde_json::to_string(&config).unwrap();
        assert!(!shown.contains("hush") && !written.contains("hush"), "{shown} {written}");
    }

    #[test]
    fn the_address_of_a_server_may_end_in_any_way() {
        for (kind, base, url) in [
            ("openai", "http://a.example/v1", "http://a.example/v1/embeddings"),
            ("openai", "http://a.example/v1/embeddings/", "http://a.example/v1/embeddings"),
            ("ollama", "http://a.example:11434/", "http://a.example:11434/api/embed"),
        ] {
            let config = config(json!({ "kind": kind, "base_url": base, "model": "m" }));
            let embedder = config.open().unwrap();
            let By::Remote(remote) = &embedder.0.by else { panic!("not a server") };
            assert_eq!(remote.url.as_str(), url);
        }
    }

    #[test]
    fn vectors_of_another_prefix_are_of_another_model() {
        let named = |prefix: &str| {
            let url = "http://a.example/v1";
            let config = config(json!({ "kind": "openai", "base_url": url, "model": "m",
                "passage_prefix": prefix, "query_prefix": "query: " }));
            config.open().unwrap().name().to_owned()
        };
        assert_eq!(named(""), "m");
        assert_eq!(named("passage: "), "m after \"passage: \"");
    }
}
