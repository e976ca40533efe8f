//! Compiles the texts of the app. A language is a Fluent file; what comes out is a table of its
//! patterns, and for English typed functions as well, one for each message.
//!
//! It takes less than Fluent has: text, `{ $variable }`, `{ NUMBER($variable) }`, `{ "quoted" }`, and a
//! plural that selects by a variable. What it does not take is a [`Fault`], never a text that is
//! shown wrong. The form of a pattern is in `pattern.rs`, and read by `chat-view/src/language.rs`.

mod functions;
mod message;
mod pattern;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use message::{Kind, Message};
use sha2::{Digest as _, Sha256};

/// The language that all others follow.
pub const ENGLISH: &str = "en";

/// A file of texts.
#[derive(Clone, Debug)]
pub struct Source {
    /// As in BCP 47: `en`, `de`.
    pub language: String,
    /// In Fluent's syntax 1.0.
    pub text: String,
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// The message's; empty where the file cannot be read as messages.
    pub id: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, id, what } = self;
        match id.as_str() {
            "" => write!(f, "{file}:{line}: {what}"),
            id => write!(f, "{file}:{line}: {id}: {what}"),
        }
    }
}

/// What the texts become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The messages, in the order of their functions.
    pub ids: Vec<String>,
    /// Rust: a function for each message, in English unless another language is spoken.
    pub functions: String,
    /// Rust: a constant for each message, which is its place in a table, counted from 0.
    pub places: String,
    /// The table of each language but English: a line with the key of the messages, then each
    /// message's pattern on a line, in the order of the functions.
    pub tables: Vec<(String, String)>,
}

/// Reads every `.ftl` file of a folder, English first.
pub fn read(folder: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ftl") {
            let language = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            sources.push(Source { language, text: fs::read_to_string(path)? });
        }
    }
    sources.sort_by(|a, b| {
        (a.language != ENGLISH, &a.language).cmp(&(b.language != ENGLISH, &b.language))
    });
    Ok(sources)
}

/// Compiles the languages, of which English is the first; or says all that is wrong with them.
pub fn compile(sources: &[Source]) -> Result<Compiled, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut read = sources.iter().map(|source| message::read(source, &mut faults));
    let english = read.next().unwrap_or_default();
    let others: Vec<_> = read.collect();
    let kinds: BTreeMap<&str, BTreeMap<String, Kind>> =
        english.iter().map(|message| (message.id.as_str(), message.variables())).collect();
    for (source, messages) in sources[1.min(sources.len())..].iter().zip(&others) {
        compare(source, &english, messages, &kinds, &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let key = key(&english);
    let table = |(source, messages): (&Source, &Vec<Message>)| {
        let mut table = key.clone();
        for message in &english {
            let translated = messages.iter().find(|other| other.id == message.id);
            let names = message.names();
            table.push('\n');
            table.push_str(&translated.map(|t| t.pattern(&names)).unwrap_or_default());
        }
        (source.language.clone(), table)
    };
    let tables = sources.iter().skip(1).zip(&others).map(table).collect();
    let ids = english.iter().map(|message| message.id.clone()).collect();
    let places = functions::places(&english);
    let functions = functions::write(&key, &english);
    Ok(Compiled { ids, functions, places, tables })
}

/// Tables fit functions of the same key: the messages, their order and their variables.
fn key(english: &[Message]) -> String {
    let mut hash = Sha256::new();
    for message in english {
        hash.update(format!("{}{:?}\n", message.id, message.names()));
    }
    hex::encode(&hash.finalize()[..8])
}

fn compare(
    source: &Source,
    english: &[Message],
    messages: &[Message],
    kinds: &BTreeMap<&str, BTreeMap<String, Kind>>,
    faults: &mut Vec<Fault>,
) {
    let file = message::file(&source.language);
    for message in english {
        if !messages.iter().any(|other| other.id == message.id) {
            faults.push(message.fault(ENGLISH, format!("{file} lacks this message")));
        }
    }
    for message in messages {
        let mut fault = |what| faults.push(message.fault(&source.language, what));
        let Some(expected) = kinds.get(message.id.as_str()) else {
            fault("en.ftl has no such message".to_owned());
            continue;
        };
        let used = message.variables();
        for name in expected.keys().filter(|name| !used.contains_key(*name)) {
            fault(format!("does not use ${name}, which en.ftl does"));
        }
        for (name, kind) in &used {
            match (expected.get(name), kind) {
                (None, _) => fault(format!("uses ${name}, which en.ftl does not")),
                (Some(Kind::Text), Kind::Number) => {
                    fault(format!("takes ${name} for a number, and in en.ftl it is a text"));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
