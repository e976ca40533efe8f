//! Pages of the web that answers draw on: those that a search finds, and those that a person names.
//! They are fetched when an answer needs them, and kept in memory for an hour, nowhere else.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use unbroken_documents::reader::Reader;
use unbroken_documents::{Document, passages};
use unbroken_protocol::{Role, Source, limits};
use unbroken_sources::fetch::{Fetched, Fetcher, Media};
use unbroken_sources::search::{Found, Search};
use unbroken_store::{ContentHash, Message, Passage};

use crate::reading::stored;

/// How long a page is not fetched again.
const FRESH: Duration = Duration::from_hours(1);
/// Pages that are kept at most: no more than 25 MB of text.
const KEPT: usize = 64;
/// Passages that are taken from one page; what comes after is left out.
const PASSAGES: usize = 200;
/// Pages of a search that are read.
const FOUND: usize = 5;
/// Pages that one answer fetches at the same time.
const AT_ONCE: usize = 6;
/// How long an answer waits for its pages; what is not there then is left out.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of what a search engine shows of a page that are taken.
const SNIPPET_CHARS: usize = 1200;
const TITLE_CHARS: usize = 200;
/// Characters of a question that a search engine is asked.
const QUERY_CHARS: usize = 400;

/// How the web is searched and its pages are fetched. Clones are the same.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

struct Inner {
    fetcher: Fetcher,
    /// The first that answers is used.
    search: Vec<Search>,
    /// Reads pages as it reads files.
    reader: Reader,
    kept: Mutex<HashMap<String, (Instant, Arc<Text>)>>,
}

/// What can be read at an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) content: ContentHash,
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) passages: Vec<Passage>,
    pub(crate) chars: u64,
}

/// A page, and what it is to the answer: `web` when a search found it, `url` when it was named.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) source_type: &'static str,
    pub(crate) text: Arc<Text>,
}

/// What was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unseen {
    pub(crate) source_type: &'static str,
    /// The address, when it is of one page.
    pub(crate) url: Option<String>,
    /// One sentence.
    pub(crate) reason: String,
}

/// What a branch asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The addresses that are named on it, the newest first, as many as one message may name.
    pub(crate) urls: Vec<String>,
    /// What to search for, when the last message asks for that.
    query: Option<String>,
}

impl Wanted {
    pub(crate) fn of(branch: &[Message]) -> Self {
        let mut known = HashSet::new();
        let sources = branch.iter().rev().flat_map(|message| &message.sources);
        let urls = sources.filter_map(|source| match source {
            Source::Url { url } if known.insert(url) => Some(url.clone()),
            _ => None,
        });
        let urls = urls.take(limits::SOURCES).collect();
        let last = branch.iter().rev().find(|message| message.role == Role::User);
        let query = last.filter(|last| last.sources.contains(&Source::Web));
        Self { urls, query: query.map(|last| line(&last.content, QUERY_CHARS)) }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.urls.is_empty() && self.query.is_none()
    }
}

/// The beginning of a text in one line.
fn line(text: &str, chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(chars).collect()
}

impl Web {
    pub fn new(fetcher: Fetcher, search: Vec<Search>, reader: Reader) -> Self {
        Self(Arc::new(Inner { fetcher, search, reader, kept: Mutex::default() }))
    }

    /// Whether there is an engine that searches.
    pub fn searches(&self) -> bool {
        !self.0.search.is_empty()
    }

    /// Reads what is wanted, all at once: what is named first, then what is found, each page once.
    /// Of what a search finds and cannot be read, there is what the engine shows of it.
    pub(crate) async fn see(&self, wanted: Wanted) -> (Vec<Seen>, Vec<Unseen>) {
        let deadline = Instant::now() + PATIENCE;
        let mut unseen = Vec::new();
        let mut pages: Vec<(String, Option<Found>)> =
            wanted.urls.into_iter().map(|url| (url, None)).collect();
        if let Some(query) = wanted.query {
            match self.find(&query).await {
                Ok(found) => {
                    pages.extend(
                        found.into_iter().map(|found| (found.url.to_string(), Some(found))),
                    );
                }
                Err(reason) => unseen.push(Unseen { source_type: "web", url: None, reason }),
            }
        }
        let reads = pages.into_iter().map(|(url, found)| {
            let web = self.clone();
            async move {
                let read = timeout_at(deadline, web.read(&url)).await;
                let read = read.unwrap_or_else(|_| Err("The page took too long.".to_owned()));
                match (read, found) {
                    (Err(reason), Some(found)) => {
                        tracing::debug!(reason, "a page that was found cannot be read");
                        ("web", url, Text::shown(&found).map(Arc::new).ok_or(reason))
                    }
                    (read, Some(_)) => ("web", url, read),
                    (read, None) => ("url", url, read),
                }
            }
            .boxed()
        });
        let reads: Vec<_> = reads.collect();
        let mut reads = stream::iter(reads).buffered(AT_ONCE);
        let mut seen: Vec<Seen> = Vec::new();
        while let Some((source_type, url, read)) = reads.next().await {
            match read {
                // Two addresses may lead to one page.
                Ok(text) if seen.iter().any(|other| other.text.content == text.content) => {}
                Ok(text) => seen.push(Seen { source_type, text }),
                Err(reason) if source_type == "url" => {
                    unseen.push(Unseen { source_type, url: Some(url), reason });
                }
                Err(_) => {}
            }
        }
        (seen, unseen)
    }

