//! Which model servers there are: from `[[providers]]` of unbroken.toml, from the environment, and
//! at their usual ports on this machine. Opens no connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};

use crate::http::Http;
use crate::openai::{OpenAi, Patience};
use crate::{Provider, QUOTES};

/// A model server, as unbroken.toml describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    #[serde(default)]
    pub kind: Kind,
    /// Short and stable: lower-case letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// What a person sees; the id when empty.
    #[serde(default)]
    pub name: String,
    /// Usually ends in `/v1`.
    pub base_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// How long the server may be silent before the first token.
    #[serde(default = "first_token_seconds")]
    pub first_token_seconds: u64,
    /// How long it may be silent after that.
    #[serde(default = "idle_seconds")]
    pub idle_seconds: u64,
    /// How an answer that broke off goes on.
    #[serde(default)]
    pub continuation: Continuation,
}

/// By which means answers of a server go on after a break (PROTOCOL B7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Continuation {
    /// As the server is recognised.
    #[default]
    Auto,
    /// It continues a given beginning; asked in words once it refuses that.
    Prefill,
    /// It is asked in words.
    Prompt,
    /// Never: a further call costs money.
    None,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// OpenAI's chat completions.
    #[default]
    OpenAi,
}

/// A key. It is written nowhere: `Debug` and serde show that there is one.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The key itself, for the one request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}

/// A section of `[[providers]]` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "provider «{provider}»: an id is made of lower-case letters, digits, «-», «_» and «.», \
         and is not «{QUOTES}»"
    )]
    BadId { provider: String },
    #[error("provider «{provider}»: base_url is no http:// or https:// address")]
    BadAddress { provider: String },
    #[error("provider «{provider}»: the API key has characters that no header may have")]
    BadKey { provider: String },
    #[error("provider «{provider}»: the environment variable {variable} is not set")]
    NoSuchVariable { provider: String, variable: String },
    #[error("provider «{provider}»: a time of zero seconds leaves no time to answer")]
    NoTime { provider: String },
}

impl ProviderConfig {
    fn new(id: &str, name: &str, base_url: &str) -> Self {
        Self {
            kind: Kind::OpenAi,
            id: id.to_owned(),
            name: name.to_owned(),
            base_url: base_url.to_owned(),
            api_key: None,
            api_key_env: None,
            first_token_seconds: first_token_seconds(),
            idle_seconds: idle_seconds(),
            continuation: Continuation::Auto,
        }
    }

    /// Takes the key from the variable that `api_key_env` names, unless `api_key` is given.
    pub fn read_key(&mut self, env: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let Some(variable) = &self.api_key_env else { return Ok(()) };
        if self.api_key.is_some() {
            return Ok(());
        }
        let Some(key) = set(&env, variable) else {
            return Err(ConfigError::NoSuchVariable {
                provider: self.id.clone(),
                variable: variable.clone(),
            });
        };
        self.api_key = Some(Secret(key));
        Ok(())
    }

    /// The provider that this describes. Connects to nothing.
    pub fn open(self, http: &Http) -> Result<Arc<dyn Provider>, ConfigError> {
        match self.kind {
            Kind::OpenAi => Ok(Arc::new(OpenAi::new(self, http)?)),
        }
    }

    pub(crate) fn address(&self) -> Result<Url, ConfigError> {
        let provider = || self.id.clone();
        let is_id =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if self.id.is_empty() || !self.id.bytes().all(is_id) || self.id == QUOTES {
            return Err(ConfigError::BadId { provider: provider() });
        }
        Url::parse(self.base_url.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| ConfigError::BadAddress { provider: provider() })
    }

    pub(crate) fn patience(&self) -> Result<Patience, ConfigError> {
        if self.first_token_seconds == 0 || self.idle_seconds == 0 {
            return Err(ConfigError::NoTime { provider: self.id.clone() });
        }
        // A day is as good as for ever, and no clock overflows.
        let seconds = |n: u64| Duration::from_secs(n.min(24 * 60 * 60));
        Ok(Patience {
            first_token: seconds(self.first_token_seconds),
            idle: seconds(self.idle_seconds),
        })
    }

    /// Where a person changes the key.
    pub(crate) fn key_source(&self) -> String {
        match &self.api_key_env {
            Some(variable) => variable.clone(),
            None => format!("api_key of the provider «{}» in unbroken.toml", self.id),
        }
    }

    fn with_key(mut self, variable: &str, key: Option<String>) -> Self {
        self.api_key_env = Some(variable.to_owned());
        self.api_key = key.map(Secret);
        self
    }
}

fn first_token_seconds() -> u64 {
    Patience::default().first_token.as_secs()
}

