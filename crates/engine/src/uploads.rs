//! Files that arrive in several goes (PROTOCOL B5): what came stays until the rest comes, also when
//! the connection breaks or the process ends. What a whole file becomes is `files.rs`.
//!
//! `coming/<person>/<upload>` holds the bytes from the beginning on: its length is how far it is.
//! One request writes it at a time, the newest; the one before may hang on a dead connection.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File as DiskFile};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;
use unbroken_protocol::{FileId, FileInfo, PrincipalId, Timestamp, UploadId, limits};
use unbroken_store::{ContentHash, NewFile};

use crate::Engine;
use crate::error::Refusal;
use crate::files::{self, Stored};
use crate::sources::{Arrival, Files};

/// Below the folder of files.
const COMING: &str = "coming";
/// Bytes that are read at once for the hash.
const READ_AT_ONCE: usize = 256 << 10;
/// Files that are remembered as finished, in case that the answer was lost.
const REMEMBERED: usize = 256;

type Key = (PrincipalId, UploadId);

/// What the next bytes of a file find.
pub enum Going {
    /// They are taken.
    On(Piece),
    /// All were there already, and this is the file.
    There(Stored),
}

/// A stretch of a file on its way in. Dropping it keeps what was written.
pub struct Piece {
    open: Arc<Open>,
    path: PathBuf,
    key: Key,
    received: u64,
    total: u64,
    arrival: Arrival,
}

/// An unfinished file, and the turn to write it: a write that is under way holds both, whatever
/// becomes of its request.
struct Open {
    file: DiskFile,
    turn: Turn,
}

impl Piece {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `bad_request` for more than there should be, `storage_unavailable` when the disk refuses.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        let received = self.received + bytes.len() as u64;
        if received > self.total {
            return Err(Refusal::BadRequest("The file is longer than total says.".into()));
        }
        let open = Arc::clone(&self.open);
        blocking(move || (&open.file).write_all(&bytes)).await?;
        self.received = received;
        Ok(())
    }

    /// How many bytes of the file are there.
    pub fn received(&self) -> u64 {
        self.received
    }

    pub fn is_whole(&self) -> bool {
        self.received == self.total
    }

    /// Waits until a newer request goes on with the file, or it is given up. Cancel safe.
    pub async fn ended(&self) {
        self.open.turn.ended.cancelled().await;
    }
}

/// Who writes which unfinished file, and which were finished last.
#[derive(Default)]
pub(crate) struct Turns {
    writers: Mutex<HashMap<Key, Writer>>,
    finished: Mutex<VecDeque<(Key, FileId)>>,
}

/// The newest request that writes a file, or waits for the one before.
#[derive(Default)]
struct Writer {
    lock: Arc<Lock<()>>,
    ended: CancellationToken,
}

/// The turn to write a file, until it is dropped.
struct Turn {
    turns: Arc<Turns>,
    key: Key,
    ended: CancellationToken,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Ends whoever writes the file, and waits for it. `None` when a newer request came.
    async fn take(self: &Arc<Self>, key: Key) -> Option<Turn> {
        let ended = CancellationToken::new();
        let lock = {
            let mut writers = self.writers();
            let writer = writers.entry(key).or_default();
            std::mem::replace(&mut writer.ended, ended.clone()).cancel();
            Arc::clone(&writer.lock)
        };
        let mut turn = Turn { turns: Arc::clone(self), key, ended, guard: None };
        let guard = tokio::select! {
            biased;
            () = turn.ended.cancelled() => return None,
            guard = lock.lock_owned() => guard,
        };
        turn.guard = Some(guard);
        Some(turn)
    }

    /// Ends whoever writes the file.
    fn end(&self, key: Key) {
        if let Some(writer) = self.writers().get(&key) {
            writer.ended.cancel();
        }
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<Key, Writer>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, key: Key, file: FileId) {
        let mut finished = self.finished();
        finished.truncate(REMEMBERED - 1);
        finished.push_front((key, file));
    }

    fn file(&self, key: Key) -> Option<FileId> {
        self.finished().iter().find(|(of, _)| *of == key).map(|(_, file)| *file)
    }

    fn finished(&self) -> MutexGuard<'_, VecDeque<(Key, FileId)>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut writers = self.turns.writers();
        drop(self.guard.take());
        // Only the map's own: nobody writes it or waits.
        if writers.get(&self.key).is_some_and(|writer| Arc::strong_count(&writer.lock) == 1) {
            writers.remove(&self.key);
        }
    }
}

/// An unfinished file on the disk.
struct Left {
    id: UploadId,
    bytes: u64,
    /// Milliseconds since 1970.
    changed: i64,
}

impl Left {
    fn is_old(&self, now: Timestamp) -> bool {
        let kept = i64::try_from(limits::UPLOAD_KEPT.as_millis()).unwrap_or(i64::MAX);
        now.as_millis().saturating_sub(self.changed) > kept
    }
}

