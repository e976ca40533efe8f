//! What an operator may set, and how it is put together from files, environment and flags.
//!
//! `default.toml` documents every key. What the values mean to a part of the server is that part's
//! business.

mod cli;
mod error;
mod layer;
mod origin;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use toml::{Table, Value};

pub use cli::{Cli, Command, ConfigCommand, Flags};
pub use error::ConfigError;
use layer::Layers;
pub use layer::{DEFAULT, Place};
pub use origin::{BadOrigin, Host, Origin};
use unbroken_providers::ProviderConfig;
use unbroken_sources::embed::EmbeddingsConfig;
use unbroken_sources::fetch::FetchSettings;
use unbroken_sources::rerank::RerankerConfig;
use unbroken_sources::search::SearchConfig;

/// More threads would only wait for one another.
const WORKERS: usize = 64;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub http: Http,
    pub auth: Auth,
    pub store: Store,
    pub models: Models,
    pub providers: Vec<ProviderConfig>,
    pub share: Share,
    pub sources: Sources,
    pub web: Web,
    pub limits: Limits,
    pub log: Log,
    pub shutdown: Shutdown,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    #[serde(deserialize_with = "unless_empty")]
    pub public_url: Option<Origin>,
    pub cors_origins: Vec<Origin>,
    /// Threads that serve; 0 is [`Self::workers`]'s choice.
    workers: usize,
}

impl Http {
    /// How many threads serve.
    pub fn workers(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let enough = processors.min(2).max(processors / 2);
        let workers = if self.workers == 0 { enough } else { self.workers };
        workers.min(WORKERS)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(deserialize_with = "unless_empty")]
    pub access_code: Option<Secret>,
    pub open: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub data_dir: PathBuf,
    pub durability: Durability,
}

/// What the tokens of a running answer survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    Process,
    Power,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    #[serde(deserialize_with = "unless_empty")]
    pub default: Option<String>,
    pub discover: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Whether people may make links to conversations, and whether those that there are work.
    pub enabled: bool,
}

/// What answers may look things up in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    file_mb: NonZeroU32,
    quota_mb: u32,
    read_seconds: NonZeroU32,
    read_memory_mb: NonZeroU32,
    /// What finds passages by what they mean, if there is a model for it.
    #[serde(deserialize_with = "unless_no_table")]
    pub embeddings: Option<EmbeddingsConfig>,
    /// What orders the passages that were found, if there is a model for it.
    #[serde(deserialize_with = "unless_no_table")]
    pub reranker: Option<RerankerConfig>,
}

impl Sources {
    /// How much a file may cost.
    pub fn limits(&self) -> unbroken_documents::Limits {
        let seconds = u64::from(self.read_seconds.get());
        unbroken_documents::Limits {
            bytes: u64::from(self.file_mb.get()) << 20,
            memory: u64::from(self.read_memory_mb.get()) << 20,
            seconds,
            patience: seconds * 4,
            ..unbroken_documents::Limits::default()
        }
    }

    /// How much all files of one person may take, in bytes.
    pub fn quota_bytes(&self) -> u64 {
        u64::from(self.quota_mb) << 20
    }
}

/// Pages of the web that answers may draw on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    pub enabled: bool,
    /// The first that answers is used.
    pub search: Vec<SearchConfig>,
    allow: Vec<String>,
    ports: Vec<u16>,
    page_mb: NonZeroU32,
    page_seconds: NonZeroU32,
}

impl Web {
    /// How pages are fetched.
    pub fn fetch(&self) -> FetchSettings {
        FetchSettings {
            allow: self.allow.clone(),
            ports: self.ports.clone(),
            max_bytes: usize::try_from(self.page_mb.get()).unwrap_or(usize::MAX) << 20,
            seconds: self.page_seconds.get().into(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub message_bytes: NonZeroUsize,
    /// Per address that is not loopback; 0 is no limit.
    pub starts_per_minute: u32,
    /// Sockets, streams and long polls that one person may have open at once.
    pub readers_per_person: NonZeroUsize,
    /// The largest file that a person may import, in bytes.
    pub import_bytes: NonZeroUsize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogLevel> for tracing::Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    drain_seconds: u32,
}

impl Shutdown {
    /// How long running answers go on after the server was told to stop.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds.into())
    }
}

/// A text that no log and no error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(show::HIDDEN)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let expected = "expected an IP address and a port, such as \"127.0.0.1:8484\"";
    String::deserialize(deserializer)?.parse().map_err(|_| de::Error::custom(expected))
}

fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(de::Error::custom)
}

/// A section that is not there is an empty table.
fn unless_no_table<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let table = Table::deserialize(deserializer)?;
    if table.is_empty() {
        return Ok(None);
    }
    T::deserialize(table).map(Some).map_err(de::Error::custom)
}