fn idle_seconds() -> u64 {
    Patience::default().idle.as_secs()
}

const OPENAI_BASE: &str = "https://api.openai.com/v1";

/// Services that speak chat completions, by the variable that usually holds their key.
const SERVICES: [(&str, &str, &str, &str); 4] = [
    ("OPENROUTER_API_KEY", "openrouter", "OpenRouter", "https://openrouter.ai/api/v1"),
    ("GROQ_API_KEY", "groq", "Groq", "https://api.groq.com/openai/v1"),
    ("DEEPSEEK_API_KEY", "deepseek", "DeepSeek", "https://api.deepseek.com/v1"),
    ("XAI_API_KEY", "xai", "xAI", "https://api.x.ai/v1"),
];

/// Model servers of this machine: name, port.
const LOCAL: [(&str, &str, u16); 4] = [
    ("ollama", "Ollama", 11434),
    ("llama.cpp", "llama.cpp", 8080),
    ("lmstudio", "LM Studio", 1234),
    ("vllm", "vLLM", 8000),
];

/// The providers that the environment asks for. `OPENAI_BASE_URL` alone is enough for a server
/// that wants no key; `OPENAI_API_KEY` alone means OpenAI.
pub fn from_environment(env: impl Fn(&str) -> Option<String>) -> Vec<ProviderConfig> {
    let key = set(&env, "OPENAI_API_KEY");
    let base = set(&env, "OPENAI_BASE_URL");
    let openai = match (base, key) {
        (None, None) => None,
        (base, key) => {
            let base = base.unwrap_or_else(|| OPENAI_BASE.to_owned());
            let config = ProviderConfig::new("openai", &name_of(&base), &base);
            Some(config.with_key("OPENAI_API_KEY", key))
        }
    };
    let services = SERVICES.into_iter().filter_map(|(variable, id, name, base)| {
        let key = set(&env, variable)?;
        Some(ProviderConfig::new(id, name, base).with_key(variable, Some(key)))
    });
    openai.into_iter().chain(services).collect()
}

/// Where the model servers of this machine usually listen, without the address that Unbroken itself
/// listens on. Whether one is there shows its list of models.
pub fn local_candidates(own_addr: Option<SocketAddr>) -> Vec<ProviderConfig> {
    let is_own = |port: u16| {
        own_addr.is_some_and(|own| {
            own.port() == port && (own.ip().is_loopback() || own.ip().is_unspecified())
        })
    };
    LOCAL
        .into_iter()
        .filter(|(_, _, port)| !is_own(*port))
        .map(|(id, name, port)| {
            let name = format!("{name} on this machine");
            ProviderConfig::new(id, &name, &format!("http://127.0.0.1:{port}/v1"))
        })
        .collect()
}

/// The candidates that no configured provider is already, by address or by id.
pub fn not_yet_configured(
    candidates: Vec<ProviderConfig>,
    configured: &[ProviderConfig],
) -> Vec<ProviderConfig> {
    let is_same = |candidate: &ProviderConfig| {
        let here = place(&candidate.base_url);
        configured.iter().any(|other| {
            other.id == candidate.id || (here.is_some() && place(&other.base_url) == here)
        })
    };
    candidates.into_iter().filter(|candidate| !is_same(candidate)).collect()
}

/// Host and port, with one name for this machine.
fn place(base: &str) -> Option<(String, u16)> {
    let url = Url::parse(base.trim()).ok()?;
    let host = match url.host_str()? {
        "localhost" | "[::1]" => "127.0.0.1",
        host => host,
    };
    Some((host.to_owned(), url.port_or_known_default()?))
}

fn name_of(base: &str) -> String {
    match place(base) {
        Some((host, _)) if host == "api.openai.com" => "OpenAI".to_owned(),
        Some((host, port)) => format!("{host}:{port}"),
        None => "OpenAI".to_owned(),
    }
}

