//! The data folder: one process owns it, by a lock that the kernel frees when the process ends.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::StoreError;

/// Creates the folder when it is missing and takes its lock.
///
/// The lock is freed when the returned file is closed.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
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
        Ok(()) => Ok(file),
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
