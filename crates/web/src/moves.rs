//! Conversations that come in and go out: exports, imports, links, and deleting everything.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use unbroken_chat_view::composer::{DRAFT, draft_key};
use unbroken_client::rest::Upload;
use unbroken_client::{ExportFormat, RestError};
use unbroken_protocol::{ConversationId, ErrorCode, ImportId, ImportView, ShareView};
use wasm_bindgen::JsCast;
use web_sys::{Blob, File, HtmlElement, Url};

use crate::calls::Patience;
use crate::own::Own;
use crate::state::{self, App};
use crate::{dom, words};

/// How soon an import is asked for again while it moves, and at most while it does not.
const SOON: Duration = Duration::from_millis(700);
const LATE: Duration = Duration::from_secs(10);
/// How long a browser may take to fetch what a link of a file names.
const FETCHED: Duration = Duration::from_mins(1);
/// The name of a file for which the server gives none.
const EXPORT_FILE: &str = "conversations";

/// What the dialog of a conversation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Export,
    Share,
}

/// Which conversation the dialog is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) task: Task,
    pub(crate) id: ConversationId,
    pub(crate) title: String,
}

/// A file that is on its way to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sending {
    pub(crate) name: String,
    pub(crate) bytes: f64,
    pub(crate) sent: f64,
}

/// What the server told, and what is on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moving {
    /// What the dialog is about.
    pub(crate) subject: Option<Subject>,
    /// The newest first. `None` until the server has told.
    pub(crate) imports: Option<Vec<ImportView>>,
    pub(crate) shares: Option<Vec<ShareView>>,
    pub(crate) sending: Option<Sending>,
    /// The format that is being fetched.
    pub(crate) exporting: Option<ExportFormat>,
    /// A call that makes, takes back or deletes is on its way.
    pub(crate) busy: bool,
    /// Why the last thing that was tried did not work.
    pub(crate) problem: Option<(Place, String)>,
}

/// Where something was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Export,
    Import,
    Links,
    Erase,
}

#[derive(Clone, Copy)]
pub(crate) struct Moves {
    /// The dialog of a conversation is open.
    pub(crate) open: RwSignal<bool>,
    /// Made by whoever asks first: so it is not in the first view.
    made: Own<Option<&'static Made>>,
}

struct Made {
    now: ArcRwSignal<Moving>,
    inner: Own<Inner>,
}

#[derive(Default)]
struct Inner {
    upload: Option<Upload>,
    /// Somebody asks how far the imports are already.
    follows: bool,
}

impl Moves {
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), made: Own::new(None) }
    }

    pub(crate) fn now(self) -> &'static ArcRwSignal<Moving> {
        &self.made().now
    }

    fn inner(self) -> Own<Inner> {
        self.made().inner
    }

    fn made(self) -> &'static Made {
        let make = || -> &'static Made {
            let now = ArcRwSignal::new(Moving::default());
            Box::leak(Box::new(Made { now, inner: Own::new(Inner::default()) }))
        };
        self.made.change(|made| *made.get_or_insert_with(make))
    }

    /// Opens the dialog that exports or shares a conversation.
    pub(crate) fn begin(self, task: Task, id: ConversationId, title: String) {
        let subject = Some(Subject { task, id, title });
        self.now().update(|now| (now.problem, now.subject) = (None, subject));
        self.open.set(true);
    }

    pub(crate) fn import(self, id: ImportId) -> Option<ImportView> {
        let now = self.now().read();
        now.imports.iter().flatten().find(|import| import.import_id == id).cloned()
    }

    pub(crate) fn failed(self, place: Place, sentence: String) {
        self.now().update(|now| now.problem = Some((place, sentence)));
    }

    fn begins(self) {
        self.now().update(|now| (now.busy, now.problem) = (true, None));
    }

    fn ends(self, place: Place, error: Option<&RestError>) {
        let problem = error.map(|error| (place, state::sentence(error)));
        self.now().update(|now| (now.busy, now.problem) = (false, problem));
    }
}

