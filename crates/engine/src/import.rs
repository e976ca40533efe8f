//! Bringing conversations in from a file: a job whose state is durable.
//!
//! The file lies in the data folder until the job is over. A step puts some messages in together
//! with how far the job is, so a start after a crash goes on behind the last step, and whatever is
//! in already is known by its id.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use unbroken_archive::{Found, Notes, Piece, Unusable};
use unbroken_protocol::{
    ArchivedConversation, ConversationId, ImportFault, ImportId, ImportList, ImportState,
    ImportView, MessageId, PrincipalId,
};
use unbroken_store::{Import, ImportStep, Imported, Message, StoreError};

use crate::Engine;
use crate::command::Command;
use crate::error::Refusal;
use crate::sources::Arrival;

/// Imports of one person that are not over.
const AT_ONCE: usize = 3;
/// Messages in one step: others wait for the writer no longer than these take.
const STEP: usize = 48;
/// Bytes of texts in one step, about.
const STEP_BYTES: usize = 256 << 10;
/// How often a file is begun from the same place. What it does to the process that reads it, it
/// would do at every start.
const RUNS: u32 = 3;
const GIVEN_UP: &str = "The server ended every time while it read this file, so it does not read \
                        it again. Import it in smaller parts.";
/// How long a store that refuses is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// Read conversations that wait for their step: each can be large.
const AHEAD: usize = 2;

/// What the reader of a file hands over.
struct Read {
    found: Option<Found>,
    /// Values of the file that were read.
    done: u64,
    /// What this one left out.
    notes: Notes,
}

/// A file on its way in. It goes when this is dropped before the import begins.
pub struct NewImport {
    id: ImportId,
    principal: PrincipalId,
    path: PathBuf,
    is_begun: bool,
    _arrival: Arrival,
}

impl NewImport {
    /// Where its bytes belong.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file stays for the import.
    fn keep(mut self) {
        self.is_begun = true;
    }
}

