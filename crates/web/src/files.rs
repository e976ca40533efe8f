//! The person's files, known as they stand; the desk of what is attached. How one is sent is
//! `sending.rs`.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::attachments::{
    self, Attachment, Attachments, EDIT, MOST, Readiness, State, source_of,
};
use unbroken_chat_view::library::Library;
use unbroken_client::RestError;
use unbroken_client::rest::Upload;
use unbroken_protocol::{ErrorCode, Event, FileId, FileInfo, FileState, UploadId};
use web_sys::{File, StorageEvent};

use crate::attaching::Desk;
use crate::calls::ask;
use crate::own::Own;
use crate::state::{self, App};
use crate::{dom, words, writing};

/// How many files are sent at once: a browser has few connections, and a message needs one.
const AT_ONCE: usize = 2;

#[derive(Clone, Copy)]
pub(crate) struct Files {
    /// The dialog of all files is open.
    pub(crate) open: RwSignal<bool>,
    /// Made by whoever asks first: so it is not in the first view.
    made: Own<Option<&'static Made>>,
}

pub(crate) struct Made {
    /// What goes along with the messages that are being written.
    pub(crate) attachments: ArcRwSignal<Attachments>,
    /// The files of which the server has told, by their ids.
    pub(crate) known: ArcRwSignal<HashMap<String, FileInfo>>,
    /// What a screen reader hears of them.
    pub(crate) told: ArcRwSignal<String>,
    /// All of them, once somebody asked.
    pub(crate) library: ArcRwSignal<Library>,
    pub(crate) is_listed: ArcRwSignal<bool>,
    /// Why the last change of them was not taken.
    pub(crate) problem: ArcRwSignal<Option<String>>,
    held: Own<Vec<Held>>,
    /// What is being sent, by the keys of the attachments; nothing is between two attempts.
    pub(crate) uploads: Own<HashMap<u64, Option<Upload>>>,
}

/// A file that is attached.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) key: u64,
    pub(crate) file: File,
    pub(crate) upload: UploadId,
    /// The server may have a part of it.
    pub(crate) is_begun: bool,
}

impl Made {
    fn new() -> Self {
        Self {
            attachments: ArcRwSignal::default(),
            known: ArcRwSignal::default(),
            told: ArcRwSignal::default(),
            library: ArcRwSignal::default(),
            is_listed: ArcRwSignal::new(false),
            problem: ArcRwSignal::default(),
            held: Own::new(Vec::new()),
            uploads: Own::new(HashMap::new()),
        }
    }

    /// The file of an attachment, as long as it is there.
    pub(crate) fn held(&self, key: u64) -> Option<File> {
        self.find_held(key).map(|held| held.file)
    }

    fn find_held(&self, key: u64) -> Option<Held> {
        self.held.read(|held| held.iter().find(|held| held.key == key).cloned())
    }

    fn set_begun(&self, key: u64, is_begun: bool) {
        self.held.change(|held| {
            if let Some(held) = held.iter_mut().find(|held| held.key == key) {
                held.is_begun = is_begun;
            }
        });
    }
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), made: Own::new(None) }
    }
}

