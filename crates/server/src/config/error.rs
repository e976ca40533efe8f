//! Why there is no configuration; each text names the key, where it stands, and what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::Place;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: {reason}", path.display())]
    Syntax { path: PathBuf, line: usize, reason: String },
    #[error("unknown key {key} in {place}{}", suggestion(nearest.as_deref()))]
    UnknownKey { key: String, place: Place, nearest: Option<String> },
    #[error("{key} in {place}: {reason}")]
    Value { key: String, place: Place, reason: String },
    #[error("the environment variable {0} is not valid UTF-8")]
    NotUnicode(String),
    #[error("UNBROKEN_ENV is \"{0}\": expected letters, digits, - and _, such as \"production\"")]
    EnvironmentName(String),
    #[error(
        "other machines can reach http.listen = \"{listen}\" (from {place}): set auth.access_code to \
         a code that people type once, or auth.open = true if everyone who reaches it may use it"
    )]
    Exposed { listen: SocketAddr, place: Place },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|key| format!(": did you mean {key}?")).unwrap_or_default()
}
