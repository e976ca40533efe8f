//! Files that people bring: their bytes on the disk, the rows that refer to them, and the way of
//! both in and out. Reading them is `reading.rs`, those that come in several goes `uploads.rs`.
//!
//! Bytes are in their place before a row refers to them, and go after the last row.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::fs::File as DiskFile;
use tokio::io::AsyncWriteExt as _;
use unbroken_documents::Refusal as Unreadable;
use unbroken_protocol::{
    Event, FileEvent, FileId, FileInfo, FileList, PassageList, PassageView, PrincipalId, limits,
};
use unbroken_store::{ContentHash, File, FileOutcome, NewFile, Whose};

use crate::Engine;
use crate::error::Refusal;
use crate::file_command::FileCommand;
use crate::sources::{Arrival, Files};
use crate::uploads;

/// How the name of a file ends whose bytes are not all there.
const UNFINISHED: &str = "unfinished";
/// Passages before and behind the one that is asked for.
const AROUND: u32 = 3;

/// A file on its way in. What was written of it goes when it is dropped.
pub struct Upload {
    file: DiskFile,
    path: Unfinished,
    hash: Sha256,
    bytes: u64,
    limit: u64,
    principal: PrincipalId,
    _arrival: Arrival,
}

/// A file that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub file: FileInfo,
    /// The person had these bytes already: this is that file.
    pub repeated: bool,
}

/// Bytes that no row refers to.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is in its place already, was never begun, or has no row.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `payload_too_large`, and `storage_unavailable` when the disk refuses.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            return Err(Refusal::TooLarge { limit: self.limit });
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).await.map_err(|error| refused_by_disk(&error))
    }
}

impl Engine {
    /// Begins to take a file.
    ///
    /// # Errors
    /// `bad_request` where the server takes none, `conflict` when too many of this person are on
    /// their way, `quota_exceeded` when the person has too much already.
    pub async fn upload(&self, principal: PrincipalId) -> Result<Upload, Refusal> {
        let files = self.files_taken()?;
        let arrival = self.arrive(principal)?;
        let stored = self.store().files(principal).await?;
        let stored: u64 = stored.iter().map(|file| file.bytes).sum();
        // The same bytes once more take no room.
        if stored + self.unfinished_bytes(principal).await? > files.quota_bytes {
            return Err(Refusal::Quota { quota: files.quota_bytes });
        }
        let name = format!("{}.{UNFINISHED}", self.clock().id(FileId::from_bytes));
        let path = Unfinished(files.folder.join(name));
        let file = DiskFile::create_new(&path.0).await.map_err(|error| refused_by_disk(&error))?;
        let limit = files.reader.limits().bytes;
        let hash = Sha256::new();
        Ok(Upload { file, path, hash, bytes: 0, limit, principal, _arrival: arrival })
    }

    /// Whether files are taken at all.
    ///
    /// # Errors
    /// `bad_request` where the server takes none.
    pub fn takes_files(&self) -> Result<(), Refusal> {
        self.files_taken().map(drop)
    }

    /// How files are kept, where the server takes any.
    pub(crate) fn files_taken(&self) -> Result<&Files, Refusal> {
        let files = self.files_kept()?;
        if files.quota_bytes == 0 {
            return Err(Refusal::BadRequest("This server takes no files.".into()));
        }
        Ok(files)
    }

    /// One more file of this person is on its way.
    pub(crate) fn arrive(&self, principal: PrincipalId) -> Result<Arrival, Refusal> {
        let too_many = "Other files are on their way. Wait until one of them is there.";
        let coming = &self.inner.at_work.coming;
        coming.begin(principal, limits::SOURCES).ok_or(Refusal::Conflict(too_many))
    }

    /// Keeps a file whose bytes are all there, durably, and lets it be read.
    ///
    /// # Errors
    /// `bad_request` for an empty file, `quota_exceeded` when the person would have too much.
    pub async fn keep_file(
        &self,
        upload: Upload,
        name: &str,
        media_type: &str,
    ) -> Result<Stored, Refusal> {
        let Upload { mut file, path, hash, bytes, principal, .. } = upload;
        if bytes == 0 {
            return Err(Refusal::BadRequest("The file is empty.".into()));
        }
        let stored = async {
            file.flush().await?;
            file.sync_all().await
        };
        stored.await.map_err(|error| refused_by_disk(&error))?;
        let new = NewFile {
            file_id: self.clock().id(FileId::from_bytes),
            principal_id: principal,
            name: file_name(name),
            media_type: media_type.to_owned(),
            bytes,
            content: ContentHash::new(hash.finalize().into()),
            at: self.clock().now(),
        };
        let engine = self.clone();
        self.carry_out_while_storing(async move { engine.put_file(new, &path.0).await }).await
    }

