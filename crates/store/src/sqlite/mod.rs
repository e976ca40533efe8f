//! The store on a disk: SQLite in a data folder.
//!
//! What was stored earlier has the lower rowid. Ids do not tell: a clock may go back between two
//! processes.

mod branch;
mod collections;
mod files;
mod history;
mod keep;
mod moving;
mod passages;
mod prompt;
mod read;
mod readers;
mod row;
mod script;
mod search;
mod session;
mod turn;
mod vectors;
mod write;

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};

pub use write::{Transaction, Writer};

use readers::{Reader, Readers};

use crate::{StoreError, folder};

/// The reading side of a data folder.
#[derive(Clone)]
pub struct Sqlite {
    readers: Readers,
    folder: Arc<Folder>,
}

/// How long a connection waits for another one.
const BUSY: Duration = Duration::from_secs(5);
/// Bytes of a page: SQLite's default.
const PAGE: u64 = 4096;

struct Folder {
    path: PathBuf,
    /// Held as long as anybody reads or writes.
    _lock: File,
}

impl Sqlite {
    pub(crate) async fn open(path: &Path) -> Result<(Self, Writer), StoreError> {
        let lock = folder::lock(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path.join("unbroken.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY)
            // Checkpoints run on a connection of their own: an automatic one holds a commit up.
            .pragma("wal_autocheckpoint", "0")
            .pragma("temp_store", "MEMORY")
            // As many as a search reads: else its thread stops for the reader again and again.
            .row_buffer_size(512)
            .disable_statement_logging();
        let writer = Writer::open(&options).await?;
        let readers = Readers::open(options.pragma("query_only", "1")).await?;
        let folder = Arc::new(Folder { path: path.to_owned(), _lock: lock });
        Ok((Self { readers, folder }, writer))
    }

    pub(crate) async fn examine(path: &Path) -> Result<Option<String>, StoreError> {
        let file = path.join("unbroken.db");
        if !file.exists() {
            return Ok(None);
        }
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut connection = options.disable_statement_logging().connect().await?;
        let said: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok((said != "ok").then_some(said))
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(self.readers.get().await?)
    }

    pub(crate) async fn checkpoint(&self) -> Result<u64, StoreError> {
        let mut connection = self.reader().await?;
        sqlx::query("PRAGMA query_only = 0").execute(&mut *connection).await?;
        let done = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&mut *connection);
        let done: Result<(i64, i64, i64), _> = done.await;
        sqlx::query("PRAGMA query_only = 1").execute(&mut *connection).await?;
        let (_busy, pages, _copied) = done?;
        // Less than none says that there is no write-ahead log.
        Ok(u64::try_from(pages).unwrap_or(0) * PAGE)
    }

    /// A commit that syncs holds up those behind it for as long as the disk takes. What is in the
    /// log's file is there for whoever reads the log after a power cut, whoever synced the file.
    pub(crate) async fn sync_wal(&self) -> Result<(), StoreError> {
        let path = self.wal();
        let sync = move || match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            file => file?.sync_data(),
        };
        let done = tokio::task::spawn_blocking(sync).await;
        done.unwrap_or_else(|error| Err(error.into())).map_err(sqlx::Error::Io)?;
        Ok(())
    }

    fn wal(&self) -> PathBuf {
        self.folder.path.join("unbroken.db-wal")
    }

    pub(crate) fn wal_bytes(&self) -> u64 {
        std::fs::metadata(self.wal()).map_or(0, |metadata| metadata.len())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
    }
}