impl Engine {
    /// Goes on with a file, or begins it: its bytes from `at` on are taken, of `total` altogether.
    ///
    /// # Errors
    /// `conflict` when the server has more or less than `at`, or a newer request goes on;
    /// `payload_too_large`, `quota_exceeded`, and `bad_request` for what can be no file.
    pub async fn go_on_with_upload(
        &self,
        principal: PrincipalId,
        id: UploadId,
        at: u64,
        total: u64,
    ) -> Result<Going, Refusal> {
        let files = self.files_taken()?;
        let limit = files.reader.limits().bytes;
        if total == 0 {
            return Err(Refusal::BadRequest("The file is empty.".into()));
        }
        if total > limit {
            return Err(Refusal::TooLarge { limit });
        }
        if at > total {
            return Err(Refusal::BadRequest("The file ends before at.".into()));
        }
        let key = (principal, id);
        let turn = self.inner.at_work.turns.take(key).await;
        let turn = turn.ok_or(Refusal::Conflict(TAKEN_OVER))?;
        let path = place(files, principal, id);
        let there = length(&path).await?;
        if there.is_none()
            && at == total
            && let Some(file) = self.finished(key).await?
        {
            return Ok(Going::There(Stored { file, repeated: true }));
        }
        if at != there.unwrap_or(0) {
            return Err(Refusal::Conflict(ELSEWHERE));
        }
        let arrival = self.arrive(principal)?;
        let others = self.make_room(key, there.is_none()).await?;
        let stored: u64 = self.store().files(principal).await?.iter().map(|file| file.bytes).sum();
        // The same bytes once more take no room.
        if others + stored.max(total) > files.quota_bytes {
            return Err(Refusal::Quota { quota: files.quota_bytes });
        }
        let opened = path.clone();
        let file = blocking(move || {
            if let Some(folder) = opened.parent() {
                fs::create_dir_all(folder)?;
            }
            DiskFile::options().read(true).append(true).create(true).open(opened)
        });
        let open = Arc::new(Open { file: file.await?, turn });
        Ok(Going::On(Piece { open, path, key, received: at, total, arrival }))
    }

    /// How much of a file is there.
    ///
    /// # Errors
    /// `not_found` when nothing is: it was not begun, or is forgotten.
    pub async fn received(&self, principal: PrincipalId, id: UploadId) -> Result<u64, Refusal> {
        if let Some(bytes) = length(&place(self.files_kept()?, principal, id)).await? {
            return Ok(bytes);
        }
        let file = self.finished((principal, id)).await?;
        file.map(|file| file.bytes).ok_or(Refusal::NotFound("upload"))
    }

    /// Keeps a file that is whole, and lets it be read. Goes to its end when its caller does not.
    ///
    /// # Errors
    /// `quota_exceeded` when the person would have too much.
    pub async fn finish_upload(
        &self,
        piece: Piece,
        name: &str,
        media_type: fn(&str, &[u8]) -> String,
    ) -> Result<Stored, Refusal> {
        assert!(piece.is_whole(), "bytes are missing");
        let Piece { open, path, key, total, arrival, .. } = piece;
        let (engine, name) = (self.clone(), name.to_owned());
        self.carry_out_while_storing(async move {
            let whole = Arc::clone(&open);
            let (content, beginning) = blocking(move || digest(&whole.file)).await?;
            let new = NewFile {
                file_id: engine.clock().id(FileId::from_bytes),
                principal_id: key.0,
                name: files::file_name(&name),
                media_type: media_type(&name, &beginning),
                bytes: total,
                content,
                at: engine.clock().now(),
            };
            let stored = engine.put_file(new, &path).await?;
            engine.inner.at_work.turns.finish(key, stored.file.file_id);
            drop((open, arrival));
            Ok(stored)
        })
        .await
    }

    /// Removes what is there of a file that is not finished.
    pub async fn give_up_upload(
        &self,
        principal: PrincipalId,
        id: UploadId,
    ) -> Result<(), Refusal> {
        let path = place(self.files_kept()?, principal, id);
        // Whoever came after this one goes on with it.
        let turn = self.inner.at_work.turns.take((principal, id)).await;
        let Some(_turn) = turn else { return Ok(()) };
        blocking(move || gone(&path)).await
    }

    /// The same for all of a person's.
    pub(crate) async fn forget_uploads(&self, principal: PrincipalId) -> Result<(), Refusal> {
        let Ok(files) = self.files_kept() else { return Ok(()) };
        let folder = folder(files, principal);
        for left in blocking(move || left(&folder)).await? {
            self.give_up_upload(principal, left.id).await?;
        }
        Ok(())
    }