    async fn find(&self, query: &str) -> Result<Vec<Found>, String> {
        let mut reason = "This server has no search engine.".to_owned();
        for search in &self.0.search {
            match search.find(query).await {
                Ok(mut found) => {
                    found.truncate(FOUND);
                    return Ok(found);
                }
                Err(error) => {
                    tracing::warn!(error = %error, "failed to search the web");
                    reason = error.to_string();
                }
            }
        }
        Err(reason)
    }

    /// A page, from memory while it is fresh.
    async fn read(&self, url: &str) -> Result<Arc<Text>, String> {
        if let Some(text) = self.kept(url) {
            return Ok(text);
        }
        let fetched = self.0.fetcher.fetch(url).await.map_err(|error| error.to_string())?;
        let text = Arc::new(self.text(url, fetched).await?);
        self.keep(url, &text);
        Ok(text)
    }

    async fn text(&self, asked: &str, fetched: Fetched) -> Result<Text, String> {
        // What a page does to a parser ends with the process that reads it.
        let name = match fetched.media {
            Media::Html => "page.html",
            Media::Text => "page.txt",
            Media::Pdf => "page.pdf",
        };
        let fails = || "The page could not be read. Try again.".to_owned();
        let read = self.0.reader.read(name, fetched.bytes.as_slice()).await;
        let document = read.map_err(|_| fails())?.map_err(|refusal| refusal.to_string())?;
        // An address that is too long for a source is too long to cite.
        let url = Some(fetched.url.to_string()).filter(|url| url.len() <= limits::URL_BYTES);
        let url = url.unwrap_or_else(|| asked.to_owned());
        let text = spawn_blocking(move || Text::of(url, &document)).await.map_err(|_| fails())?;
        if text.passages.is_empty() {
            return Err("There is no text on the page.".to_owned());
        }
        Ok(text)
    }

    fn kept(&self, url: &str) -> Option<Arc<Text>> {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, text) = kept.get(url)?;
        (since.elapsed() < FRESH).then(|| Arc::clone(text))
    }

    fn keep(&self, url: &str, text: &Arc<Text>) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (since, _)| since.elapsed() < FRESH);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(url.to_owned(), (Instant::now(), Arc::clone(text)));
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").field("searches", &self.searches()).finish_non_exhaustive()
    }
}

impl Text {
    fn of(url: String, document: &Document) -> Self {
        let title = document.title.clone().unwrap_or_else(|| url.clone());
        let passages = passages(document).into_iter().take(PASSAGES).map(stored).collect();
        Self::new(url, title, passages)
    }

    /// What a search engine shows of a page, if it shows something.
    fn shown(found: &Found) -> Option<Self> {
        let text = line(&found.snippet, SNIPPET_CHARS);
        let title = line(&found.title, TITLE_CHARS);
        let url = found.url.to_string();
        if text.is_empty() || url.len() > limits::URL_BYTES {
            return None;
        }
        let title = if title.is_empty() { url.clone() } else { title };
        let passage = Passage { ordinal: 0, page: None, heading: String::new(), text };
        Some(Self::new(url, title, vec![passage]))
    }

    fn new(url: String, title: String, passages: Vec<Passage>) -> Self {
        let mut hash = Sha256::new();
        for passage in &passages {
            hash.update(&passage.text);
        }
        let chars = passages.iter().map(|passage| passage.text.chars().count() as u64).sum();
        Self { content: ContentHash::new(hash.finalize().into()), url, title, passages, chars }
    }
}

#[cfg(test)]
mod tests {
    use unbroken_protocol::{MessageId, Timestamp};

    use super::*;

    fn message(role: Role, content: &str, sources: &[Source]) -> Message {
        Message {
            message_id: MessageId::new(),
            parent_id: None,
            role,
            content: content.into(),
            created_at: Timestamp::from_millis(0),
            sources: sources.to_vec(),
        }
    }

    fn url(n: usize) -> Source {
        Source::Url { url: format!("https://a.example/{n}") }
    }

    #[test]
    fn pages_count_for_the_whole_branch_and_a_search_for_its_message_alone() {
        let first = message(Role::User, "What is new?", &[Source::Web, url(1)]);
        let asked = Wanted::of(std::slice::from_ref(&first));
        assert_eq!(asked.query.as_deref(), Some("What is new?"));
        let answer = message(Role::Assistant, "Much.", &[]);
        let later = [first, answer, message(Role::User, "And then?", &[url(2), url(1)])];
        let wanted = Wanted::of(&later);
        assert_eq!(wanted.query, None);
        assert_eq!(wanted.urls, ["https://a.example/2", "https://a.example/1"]);
        assert!(Wanted::of(&[message(Role::User, "Hi", &[])]).is_nothing());
    }

    #[test]
    fn a_long_branch_fetches_no_more_than_one_message_may_name() {
        let branch: Vec<_> = (0..50).map(|n| message(Role::User, "Hi", &[url(n)])).collect();
        let wanted = Wanted::of(&branch);
        assert_eq!(wanted.urls.len(), limits::SOURCES);
        assert_eq!(wanted.urls[0], "https://a.example/49");
    }

    #[test]
    fn a_question_is_searched_for_as_one_line() {
        assert_eq!(line(" What do\n\twhales eat? ", 99), "What do whales eat?");
        assert_eq!(line(&"é ".repeat(1000), QUERY_CHARS).chars().count(), QUERY_CHARS);
    }
}