impl App {
    /// Fetches an export and gives it to the browser as a file. `done` hears that it is there.
    pub(crate) fn export(
        self,
        of: Option<ConversationId>,
        format: ExportFormat,
        done: impl FnOnce() + 'static,
    ) {
        let moves = self.moves;
        let Some(rest) = self.rest() else { return };
        if moves.now().read_untracked().exporting.is_some() {
            return;
        }
        moves.now().update(|now| (now.exporting, now.problem) = (Some(format), None));
        spawn_local(async move {
            let fetched = rest.export(of, format).await;
            moves.now().update(|now| now.exporting = None);
            match fetched {
                Ok((file, name)) => {
                    save(&file, name.as_deref().unwrap_or(EXPORT_FILE));
                    done();
                }
                Err(RestError::Unreachable(_)) => {
                    moves.failed(Place::Export, words::export_failed().to_owned());
                }
                Err(error) => {
                    moves.failed(Place::Export, state::sentence(&error));
                    self.checked::<()>(Err(error));
                }
            }
        });
    }

    /// Sends a file to be imported, and follows what becomes of it.
    pub(crate) fn import(self, file: File) {
        let moves = self.moves;
        let (Some(rest), Some(upload)) = (self.rest(), Upload::new()) else { return };
        if moves.now().read_untracked().sending.is_some() {
            return;
        }
        let sending = Sending { name: file.name(), bytes: file.size(), sent: 0.0 };
        moves.now().update(|now| (now.sending, now.problem) = (Some(sending), None));
        moves.inner().change(|inner| inner.upload = Some(upload.clone()));
        // There is room for what becomes of it then.
        dom::bring_to_top("import-title");
        spawn_local(async move {
            let sent = move |sent| {
                moves.now().update(|now| now.sending.iter_mut().for_each(|now| now.sent = sent));
            };
            let answer = rest.import(&upload, &file, sent).await;
            moves.now().update(|now| now.sending = None);
            let was_cancelled = moves.inner().change(|inner| inner.upload.take()).is_none();
            match answer {
                Ok(import) => {
                    moves.now().update(|now| {
                        now.imports.get_or_insert_default().insert(0, import);
                    });
                    self.follow_imports();
                }
                Err(_) if was_cancelled => {}
                Err(RestError::Unreachable(_)) => {
                    moves.failed(Place::Import, words::not_sent(&file.name()));
                }
                Err(error) => {
                    moves.failed(Place::Import, state::sentence(&error));
                    self.checked::<()>(Err(error));
                }
            }
        });
    }

    /// Gives up sending a file.
    pub(crate) fn cancel_upload(self) {
        if let Some(upload) = self.moves.inner().change(|inner| inner.upload.take()) {
            upload.cancel();
        }
    }

    /// Asks how far the imports are until all of them are over. They go on without it.
    pub(crate) fn follow_imports(self) {
        let moves = self.moves;
        if moves.inner().change(|inner| std::mem::replace(&mut inner.follows, true)) {
            return;
        }
        spawn_local(async move {
            let (mut wait, mut patience) = (SOON, Patience::new());
            while let Some(rest) = self.rest() {
                match patience.answer(rest.imports()).await {
                    Ok(list) => {
                        patience = Patience::new();
                        let has_moved = self.imports_are(list.imports);
                        if !self.imports_run() {
                            break;
                        }
                        wait = if has_moved { SOON } else { (wait * 2).min(LATE) };
                    }
                    Err(error) if error.retryable() => wait = (wait * 2).min(LATE),
                    Err(error) => {
                        moves.failed(Place::Import, state::sentence(&error));
                        self.checked::<()>(Err(error));
                        break;
                    }
                }
                dom::sleep(wait).await;
            }
            moves.inner().change(|inner| inner.follows = false);
        });
    }

