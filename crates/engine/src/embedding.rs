//! Embeddings: vectors of passages, made beside everything else once a document is ready, and the
//! passages that are nearest to a question.
//!
//! What lacks vectors is in the store, so a process that ends loses nothing, and nothing waits for
//! them: until they are there, or while the model cannot be reached, full text finds alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use unbroken_sources::embed::{BATCH, EmbedError, Embedder};
use unbroken_store::{ContentHash, Found, Passage, StoreError, Vector, VectorStep};

use crate::Engine;
use crate::file_command::FileCommand;
use crate::generation::{End, Run};
use crate::retrieval::Missed;

/// How long an answer waits for the vector of its question.
const PATIENCE: Duration = Duration::from_secs(3);
/// The first pause after a failure, and the longest: each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Why no vectors came in.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// What came of looking for something to embed.
enum Step {
    Done,
    /// Another reading took over, or the document is gone.
    Missed,
    Nothing,
}

/// Where to look next for passages that lack vectors.
#[derive(Clone, Copy)]
enum Place {
    /// The newest document that lacks any.
    Newest,
    /// The same as before, while it lacks any.
    In(ContentHash),
    /// An older one than this, which failed: it holds up no other.
    Before(ContentHash),
}

/// Whether a failure was logged that goes on.
#[derive(Default)]
pub(crate) struct Told(AtomicBool);

impl Told {
    /// Whether it is to be logged.
    pub(crate) fn failed(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// The next failure is to be logged again.
    pub(crate) fn succeeded(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Place {
    fn failed(self) -> Self {
        if let Self::In(content) = self { Self::Before(content) } else { self }
    }
}

impl Engine {
    /// Lets all documents have vectors, those that are there and those that come.
    pub(crate) fn spawn_embedding(&self) {
        let Some(embedder) = self.inner.settings.embedder.clone() else { return };
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            let abandon = engine.inner.abandon.clone();
            tokio::select! {
                biased;
                () = abandon.cancelled() => {}
                () = engine.embed_documents(&embedder) => {}
            }
        });
    }

    async fn embed_documents(&self, embedder: &Embedder) {
        let mut settled = self.inner.at_work.settled.subscribe();
        let (mut pause, mut told, mut cleared) = (PAUSE, false, false);
        let (mut place, mut steps) = (Place::Newest, 0_u64);
        loop {
            settled.mark_unchanged();
            match self.embed_some(embedder, &mut place).await {
                Ok(Step::Done) => {
                    (pause, told, steps) = (PAUSE, false, steps + 1);
                    continue;
                }
                Ok(Step::Nothing) => {
                    if std::mem::take(&mut steps) > 0 {
                        tracing::info!(model = embedder.name(), "all passages have vectors");
                    }
                    if !std::mem::replace(&mut cleared, true) {
                        self.drop_other_vectors(embedder.name()).await;
                    }
                    // The sender lives in this engine.
                    let _ = settled.changed().await;
                    continue;
                }
                Ok(Step::Missed) => place = place.failed(),
                Err(error) => {
                    place = place.failed();
                    if std::mem::replace(&mut told, true) {
                        tracing::debug!(error = %error, "failed to embed passages again");
                    } else {
                        tracing::warn!(error = %error, "failed to embed passages; it is tried again");
                    }
                }
            }
            // What has just been read may have none of the trouble.
            let _ = timeout(pause, settled.changed()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Embeds the next passages of a document.
    async fn embed_some(&self, embedder: &Embedder, place: &mut Place) -> Result<Step, Failed> {
        let (model, most) = (embedder.name(), u32::try_from(BATCH).unwrap_or(u32::MAX));
        let mut next = None;
        if let Place::In(content) = *place {
            next = self.store().to_embed(content, model, most).await?;
        }
        if next.is_none() {
            let Some(content) = self.unembedded(model, *place).await? else {
                return Ok(Step::Nothing);
            };
            *place = Place::In(content);
            next = self.store().to_embed(content, model, most).await?;
        }
        let (Place::In(content), Some(next)) = (*place, next) else { return Ok(Step::Missed) };
        let Some(from) = next.passages.first().map(|passage| passage.ordinal) else {
            return Ok(Step::Missed);
        };
        let texts: Vec<_> = next.passages.iter().map(text).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let vectors = embedder.passages(&texts).await?;
        let vectors: Vec<_> = vectors.iter().map(|vector| Vector::of(vector.as_deref()?)).collect();
        let step = Arc::new(VectorStep::new(content, next.attempt, model, from, &vectors));
        let put = |reply| FileCommand::PutVectors(Arc::clone(&step), reply).into();
        Ok(if self.insist(put).await { Step::Done } else { Step::Missed })
    }

    async fn unembedded(
        &self,
        model: &str,
        place: Place,
    ) -> Result<Option<ContentHash>, StoreError> {
        if let Place::Before(content) = place {
            let older = self.store().unembedded(model, Some(content)).await?;
            if older.is_some() {
                return Ok(older);
            }
        }
        self.store().unembedded(model, None).await
    }

    /// What an earlier model left is of no use once all is embedded anew.
    async fn drop_other_vectors(&self, model: &str) {
        let model: Arc<str> = model.into();
        let drop = |reply| FileCommand::DropOtherVectors(Arc::clone(&model), reply).into();
        while self.insist(drop).await {}
    }

    /// The passages of some documents that are nearest to a question, the nearest first. None where
    /// there is no model, or it does not answer soon.
    pub(crate) async fn nearest(
        &self,
        run: &Run,
        contents: &[ContentHash],
        question: &str,
        most: u32,
    ) -> Result<Vec<Found>, Missed> {
        let Some(embedder) = &self.inner.settings.embedder else { return Ok(Vec::new()) };
        let answer = tokio::select! {
            biased;
            () = run.stop.cancelled() => return Err(Missed::Ended(End::Stopped)),
            () = run.abandon.cancelled() => return Err(Missed::Ended(End::Abandoned)),
            answer = timeout(PATIENCE, embedder.question(question)) => answer,
        };
        let told = &self.inner.at_work.told_embedding;
        match answer.unwrap_or(Err(EmbedError::TooSlow)) {
            Ok(numbers) => {
                told.succeeded();
                let Some(vector) = Vector::of(&numbers) else { return Ok(Vec::new()) };
                Ok(self.store().nearest(contents, embedder.name(), &vector, most).await?)
            }
            Err(error) => {
                if told.failed() {
                    tracing::warn!(
                        error = %error,
                        "failed to embed a question; full text finds alone"
                    );
                }
                Ok(Vec::new())
            }
        }
    }
}

/// What a model is shown of a passage to find it.
pub(crate) fn text(passage: &Passage) -> String {
    match passage.heading.as_str() {
        "" => passage.text.clone(),
        heading => format!("{heading}\n{}", passage.text),
    }
}
