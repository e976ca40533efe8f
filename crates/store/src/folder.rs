//! The data folder: one process owns it, by a lock that the kernel frees when the process ends.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::StoreError;

/// How often the lock is tried, and how far apart: [`holder`] takes it for a moment.
const TRIES: usize = 5;
const APART: Duration = Duration::from_millis(50);

/// Creates the folder when it is missing and takes its lock, in which it writes its process id.
///
/// The lock is freed when the returned file is closed.
pub(crate) async fn lock(path: &Path) -> Result<File, StoreError> {
    for _ in 1..TRIES {
        match try_lock(path) {
            Err(StoreError::Locked(_)) => tokio::time::sleep(APART).await,
            other => return other,
        }
    }
    try_lock(path)
}

/// The id of the process that holds the lock, if one does.
///
/// # Errors
/// [`StoreError::Locked`] when one does and has not said its id.
pub(crate) fn holder(path: &Path) -> Result<Option<u32>, StoreError> {
    let refused = |source| StoreError::Folder { path: path.to_owned(), source };
    let file = match File::open(path.join("lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => {
            let text = std::io::read_to_string(file).map_err(refused)?;
            let id = text.trim().parse().map_err(|_| StoreError::Locked(path.to_owned()))?;
            Ok(Some(id))
        }
        Err(errno) => Err(refused(errno.into())),
    }
}

fn try_lock(path: &Path) -> Result<File, StoreError> {
    let refused = |source| StoreError::Folder { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(refused)?;
    restrict(path).map_err(refused)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join("lock"))
        .map_err(refused)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            // On a full disk the process goes without: only who looks for it misses it.
            let _ = file.set_len(0).and_then(|()| writeln!(&file, "{}", std::process::id()));
            Ok(file)
        }
        Err(Errno::WOULDBLOCK) => Err(StoreError::Locked(path.to_owned())),
        Err(errno) => Err(refused(errno.into())),
    }
}

/// Conversations are private: nobody but the owner of the process looks into the folder.
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::metadata(path)?.permissions();
    let (group, others) = (0o070, 0o007);
    if permissions.mode() & (group | others) == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(0o700)) {
        // A folder of somebody else that we may write to, or a read-only file system.
        Err(e) if matches!(e.raw_os_error(), Some(1 | 30)) => Ok(()),
        other => other,
    }
}