fn set(env: &impl Fn(&str) -> Option<String>, variable: &str) -> Option<String> {
    env(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &[(&str, &str)]) -> Vec<ProviderConfig> {
        from_environment(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_in_the_environment_is_nothing() {
        assert_eq!(environment(&[]), []);
        assert_eq!(environment(&[("OPENAI_API_KEY", " "), ("OPENAI_BASE_URL", "")]), []);
    }

    #[test]
    fn a_key_alone_means_openai() {
        let found = environment(&[("OPENAI_API_KEY", "k")]);
        assert_eq!(found[0].base_url, OPENAI_BASE);
        assert_eq!(found[0].name, "OpenAI");
        assert_eq!(found[0].api_key, Some(Secret::new("k")));
    }

    #[test]
    fn an_address_alone_needs_no_key() {
        let found = environment(&[("OPENAI_BASE_URL", "http://127.0.0.1:9100/v1")]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, "openai");
        assert_eq!(found[0].name, "127.0.0.1:9100");
        assert_eq!(found[0].api_key, None);
    }

    #[test]
    fn known_services_are_found_by_their_key_and_come_after_openai() {
        let found = environment(&[("OPENROUTER_API_KEY", "r"), ("OPENAI_API_KEY", "o")]);
        let ids: Vec<&str> = found.iter().map(|config| config.id.as_str()).collect();
        assert_eq!(ids, ["openai", "openrouter"]);
        assert_eq!(found[1].base_url, "https://openrouter.ai/api/v1");
    }

    #[test]
    fn the_own_address_is_no_candidate() {
        let ports = |own: Option<&str>| -> Vec<String> {
            local_candidates(own.map(|own| own.parse().unwrap()))
                .into_iter()
                .map(|config| config.base_url)
                .collect()
        };
        assert_eq!(ports(None).len(), 4);
        for own in ["127.0.0.1:8080", "0.0.0.0:8080", "[::]:8080"] {
            let found = ports(Some(own));
            assert_eq!(found.len(), 3, "{own}");
            assert!(!found.contains(&"http://127.0.0.1:8080/v1".to_owned()));
        }
        assert_eq!(ports(Some("192.168.1.2:8080")).len(), 4);
    }

    #[test]
    fn what_is_configured_is_no_candidate_any_more() {
        let configured = environment(&[("OPENAI_BASE_URL", "http://localhost:11434/v1")]);
        let left = not_yet_configured(local_candidates(None), &configured);
        assert!(left.iter().all(|config| config.id != "ollama"));
        assert_eq!(left.len(), 3);
    }

    fn parse(text: &str) -> Result<ProviderConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_section_needs_an_id_and_an_address() {
        let config = parse("id = 'mine'\nbase_url = 'http://127.0.0.1:9100/v1'").unwrap();
        assert_eq!(config.kind, Kind::OpenAi);
        assert_eq!((config.first_token_seconds, config.idle_seconds), (120, 60));
        assert_eq!(config.continuation, Continuation::Auto);
        let off = parse("id = 'mine'\nbase_url = 'http://x'\ncontinuation = 'none'").unwrap();
        assert_eq!(off.continuation, Continuation::None);
        assert!(parse("id = 'mine'").is_err());
        assert!(parse("id = 'mine'\nbase_url = 'http://x'\nkey = 'k'").is_err(), "unknown field");
        assert!(parse("id = 'mine'\nbase_url = 'http://x'\nkind = 'fax'").is_err());
    }

    #[test]
    fn bad_settings_are_refused() {
        let http = Http::new();
        let open = |id: &str, base: &str, edit: fn(&mut ProviderConfig)| {
            let mut config = ProviderConfig::new(id, "", base);
            edit(&mut config);
            config.open(&http).map(|provider| provider.name().to_owned())
        };
        let provider = || "mine".to_owned();
        assert_eq!(open("mine", "http://127.0.0.1:1/v1", |_| ()), Ok("mine".into()));
        for address in ["", "127.0.0.1:9100", "ftp://x", "http://"] {
            let refused = Err(ConfigError::BadAddress { provider: provider() });
            assert_eq!(open("mine", address, |_| ()), refused, "{address}");
        }
        for id in ["", "My Server", "a/b", QUOTES] {
            let refused = Err(ConfigError::BadId { provider: id.into() });
            assert_eq!(open(id, "http://x", |_| ()), refused);
        }
        assert_eq!(
            open("mine", "http://x", |config| config.api_key = Some(Secret::new("a\nb"))),
            Err(ConfigError::BadKey { provider: provider() })
        );
        assert_eq!(
            open("mine", "http://x", |config| config.idle_seconds = 0),
            Err(ConfigError::NoTime { provider: provider() })
        );
    }

    #[test]
    fn a_key_is_read_from_its_variable() {
        let mut config = ProviderConfig::new("mine", "", "http://x");
        config.api_key_env = Some("MY_KEY".into());
        let missing = config.read_key(|_| None).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "provider «mine»: the environment variable MY_KEY is not set"
        );
        config.read_key(|name| (name == "MY_KEY").then(|| "k".into())).unwrap();
        assert_eq!(config.api_key, Some(Secret::new("k")));
        assert_eq!(config.key_source(), "MY_KEY");
    }

    #[test]
    fn a_secret_is_hidden() {
        let mut config = ProviderConfig::new("mine", "", "http://x");
        config.api_key = Some(Secret::new("sk-hush"));
        assert!(!format!("{config:?}").contains("hush"));
        assert!(!toml::to_string(&config).unwrap().contains("hush"));
    }
}
