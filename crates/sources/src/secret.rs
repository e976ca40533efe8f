//! A key, kept out of logs.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A key. It is written nowhere: `Debug` and serde show that there is one.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Takes a key that is not given from the variable that is named for it, if one is. An error is
    /// the name of a variable that is not set.
    pub(crate) fn read(
        key: &mut Option<Self>,
        variable: Option<&str>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let Some(variable) = variable.filter(|_| key.is_none()) else { return Ok(()) };
        let found = env(variable).map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        *key = Some(Self(found.ok_or_else(|| variable.to_owned())?));
        Ok(())
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
