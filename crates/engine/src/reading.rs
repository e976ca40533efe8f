//! Reading files: each document once, in a process of its own, and then into the store in small
//! steps. A reading that was left unfinished begins anew with the next start.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::File;
use unbroken_documents::{Document, Refusal as Unreadable, passages};
use unbroken_store::{ContentHash, Passage, ReadStep, Ready, Whose};

use crate::Engine;
use crate::file_command::{FileCommand, PASSAGES_AT_ONCE};
use crate::session::random;

/// How often this machine tries to read a file before it gives up.
const TRIES: u32 = 3;
/// How long it waits between them.
const PAUSE: Duration = Duration::from_secs(1);
/// The code for a file that this machine could not read, by no fault of the file.
const UNREADABLE: &str = "unreadable";

impl Engine {
    /// Reads a document beside everything else.
    pub(crate) fn spawn_reading(&self, content: ContentHash) {
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            let abandon = engine.inner.abandon.clone();
            tokio::select! {
                biased;
                () = abandon.cancelled() => {}
                () = engine.read_document(content) => {}
            }
        });
    }

    async fn read_document(&self, content: ContentHash) {
        let Ok(attempt) = random().map(|bytes| u32::from_le_bytes(bytes).max(1)) else { return };
        let begin = |reply| FileCommand::BeginReading(content, attempt, reply).into();
        if !self.insist(begin).await {
            return;
        }
        let settled = match self.look_into(content).await {
            Ok(Ok(document)) => self.put_in(content, attempt, document).await,
            Ok(Err(reason)) => self.refuse(content, attempt, reason.code()).await,
            Err(error) => {
                tracing::error!(error = %error, "failed to read a file");
                self.refuse(content, attempt, UNREADABLE).await
            }
        };
        if settled {
            self.inner.at_work.settled.send_replace(());
            self.tell_files(content).await;
        }
    }

    /// What is in the file. An error is one of this machine.
    async fn look_into(&self, content: ContentHash) -> io::Result<Result<Document, Unreadable>> {
        let files = self.inner.settings.files.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let look = async || {
            let holders = self.store().files_with(content).await.map_err(io::Error::other)?;
            // Nobody has it any more: what becomes of it is of no interest.
            let name = holders.first().map_or("", |file| file.name.as_str());
            files.reader.read_opened(name, File::open(files.path(content))).await
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match look().await {
                Err(error) if tries < TRIES => {
                    tracing::warn!(error = %error, "failed to read a file; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    /// `false` when another reading took over, or nobody has the file any more.
    async fn put_in(&self, content: ContentHash, attempt: u32, document: Document) -> bool {
        let ready = Ready {
            title: document.title.clone(),
            media_type: document.kind.media_type().to_owned(),
            pages: document.blocks.iter().filter_map(|block| block.page).max(),
        };
        let cut = tokio::task::spawn_blocking(move || passages(&document));
        let Ok(passages) = cut.await else {
            return self.refuse(content, attempt, UNREADABLE).await;
        };
        let passages: Vec<_> = passages.into_iter().map(stored).collect();
        if passages.is_empty() {
            return self.refuse(content, attempt, Unreadable::Empty.code()).await;
        }
        // What a reading left that did not come to its end.
        let drop =
            |reply| FileCommand::DropPassages(content, Whose::Reading(attempt), reply).into();
        while self.insist(drop).await {}
        let mut ready = Some(ready);
        let mut pieces = passages.chunks(PASSAGES_AT_ONCE as usize).peekable();
        while let Some(piece) = pieces.next() {
            let ready = ready.take_if(|_| pieces.peek().is_none());
            if !self.put_step(content, attempt, piece, ready).await {
                return false;
            }
        }
        true
    }

    async fn put_step(
        &self,
        content: ContentHash,
        attempt: u32,
        passages: &[Passage],
        ready: Option<Ready>,
    ) -> bool {
        let step = Arc::new(ReadStep::new(content, attempt, passages.to_vec(), ready));
        self.insist(|reply| FileCommand::PutPassages(Arc::clone(&step), reply).into()).await
    }

    async fn refuse(&self, content: ContentHash, attempt: u32, reason: &'static str) -> bool {
        self.insist(|reply| FileCommand::RefuseDocument(content, attempt, reason, reply).into())
            .await
    }

    /// Tells everybody who has the file.
    async fn tell_files(&self, content: ContentHash) {
        for file in self.store().files_with(content).await.unwrap_or_default() {
            self.tell_file(file.principal_id, file.file_id).await;
        }
    }
}

pub(crate) fn stored(passage: unbroken_documents::Passage) -> Passage {
    Passage {
        ordinal: passage.ordinal,
        page: passage.page,
        heading: passage.heading,
        text: passage.text,
    }
}
