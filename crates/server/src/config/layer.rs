//! Layers of TOML, one upon the other, that remember where each value comes from.
//!
//! Own code and not a library: figment and config parse the environment by rules of their own, not
//! as TOML, know no nearest key, and bring an older TOML; what is needed is this one file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

/// The documented default.
pub const DEFAULT: &str = include_str!("../default.toml");

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Default,
    File(PathBuf),
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The values that hold so far. Keys are written with dots: `http.listen`.
pub(super) struct Layers {
    /// Its keys and the types of its values are the ones that there are.
    defaults: Table,
    values: Table,
    places: BTreeMap<String, Place>,
}

impl Layers {
    pub(super) fn new() -> Self {
        let mut defaults: Table = DEFAULT.parse().expect("default.toml is TOML");
        // Not in the file: whoever copies it and adds a `[[providers]]` would have the key twice.
        defaults.insert("providers".into(), Value::Array(Vec::new()));
        let sources = defaults.get_mut("sources").and_then(Value::as_table_mut);
        let sources = sources.expect("default.toml has sources");
        for section in ["embeddings", "reranker"] {
            sources.insert(section.into(), Value::Table(Table::new()));
        }
        let places = leaves(&defaults).into_iter().map(|key| (key, Place::Default)).collect();
        Self { values: defaults.clone(), defaults, places }
    }

    /// Lays a table on top.
    pub(super) fn lay(&mut self, table: Table, place: &Place) -> Result<(), ConfigError> {
        for (name, value) in table {
            match (self.defaults.get(&name), value) {
                (Some(Value::Table(_)), Value::Table(section)) => {
                    for (key, value) in section {
                        self.set(&format!("{name}.{key}"), value, place)?;
                    }
                }
                (_, value) => self.set(&name, value, place)?,
            }
        }
        Ok(())
    }

    /// Lays one value, given as text, on top: `key` from the name of a variable.
    pub(super) fn lay_text(
        &mut self,
        key: &str,
        text: &str,
        place: &Place,
    ) -> Result<(), ConfigError> {
        let value = match text.parse::<Value>() {
            Ok(value @ Value::String(_)) => value,
            // An access code of digits is a text, although it reads as a number.
            Ok(value) if !matches!(get(&self.defaults, key), Some(Value::String(_))) => value,
            _ => Value::String(text.to_owned()),
        };
        self.set(key, value, place)
    }

    /// Sets one value.
    pub(super) fn set(
        &mut self,
        key: &str,
        value: Value,
        place: &Place,
    ) -> Result<(), ConfigError> {
        let refused = |reason| ConfigError::Value { key: key.into(), place: place.clone(), reason };
        let Some(default) = get(&self.defaults, key) else {
            let (key, place) = (key.to_owned(), place.clone());
            return Err(ConfigError::UnknownKey { nearest: self.nearest(&key), key, place });
        };
        if !default.same_type(&value) {
            let (expected, found) = (type_name(default), type_name(&value));
            return Err(refused(format!("expected {expected}, found {found}")));
        }
        // Alone on top of the defaults, which hold: so whatever is wrong is wrong with this key.
        let mut alone = self.defaults.clone();
        put(&mut alone, key, value.clone());
        Config::deserialize(alone).map_err(|e| refused(e.message().to_owned()))?;

        put(&mut self.values, key, value);
        self.places.insert(key.to_owned(), place.clone());
        Ok(())
    }

    pub(super) fn config(&self) -> Config {
        Config::deserialize(self.values.clone()).expect("each value was tried when it was laid")
    }

    pub(super) fn place(&self, key: &str) -> &Place {
        self.places.get(key).expect("every known key has a place")
    }

    /// The values and their places.
    pub(super) fn into_parts(self) -> (Table, BTreeMap<String, Place>) {
        (self.values, self.places)
    }

    /// The known key that was probably meant: a slip of a third of the letters, or a lost section.
    fn nearest(&self, key: &str) -> Option<String> {
        let last = |key: &str| key.rsplit('.').next().map(str::to_owned).unwrap_or_default();
        let distance = |known: &String| {
            let elsewhere = if last(known) == last(key) { 1 } else { usize::MAX };
            edits(known, key).min(elsewhere)
        };
        let sections = self.defaults.keys().cloned();
        let (distance, known) =
            self.places.keys().cloned().chain(sections).map(|k| (distance(&k), k)).min()?;
        (distance <= key.chars().count() / 3).then_some(known)
    }
}

/// Every key with a value, with dots.
pub(super) fn leaves(table: &Table) -> Vec<String> {
    let leaves = |(name, value): (&String, &Value)| match value {
        Value::Table(section) => section.keys().map(|key| format!("{name}.{key}")).collect(),
        _ => vec![name.clone()],
    };
    table.iter().flat_map(leaves).collect()
}

pub(super) fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        Some((section, key)) => table.get(section)?.as_table()?.get(key),
        None => table.get(key),
    }
}

fn put(table: &mut Table, key: &str, value: Value) {
    let (table, key) = match key.split_once('.') {
        Some((section, key)) => (table.get_mut(section).and_then(Value::as_table_mut), key),
        None => (Some(table), key),
    };
    table.expect("the key is known").insert(key.to_owned(), value);
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// Letters to insert, delete or exchange to make one from the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let exchanged = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [("", "abc", 3), ("listen", "lisen", 1), ("abc", "axc", 1)] {
            assert_eq!((edits(a, b), edits(b, a)), (count, count));
        }
    }

    #[test]
    fn the_nearest_key_is_found_or_none() {
        let layers = Layers::new();
        assert_eq!(layers.nearest("http.lisen").as_deref(), Some("http.listen"));
        assert_eq!(layers.nearest("listen").as_deref(), Some("http.listen"));
        assert_eq!(layers.nearest("provider").as_deref(), Some("providers"));
        assert_eq!(layers.nearest("htpp").as_deref(), Some("http"));
        assert_eq!(layers.nearest("telemetry.endpoint"), None);
    }
}
