//! What is attached to the message that is being written, as far as the first view has to know of
//! it: all else is done by the desk, which comes in a chunk when something is attached.

use leptos::prelude::*;
use unbroken_chat_view::attachments::{self, EDIT, Readiness};
use unbroken_protocol::{Event, MessageSource};
use web_sys::{File, FileList};

use crate::own::Own;
use crate::state::App;
use crate::writing::{self, Editing};
use crate::{dom, words};

/// What is done with attachments once it is there.
pub(crate) trait Desk: Send + Sync {
    /// Takes what was handed over.
    fn work(&self);
    fn readiness(&self, draft: &str) -> Readiness;
    /// Takes all of a draft's out: what goes along with the message, as it is kept.
    fn take(&self, draft: &str) -> String;
    /// Whether just this is attached to a draft.
    fn holds(&self, draft: &str, sources: &str) -> bool;
    /// A notice of the server's about files; `None` after a time without notices.
    fn hear(&self, event: Option<Event>);
}

/// The way to the desk.
#[derive(Clone, Copy)]
pub(crate) struct Attaching {
    /// Something is attached, or was: the desk has to come.
    pub(crate) wanted: RwSignal<bool>,
    /// Files for the desk, each with its draft.
    pub(crate) files: Own<Vec<(String, File)>>,
    /// What is on the server already, for the desk.
    pub(crate) brought: Own<Vec<(String, Vec<MessageSource>)>>,
    pub(crate) desk: Own<Option<&'static dyn Desk>>,
}

impl Attaching {
    pub(crate) fn new() -> Self {
        Self {
            wanted: RwSignal::new(false),
            files: Own::new(Vec::new()),
            brought: Own::new(Vec::new()),
            desk: Own::new(None),
        }
    }

    fn desk(self) -> Option<&'static dyn Desk> {
        self.desk.read(|desk| *desk)
    }

    /// Whether something of that draft's waits for the desk.
    fn has_for(self, draft: &str) -> bool {
        self.files.read(|files| files.iter().any(|(of, _)| of == draft))
            || self.brought.read(|brought| brought.iter().any(|(of, _)| of == draft))
            || attachments::kept_key(draft).is_some_and(|key| dom::kept(&key).is_some())
    }

    fn hand_over(self) {
        self.wanted.set(true);
        if let Some(desk) = self.desk() {
            desk.work();
        }
    }

    pub(crate) fn hear(self, event: Option<Event>) {
        if let Some(desk) = self.desk() {
            desk.hear(event);
        }
    }
}

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
        self.complain(None);
        match untrack(|| self.attaches_to()) {
            Some(draft) => {
                let files = (0..files.length()).filter_map(|at| files.get(at));
                self.attaching.files.change(|waiting| {
                    waiting.extend(files.map(|file| (draft.clone(), file)));
                });
                self.attaching.hand_over();
            }
            None => self.complain(Some(words::attach_no_more().to_owned())),
        }
    }

    /// What the server has already goes along with a draft.
    pub(crate) fn bring_attached(self, draft: &str, sources: Vec<MessageSource>) {
        if !sources.is_empty() {
            self.attaching.brought.change(|waiting| waiting.push((draft.to_owned(), sources)));
            self.attaching.hand_over();
        }
    }

    /// Whether the message can go with what is attached to it.
    pub(crate) fn readiness(self) -> Readiness {
        match (untrack(|| self.attaches_to()), self.attaching.desk()) {
            (Some(draft), Some(desk)) => desk.readiness(&draft),
            (Some(draft), None) if self.attaching.has_for(&draft) => Readiness::Sending,
            _ => Readiness::Ready,
        }
    }

    /// What goes along with the message that is sent now. It leaves the composer.
    pub(crate) fn take_attached(self) -> String {
        let taken = untrack(|| self.attaches_to()).zip(self.attaching.desk());
        self.and_web(taken.map(|(draft, desk)| desk.take(&draft)).unwrap_or_default())
    }

    /// The same with a search of the web, when that is on.
    pub(crate) fn and_web(self, sources: String) -> String {
        match self.writing.web.get_untracked() {
            Some(true) => attachments::with_web(&sources),
            _ => sources,
        }
    }

    /// Whether just this is attached.
    pub(crate) fn has_attached(self, sources: &str) -> bool {
        let sources = attachments::without_web(sources);
        match (untrack(|| self.attaches_to()), self.attaching.desk()) {
            (Some(draft), Some(desk)) => desk.holds(&draft, &sources),
            _ => sources.is_empty(),
        }
    }

    /// Ends the draft that an edit is.
    pub(crate) fn drop_edit(self) {
        self.attaching.brought.change(|waiting| waiting.retain(|(draft, _)| draft != EDIT));
        if let Some(desk) = self.attaching.desk() {
            drop(desk.take(EDIT));
        }
    }

    /// Lets the desk come when something is kept for the page that is open now.
    pub(crate) fn want_attached(self) {
        let draft = writing::draft_key(self.place.get_untracked());
        if draft.is_some_and(|draft| self.attaching.has_for(&draft)) {
            self.attaching.hand_over();
        }
    }
}
