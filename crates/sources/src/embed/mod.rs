//! Texts as points in a space in which what means the same is near: embeddings, by a server that
//! the operator names, or by a model that runs here.
//!
//! What is kept of them, and what is compared with what, is the store's and the engine's business.

mod bert;
mod config;
mod local;
mod remote;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use config::{EmbeddingsConfig, EmbeddingsConfigError, Kind};
use local::Local;
use remote::Remote;

use crate::client::{Trouble, first};

/// Texts that are embedded at once.
pub const BATCH: usize = 32;
/// Texts that a model here embeds at once: a question waits for no more of them.
const LOCAL_BATCH: usize = 8;
/// Numbers that a vector may have.
pub const LARGEST_VECTOR: usize = 4096;
/// A text that is still refused with fewer characters is not refused for its length.
const SHORTEST: usize = 64;
/// Where this has no vector either, it is not the text.
const CONTROL: &str = "text";

/// Why there are no vectors. Each is one sentence that an operator can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    #[error("the server of embeddings cannot be reached: check base_url in sources.embeddings")]
    Unreachable,
    #[error("the server of embeddings did not answer in time")]
    TooSlow,
    #[error("the server of embeddings refuses the key: check it in sources.embeddings")]
    Key,
    #[error("the server of embeddings has had too many requests")]
    TooMany,
    #[error(
        "the server of embeddings answered with the status {status}: check base_url and model in \
         sources.embeddings"
    )]
    Status { status: u16 },
    #[error("the server of embeddings answered something else than a vector for every text")]
    NoVectors,
    #[error(
        "the server of embeddings gave vectors of {found} numbers: 1 to 4096 are taken, all alike"
    )]
    Length { found: usize },
    #[error("the server of embeddings gave vectors that are not all numbers")]
    NotNumbers,
    #[error("the model at path in sources.embeddings cannot be used: {0}")]
    Model(String),
}

impl From<Trouble> for EmbedError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreachable => Self::Unreachable,
            Trouble::Key => Self::Key,
            Trouble::TooMany => Self::TooMany,
            Trouble::Status(status) => Self::Status { status },
            Trouble::Unread => Self::NoVectors,
        }
    }
}

impl EmbedError {
    /// Another text, or a shorter one, might have had a vector.
    fn may_be_of_the_text(&self) -> bool {
        match self {
            // Some answer 500 to a text that is too long for them.
            Self::Status { status } => matches!(status, 400 | 413 | 422 | 500),
            Self::TooSlow | Self::NoVectors | Self::NotNumbers | Self::Model(_) => true,
            Self::Unreachable | Self::Key | Self::TooMany | Self::Length { .. } => false,
        }
    }
}

/// Embeds texts. Clones are the same.
#[derive(Clone)]
pub struct Embedder(Arc<Inner>);

struct Inner {
    /// What tells its vectors from those of others.
    name: String,
    query_prefix: String,
    passage_prefix: String,
    /// Unicode scalar values of a text that are embedded; what comes after them is left out.
    chars: usize,
    patience: Duration,
    by: By,
}

/// Who does it.
enum By {
    Remote(Remote),
    Local(Local),
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedder").field(&self.0.name).finish()
    }
}

impl Embedder {
    /// What tells these vectors from those of another model, also of the same with other prefixes.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The vector of a question, to be compared with those of passages.
    pub async fn question(&self, question: &str) -> Result<Vec<f32>, EmbedError> {
        let text = self.cut(&self.0.query_prefix, question);
        self.embed(&[text]).await?.pop().ok_or(EmbedError::NoVectors)
    }

    /// The vectors of passages, in their order; `None` for one that has none however short it is
    /// cut. All are of the same length.
    pub async fn passages(&self, texts: &[&str]) -> Result<Vec<Option<Vec<f32>>>, EmbedError> {
        let texts: Vec<_> =
            texts.iter().map(|text| self.cut(&self.0.passage_prefix, text)).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        // The next one is the last.
        let batch = if matches!(self.0.by, By::Local(_)) { LOCAL_BATCH } else { BATCH };
        let mut parts: Vec<&[String]> = texts.chunks(batch).rev().collect();
        let mut controlled = false;
        while let Some(part) = parts.pop() {
            let error = match self.embed(part).await {
                Ok(done) => {
                    vectors.extend(done.into_iter().map(Some));
                    continue;
                }
                Err(error) => error,
            };
            if !error.may_be_of_the_text() || !controlled && self.control().await.is_err() {
                return Err(error);
            }
            controlled = true;
            if let [text] = part {
                vectors.push(self.shortened(text).await?);
            } else {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
        alike(vectors.iter().flatten())?;
        Ok(vectors)
    }

    /// The vector of as much of a text as has one.
    async fn shortened(&self, text: &str) -> Result<Option<Vec<f32>>, EmbedError> {
        let mut chars = text.chars().count();
        while chars > SHORTEST {
            chars /= 2;
            match self.embed(&[first(text, chars).to_owned()]).await {
                Ok(mut done) => return Ok(done.pop()),
                Err(error) if error.may_be_of_the_text() => {}
                Err(error) => return Err(error),
            }
        }
        self.control().await?;
        Ok(None)
    }

    async fn control(&self) -> Result<(), EmbedError> {
        self.embed(&[CONTROL.to_owned()]).await.map(drop)
    }

    fn cut(&self, prefix: &str, text: &str) -> String {
        format!("{prefix}{}", first(text, self.0.chars))
    }

    /// One vector for each text, all of the same length and all numbers.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let embed = async {
            match &self.0.by {
                By::Remote(remote) => remote.embed(texts).await,
                By::Local(local) => local.embed(texts).await,
            }
        };
        let done = tokio::time::timeout(self.0.patience, embed).await;
        let vectors = done.unwrap_or(Err(EmbedError::TooSlow))?;
        if vectors.len() != texts.len() {
            return Err(EmbedError::NoVectors);
        }
        alike(&vectors)?;
        if vectors.iter().flatten().any(|number| !number.is_finite()) {
            return Err(EmbedError::NotNumbers);
        }
        Ok(vectors)
    }
}

/// Vectors are only comparable when they have the same length.
fn alike<'a>(vectors: impl IntoIterator<Item = &'a Vec<f32>>) -> Result<(), EmbedError> {
    let mut lengths = vectors.into_iter().map(Vec::len).peekable();
    let wanted = lengths.peek().copied().unwrap_or(1);
    match lengths.find(|found| *found != wanted || !(1..=LARGEST_VECTOR).contains(found)) {
        Some(found) => Err(EmbedError::Length { found }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_its_characters() {
        assert_eq!(first("größer", 3), "grö");
        assert_eq!(
            (first("größer", 6), first("größer", 9), first("größer", 0)),
            ("größer", "größer", "")
        );
    }

    #[test]
    fn vectors_of_different_or_no_length_are_not_alike() {
        assert_eq!(alike(&[vec![0.0; 3], vec![0.0; 3]]), Ok(()));
        assert_eq!(alike(&[vec![0.0; 3], vec![0.0; 2]]), Err(EmbedError::Length { found: 2 }));
        assert_eq!(alike(&[vec![]]), Err(EmbedError::Length { found: 0 }));
        assert_eq!(alike(&[vec![0.0; 4097]]), Err(EmbedError::Length { found: 4097 }));
        assert_eq!(alike(&[]), Ok(()));
    }
}
