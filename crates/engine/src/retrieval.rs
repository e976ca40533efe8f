//! What an answer is given to draw on: passages of the sources that were chosen on its branch.
//!
//! They are records of its log before its first word. A run that goes on after a break is given
//! those again, under the same numbers, whatever became of the files.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use unbroken_protocol::{Citation, FileState, PrincipalId, Role, Source};
use unbroken_providers::Given;
use unbroken_store::{ContentHash, File, Found, Message, Passage, StoreError, Terms};

use crate::Engine;
use crate::generation::{End, Run};

/// How long an answer waits for files that are being read.
const WAIT: Duration = Duration::from_mins(1);
/// Files whose texts are no longer than this together are given whole, in Unicode scalar values.
const WHOLE: u64 = 24_000;
/// Of longer ones this many passages are given.
const BEST: u32 = 12;
/// Passages that follow each other are given as one, but not more of them.
const JOINED: usize = 3;
/// A question of fewer words than this is understood with the one before it.
const FEW_TERMS: usize = 3;

/// Why nothing could be looked up.
pub(crate) enum Missed {
    Store(StoreError),
    /// The run ended while it waited.
    Ended(End),
}

impl From<StoreError> for Missed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a run is given, and what of it has to be written into its log.
#[derive(Default)]
pub(crate) struct Lookup {
    pub(crate) given: Arc<[Given]>,
    pub(crate) new: Vec<Citation>,
}

impl Engine {
    /// Looks up what the sources of a branch say about its last question. Nothing, and at no cost,
    /// when it has no sources.
    pub(crate) async fn look_up(&self, run: &Run, branch: &[Message]) -> Result<Lookup, Missed> {
        if branch.iter().all(|message| message.sources.is_empty()) {
            return Ok(Lookup::default());
        }
        let (stored, has_text) = {
            let inner = run.log.lock();
            (inner.citations(), !inner.content.is_empty())
        };
        if has_text {
            return Ok(Lookup { given: given(&stored), new: Vec::new() });
        }
        let mut found = self.find(run, branch).await?;
        let is_same = stored.iter().zip(&found).all(|(stored, found)| is_same(stored, found));
        if found.len() < stored.len() || !is_same {
            return Ok(Lookup { given: given(&stored), new: Vec::new() });
        }
        let all = given(&found);
        Ok(Lookup { given: all, new: found.split_off(stored.len()) })
    }

    async fn find(&self, run: &Run, branch: &[Message]) -> Result<Vec<Citation>, Missed> {
        let principal = run.log.identity.principal_id;
        let files = self.ready_files(run, principal, branch).await?;
        let contents: Vec<_> = files.iter().map(|file| file.content).collect();
        let terms = terms(branch);
        let chars: u64 = files.iter().map(|file| file.chars).sum();
        if chars <= WHOLE {
            return Ok(self.whole(&files, &contents, terms.as_ref()).await?);
        }
        let hits = match terms {
            Some(terms) => self.store().find_passages(&contents, &terms, BEST).await?,
            None => Vec::new(),
        };
        let hits = if hits.is_empty() { self.beginnings(&contents).await? } else { hits };
        Ok(cite(&join(hits), &files))
    }

    /// The files that were chosen, the newest first, once those that are being read are ready.
    async fn ready_files(
        &self,
        run: &Run,
        principal: PrincipalId,
        branch: &[Message],
    ) -> Result<Vec<File>, Missed> {
        let deadline = Instant::now() + WAIT;
        let mut settled = self.inner.shelf.settled.subscribe();
        loop {
            settled.mark_unchanged();
            let mut files = self.chosen(principal, branch).await?;
            let is_waiting = files.iter().any(|file| file.state == FileState::Processing);
            if !is_waiting || Instant::now() >= deadline {
                files.retain(|file| file.state == FileState::Ready);
                return Ok(files);
            }
            tokio::select! {
                biased;
                () = run.stop.cancelled() => return Err(Missed::Ended(End::Stopped)),
                () = run.abandon.cancelled() => return Err(Missed::Ended(End::Abandoned)),
                _ = timeout_at(deadline, settled.changed()) => {}
            }
        }
    }

