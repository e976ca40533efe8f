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

    /// The key that a variable of the environment holds, if it does.
    pub(crate) fn of_variable(
        variable: &str,
        env: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let key = env(variable).map(|key| key.trim().to_owned());
        key.filter(|key| !key.is_empty()).map(Self)
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
