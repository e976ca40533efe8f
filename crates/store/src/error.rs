//! What can go wrong with the store.

use std::path::PathBuf;

/// A failure of the store. What is simply not there is an `Option`, not an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the data folder {} is in use by another process", .0.display())]
    Locked(PathBuf),
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// Another run took the folder over: this process must stop at once.
    #[error("another process took the data folder over")]
    OwnerLost,
    #[error("the database cannot be brought to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the stored bytes are damaged: {0}")]
    Damaged(&'static str),
    /// What a full disk is to the store in memory.
    #[error("the store is full")]
    Full,
    /// The disk is full, gone, or read-only; or the statement is wrong.
    #[error("the database refuses: {0}")]
    Database(#[from] sqlx::Error),
}