    /// Moves the bytes of a file to their place, and stores its row. They are where they were when
    /// the store refuses.
    pub(crate) async fn put_file(&self, new: NewFile, from: &Path) -> Result<Stored, Refusal> {
        let files = self.files_kept()?;
        let (content, place) = (new.content, files.path(new.content));
        let (principal, quota) = (new.principal_id, files.quota_bytes);
        let outcome = {
            let _order = self.inner.at_work.order.lock().await;
            move_in(from, &place).await.map_err(|error| refused_by_disk(&error))?;
            // What cannot be counted takes no room.
            let unfinished = self.unfinished_bytes(principal).await.unwrap_or_default();
            let room = quota.saturating_sub(unfinished);
            let outcome =
                self.command(|reply| FileCommand::PutFile(Box::new(new), room, reply).into()).await;
            match &outcome {
                Ok(FileOutcome::Created { .. } | FileOutcome::Repeated(_)) => {}
                Ok(_) => self.remove_unless_wanted(content, &place).await,
                // What came in several goes is there when it is asked for again.
                Err(_) => self.move_back(content, &place, from).await,
            }
            outcome?
        };
        match outcome {
            FileOutcome::Full => Err(Refusal::Quota { quota }),
            FileOutcome::TooMany => Err(Refusal::Conflict(
                "You have 5,000 files, and more are not kept. Delete some that you do not need.",
            )),
            FileOutcome::Repeated(file) => Ok(Stored { file: info(file), repeated: true }),
            FileOutcome::Created { file, is_new } => {
                if is_new {
                    self.spawn_reading(content);
                }
                self.tell_file(principal, file.file_id).await;
                Ok(Stored { file: info(file), repeated: false })
            }
        }
    }

    /// A person's files, the newest first.
    pub async fn files(&self, principal: PrincipalId) -> Result<FileList, Refusal> {
        let files = self.store().files(principal).await?;
        let stored: u64 = files.iter().map(|file| file.bytes).sum();
        let used = stored + self.unfinished_bytes(principal).await.unwrap_or_default();
        let quota = self.inner.settings.files.as_ref().map_or(0, |files| files.quota_bytes);
        Ok(FileList { files: files.into_iter().map(info).collect(), used, quota })
    }

    /// A file of this person.
    pub async fn file(&self, principal: PrincipalId, id: FileId) -> Result<FileInfo, Refusal> {
        Ok(info(self.stored_file(principal, id).await?))
    }

    async fn stored_file(&self, principal: PrincipalId, id: FileId) -> Result<File, Refusal> {
        self.store().file(principal, id).await?.ok_or(Refusal::NotFound("file"))
    }

    /// Where the bytes of a file are.
    pub async fn file_content(
        &self,
        principal: PrincipalId,
        id: FileId,
    ) -> Result<(FileInfo, PathBuf), Refusal> {
        let file = self.stored_file(principal, id).await?;
        let place = self.files_kept()?.path(file.content);
        Ok((info(file), place))
    }

    /// A stretch of a file around one of its passages, or from the beginning.
    pub async fn passages_around(
        &self,
        principal: PrincipalId,
        id: FileId,
        around: Option<u32>,
    ) -> Result<PassageList, Refusal> {
        let file = self.stored_file(principal, id).await?;
        let from = around.unwrap_or(0).saturating_sub(AROUND);
        let found = self.store().passages(file.content, from, 2 * AROUND + 1).await?;
        let passages = found.into_iter().map(|passage| PassageView {
            ordinal: passage.ordinal,
            page: passage.page,
            heading: passage.heading,
            text: passage.text,
        });
        Ok(PassageList {
            name: file.name,
            title: file.title,
            passages: passages.collect(),
            total: file.passages,
        })
    }

    /// Deletes a file of this person. What was in it is gone with the last file that held it.
    pub async fn delete_file(&self, principal: PrincipalId, id: FileId) -> Result<(), Refusal> {
        let engine = self.clone();
        self.carry_out_while_storing(async move {
            let deleted = engine
                .command(|reply| FileCommand::DeleteFile(principal, id, reply).into())
                .await?;
            let content = deleted.ok_or(Refusal::NotFound("file"))?;
            engine.inner.at_work.settled.send_replace(());
            engine.tell_file(principal, id).await;
            engine.clear(content).await
        })
        .await
    }

    /// Deletes all files and collections of a person.
    pub(crate) async fn forget_files(&self, principal: PrincipalId) -> Result<(), Refusal> {
        self.forget_uploads(principal).await?;
        self.command(|reply| FileCommand::ForgetFiles(principal, reply).into()).await?;
        self.inner.at_work.settled.send_replace(());
        for content in self.store().deleted_documents().await? {
            self.clear(content).await?;
        }
        Ok(())
    }