impl Config {
    /// Puts the layers together: default, file, file of the environment, variables, flags.
    ///
    /// `env` is `std::env::vars_os()`, or what a test says.
    pub fn load(
        flags: &Flags,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, ConfigError> {
        let env = Environment::read(env)?;
        let folder = match &flags.config {
            Some(file) => file.parent().unwrap_or(Path::new("")).to_owned(),
            // A file cannot say where it lies itself: the other layers do.
            None => stack([], &env, flags)?.config().store.data_dir,
        };
        let file = match &flags.config {
            Some(file) => Some((file.clone(), read(file)?)),
            None => read_if_any(folder.join("unbroken.toml"))?,
        };
        let beside = env.name.as_ref().map(|name| folder.join(format!("unbroken.{name}.toml")));
        let second = beside.clone().map(read_if_any).transpose()?.flatten();
        let missing_file = beside.filter(|_| second.is_none());

        let layers = stack([file, second].into_iter().flatten(), &env, flags)?;
        let config = layers.config();
        let reachable = !config.http.listen.ip().to_canonical().is_loopback();
        if reachable && config.auth.access_code.is_none() && !config.auth.open {
            let place = layers.place("http.listen").clone();
            return Err(ConfigError::Exposed { listen: config.http.listen, place });
        }
        let (mut shown, provenance) = layers.into_parts();
        show::hide_secrets(&mut shown);
        Ok(Loaded { config, provenance, shown, missing_file })
    }
}

fn stack(
    files: impl IntoIterator<Item = (PathBuf, Table)>,
    env: &Environment,
    flags: &Flags,
) -> Result<Layers, ConfigError> {
    let mut layers = Layers::new();
    for (path, table) in files {
        layers.lay(table, &Place::File(path))?;
    }
    for (name, key, text) in &env.values {
        layers.lay_text(key, text, &Place::Variable(name.clone()))?;
    }
    if let Some(listen) = flags.listen {
        let value = Value::String(listen.to_string());
        layers.set("http.listen", value, &Place::Flag("--listen"))?;
    }
    if let Some(path) = &flags.data_dir {
        let (key, place) = ("store.data_dir", Place::Flag("--data-dir"));
        let value = path.to_str().ok_or_else(|| ConfigError::Value {
            key: key.to_owned(),
            place: place.clone(),
            reason: "expected a path in UTF-8".to_owned(),
        })?;
        layers.set(key, Value::String(value.to_owned()), &place)?;
    }
    Ok(layers)
}

/// What the environment says to the configuration.
struct Environment {
    /// `UNBROKEN_ENV`.
    name: Option<String>,
    /// Name of the variable, key, text.
    values: Vec<(String, String, String)>,
}

impl Environment {
    fn read(env: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut read = Self { name: None, values: Vec::new() };
        for (name, text) in env {
            let Ok(name) = name.into_string() else { continue };
            let key = name.strip_prefix("UNBROKEN__");
            if key.is_none() && name != "UNBROKEN_ENV" {
                continue;
            }
            let text = text.into_string().map_err(|_| ConfigError::NotUnicode(name.clone()))?;
            match key.map(|key| key.to_lowercase().replace("__", ".")) {
                Some(key) => read.values.push((name, key, text)),
                None if text.is_empty() => {}
                None if text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) => {
                    read.name = Some(text);
                }
                None => return Err(ConfigError::EnvironmentName(text)),
            }
        }
        Ok(read)
    }
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    text.parse().map_err(|e: toml::de::Error| {
        let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        // Not the error's own text: it quotes the line, and the line may hold a key.
        ConfigError::Syntax { path: path.to_owned(), line, reason: e.message().to_owned() }
    })
}

fn read_if_any(path: PathBuf) -> Result<Option<(PathBuf, Table)>, ConfigError> {
    match read(&path) {
        Ok(table) => Ok(Some((path, table))),
        Err(ConfigError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// The configuration that holds, and where it comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// The place of each key, written with dots: `http.listen`.
    pub provenance: BTreeMap<String, Place>,
    /// The values without secrets.
    shown: Table,
    /// The file that `UNBROKEN_ENV` asks for, when it does not exist.
    missing_file: Option<PathBuf>,
}

impl Loaded {
    /// Every key as `key = value  # place`, which is TOML again; secrets as `•••`.
    pub fn show(&self) -> String {
        self.provenance.iter().fold(String::new(), |mut lines, (key, place)| {
            if let Some(value) = layer::get(&self.shown, key) {
                writeln!(lines, "{key} = {value}  # {place}").expect("a String takes any text");
            }
            lines
        })
    }

    /// What holds but is unwise.
    pub fn check(&self) -> Vec<Warning> {
        let Config { http, auth, .. } = &self.config;
        let reachable = !http.listen.ip().to_canonical().is_loopback();
        let short = auth.access_code.as_ref().is_some_and(|code| code.reveal().len() < 8);
        let plain = http.public_url.as_ref().filter(|url| !url.is_https() && !url.is_loopback());
        let mut warnings = Vec::new();
        let mut warn = |key, sentence: String| warnings.push(Warning { key, sentence });

        if let Some(path) = &self.missing_file {
            let path = path.display();
            warn("UNBROKEN_ENV", format!("{path} does not exist, so nothing is set by it"));
        }
        if reachable && short {
            warn("auth.access_code", "fewer than 8 letters are soon guessed".to_owned());
        }
        if auth.open && auth.access_code.is_some() {
            warn("auth.open", "has no effect, because there is an access code".to_owned());
        }
        if reachable && http.public_url.is_none() {
            let sentence = "without it only IP addresses work; set it to use a name";
            warn("http.public_url", sentence.to_owned());
        }
        if let Some(url) = plain {
            let sentence = format!("{url} is not encrypted: others on the way can read along");
            warn("http.public_url", sentence);
        }
        warnings
    }
}

/// Something that holds but is unwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is about: a key, or a variable.
    pub key: &'static str,
    pub sentence: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.sentence)
    }
}
