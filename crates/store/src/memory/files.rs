//! Files, and the documents that are in them: one for the same bytes, whoever brings them.

use unbroken_protocol::{FileId, FileState, PrincipalId, limits};

use super::state::{Document, State};
use super::{Memory, Transaction};
use crate::{ContentHash, File, FileOutcome, NewFile};

fn file(state: &State, new: &NewFile) -> Option<File> {
    let document = state.documents.get(&new.content)?;
    let ready = document.ready.as_ref();
    Some(File {
        file_id: new.file_id,
        principal_id: new.principal_id,
        name: new.name.clone(),
        media_type: ready.map_or(&new.media_type, |ready| &ready.media_type).clone(),
        bytes: new.bytes,
        content: new.content,
        created_at: new.at,
        state: document.state?,
        reason: document.reason.clone(),
        title: ready.and_then(|ready| ready.title.clone()),
        pages: ready.and_then(|ready| ready.pages),
        passages: document.count,
        chars: document.chars,
    })
}

impl Memory {
    pub(crate) fn files(&self, principal: PrincipalId) -> Vec<File> {
        let state = self.state();
        let own = state.files.values().rev().filter(|new| new.principal_id == principal);
        own.filter_map(|new| file(&state, new)).collect()
    }

    pub(crate) fn file(&self, principal: PrincipalId, id: FileId) -> Option<File> {
        let state = self.state();
        let own = state.files.get(&id).filter(|new| new.principal_id == principal);
        own.and_then(|new| file(&state, new))
    }

    pub(crate) fn files_with(&self, content: ContentHash) -> Vec<File> {
        let state = self.state();
        let with = state.files.values().filter(|new| new.content == content);
        with.filter_map(|new| file(&state, new)).collect()
    }

    pub(crate) fn unread(&self) -> Vec<ContentHash> {
        self.documents_in(Some(FileState::Processing))
    }

    pub(crate) fn deleted_documents(&self) -> Vec<ContentHash> {
        self.documents_in(None)
    }

    pub(crate) fn documents(&self) -> Vec<ContentHash> {
        self.state().documents.iter().map(|(content, _)| *content).collect()
    }

    fn documents_in(&self, wanted: Option<FileState>) -> Vec<ContentHash> {
        let state = self.state();
        let found = state.documents.iter().filter(|(_, document)| document.state == wanted);
        found.map(|(content, _)| *content).collect()
    }
}

impl Transaction<'_> {
    pub(crate) fn put_file(&mut self, new: &NewFile, quota: u64) -> FileOutcome {
        let state = self.state();
        let own = || state.files.values().filter(|file| file.principal_id == new.principal_id);
        if let Some(repeated) = own().find(|file| file.content == new.content) {
            let repeated = file(state, repeated).expect("a file has a document");
            return FileOutcome::Repeated(repeated);
        }
        if own().count() >= limits::FILES {
            return FileOutcome::TooMany;
        }
        if own().map(|file| file.bytes).sum::<u64>().saturating_add(new.bytes) > quota {
            return FileOutcome::Full;
        }
        let known = state.documents.get(&new.content);
        let is_new = known.is_none_or(|document| match document.state {
            None => true,
            Some(FileState::Refused) => matches!(
                document.reason.as_deref(),
                Some("unreadable" | "out_of_time" | "out_of_memory")
            ),
            Some(_) => false,
        });
        if !state.documents.contains_key(&new.content) {
            state.documents.insert(new.content, Document::default());
        }
        let document = state.documents.get_mut(&new.content).expect("it was just put there");
        if is_new {
            *document = Document {
                state: Some(FileState::Processing),
                passages: std::mem::take(&mut document.passages),
                vectors: std::mem::take(&mut document.vectors),
                ..Document::default()
            };
        }
        state.files.insert(new.file_id, new.clone());
        let file = file(state, new).expect("its document was just put there");
        FileOutcome::Created { file, is_new }
    }

    pub(crate) fn delete_file(
        &mut self,
        principal: PrincipalId,
        id: FileId,
    ) -> Option<ContentHash> {
        let state = self.state();
        let found = state.files.get(&id).filter(|file| file.principal_id == principal)?;
        let content = found.content;
        state.files.remove(&id);
        for (_, collection) in state.collections.values_mut() {
            collection.files.retain(|file| *file != id);
        }
        delete_orphans(state);
        Some(content)
    }

    pub(crate) fn forget_files(&mut self, principal: PrincipalId) {
        let state = self.state();
        state.files.retain(|_, file| file.principal_id != principal);
        state.collections.retain(|_, (owner, _)| *owner != principal);
        delete_orphans(state);
    }

    pub(crate) fn begin_reading(&mut self, content: ContentHash, attempt: u32) -> bool {
        let Some(document) = self.state().documents.get_mut(&content) else { return false };
        let begins = document.state == Some(FileState::Processing);
        if begins {
            document.attempt = attempt;
        }
        begins
    }

    pub(crate) fn refuse_document(
        &mut self,
        content: ContentHash,
        attempt: u32,
        reason: &str,
    ) -> bool {
        let Some(document) = self.being_read(content, attempt) else { return false };
        document.state = Some(FileState::Refused);
        document.reason = Some(reason.to_owned());
        true
    }

    pub(crate) fn remove_document(&mut self, content: ContentHash) -> bool {
        let documents = &mut self.state().documents;
        let found = documents.get(&content);
        let is_empty = found.is_some_and(|found| {
            found.state.is_none() && found.passages.is_empty() && found.vectors.is_empty()
        });
        if is_empty {
            documents.remove(&content);
        }
        is_empty
    }

    /// A document that this attempt may write.
    pub(super) fn being_read(
        &mut self,
        content: ContentHash,
        attempt: u32,
    ) -> Option<&mut Document> {
        let document = self.state().documents.get_mut(&content)?;
        let is_read = document.state == Some(FileState::Processing) && document.attempt == attempt;
        is_read.then_some(document)
    }
}

/// What no file has any more is removed from now on.
fn delete_orphans(state: &mut State) {
    let files = &state.files;
    for (content, document) in state.documents.iter_mut() {
        if !files.values().any(|file| file.content == *content) {
            document.state = None;
        }
    }
}
