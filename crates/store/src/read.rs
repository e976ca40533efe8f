//! Reading: everything that needs no transaction of its own. No read lives longer than a second.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use unbroken_protocol::{
    ConversationId, DeviceId, GenerationId, MessageId, PrincipalId, Timestamp,
};

use crate::codec::{decode_journal, decode_pack};
use crate::row;
use crate::write::Writer;
use crate::{
    Conversation, ConversationCursor, ConversationRow, Generation, History, HistoryMessage,
    JournalEntry, Message, Record, SecretHash, Session, StoreError, folder,
};

/// Readers at once; more only wait for the same disk.
const READERS: u32 = 4;

/// The reading side of a data folder. Clones are cheap.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    folder: Arc<Folder>,
}

struct Folder {
    path: PathBuf,
    /// Held as long as anybody reads or writes.
    _lock: File,
}

impl Store {
    /// Opens a data folder, creates it when it is missing, and brings it to this version.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process owns it.
    pub async fn open(path: &Path) -> Result<(Self, Writer), StoreError> {
        let lock = folder::lock(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path.join("unbroken.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(5))
            // Checkpoints run on a connection of their own: an automatic one holds a commit up.
            .pragma("wal_autocheckpoint", "0")
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();
        let writer = Writer::open(&options).await?;
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.clone().pragma("query_only", "1"))
            .await?;
        let folder = Arc::new(Folder { path: path.to_owned(), _lock: lock });
        Ok((Self { pool, folder }, writer))
    }

    /// The id of the process that owns a data folder now, if one does.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when one does and its id is not known.
    pub fn holder(path: &Path) -> Result<Option<u32>, StoreError> {
        folder::holder(path)
    }

    /// Looks through the database of a folder that nobody owns, and changes nothing. What is
    /// damaged, in SQLite's words; `None` when nothing is, or when there is no database yet.
    pub async fn examine(path: &Path) -> Result<Option<String>, StoreError> {
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

    /// The folder that this store lives in.
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    /// Who a session's secret stands for, whether or not it has expired.
    pub async fn session(&self, secret: SecretHash) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(
            "SELECT device_id, principal_id, expires_at FROM device_sessions WHERE secret_hash = ?",
        )
        .bind(secret.as_bytes())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(Session {
                device_id: DeviceId(row.try_get("device_id")?),
                principal_id: PrincipalId::from_bytes(row::bytes(&row, "principal_id")?),
                expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
            })
        })
        .transpose()
    }

    /// The model that a person chose for all answers.
    pub async fn preference(&self, principal: PrincipalId) -> Result<Option<String>, StoreError> {
        let model = sqlx::query_scalar("SELECT model_id FROM preferences WHERE principal_id = ?")
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(model)
    }

    /// How many answers a person has asked for.
    pub async fn usage_count(&self, principal: PrincipalId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS n FROM conversations c JOIN generations g USING (conversation_id) \
             WHERE c.principal_id = ?",
        )
        .bind(principal.as_bytes().as_slice())
        .fetch_one(&self.pool)
        .await?;
        row::count(&row, "n")
    }

    /// A conversation, if it is there and belongs to `principal`.
    pub async fn conversation(
        &self,
        principal: PrincipalId,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        let query = format!(
            "SELECT {}, {RUNNING} FROM conversations c \
             WHERE c.conversation_id = ? AND c.principal_id = ?",
            row::CONVERSATION
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_bytes().as_slice())
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(conversation_row).transpose()
    }

    /// A page of a person's conversations, the one that changed last first.
    pub async fn conversations(
        &self,
        principal: PrincipalId,
        limit: u32,
        after: Option<ConversationCursor>,
    ) -> Result<Vec<ConversationRow>, StoreError> {
        let query = format!(
            "SELECT {}, {RUNNING} FROM conversations c WHERE c.principal_id = ?1 \
             AND (?2 IS NULL OR (c.updated_at, c.conversation_id) < (?2, ?3)) \
             ORDER BY c.updated_at DESC, c.conversation_id DESC LIMIT ?4",
            row::CONVERSATION
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .bind(after.map(|cursor| cursor.updated_at.as_millis()))
            .bind(after.map(|cursor| cursor.conversation_id.as_bytes().to_vec()))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(conversation_row).collect()
    }

    /// How many conversations a person has.
    pub async fn conversation_count(&self, principal: PrincipalId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) AS n FROM conversations WHERE principal_id = ?")
            .bind(principal.as_bytes().as_slice())
            .fetch_one(&self.pool)
            .await?;
        row::count(&row, "n")
    }

    /// The selected branch of a conversation, oldest first; with `limit` the last ones, and with
    /// `before` those before that message. `None` when `before` is not on the branch.
    pub async fn history(
        &self,
        conversation: &Conversation,
        limit: Option<u32>,
        before: Option<MessageId>,
    ) -> Result<Option<History>, StoreError> {
        let branch = self.branch_ids(conversation.selected_message_id).await?;
        let total = branch.len() as u64;
        let newer = match before {
            None => 0,
            Some(before) => match branch.iter().position(|id| *id == before) {
                Some(index) => index + 1,
                None => return Ok(None),
            },
        };
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let mut messages = Vec::new();
        for id in branch.iter().skip(newer).take(limit) {
            messages.extend(self.history_message(*id).await?);
        }
        messages.reverse();
        Ok(Some(History { messages, total }))
    }

    /// The ids from a message up to the first of its conversation.
    async fn branch_ids(&self, leaf: MessageId) -> Result<Vec<MessageId>, StoreError> {
        let rows = sqlx::query(
            "WITH RECURSIVE branch (message_id, parent_id, depth) AS ( \
               SELECT message_id, parent_id, 0 FROM messages WHERE message_id = ? \
               UNION ALL \
               SELECT m.message_id, m.parent_id, b.depth + 1 \
               FROM messages m JOIN branch b ON m.message_id = b.parent_id) \
             SELECT message_id FROM branch ORDER BY depth",
        )
        .bind(leaf.as_bytes().as_slice())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(MessageId::from_bytes(row::bytes(row, "message_id")?))).collect()
    }

    async fn history_message(&self, id: MessageId) -> Result<Option<HistoryMessage>, StoreError> {
        // Before the message: the text of an answer that is sealed here is in the row read after it.
        let generation = self.generation_where("g.message_id = ?", id.as_bytes()).await?;
        let Some(message) = self.message(id).await? else { return Ok(None) };
        let siblings = sqlx::query(
            "SELECT s.message_id FROM messages m JOIN messages s \
             ON s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id \
             WHERE m.message_id = ? ORDER BY s.message_id",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_all(&self.pool)
        .await?;
        let sibling_ids = siblings
            .iter()
            .map(|row| Ok(MessageId::from_bytes(row::bytes(row, "message_id")?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Some(HistoryMessage { message, sibling_ids, generation }))
    }

    /// One message.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let found = sqlx::query(
            "SELECT message_id, parent_id, role, content, created_at FROM messages \
             WHERE message_id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(row::message).transpose()
    }

    /// The messages from the first of a conversation down to `leaf`, for a model to read.
    pub async fn branch(&self, leaf: MessageId) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        for id in self.branch_ids(leaf).await?.into_iter().rev() {
            messages.extend(self.message(id).await?);
        }
        Ok(messages)
    }

    /// A generation by its id, whoever it belongs to.
    pub async fn generation(&self, id: GenerationId) -> Result<Option<Generation>, StoreError> {
        self.generation_where("g.generation_id = ?", id.as_bytes()).await
    }

    /// The newest generation of a conversation.
    pub async fn newest_generation(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Generation>, StoreError> {
        self.generation_where(
            "g.conversation_id = ? ORDER BY g.generation_id DESC LIMIT 1",
            conversation.as_bytes(),
        )
        .await
    }

    async fn generation_where(
        &self,
        condition: &'static str,
        id: &[u8; 16],
    ) -> Result<Option<Generation>, StoreError> {
        let query = format!(
            "SELECT {} FROM generations g JOIN conversations c USING (conversation_id) \
             WHERE {condition}",
            row::GENERATION
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(row::generation).transpose()
    }

    /// Generations that are not sealed, oldest first.
    pub async fn open_generations(&self) -> Result<Vec<Generation>, StoreError> {
        let query = format!(
            "SELECT {} FROM generations g JOIN conversations c USING (conversation_id) \
             WHERE g.state IN ('queued', 'running', 'interrupted') ORDER BY g.generation_id",
            row::GENERATION
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.pool).await?;
        rows.iter().map(row::generation).collect()
    }

    /// The records of a generation that have left the journal, in order.
    pub async fn packed_records(&self, id: GenerationId) -> Result<Vec<Record>, StoreError> {
        let rows =
            sqlx::query("SELECT records FROM packs WHERE generation_id = ? ORDER BY first_seq")
                .bind(id.as_bytes().as_slice())
                .fetch_all(&self.pool)
                .await?;
        let mut records = Vec::new();
        for row in rows {
            records.extend(decode_pack(row.try_get("records")?)?);
        }
        Ok(records)
    }

    /// A piece of the journal after row `after`: entries in commit order, and the last row's id.
    pub async fn journal(
        &self,
        after: i64,
    ) -> Result<Option<(i64, Vec<JournalEntry>)>, StoreError> {
        let rows =
            sqlx::query("SELECT id, records FROM journal WHERE id > ? ORDER BY id LIMIT 256")
                .bind(after)
                .fetch_all(&self.pool)
                .await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let last = last.try_get("id")?;
        let mut entries = Vec::new();
        for row in rows {
            entries.extend(decode_journal(row.try_get("records")?)?);
        }
        Ok(Some((last, entries)))
    }

    /// Whether a device was sent the end of a generation.
    pub async fn delivered(
        &self,
        generation: GenerationId,
        device: &DeviceId,
    ) -> Result<bool, StoreError> {
        let found =
            sqlx::query("SELECT 1 FROM deliveries WHERE generation_id = ? AND device_id = ?")
                .bind(generation.as_bytes().as_slice())
                .bind(&device.0)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    /// The turns that wait in a conversation, in order: generation, and the person's message.
    pub async fn queue(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(GenerationId, Message)>, StoreError> {
        let rows = sqlx::query(
            "SELECT g.generation_id, m.message_id, m.parent_id, m.role, m.content, m.created_at \
             FROM generations g JOIN messages a ON a.message_id = g.message_id \
             JOIN messages m ON m.message_id = a.parent_id \
             WHERE g.conversation_id = ? AND g.state = 'queued' ORDER BY g.generation_id",
        )
        .bind(conversation.as_bytes().as_slice())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let id = GenerationId::from_bytes(row::bytes(row, "generation_id")?);
                Ok((id, row::message(row)?))
            })
            .collect()
    }

    /// Copies what the write-ahead log holds into the database, as far as no reader is in the way.
    /// Never waits for the writer.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query("PRAGMA query_only = 0").execute(&mut *connection).await?;
        let done = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await;
        sqlx::query("PRAGMA query_only = 1").execute(&mut *connection).await?;
        done?;
        Ok(())
    }

    /// Bytes of the write-ahead log.
    pub fn wal_bytes(&self) -> u64 {
        let path = self.folder.path.join("unbroken.db-wal");
        std::fs::metadata(path).map_or(0, |metadata| metadata.len())
    }

    /// Waits until no read runs, and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

const RUNNING: &str = "EXISTS (SELECT 1 FROM generations g WHERE g.conversation_id = c.conversation_id \
     AND g.state IN ('queued', 'running')) AS running";

fn conversation_row(found: &sqlx::sqlite::SqliteRow) -> Result<ConversationRow, StoreError> {
    Ok(ConversationRow {
        conversation: row::conversation(found)?,
        running: found.try_get("running")?,
    })
}