    /// Takes what the server told. `true` when it is new.
    fn imports_are(self, imports: Vec<ImportView>) -> bool {
        let now = self.moves.now();
        let known = now.read_untracked().imports.clone();
        if known.as_ref() == Some(&imports) {
            return false;
        }
        let ran = |id| {
            let mut known = known.iter().flatten();
            known.any(|before| before.import_id == id && !before.state.is_over())
        };
        let ended = imports.iter().find(|import| import.state.is_over() && ran(import.import_id));
        // Who looks at the report is told there.
        if let Some(ended) = ended.filter(|_| dom::element("imports").is_none()) {
            self.toast(words::import_ended(ended), None);
        }
        now.update(|now| now.imports = Some(imports));
        true
    }

    fn imports_run(self) -> bool {
        let now = self.moves.now().read_untracked();
        now.imports.iter().flatten().any(|import| !import.state.is_over())
    }

    /// Asks for the person's links.
    pub(crate) fn load_shares(self) {
        let moves = self.moves;
        let Some(rest) = self.rest() else { return };
        spawn_local(async move {
            match Patience::new().answer(rest.shares()).await {
                Ok(list) => moves.now().update(|now| now.shares = Some(list.shares)),
                Err(error) => {
                    moves.failed(Place::Links, state::sentence(&error));
                    self.checked::<()>(Err(error));
                }
            }
        });
    }

    /// Makes a link to a copy of the conversation.
    pub(crate) fn share(self, id: ConversationId, keep: bool) {
        let moves = self.moves;
        let Some(rest) = self.rest().filter(|_| !moves.now().read_untracked().busy) else { return };
        moves.begins();
        spawn_local(async move {
            let made = rest.share(id, keep).await;
            moves.ends(Place::Links, made.as_ref().err());
            if let Some(share) = self.checked(made) {
                let button = copy_id(&share.share_id);
                moves.now().update(|now| now.shares.get_or_insert_default().insert(0, share));
                request_animation_frame(move || dom::focus(&button));
            }
        });
    }

    /// Takes a link back.
    pub(crate) fn revoke(self, share: String, then: impl FnOnce() + 'static) {
        let moves = self.moves;
        let Some(rest) = self.rest().filter(|_| !moves.now().read_untracked().busy) else { return };
        moves.begins();
        spawn_local(async move {
            let revoked = rest.revoke(&share).await;
            // Another tab may have been faster.
            let gone = match &revoked {
                Err(RestError::Refused(body)) => body.code == ErrorCode::NotFound,
                revoked => revoked.is_ok(),
            };
            moves.ends(Place::Links, revoked.as_ref().err().filter(|_| !gone));
            if gone {
                moves.now().update(|now| {
                    now.shares.iter_mut().for_each(|all| all.retain(|s| s.share_id != share));
                });
                request_animation_frame(then);
            } else {
                self.checked(revoked);
            }
        });
    }

    /// Deletes everything of this person. Every tab is told by a notice, and goes home.
    pub(crate) fn delete_everything(self) {
        let moves = self.moves;
        let Some(rest) = self.rest().filter(|_| !moves.now().read_untracked().busy) else { return };
        moves.begins();
        spawn_local(async move {
            let deleted = rest.delete_everything().await;
            moves.ends(Place::Erase, deleted.as_ref().err());
            let Some(deleted) = self.checked(deleted) else { return };
            moves.now().set(Moving::default());
            let home = draft_key(None);
            let drafts = dom::all_kept(DRAFT).into_iter().filter(|(name, _)| *name != home);
            drafts.for_each(|(name, _)| dom::forget(&name));
            self.settings_open.set(false);
            self.go("/");
            self.toast(words::everything_deleted(deleted.conversations), None);
        });
    }
}

/// The id of the button that copies a link.
pub(crate) fn copy_id(share: &str) -> String {
    format!("copy-{share}")
}

/// Gives a file to the browser, which keeps it where it keeps downloads.
pub(crate) fn save(file: &Blob, name: &str) {
    let Ok(url) = Url::create_object_url_with_blob(file) else { return };
    let link = document().create_element("a").ok();
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let _ = link.set_attribute("href", &url);
        let _ = link.set_attribute("download", name);
        link.click();
    }
    set_timeout(move || drop(Url::revoke_object_url(&url)), FETCHED);
}