    /// Removes what anybody left lying for too long.
    pub(crate) async fn sweep_uploads(&self) -> Result<(), Refusal> {
        let Ok(files) = self.files_kept() else { return Ok(()) };
        let (folder, now) = (files.folder.clone(), self.clock().now());
        for (principal, id) in blocking(move || old(&folder, now)).await? {
            self.give_up_upload(principal, id).await?;
        }
        Ok(())
    }

    /// The bytes of a person's files that are not finished.
    pub(crate) async fn unfinished_bytes(&self, principal: PrincipalId) -> Result<u64, Refusal> {
        let folder = folder(self.files_kept()?, principal);
        let left = blocking(move || left(&folder)).await?;
        Ok(left.iter().map(|left| left.bytes).sum())
    }

    /// Removes what a person left lying, and the oldest when there is too much. Returns how many
    /// bytes there are beside this file.
    async fn make_room(&self, (principal, id): Key, is_new: bool) -> Result<u64, Refusal> {
        let folder = folder(self.files_kept()?, principal);
        let now = self.clock().now();
        let listed = folder.clone();
        let mut others = blocking(move || left(&listed)).await?;
        others.retain(|left| left.id != id);
        others.sort_unstable_by_key(|left| left.changed);
        let too_many = (others.len() + usize::from(is_new)).saturating_sub(limits::UPLOADS);
        let mut bytes = 0;
        for (n, left) in others.into_iter().enumerate() {
            if n < too_many || left.is_old(now) {
                self.inner.at_work.turns.end((principal, left.id));
                let path = folder.join(left.id.to_string());
                blocking(move || gone(&path)).await?;
            } else {
                bytes += left.bytes;
            }
        }
        Ok(bytes)
    }

    /// The file that an upload became, as long as it is there.
    async fn finished(&self, key: Key) -> Result<Option<FileInfo>, Refusal> {
        let Some(file) = self.inner.at_work.turns.file(key) else { return Ok(None) };
        Ok(self.store().file(key.0, file).await?.map(files::info))
    }
}

const TAKEN_OVER: &str = "Another request goes on with this file.";
const ELSEWHERE: &str =
    "The server has another part of this file. Ask how much it has, and go on from there.";

fn folder(files: &Files, principal: PrincipalId) -> PathBuf {
    files.folder.join(COMING).join(principal.to_string())
}

fn place(files: &Files, principal: PrincipalId, id: UploadId) -> PathBuf {
    folder(files, principal).join(id.to_string())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
    done.flatten().map_err(|error| files::refused_by_disk(&error))
}

async fn length(path: &Path) -> Result<Option<u64>, Refusal> {
    match tokio::fs::metadata(path).await {
        Ok(file) => Ok(Some(file.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(files::refused_by_disk(&error)),
    }
}

/// The unfinished files in a person's folder.
fn left(folder: &Path) -> io::Result<Vec<Left>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may be finished meanwhile.
        let Ok(about) = entry.metadata() else { continue };
        let changed = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed = i64::try_from(changed.as_millis()).unwrap_or(i64::MAX);
        all.push(Left { id, bytes: about.len(), changed });
    }
    Ok(all)
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folders of people who have or had unfinished files.
fn people(files: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(files.join(COMING)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        people => people?.map(|person| Ok(person?.path())).collect(),
    }
}

/// What was left lying for too long.
fn old(files: &Path, now: Timestamp) -> io::Result<Vec<Key>> {
    let mut old = Vec::new();
    for folder in people(files)? {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // What else is there is left alone.
        let Ok(principal) = name.parse::<PrincipalId>() else { continue };
        let Ok(left) = left(&folder) else { continue };
        old.extend(left.iter().filter(|left| left.is_old(now)).map(|left| (principal, left.id)));
    }
    Ok(old)
}

/// Removes what was left lying for too long, and folders with nothing in them, while nothing comes.
pub(crate) fn sweep(files: &Path, now: Timestamp) -> io::Result<()> {
    for folder in people(files)? {
        // What else is there is left alone.
        let Ok(left) = left(&folder) else { continue };
        for old in left.iter().filter(|left| left.is_old(now)) {
            gone(&folder.join(old.id.to_string()))?;
        }
        // One that holds anything stays.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// Brings a file to the disk; its hash and its first bytes.
fn digest(mut file: &DiskFile) -> io::Result<(ContentHash, Vec<u8>)> {
    file.sync_all()?;
    file.rewind()?;
    let (mut hash, mut beginning) = (Sha256::new(), Vec::new());
    let mut buffer = vec![0; READ_AT_ONCE];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((ContentHash::new(hash.finalize().into()), beginning));
        }
        if beginning.is_empty() {
            beginning.extend_from_slice(&buffer[..count.min(64)]);
        }
        hash.update(&buffer[..count]);
    }
}
