//! The connections that read.
//!
//! Not a pool of sqlx: after every read it asks the connection, in a task and a trip of their own,
//! whether it is still there. A file is.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Readers at once; more only wait for the same disk.
const MOST: u32 = 4;
/// How long a read waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    /// Open, and not in use.
    idle: Mutex<Vec<SqliteConnection>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    /// Opens the first one; the others are opened when they are needed.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, Error> {
        let first = SqliteConnection::connect_with(&options).await?;
        let turns = Arc::new(Semaphore::new(MOST as usize));
        Ok(Self(Arc::new(Inner { options, idle: Mutex::new(vec![first]), turns })))
    }

    /// A connection of one's own for the time of a read.
    ///
    /// # Errors
    /// [`Error::PoolTimedOut`] after [`PATIENCE`], [`Error::PoolClosed`] when all were closed.
    pub(super) async fn get(&self) -> Result<Reader, Error> {
        let turn = Arc::clone(&self.0.turns).acquire_owned();
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        let turn = turn.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let idle = self.0.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(&self.0.options).await?,
        };
        Ok(Reader { connection: Some(connection), of: Arc::clone(&self.0), _turn: turn })
    }

    /// Closes all, each when its read is done.
    pub(super) async fn close(&self) {
        let all = self.0.turns.acquire_many(MOST).await;
        self.0.turns.close();
        drop(all);
        let idle = std::mem::take(&mut *self.0.idle());
        for connection in idle {
            // It changed nothing that could be lost.
            let _ = connection.close().await;
        }
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that reads. Whoever drops it in the middle of a read ends the read.
pub(super) struct Reader {
    /// Taken when it is dropped.
    connection: Option<SqliteConnection>,
    of: Arc<Inner>,
    /// Given back last: who has it finds the connection.
    _turn: OwnedSemaphorePermit,
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.of.idle().extend(self.connection.take());
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use futures_util::TryStreamExt as _;

    use super::*;

    async fn open() -> Readers {
        Readers::open(SqliteConnectOptions::new().in_memory(true)).await.unwrap()
    }

    async fn one(reader: &mut Reader) -> i64 {
        sqlx::query_scalar("SELECT 1").fetch_one(&mut **reader).await.unwrap()
    }

    #[tokio::test]
    async fn a_connection_is_opened_when_none_is_idle_and_the_fifth_reader_waits_for_one() {
        let readers = open().await;
        drop(readers.get().await.unwrap());
        assert_eq!(readers.0.idle().len(), 1);
        let mut reading = Vec::new();
        for _ in 0..MOST {
            reading.push(readers.get().await.unwrap());
        }
        let mut fifth = pin!(readers.get());
        assert!(matches!(futures_util::poll!(&mut fifth), Poll::Pending));
        reading.pop();
        assert_eq!(one(&mut fifth.await.unwrap()).await, 1);
        drop(reading);
        assert_eq!(readers.0.idle().len(), MOST as usize);
    }

    #[tokio::test]
    async fn a_read_that_is_dropped_in_its_middle_leaves_the_connection_to_the_next() {
        let readers = open().await;
        let mut reader = readers.get().await.unwrap();
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT i FROM n";
        let mut rows = sqlx::query_scalar::<_, i64>(endless).fetch(&mut *reader);
        assert_eq!(rows.try_next().await.unwrap(), Some(1));
        drop(rows);
        drop(reader);
        assert_eq!(one(&mut readers.get().await.unwrap()).await, 1);
        assert_eq!(readers.0.idle().len(), 1);
    }

    #[tokio::test]
    async fn closing_waits_for_who_reads_and_then_nobody_reads() {
        let readers = open().await;
        let reading = readers.get().await.unwrap();
        let mut closing = pin!(readers.close());
        assert!(matches!(futures_util::poll!(&mut closing), Poll::Pending));
        drop(reading);
        closing.await;
        assert!(matches!(readers.get().await, Err(Error::PoolClosed)));
        assert_eq!(readers.0.idle().len(), 0);
    }
}