impl App {
    /// What is known of the person's files, and attached. The desk is there from now on.
    pub(crate) fn known_files(self) -> &'static Made {
        if let Some(made) = self.files.made.read(|made| *made) {
            return made;
        }
        let made: &'static Made = Box::leak(Box::new(Made::new()));
        self.files.made.change(|known| *known = Some(made));
        self.attaching.desk.change(|desk| *desk = Some(Box::leak(Box::new(self))));
        // On every page, also where no draft is shown.
        window_event_listener(leptos::ev::storage, move |event| self.follow_attached(&event));
        self.work();
        made
    }

    /// A file stands like that. A late answer does not undo what a notice told.
    pub(crate) fn learn(self, file: FileInfo) {
        let (id, state) = (file.file_id.to_string(), file.state);
        let known = &self.known_files().known;
        let is_late = state == FileState::Processing
            && known.read_untracked().get(&id).is_some_and(|known| known.state != state);
        if !is_late {
            let file_id = file.file_id;
            self.known_files().library.update(|library| library.file(file_id, Some(file.clone())));
            known.update(|known| drop(known.insert(id.clone(), file)));
            self.known_files().attachments.update(|all| all.changed(&id, state));
        }
    }

    pub(crate) fn forget_file(self, id: FileId) {
        let (files, text) = (self.known_files(), id.to_string());
        files.library.update(|library| library.file(id, None));
        files.known.update(|known| drop(known.remove(&text)));
        self.forget_attached(&text);
    }

    pub(crate) fn forget_attached(self, id: &str) {
        self.known_files().attachments.update(|all| all.deleted(id));
        self.keep_all_attached();
    }

    fn keep_all_attached(self) {
        let drafts: Vec<_> = {
            let all = self.known_files().attachments.read_untracked();
            all.all().iter().map(|attachment| attachment.draft.clone()).collect()
        };
        for draft in &drafts {
            self.keep_attached(draft);
        }
    }

    /// Keeps what the server has of a draft's beyond a reload.
    fn keep_attached(self, draft: &str) {
        let all = self.known_files().attachments.read_untracked();
        let written = attachments::written(all.sources(draft));
        if draft == EDIT {
            return self.keep_edit_sources(&written);
        }
        let Some(key) = attachments::kept_key(draft) else { return };
        if written.is_empty() || !dom::keep(&key, &written) {
            dom::forget(&key);
        }
    }

    /// Shows what is kept of a draft.
    fn load_attached(self, draft: &str) {
        let kept = attachments::kept_key(draft).and_then(|key| dom::kept(&key));
        if let Some(kept) = kept {
            let sources = attachments::read(&kept);
            self.known_files().attachments.update(|all| {
                all.bring(draft, sources);
            });
        }
    }

    /// Another tab attached something to a draft, or sent it.
    fn follow_attached(self, event: &StorageEvent) {
        if let Some(draft) = event.key().as_deref().and_then(attachments::draft_of) {
            let now = attachments::read(&event.new_value().unwrap_or_default());
            self.known_files().attachments.update(|all| all.follow(draft, now));
            self.ask_for_attached(false);
        }
    }

    fn hold(self, draft: &str, file: File) {
        let made = self.known_files();
        match made.attachments.try_update(|all| all.add(draft, file.name())).flatten() {
            Some(key) => {
                let held = Held { key, file, upload: UploadId::new(), is_begun: false };
                made.held.change(|all| all.push(held));
            }
            None => self.complain(Some(words::attachments_full(MOST as u64))),
        }
    }

    /// Asks how the attached files stand of which nothing is known, or all.
    pub(crate) fn ask_for_attached(self, all: bool) {
        let Some(rest) = self.rest() else { return };
        let wanted = |attachment: &Attachment| -> Option<FileId> {
            let State::There(source) = &attachment.state else { return None };
            let id = source.file_id.as_ref()?;
            let is_known = self.known_files().known.read_untracked().contains_key(id);
            id.parse().ok().filter(|_| all || !is_known)
        };
        let ids: Vec<FileId> = {
            let all = self.known_files().attachments.read_untracked();
            all.all().iter().filter_map(wanted).collect()
        };
        spawn_local(async move {
            for id in ids {
                match ask(async || rest.file(id).await).await {
                    Ok(file) => self.learn(file),
                    Err(error) if is_gone(&error) => self.forget_file(id),
                    Err(error) => drop(self.checked::<()>(Err(error))),
                }
            }
        });
    }

    /// Sends what was attached since, and gives up what was removed.
    pub(crate) fn send_attached(self) {
        let uploads = self.known_files().uploads;
        let (waiting, kept): (Vec<u64>, Vec<u64>) = {
            let all = self.known_files().attachments.read_untracked();
            let is_sending = |one: &&Attachment| matches!(one.state, State::Sending(_));
            let waiting = all.all().iter().filter(is_sending).map(|one| one.key).collect();
            (waiting, all.all().iter().map(|one| one.key).collect())
        };
        let gone = uploads.change(|uploads| {
            uploads.extract_if(|key, _| !waiting.contains(key)).collect::<Vec<_>>()
        });
        for upload in gone.iter().filter_map(|(_, upload)| upload.as_ref()) {
            upload.cancel();
        }
        let gone = self.known_files().held.change(|held| {
            held.extract_if(.., |held| !kept.contains(&held.key)).collect::<Vec<_>>()
        });
        for held in gone.iter().filter(|held| held.is_begun) {
            self.give_up(held.upload);
        }
        for key in waiting {
            let is_free = uploads.read(|now| now.len() < AT_ONCE && !now.contains_key(&key));
            if let Some(held) = self.known_files().find_held(key).filter(|_| is_free) {
                self.send_file(held);
            }
        }
    }

    fn send_file(self, held: Held) {
        let key = held.key;
        if held.file.size() == 0.0 {
            // The server takes none without a byte.
            let reason = words::file_empty().to_owned();
            return self.known_files().attachments.update(|all| all.failed(key, reason, false));
        }
        let Some(rest) = self.rest() else { return };
        let uploads = self.known_files().uploads;
        uploads.change(|uploads| uploads.insert(key, None));
        let all = &self.known_files().attachments;
        self.known_files().set_begun(key, true);
        spawn_local(async move {
            let answer = self.send_whole(&rest, &held).await;
            let was_cancelled = uploads.change(|uploads| uploads.remove(&key)).is_none();
            match answer {
                Ok(info) => {
                    self.known_files().set_begun(key, false);
                    self.file_arrived(key, info);
                }
                Err(_) if was_cancelled => {}
                Err(error) => {
                    let again = error.retryable() || state::is_unauthorized(&error);
                    let reason = unsent_reason(&error);
                    all.update(|all| all.failed(key, reason, again));
                    self.checked::<()>(Err(error));
                }
            }
        });
    }

    fn file_arrived(self, key: u64, info: FileInfo) {
        let all = &self.known_files().attachments;
        let mut is_new = true;
        all.update(|all| is_new = all.arrived(key, &info));
        if !is_new {
            self.known_files().told.set(words::attached_already(&info.name));
        }
        // A notice may have been faster.
        self.learn(info);
        self.keep_all_attached();
    }

    /// What the server has of a file is not wanted any more. It forgets it by itself, too.
    fn give_up(self, upload: UploadId) {
        let Some(rest) = self.rest() else { return };
        spawn_local(async move { drop(rest.give_up_upload(upload).await) });
    }

    /// Sends what is missing of a file that did not arrive.
    pub(crate) fn retry_file(self, key: u64) {
        self.known_files().attachments.update(|all| all.sent(key, 0.0));
    }

    /// Takes something off the message; a file that is being sent is sent no further.
    pub(crate) fn detach(self, key: u64) {
        let all = &self.known_files().attachments;
        let draft = all.read_untracked().get(key).map(|one| one.draft.clone());
        all.update(|all| all.remove(key));
        if let Some(draft) = draft {
            self.keep_attached(&draft);
        }
    }
}