    async fn chosen(
        &self,
        principal: PrincipalId,
        branch: &[Message],
    ) -> Result<Vec<File>, StoreError> {
        let mut files: Vec<File> = Vec::new();
        let sources = branch.iter().rev().flat_map(|message| &message.sources);
        for source in sources {
            for file in self.files_of(principal, source).await? {
                if !files.iter().any(|other| other.content == file.content) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }

    /// What was deleted since is passed over.
    async fn files_of(
        &self,
        principal: PrincipalId,
        source: &Source,
    ) -> Result<Vec<File>, StoreError> {
        let ids = match source {
            Source::File { file_id } => file_id.parse().into_iter().collect(),
            Source::Collection { collection_id } => match collection_id.parse() {
                Ok(id) => self.store().collection(principal, id).await?,
                Err(_) => None,
            }
            .map(|collection| collection.files)
            .unwrap_or_default(),
            Source::Web | Source::Url { .. } => Vec::new(),
        };
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            files.extend(self.store().file(principal, id).await?);
        }
        Ok(files)
    }

    /// All passages in order, with how well they fit.
    async fn whole(
        &self,
        files: &[File],
        contents: &[ContentHash],
        terms: Option<&Terms>,
    ) -> Result<Vec<Citation>, StoreError> {
        let found = match terms {
            Some(terms) => self.store().find_passages(contents, terms, u32::MAX).await?,
            None => Vec::new(),
        };
        let scores: HashMap<_, _> =
            found.into_iter().map(|hit| ((hit.content, hit.passage.ordinal), hit.score)).collect();
        let mut citations = Vec::new();
        for file in files {
            for passage in self.store().passages(file.content, 0, u32::MAX).await? {
                let score = scores.get(&(file.content, passage.ordinal)).copied();
                citations.push(citation(&passage, file, score));
            }
        }
        Ok(numbered(citations))
    }

    /// The first passages, where no word of the question helps: it may be about the whole.
    async fn beginnings(&self, contents: &[ContentHash]) -> Result<Vec<Found>, StoreError> {
        let files = u32::try_from(contents.len()).unwrap_or(u32::MAX).max(1);
        let mut hits = Vec::new();
        for content in contents.iter().take(BEST as usize) {
            let first = self.store().passages(*content, 0, (BEST / files).max(1)).await?;
            let hit = |passage| Found { content: *content, passage, score: 0.0 };
            hits.extend(first.into_iter().map(hit));
        }
        Ok(hits)
    }
}

/// What is looked for: the words of the last question, and of the one before it when they are few.
fn terms(branch: &[Message]) -> Option<Terms> {
    let asked = branch.iter().rev().filter(|message| message.role == Role::User);
    let mut asked = asked.map(|message| Terms::of(&message.content));
    let last = asked.next().flatten();
    match last {
        Some(last) if last.count() < FEW_TERMS => match asked.next().flatten() {
            Some(before) => Some(last.and(before)),
            None => Some(last),
        },
        Some(last) => Some(last),
        None => asked.next().flatten(),
    }
}

/// Passages that follow each other as one, which fits as well as the best of them.
fn join(mut hits: Vec<Found>) -> Vec<Found> {
    let best: Vec<_> = hits.iter().map(|hit| (hit.content, hit.passage.ordinal)).collect();
    hits.sort_by_key(|hit| (hit.content, hit.passage.ordinal));
    let mut joined: Vec<(Found, usize)> = Vec::new();
    for hit in hits {
        if let Some((before, count)) = joined.last_mut()
            && before.content == hit.content
            && before.passage.ordinal + u32::try_from(*count).unwrap_or(0) == hit.passage.ordinal
            && *count < JOINED
        {
            before.passage.text.push_str("\n\n");
            before.passage.text.push_str(&hit.passage.text);
            before.score = before.score.max(hit.score);
            *count += 1;
        } else {
            joined.push((hit, 1));
        }
    }
    // The order of the hits, as far as they are still there.
    let place = |(hit, count): &(Found, usize)| {
        let ordinals =
            hit.passage.ordinal..hit.passage.ordinal + u32::try_from(*count).unwrap_or(1);
        best.iter().position(|(content, at)| *content == hit.content && ordinals.contains(at))
    };
    joined.sort_by_key(place);
    joined.into_iter().map(|(hit, _)| hit).collect()
}

fn cite(hits: &[Found], files: &[File]) -> Vec<Citation> {
    let cited = hits.iter().filter_map(|hit| {
        let file = files.iter().find(|file| file.content == hit.content)?;
        Some(citation(&hit.passage, file, (hit.score > 0.0).then_some(hit.score)))
    });
    numbered(cited.collect())
}

fn citation(passage: &Passage, file: &File, score: Option<f64>) -> Citation {
    Citation {
        index: 0,
        source_type: "file".into(),
        title: file.name.clone(),
        url: None,
        file_id: Some(file.file_id.to_string()),
        page: passage.page,
        passage: Some(passage.ordinal),
        quote: passage.text.clone(),
        score,
    }
}

/// Whether a run before was given the same. Scores are not the same to the last digit.
fn is_same(stored: &Citation, found: &Citation) -> bool {
    let of = |citation: &Citation| (citation.index, citation.passage);
    of(stored) == of(found) && stored.file_id == found.file_id && stored.quote == found.quote
}

fn numbered(mut citations: Vec<Citation>) -> Vec<Citation> {
    for (citation, number) in citations.iter_mut().zip(1..) {
        citation.index = number;
    }
    citations
}

fn given(citations: &[Citation]) -> Arc<[Given]> {
    let given = citations.iter().map(|citation| Given {
        number: citation.index,
        title: citation.title.clone(),
        page: citation.page,
        text: citation.quote.clone(),
        score: citation.score,
    });
    given.collect()
}