impl Drop for NewImport {
    fn drop(&mut self) {
        if !self.is_begun {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Engine {
    /// A place for a file that is brought in.
    ///
    /// # Errors
    /// `conflict` when too many of this person are under way.
    pub async fn new_import(&self, principal: PrincipalId) -> Result<NewImport, Refusal> {
        let folder = self.imports_folder()?;
        let too_many = || Refusal::Conflict("Other imports are under way. Wait for their end.");
        // Before the rows: one that becomes a row meanwhile is in one of them.
        let arrival = self.inner.at_work.importing.begin(principal, AT_ONCE);
        let arrival = arrival.ok_or_else(too_many)?;
        let imports = self.store().imports(principal).await?;
        let open = imports.iter().filter(|import| !import.state.is_over()).count();
        if open + arrival.number > AT_ONCE {
            return Err(too_many());
        }
        let id = self.clock().id(ImportId::from_bytes);
        let path = folder.join(file_of(id));
        Ok(NewImport { id, principal, path, is_begun: false, _arrival: arrival })
    }

    /// Begins with a file that is complete and on the disk. Goes to its end when its caller does
    /// not.
    pub async fn begin_import(&self, new: NewImport) -> Result<ImportView, Refusal> {
        let import = Import {
            import_id: new.id,
            principal_id: new.principal,
            state: ImportState::Waiting,
            created_at: self.clock().now(),
            done: 0,
            total: 0,
            conversations: 0,
            messages: 0,
            unchanged: 0,
            notes: "{}".into(),
            error: None,
        };
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let stored = import.clone();
            engine.command(|reply| Command::PutImport(Box::new(stored), reply)).await?;
            new.keep();
            engine.spawn_import(import.clone());
            Ok(view(&import))
        })
        .await
    }

    /// How far an import of this person is.
    pub async fn import(
        &self,
        principal: PrincipalId,
        id: ImportId,
    ) -> Result<ImportView, Refusal> {
        let found = self.store().import(id).await?.filter(|found| found.principal_id == principal);
        found.as_ref().map(view).ok_or(Refusal::NotFound("import"))
    }

    /// The newest imports of a person.
    pub async fn imports(&self, principal: PrincipalId) -> Result<ImportList, Refusal> {
        let imports = self.store().imports(principal).await?;
        Ok(ImportList { imports: imports.iter().map(view).collect() })
    }

    /// Goes on with what a process left that ended, and removes files that belong to nothing.
    pub(crate) async fn resume_imports(&self) -> Result<(), Refusal> {
        let Ok(folder) = self.imports_folder() else { return Ok(()) };
        let open = self.store().open_imports().await?;
        let names = |import: &Import| [file_of(import.import_id), runs_of(import.import_id)];
        let wanted: HashSet<_> = open.iter().flat_map(names).collect();
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for file in files {
            if file.file_name().to_str().is_none_or(|name| !wanted.contains(name)) {
                remove(&file.path());
            }
        }
        for import in open {
            self.spawn_import(import);
        }
        Ok(())
    }

    fn imports_folder(&self) -> Result<PathBuf, Refusal> {
        let folder = self.inner.settings.imports.clone();
        folder.ok_or(Refusal::BadRequest("This server takes no files.".into()))
    }

    fn spawn_import(&self, import: Import) {
        let (engine, id) = (self.clone(), import.import_id);
        self.inner.tasks.spawn(async move {
            let abandon = engine.inner.abandon.clone();
            tokio::select! {
                biased;
                () = abandon.cancelled() => engine.forget_runs(id),
                () = engine.run_import(import) => {}
            }
        });
    }

    /// A process that ends in order says nothing of the file.
    fn forget_runs(&self, id: ImportId) {
        if let Ok(folder) = self.imports_folder() {
            let _ = std::fs::remove_file(folder.join(runs_of(id)));
        }
    }

    async fn run_import(&self, import: Import) {
        // One after the other: they would only wait for the same disk.
        let Ok(_turn) = self.inner.importing.acquire().await else { return };
        let (id, principal) = (import.import_id, import.principal_id);
        let Ok(folder) = self.imports_folder() else { return };
        let path = folder.join(file_of(id));
        let error = if may_begin(&folder.join(runs_of(id)), &import) {
            let outcome = self.bring_in(import, &path).await;
            if let Err(error) = &outcome {
                tracing::warn!(import.id = %id, error = %error, "failed to import a file");
            }
            outcome.err().map(|error| error.fault().as_str())
        } else {
            tracing::warn!(import.id = %id, "gave up a file that ended the process again and again");
            Some(GIVEN_UP)
        };
        self.insist(|reply| Command::EndImport(id, error.map(Into::into), reply)).await;
        remove(&path);
        self.forget_runs(id);
        // What is on the screens is read again: no tab is told of every conversation.
        self.inner.notices.lose(principal);
    }

    async fn bring_in(&self, import: Import, path: &Path) -> Result<(), Unusable> {
        let id = import.import_id;
        let file = path.to_owned();
        let total = blocking(move || {
            let mut total = 0;
            let counted = unbroken_archive::each_piece(File::open(file)?, |_| {
                total += 1;
                ControlFlow::Continue(())
            });
            match counted {
                // What comes before the damage comes in.
                Err(Unusable::CutOff | Unusable::NotJson | Unusable::Zip(_)) if total > 0 => {}
                counted => counted?,
            }
            Ok(total)
        })
        .await?;
        self.insist(|reply| Command::CountImport(id, total, reply)).await;

        let (sender, mut receiver) = mpsc::channel(AHEAD);
        let (file, principal) = (path.to_owned(), import.principal_id);
        let before = import.done;
        let reading = tokio::task::spawn_blocking(move || read(&file, principal, before, &sender));
        let mut step = Step::new(&import);
        while let Some(Read { found, done, mut notes }) = receiver.recv().await {
            let mut slices = self.slices(principal, found, &mut notes).await;
            let last = slices.pop();
            for slice in slices {
                if !self.add_to_step(&mut step, slice).await {
                    return Ok(());
                }
            }
            // What a conversation left out counts once it is in.
            step.done = done;
            step.notes.extend(notes);
            if let Some(slice) = last
                && !self.add_to_step(&mut step, slice).await
            {
                return Ok(());
            }
        }
        self.commit_step(&mut step).await;
        reading.await.unwrap_or_else(|error| Err(Unusable::Io(std::io::Error::other(error))))
    }

    /// A conversation as it goes in: under other ids where its own are in use.
    async fn slices(
        &self,
        principal: PrincipalId,
        found: Option<Found>,
        notes: &mut Notes,
    ) -> Vec<Imported> {
        let Some(Found { mut conversation, has_own_ids }) = found else { return Vec::new() };
        if has_own_ids && self.is_taken(principal, &conversation).await {
            unbroken_archive::rekey(&mut conversation, principal);
        }
        let here = self.texts(conversation.conversation_id).await;
        unbroken_archive::put_beside(&mut conversation, &here, principal, notes);
        Imported::slices(conversation)
    }

    /// What the messages of a conversation say that are here.
    async fn texts(&self, conversation: ConversationId) -> BTreeMap<MessageId, String> {
        loop {
            match self.store().tree(conversation).await {
                Ok(tree) => {
                    let text = |(message, _): (Message, _)| (message.message_id, message.content);
                    return tree.into_iter().map(text).collect();
                }
                Err(error) => wait_after(&error).await,
            }
        }
    }

    async fn is_taken(&self, principal: PrincipalId, conversation: &ArchivedConversation) -> bool {
        let messages: Vec<_> = conversation.messages.iter().map(|m| m.message_id).collect();
        let answers: Vec<_> = conversation
            .messages
            .iter()
            .filter_map(|m| Some((m.answer.as_ref()?.generation_id, m.message_id)))
            .collect();
        let id = conversation.conversation_id;
        loop {
            match self.store().is_taken(principal, id, &messages, &answers).await {
                Ok(taken) => return taken,
                Err(error) => wait_after(&error).await,
            }
        }
    }

    /// Commits a step that became full. `false` when the person deleted the import meanwhile.
    async fn add_to_step(&self, step: &mut Step, slice: Imported) -> bool {
        step.add(slice);
        !step.is_full() || self.commit_step(step).await
    }

    /// `false` when the person deleted the import meanwhile: then nothing went in.
    async fn commit_step(&self, step: &mut Step) -> bool {
        let taken = Arc::new(step.take());
        let went_in = self.insist(|reply| Command::ImportStep(Arc::clone(&taken), reply)).await;
        for slice in &taken.slices {
            self.inner.hidden.remove(slice.conversation_id);
        }
        went_in
    }

    /// A command that is given until the store takes it. It may be carried out more than once.
    pub(crate) async fn insist<T: Send + 'static>(
        &self,
        command: impl Fn(oneshot::Sender<T>) -> Command,
    ) -> T {
        loop {
            match self.command(&command).await {
                Ok(done) => return done,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }
}

async fn wait_after(error: &StoreError) {
    tracing::warn!(error = %error, "failed to read from the store");
    tokio::time::sleep(RETRY).await;
}

/// What goes in next.
struct Step {
    import_id: ImportId,
    principal_id: PrincipalId,
    slices: Vec<Imported>,
    messages: usize,
    bytes: usize,
    done: u64,
    notes: Notes,
}

impl Step {
    fn new(import: &Import) -> Self {
        Self {
            import_id: import.import_id,
            principal_id: import.principal_id,
            slices: Vec::new(),
            messages: 0,
            bytes: 0,
            done: import.done,
            notes: serde_json::from_str(&import.notes).unwrap_or_default(),
        }
    }

    fn add(&mut self, slice: Imported) {
        self.messages += slice.messages.len();
        self.bytes += slice.messages.iter().map(|m| m.message.content.len()).sum::<usize>();
        self.slices.push(slice);
    }

    fn is_full(&self) -> bool {
        self.messages >= STEP || self.bytes >= STEP_BYTES
    }

    fn take(&mut self) -> ImportStep {
        (self.messages, self.bytes) = (0, 0);
        ImportStep {
            import_id: self.import_id,
            principal_id: self.principal_id,
            slices: std::mem::take(&mut self.slices),
            done: self.done,
            notes: serde_json::to_string(&self.notes).expect("notes are plain data"),
        }
    }
}

/// Reads a file behind the values that are done, as fast as what it finds is taken.
fn read(
    path: &Path,
    principal: PrincipalId,
    before: u64,
    sender: &mpsc::Sender<Read>,
) -> Result<(), Unusable> {
    let mut done = 0;
    unbroken_archive::each_piece(File::open(path)?, |piece| {
        done += 1;
        if done <= before {
            return ControlFlow::Continue(());
        }
        let mut notes = Notes::default();
        let found = match piece {
            Piece::Json(json) => unbroken_archive::read(&json, principal, &mut notes),
            Piece::TooLarge => {
                notes.add("too_large", "");
                None
            }
            Piece::Unreadable(name) => {
                notes.add("unreadable", &name);
                None
            }
        };
        match sender.blocking_send(Read { found, done, notes }) {
            Ok(()) => ControlFlow::Continue(()),
            // The process ends.
            Err(_) => ControlFlow::Break(()),
        }
    })
}

/// Runs what waits for a disk beside the tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unusable> + Send + 'static,
) -> Result<T, Unusable> {
    let failed = |error| Err(Unusable::Io(std::io::Error::other(error)));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

fn file_of(id: ImportId) -> String {
    format!("{id}.import")
}

/// The file that says how often an import was begun from where it stands.
fn runs_of(id: ImportId) -> String {
    format!("{id}.runs")
}

/// Counts that an import is begun. `false` when it came no further too often.
fn may_begin(path: &Path, import: &Import) -> bool {
    let place = format!("{}/{}", import.done, import.messages);
    let counted = std::fs::read_to_string(path).unwrap_or_default();
    let before = counted.split_once(' ').filter(|(at, _)| *at == place);
    let runs = before.and_then(|(_, runs)| runs.parse::<u32>().ok()).unwrap_or(0);
    // What a full disk does not take is not counted.
    let _ = std::fs::write(path, format!("{place} {}", runs.saturating_add(1)));
    runs < RUNS
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(error = %error, "failed to remove a file that was imported");
    }
}

fn view(import: &Import) -> ImportView {
    let notes: Notes = serde_json::from_str(&import.notes).unwrap_or_default();
    let fault = import.error.as_deref().and_then(ImportFault::of);
    ImportView {
        import_id: import.import_id,
        state: import.state,
        created_at: import.created_at,
        done: import.done,
        total: import.total,
        conversations: import.conversations,
        messages: import.messages,
        unchanged: import.unchanged,
        notes: notes.view(),
        error: fault.map(|fault| fault.sentence().to_owned()).or_else(|| import.error.clone()),
        error_code: fault.map(|fault| fault.as_str().to_owned()),
    }
}
