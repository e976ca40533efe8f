//! The web as a source: what a search finds, read.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use url::Url;

use crate::clean;
use crate::fetch::{FetchError, Fetcher};
use crate::page::Page;
use crate::search::{Found, Search, SearchError};

/// So many of the pages that were found are read.
pub const PAGES: usize = 5;

/// Searches, and reads what it finds.
pub struct Web {
    search: Search,
    fetcher: Arc<Fetcher>,
}

/// What a search led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// In the order of the search.
    pub pages: Vec<Page>,
    pub skipped: Vec<Skipped>,
}

/// A page that was found and is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub url: Url,
    pub reason: SkipReason,
}

/// Why a page is not read. Each is one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("There is no text on the page.")]
    NoText,
}

impl Web {
    pub fn new(search: Search, fetcher: Arc<Fetcher>) -> Self {
        Self { search, fetcher }
    }

    /// Searches for a question and reads the best [`PAGES`] pages, all at once. Those that cannot
    /// be read are skipped; only a search that fails is an error.
    pub async fn look(&self, question: &str) -> Result<Seen, SearchError> {
        let found = self.search.find(question).await?;
        let reads = stream::iter(found.into_iter().take(PAGES)).map(|found| self.read(found));
        let mut reads = reads.buffered(PAGES);
        let mut seen = Seen::default();
        while let Some(read) = reads.next().await {
            match read {
                Ok(page) => seen.pages.push(page),
                Err(skipped) => seen.skipped.push(skipped),
            }
        }
        Ok(seen)
    }

    async fn read(&self, found: Found) -> Result<Page, Skipped> {
        let read = read(&self.fetcher, found.url.as_str()).await;
        read.map_err(|reason| Skipped { url: found.url, reason })
    }
}

/// Fetches one page, and reads its main text.
pub async fn read(fetcher: &Fetcher, address: &str) -> Result<Page, SkipReason> {
    let sent = fetcher.fetch(address).await?;
    let page = tokio::task::spawn_blocking(move || clean::page(&sent)).await;
    page.ok().flatten().ok_or(SkipReason::NoText)
}
