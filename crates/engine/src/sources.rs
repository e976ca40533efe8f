//! What answers look things up in: how files are kept, and which sources a message may name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::sync::{Mutex, watch};
use unbroken_documents::reader::Reader;
use unbroken_protocol::{FileState, MessageSource, PrincipalId, Source, limits};
use unbroken_store::ContentHash;

use crate::embedding::Told;
use crate::error::Refusal;
use crate::uploads::Turns;
use crate::{Engine, Web};

/// How files are kept and read that people bring.
#[derive(Clone, Debug)]
pub struct Files {
    /// The folder of their bytes.
    pub folder: PathBuf,
    /// Bytes that a person may have.
    pub quota_bytes: u64,
    pub reader: Reader,
}

impl Files {
    /// Where the bytes with this hash are.
    pub(crate) fn path(&self, content: ContentHash) -> PathBuf {
        place(&self.folder, &content.to_string())
    }
}

/// No folder holds all files.
fn place(folder: &Path, hash: &str) -> PathBuf {
    folder.join(&hash[..2]).join(hash)
}

/// The files that are kept, as far as this process works on them.
pub(crate) struct AtWork {
    /// Held while bytes and the row that refers to them come or go: neither is without the other.
    pub(crate) order: Mutex<()>,
    /// Changes whenever a document has been read or refused.
    pub(crate) settled: watch::Sender<()>,
    /// How many files each person brings right now.
    pub(crate) coming: Arc<Coming>,
    /// The same of files that are imported.
    pub(crate) importing: Arc<Coming>,
    /// Whether it was logged that questions have no vectors.
    pub(crate) told_embedding: Told,
    /// Whether it was logged that passages are not ranked.
    pub(crate) told_reranking: Told,
    /// Who writes which file that comes in several goes.
    pub(crate) turns: Arc<Turns>,
}

/// Files on their way in, by person.
#[derive(Default)]
pub(crate) struct Coming(std::sync::Mutex<HashMap<PrincipalId, usize>>);

/// One of them, until it is dropped.
pub(crate) struct Arrival {
    coming: Arc<Coming>,
    principal: PrincipalId,
    /// How many of this person there were with it when it began.
    pub(crate) number: usize,
}

impl Coming {
    /// `None` when there are as many as may be.
    pub(crate) fn begin(self: &Arc<Self>, principal: PrincipalId, most: usize) -> Option<Arrival> {
        let mut counts = self.lock();
        let count = counts.entry(principal).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        let number = *count;
        drop(counts);
        Some(Arrival { coming: Arc::clone(self), principal, number })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PrincipalId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut counts = self.coming.lock();
        if let Some(count) = counts.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.principal);
            }
        }
    }
}

impl Default for AtWork {
    fn default() -> Self {
        Self {
            order: Mutex::default(),
            settled: watch::Sender::new(()),
            coming: Arc::default(),
            importing: Arc::default(),
            told_embedding: Told::default(),
            told_reranking: Told::default(),
            turns: Arc::default(),
        }
    }
}

impl Engine {
    /// Whether an answer may draw on a search of the web.
    pub fn searches_web(&self) -> bool {
        self.inner.settings.web.as_ref().is_some_and(Web::searches)
    }

    pub(crate) fn files_kept(&self) -> Result<&Files, Refusal> {
        let files = self.inner.settings.files.as_ref();
        files.ok_or_else(|| Refusal::BadRequest("This server takes no files.".into()))
    }

    /// The sources of a new message, each once.
    ///
    /// # Errors
    /// `not_found` for what is not there or another person's, `bad_request` for what nothing can be
    /// looked up in, or for too many.
    pub(crate) async fn check_sources(
        &self,
        principal: PrincipalId,
        asked: Vec<Source>,
    ) -> Result<Vec<Source>, Refusal> {
        if asked.len() > limits::SOURCES {
            let most = limits::SOURCES;
            let sentence = format!("A message has at most {most} sources. Leave some out.");
            return Err(Refusal::BadRequest(sentence));
        }
        let mut sources = Vec::with_capacity(asked.len());
        for source in asked {
            if !sources.contains(&source) {
                self.check_source(principal, &source).await?;
                sources.push(source);
            }
        }
        Ok(sources)
    }

    async fn check_source(&self, principal: PrincipalId, source: &Source) -> Result<(), Refusal> {
        match source {
            Source::File { file_id } => {
                let id = file_id.parse().map_err(|_| Refusal::NotFound("file"))?;
                let file = self.store().file(principal, id).await?;
                let file = file.ok_or(Refusal::NotFound("file"))?;
                if file.state == FileState::Refused {
                    let name = &file.name;
                    let sentence = format!("Nothing can be read in {name}. Leave it out.");
                    return Err(Refusal::BadRequest(sentence));
                }
            }
            Source::Collection { collection_id } => {
                let missing = Refusal::NotFound("collection");
                let Ok(id) = collection_id.parse() else { return Err(missing) };
                self.store().collection(principal, id).await?.ok_or(missing)?;
            }
            Source::Web => {
                if !self.searches_web() {
                    let sentence = "This server does not search the web.".into();
                    return Err(Refusal::BadRequest(sentence));
                }
            }
            Source::Url { url } => self.check_url(url)?,
        }
        Ok(())
    }

    /// Whether pages are fetched, and this may be the address of one.
    pub(crate) fn check_url(&self, url: &str) -> Result<(), Refusal> {
        if self.inner.settings.web.is_none() {
            return Err(Refusal::BadRequest("This server fetches no pages.".into()));
        }
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        if !is_web || url.len() > limits::URL_BYTES {
            let sentence = "The address of a page begins with https:// or http:// and is not \
                            longer than 2,048 bytes.";
            return Err(Refusal::BadRequest(sentence.into()));
        }
        Ok(())
    }

    /// Sources of a message as history shows them.
    pub(crate) async fn source_views(
        &self,
        principal: PrincipalId,
        sources: &[Source],
    ) -> Result<Vec<MessageSource>, Refusal> {
        let mut views = Vec::with_capacity(sources.len());
        for source in sources {
            let mut view = MessageSource {
                kind: String::new(),
                file_id: None,
                collection_id: None,
                url: None,
                name: None,
                state: None,
            };
            match source {
                Source::File { file_id } => {
                    view.kind = "file".into();
                    view.file_id = Some(file_id.clone());
                    let found = match file_id.parse() {
                        Ok(id) => self.store().file(principal, id).await?,
                        Err(_) => None,
                    };
                    (view.name, view.state) = found.map(|file| (file.name, file.state)).unzip();
                }
                Source::Collection { collection_id } => {
                    view.kind = "collection".into();
                    view.collection_id = Some(collection_id.clone());
                    if let Ok(id) = collection_id.parse() {
                        let found = self.store().collection(principal, id).await?;
                        view.name = found.map(|collection| collection.name);
                    }
                }
                Source::Url { url } => {
                    view.kind = "url".into();
                    view.url = Some(url.clone());
                }
                Source::Web => view.kind = "web".into(),
            }
            views.push(view);
        }
        Ok(views)
    }
}
