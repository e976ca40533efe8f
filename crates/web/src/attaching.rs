//! What is attached to the message that is being written: taken from the person, kept with the
//! draft, and handed over with the message. Sending it to the server comes later, in a chunk.

use leptos::prelude::*;
use unbroken_chat_view::attachments::{self, EDIT, Readiness, source_of};
use unbroken_protocol::{MessageSource, WEB, limits};
use web_sys::{FileList, StorageEvent};

use crate::state::App;
use crate::writing::{self, Editing};
use crate::{dom, words};

impl App {
    /// The draft that files go to now. `None` where they cannot go anywhere.
    pub(crate) fn attaches_to(self) -> Option<String> {
        match self.writing.editing.get() {
            Some(Editing::Branch { .. }) => Some(EDIT.to_owned()),
            // The server takes another text for it, and nothing else.
            Some(Editing::Queued { .. }) => None,
            None => writing::draft_key(self.place.get()),
        }
    }

    /// Files that were chosen, dropped or pasted go along with the message.
    pub(crate) fn attach(self, files: &FileList) {
        let Some(draft) = untrack(|| self.attaches_to()) else {
            return self.complain(Some(words::attach_no_more().to_owned()));
        };
        self.complain(None);
        let most = limits::SOURCES
            .saturating_sub(self.writing.attachments.read_untracked().of(&draft).count());
        let files: Vec<_> = (0..files.length()).filter_map(|at| files.get(at)).collect();
        if files.len() > most {
            self.complain(Some(words::attachments_full(limits::SOURCES as u64)));
        }
        self.writing.attachments.update(|all| {
            for file in files.into_iter().take(most) {
                let key = all.add(&draft, file.name());
                self.files.held.change(|held| held.push((key, file)));
            }
        });
    }

    /// Whether the message can go with what is attached to it.
    pub(crate) fn readiness(self) -> Readiness {
        let draft = self.attaches_to();
        let all = self.writing.attachments.read();
        draft.map_or(Readiness::Ready, |draft| all.readiness(&draft))
    }

    /// What goes along with the message that is sent now. It leaves the composer.
    pub(crate) fn take_attached(self) -> Vec<MessageSource> {
        let Some(draft) = untrack(|| self.attaches_to()) else { return Vec::new() };
        let mut sources = Vec::new();
        self.writing.attachments.update(|all| sources = all.take(&draft));
        self.keep_attached(&draft);
        if self.writing.web.get_untracked() == Some(true)
            && !sources.iter().any(|source| source.kind == WEB)
        {
            sources.push(MessageSource::web());
        }
        sources
    }

    /// Whether just this is attached.
    pub(crate) fn has_attached(self, sources: &[MessageSource]) -> bool {
        let Some(draft) = untrack(|| self.attaches_to()) else { return false };
        let all = self.writing.attachments.read_untracked();
        let known = all.sources(&draft).map(source_of);
        known.eq(sources.iter().map(source_of)) && all.of(&draft).count() == sources.len()
    }

    /// What the server has already goes along with a draft.
    pub(crate) fn bring_attached(self, draft: &str, sources: Vec<MessageSource>) {
        if !sources.is_empty() {
            self.writing.attachments.update(|all| all.bring(draft, sources));
            self.keep_attached(draft);
        }
    }

    /// Keeps what the server has of a draft's beyond a reload.
    pub(crate) fn keep_attached(self, draft: &str) {
        let Some(key) = attachments::kept_key(draft) else { return };
        let written =
            attachments::written(self.writing.attachments.read_untracked().sources(draft));
        if written.is_empty() || !dom::keep(&key, &written) {
            dom::forget(&key);
        }
    }

    /// Shows what is attached to the draft of the page that is open now.
    pub(crate) fn load_attachments(self) {
        let draft = writing::draft_key(self.place.get_untracked());
        let kept = || dom::kept(&attachments::kept_key(draft.as_deref()?)?);
        if let (Some(kept), Some(draft)) = (kept(), &draft) {
            self.writing.attachments.update(|all| all.bring(draft, attachments::read(&kept)));
        }
    }

    /// Another tab attached something to the draft that is open here, or sent it.
    pub(crate) fn follow_attachments(self, event: &StorageEvent) {
        let Some(draft) = writing::draft_key(self.place.get_untracked()) else { return };
        if event.key().is_some() && event.key() == attachments::kept_key(&draft) {
            let now = attachments::read(&event.new_value().unwrap_or_default());
            self.writing.attachments.update(|all| all.follow(&draft, now));
        }
    }
}
