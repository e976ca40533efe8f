//! The data folder and the store in it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::statvfs;
use unbroken_store::{Store, StoreError};

use super::Finding;

const FOLDER: &str = "data folder";
const STORE: &str = "store";
/// Below this an evening of answers may fill the disk, in bytes.
const LITTLE: u64 = 1 << 30;
/// Below this the next answers may fail, in bytes.
const NONE: u64 = 64 << 20;

/// The process that holds the folder, if one does, and what was found.
pub(super) fn examine(path: &Path) -> (Option<u32>, Vec<Finding>) {
    let shown = path.display();
    if !path.exists() {
        let sentence = format!(
            "{shown} does not exist yet: the first start creates it. If there should be one, say \
             where with --data-dir."
        );
        return (None, vec![Finding::warning(FOLDER, sentence)]);
    }
    let mut findings = vec![match try_to_write(path) {
        Ok(()) => Finding::ok(FOLDER, format!("{shown} can be written to.")),
        Err(error) => Finding::failed(
            FOLDER,
            format!(
                "{shown} cannot be written to ({error}): give it to the user that runs the server."
            ),
        ),
    }];
    let holder = Store::holder(path);
    findings.push(match &holder {
        Ok(None) => Finding::ok(FOLDER, "No server holds its lock."),
        Ok(Some(process)) => Finding::ok(FOLDER, format!("A server holds it, process {process}.")),
        Err(StoreError::Locked(_)) => {
            Finding::warning(FOLDER, "Another process holds it and does not say which it is.")
        }
        Err(error) => Finding::failed(FOLDER, format!("Its lock cannot be read: {error}.")),
    });
    findings.push(space(path));
    (holder.ok().flatten(), findings)
}

pub(super) async fn examine_store(path: &Path, holder: Option<u32>) -> Finding {
    if holder.is_some() {
        return Finding::ok(STORE, "The running server has it open; stop it to look through it.");
    }
    match Store::examine(path).await {
        Ok(None) => Finding::ok(STORE, "Nothing in it is damaged."),
        Ok(Some(damage)) => Finding::failed(
            STORE,
            format!("The database is damaged ({damage}): put a copy of the folder back."),
        ),
        Err(error) => Finding::failed(
            STORE,
            format!("The database cannot be read ({error}): put a copy of the folder back."),
        ),
    }
}

fn try_to_write(path: &Path) -> io::Result<()> {
    let file = path.join(format!("doctor-{}", std::process::id()));
    OpenOptions::new().create_new(true).write(true).open(&file)?;
    fs::remove_file(file)
}

fn space(path: &Path) -> Finding {
    let free = match statvfs(path) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            return Finding::warning(FOLDER, format!("Its free space is not known: {error}."));
        }
    };
    let free_mib = free >> 20;
    match free {
        ..NONE => Finding::failed(
            FOLDER,
            format!("Only {free_mib} MiB are free: answers cannot be kept. Make room."),
        ),
        NONE..LITTLE => {
            Finding::warning(FOLDER, format!("Only {free_mib} MiB are free: make room."))
        }
        _ => Finding::ok(FOLDER, format!("{} GiB are free.", free >> 30)),
    }
}
