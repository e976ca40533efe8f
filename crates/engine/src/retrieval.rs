//! What an answer is given to draw on: passages of the sources that were chosen on its branch.
//!
//! They are records of its log before its first word. A run that goes on after a break is given
//! those again, under the same numbers, whatever became of the files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use unbroken_protocol::{Citation, FileId, FileState, PrincipalId, Role, Source, limits};
use unbroken_providers::Given;
use unbroken_sources::fuse::fuse_scored;
use unbroken_store::{
    Collection, ContentHash, File, Found, Message, Passage, StoreError, Terms, rank,
};

use crate::Engine;
use crate::generation::{End, Run};
use crate::web::{Seen, Unseen, Wanted};

/// How long an answer waits for files that are being read.
const WAIT: Duration = Duration::from_mins(1);
/// Files and pages whose texts are no longer than this together, in Unicode scalar values, and have
/// no more passages than that, are given whole.
const WHOLE: (u64, u64) = (24_000, 100);
/// Of longer ones this many passages are given.
const BEST: u32 = 12;
/// Where there are embeddings, so many are ranked by their words and so many by what they mean; a
/// reranker chooses from so many.
const RANKED: u32 = 50;
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
        let (pages, unseen) = self.pages(run, branch).await?;
        let files = self.ready_files(run, principal, branch).await?;
        let contents: Vec<_> = files.iter().map(|file| file.content).collect();
        let terms = terms(branch);
        let in_pages = match &terms {
            Some(terms) => find_in(&pages, terms.clone()).await,
            None => Vec::new(),
        };
        let mut citations = if is_short(&files, &pages) {
            let mut citations = self.whole(&files, &contents, terms.as_ref()).await?;
            citations.extend(whole_pages(&pages, &in_pages));
            citations
        } else {
            let question = asked(branch);
            let most = if self.inner.settings.reranker.is_some() { RANKED } else { BEST };
            let in_files = match &terms {
                Some(terms) => self.best(run, &contents, terms, &question, most).await?,
                None => Vec::new(),
            };
            let hits = fused(in_files, in_pages, most).into_iter();
            let hits = hits.map(|(found, _)| found).collect();
            let mut hits = self.reranked(run, &question, hits).await?;
            hits.truncate(BEST as usize);
            if hits.is_empty() {
                hits = self.beginnings(&contents, &pages).await?;
            }
            cite(&join(hits), &files, &pages)
        };
        citations.extend(unseen.into_iter().map(not_seen));
        Ok(numbered(citations))
    }

    /// The pages of the web that the branch asks for.
    async fn pages(
        &self,
        run: &Run,
        branch: &[Message],
    ) -> Result<(Vec<Seen>, Vec<Unseen>), Missed> {
        let Some(web) = &self.inner.settings.web else { return Ok(Default::default()) };
        let mut wanted = Wanted::of(branch);
        let collected = self.collected_urls(run.log.identity.principal_id, branch).await?;
        for url in collected {
            if wanted.urls.len() < limits::SOURCES && !wanted.urls.contains(&url) {
                wanted.urls.push(url);
            }
        }
        if wanted.is_nothing() {
            return Ok(Default::default());
        }
        tokio::select! {
            biased;
            () = run.stop.cancelled() => Err(Missed::Ended(End::Stopped)),
            () = run.abandon.cancelled() => Err(Missed::Ended(End::Abandoned)),
            seen = web.see(wanted) => Ok(seen),
        }
    }

    /// The files that were chosen, the newest first, once those that are being read are ready.
    async fn ready_files(
        &self,
        run: &Run,
        principal: PrincipalId,
        branch: &[Message],
    ) -> Result<Vec<File>, Missed> {
        let deadline = Instant::now() + WAIT;
        let mut settled = self.inner.at_work.settled.subscribe();
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
        let (mut files, mut named, mut contents) = (Vec::new(), Vec::new(), HashSet::new());
        let sources = branch.iter().rev().flat_map(|message| &message.sources);
        for source in sources {
            if named.contains(&source) {
                continue;
            }
            named.push(source);
            for id in self.files_of(principal, source).await? {
                if files.len() == limits::FILES_OF_AN_ANSWER {
                    return Ok(files);
                }
                let file = self.store().file(principal, id).await?;
                files.extend(file.filter(|file| contents.insert(file.content)));
            }
        }
        Ok(files)
    }

    /// The files that a source stands for; what was deleted since stands for none.
    async fn files_of(
        &self,
        principal: PrincipalId,
        source: &Source,
    ) -> Result<Vec<FileId>, StoreError> {
        if let Source::File { file_id } = source {
            return Ok(file_id.parse().into_iter().collect());
        }
        let found = self.collection_of(principal, source).await?;
        Ok(found.map(|collection| collection.files).unwrap_or_default())
    }

    /// The addresses in the collections that were chosen, the newest first.
    async fn collected_urls(
        &self,
        principal: PrincipalId,
        branch: &[Message],
    ) -> Result<Vec<String>, StoreError> {
        let mut urls = Vec::new();
        for source in branch.iter().rev().flat_map(|message| &message.sources) {
            if let Some(collection) = self.collection_of(principal, source).await? {
                urls.extend(collection.urls);
            }
        }
        Ok(urls)
    }

    async fn collection_of(
        &self,
        principal: PrincipalId,
        source: &Source,
    ) -> Result<Option<Collection>, StoreError> {
        let Source::Collection { collection_id } = source else { return Ok(None) };
        let Ok(id) = collection_id.parse() else { return Ok(None) };
        self.store().collection(principal, id).await
    }

    /// The passages of files that fit best, by their words and by what they mean.
    async fn best(
        &self,
        run: &Run,
        contents: &[ContentHash],
        terms: &Terms,
        question: &str,
        most: u32,
    ) -> Result<Vec<Found>, Missed> {
        let near = self.nearest(run, contents, question, RANKED).await?;
        if near.is_empty() {
            return Ok(self.store().find_passages(contents, terms, most).await?);
        }
        let by_words = self.store().find_passages(contents, terms, RANKED).await?;
        let mut found = fused(by_words, near, most);
        // One scale for all: the share of what the first place in both lists gives.
        for (found, score) in &mut found {
            found.score = *score;
        }
        Ok(found.into_iter().map(|(found, _)| found).collect())
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
        Ok(citations)
    }

    /// The first passages, where no word of the question helps: it may be about the whole.
    async fn beginnings(
        &self,
        contents: &[ContentHash],
        pages: &[Seen],
    ) -> Result<Vec<Found>, StoreError> {
        let all = u32::try_from(contents.len() + pages.len()).unwrap_or(u32::MAX).max(1);
        let each = (BEST / all).max(1);
        let mut hits = Vec::new();
        for content in contents.iter().take(BEST as usize) {
            let first = self.store().passages(*content, 0, each).await?;
            let hit = |passage| Found { content: *content, passage, score: 0.0 };
            hits.extend(first.into_iter().map(hit));
        }
        for page in pages {
            let first = page.text.passages.iter().take(each as usize);
            let content = page.text.content;
            hits.extend(first.map(|passage| Found {
                content,
                passage: passage.clone(),
                score: 0.0,
            }));
        }
        hits.truncate(BEST as usize);
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

/// The last question as it is embedded, after the one before it when its words are few.
fn asked(branch: &[Message]) -> String {
    let mut asked = branch.iter().rev().filter(|message| message.role == Role::User);
    let last = asked.next().map_or("", |message| &message.content);
    let is_short = Terms::of(last).is_none_or(|terms| terms.count() < FEW_TERMS);
    match asked.next().filter(|_| is_short) {
        Some(before) => format!("{}\n{last}", before.content),
        None => last.to_owned(),
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

fn is_short(files: &[File], pages: &[Seen]) -> bool {
    let of_files = files.iter().map(|file| (file.chars, u64::from(file.passages)));
    let of_pages = pages.iter().map(|page| (page.text.chars, page.text.passages.len() as u64));
    let add = |all: (u64, u64), one: (u64, u64)| (all.0 + one.0, all.1 + one.1);
    let (chars, passages) = of_files.chain(of_pages).fold((0, 0), add);
    chars <= WHOLE.0 && passages <= WHOLE.1
}

/// The passages of pages in which a word of the question is, the best first.
async fn find_in(pages: &[Seen], terms: Terms) -> Vec<Found> {
    let all = pages.iter().flat_map(|page| {
        let content = page.text.content;
        page.text.passages.iter().map(move |passage| (content, passage.clone()))
    });
    let (contents, passages): (Vec<_>, Vec<_>) = all.unzip();
    if passages.is_empty() {
        return Vec::new();
    }
    // Pages may be long.
    let ranked = tokio::task::spawn_blocking(move || {
        let best = rank(&passages, &terms);
        let found = best.into_iter().map(|(at, score)| Found {
            content: contents[at],
            passage: passages[at].clone(),
            score,
        });
        found.collect()
    });
    ranked.await.unwrap_or_default()
}

/// All passages of pages, in their order.
fn whole_pages(pages: &[Seen], found: &[Found]) -> Vec<Citation> {
    let cited = pages.iter().flat_map(|page| {
        page.text.passages.iter().map(move |passage| {
            let is_it = |hit: &&Found| {
                hit.content == page.text.content && hit.passage.ordinal == passage.ordinal
            };
            let score = found.iter().find(is_it).map(|hit| hit.score);
            Citation { score, ..of_page(passage, page) }
        })
    });
    cited.collect()
}

/// One list of two that are each ranked, no longer than `most`; with each the share of what the first
/// place in both gives.
fn fused(one: Vec<Found>, other: Vec<Found>, most: u32) -> Vec<(Found, f64)> {
    let place = |found: &Found| (found.content, found.passage.ordinal);
    let lists = [one.iter().map(place).collect(), other.iter().map(place).collect()];
    let mut found: HashMap<_, _> =
        one.into_iter().chain(other).map(|found| (place(&found), found)).collect();
    let order = fuse_scored(&lists).into_iter().take(most as usize);
    order.filter_map(|(place, score)| Some((found.remove(&place)?, score))).collect()
}

fn cite(hits: &[Found], files: &[File], pages: &[Seen]) -> Vec<Citation> {
    let cited = hits.iter().filter_map(|hit| {
        let score = (hit.score > 0.0).then_some(hit.score);
        if let Some(page) = pages.iter().find(|page| page.text.content == hit.content) {
            return Some(Citation { score, ..of_page(&hit.passage, page) });
        }
        let file = files.iter().find(|file| file.content == hit.content)?;
        Some(citation(&hit.passage, file, score))
    });
    cited.collect()
}

fn of_page(passage: &Passage, page: &Seen) -> Citation {
    Citation {
        index: 0,
        source_type: page.source_type.into(),
        title: page.text.title.clone(),
        url: Some(page.text.url.clone()),
        file_id: None,
        page: passage.page,
        passage: None,
        quote: passage.text.clone(),
        score: None,
    }
}

/// A person sees why what they asked for is missing, and so does the model.
fn not_seen(unseen: Unseen) -> Citation {
    Citation {
        index: 0,
        source_type: unseen.source_type.into(),
        title: unseen.url.clone().unwrap_or_else(|| "Web search".into()),
        url: unseen.url,
        file_id: None,
        page: None,
        passage: None,
        quote: format!("This could not be read. {}", unseen.reason),
        score: None,
    }
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
    let from = |citation: &Citation| (citation.file_id.clone(), citation.url.clone());
    of(stored) == of(found) && from(stored) == from(found) && stored.quote == found.quote
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