impl Desk for App {
    fn work(&self) {
        for (draft, file) in self.attaching.files.change(std::mem::take) {
            self.hold(&draft, file);
        }
        for (draft, sources) in self.attaching.brought.change(std::mem::take) {
            let all = &self.known_files().attachments;
            if all.try_update(|all| all.bring(&draft, sources)) == Some(false) {
                self.complain(Some(words::attachments_full(MOST as u64)));
            }
            self.keep_attached(&draft);
        }
        if let Some(draft) = writing::draft_key(self.place.get_untracked()) {
            self.load_attached(&draft);
        }
        self.ask_for_attached(false);
    }

    fn readiness(&self, draft: &str) -> Readiness {
        self.known_files().attachments.read_untracked().readiness(draft)
    }

    fn take(&self, draft: &str) -> String {
        let mut sources = Vec::new();
        self.known_files().attachments.update(|all| sources = all.take(draft));
        self.keep_attached(draft);
        attachments::written(sources.iter())
    }

    fn holds(&self, draft: &str, sources: &str) -> bool {
        let all = self.known_files().attachments.read_untracked();
        let sources = attachments::read(sources);
        let known = all.sources(draft).map(source_of);
        known.eq(sources.iter().map(source_of)) && all.of(draft).count() == sources.len()
    }

    fn hear(&self, event: Option<Event>) {
        let library = &self.known_files().library;
        match event {
            Some(Event::File(event)) => match event.file {
                Some(file) => self.learn(file),
                None => self.forget_file(event.file_id),
            },
            Some(Event::Collection(event)) => {
                let id = event.collection_id;
                if event.collection.is_none() {
                    self.forget_attached(&id.to_string());
                }
                library.update(|library| library.collection(id, event.collection));
            }
            Some(_) => {}
            None => {
                self.ask_for_attached(true);
                if self.known_files().is_listed.get_untracked() {
                    self.load_library();
                }
            }
        }
    }
}

/// Whether there is no such file (any more).
pub(crate) fn is_gone(error: &RestError) -> bool {
    matches!(error, RestError::Refused(body) if body.code == ErrorCode::NotFound)
}

/// Why a file did not arrive, in a sentence.
fn unsent_reason(error: &RestError) -> String {
    match error {
        RestError::Refused(body) => match body.code {
            ErrorCode::PayloadTooLarge => words::file_too_large().to_owned(),
            ErrorCode::QuotaExceeded => words::files_full().to_owned(),
            _ => state::sentence(error),
        },
        RestError::Unreachable(_) => words::file_unsent().to_owned(),
        RestError::Unexpected { .. } => state::sentence(error),
    }
}