    /// Removes what no file holds any more: passages, then bytes. Nothing when one does.
    async fn clear(&self, content: ContentHash) -> Result<(), Refusal> {
        let drop = |reply| FileCommand::DropPassages(content, Whose::Deleted, reply).into();
        while self.command(drop).await? {}
        let _order = self.inner.at_work.order.lock().await;
        if self.command(|reply| FileCommand::RemoveDocument(content, reply).into()).await? {
            let place = self.files_kept()?.path(content);
            remove(&place).await;
        }
        Ok(())
    }

    /// Bytes whose row was not taken. Only while the order is held.
    async fn remove_unless_wanted(&self, content: ContentHash, place: &Path) {
        if self.is_unwanted(content).await {
            remove(place).await;
        }
    }

    /// Bytes whose row could not be stored. Only while the order is held.
    async fn move_back(&self, content: ContentHash, place: &Path, from: &Path) {
        let moved = if self.is_unwanted(content).await {
            tokio::fs::rename(place, from).await
        } else {
            tokio::fs::copy(place, from).await.map(drop)
        };
        if let Err(error) = moved {
            tracing::warn!(error = %error, "failed to put the bytes of a file back");
        }
    }

    async fn is_unwanted(&self, content: ContentHash) -> bool {
        self.store().files_with(content).await.is_ok_and(|holders| holders.is_empty())
    }

    /// Goes on with what a process left that ended, and removes bytes that belong to nothing.
    pub(crate) async fn resume_files(&self) -> Result<(), Refusal> {
        let Some(files) = self.inner.settings.files.clone() else { return Ok(()) };
        let wanted: HashSet<_> = self.store().documents().await?.into_iter().collect();
        let now = self.clock().now();
        let swept = tokio::task::spawn_blocking(move || {
            uploads::sweep(&files.folder, now)?;
            sweep(&files.folder, &wanted)
        })
        .await;
        swept.map_err(|_| Refusal::Internal)?.map_err(|error| refused_by_disk(&error))?;
        for content in self.store().deleted_documents().await? {
            let engine = self.clone();
            self.inner.tasks.spawn(async move {
                if let Err(error) = engine.clear(content).await {
                    tracing::warn!(error = %error, "failed to remove a deleted file");
                }
            });
        }
        for content in self.store().unread().await? {
            self.spawn_reading(content);
        }
        Ok(())
    }

    pub(crate) async fn tell_file(&self, principal: PrincipalId, id: FileId) {
        self.tell(principal, async {
            let file = self.store().file(principal, id).await.ok()?.map(info);
            Some(Event::File(Box::new(FileEvent { file_id: id, file })))
        })
        .await;
    }
}

pub(crate) fn info(file: File) -> FileInfo {
    let reason = file.reason.as_deref().map(|code| {
        Unreadable::from_code(code).map_or_else(|| UNREADABLE.into(), |why| why.to_string())
    });
    FileInfo {
        file_id: file.file_id,
        name: file.name,
        media_type: file.media_type,
        bytes: file.bytes,
        state: file.state,
        reason,
        reason_code: file.reason,
        pages: file.pages,
        created_at: file.created_at,
    }
}

/// What is said of a file that this machine could not read, by no fault of the file.
const UNREADABLE: &str = "The server could not read this file. Delete it and send it again.";

/// The last part of what a client calls the file, as a person reads it.
pub(crate) fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|char| !char.is_control()).collect();
    let plain: String = plain.trim().chars().take(limits::FILE_NAME_CHARS).collect();
    if plain.is_empty() { "file".into() } else { plain }
}

pub(crate) fn refused_by_disk(error: &io::Error) -> Refusal {
    tracing::error!(error = %error, "failed to store a file");
    Refusal::Storage
}

/// Moves bytes to their place, durably.
async fn move_in(from: &Path, place: &Path) -> io::Result<()> {
    let (from, place) = (from.to_owned(), place.to_owned());
    let moved = tokio::task::spawn_blocking(move || {
        let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if !folder.exists() {
            std::fs::create_dir_all(folder)?;
            sync_folder(folder.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        }
        std::fs::rename(from, &place)?;
        sync_folder(folder)
    });
    moved.await.map_err(io::Error::other)?
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

async fn remove(place: &Path) {
    if let Err(error) = tokio::fs::remove_file(place).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(error = %error, "failed to remove the bytes of a file");
    }
}

/// Removes what is not wanted from the folders of files. What else is there is left alone.
fn sweep(folder: &Path, wanted: &HashSet<ContentHash>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            remove_left(&path);
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_ours = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Ok(inside) = std::fs::read_dir(&path) else { continue };
        for file in inside.filter(|_| is_ours).flatten() {
            let hash = file.file_name().to_str().and_then(ContentHash::parse);
            if hash.is_some_and(|hash| !wanted.contains(&hash)) {
                remove_left(&file.path());
            }
        }
    }
    Ok(())
}

fn remove_left(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(error = %error, path = %path.display(), "failed to remove what was left");
    }
}
