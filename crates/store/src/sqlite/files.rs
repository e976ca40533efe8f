//! Files, and the documents that are in them: one for the same bytes, whoever brings them.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{FileId, PrincipalId, Timestamp, limits};

use super::row::{self, signed};
use super::script::Script;
use super::{Sqlite, Transaction};
use crate::{ContentHash, File, FileOutcome, NewFile, StoreError};

const FILE: &str = "SELECT f.file_id, f.principal_id, f.name, \
     coalesce(d.media_type, f.media_type) AS media_type, f.bytes, f.created_at, d.content, \
     d.state, d.reason, d.title, d.pages, d.passages, d.chars \
     FROM files f JOIN documents d ON d.id = f.document";

fn file(found: &SqliteRow) -> Result<File, StoreError> {
    Ok(File {
        file_id: FileId::from_bytes(row::bytes(found, "file_id")?),
        principal_id: PrincipalId::from_bytes(row::bytes(found, "principal_id")?),
        name: found.try_get("name")?,
        media_type: found.try_get("media_type")?,
        bytes: row::count(found, "bytes")?,
        content: content(found)?,
        created_at: Timestamp::from_millis(found.try_get("created_at")?),
        state: row::word(found.try_get("state")?)?,
        reason: found.try_get("reason")?,
        title: found.try_get("title")?,
        pages: found.try_get("pages")?,
        passages: found.try_get("passages")?,
        chars: row::count(found, "chars")?,
    })
}

pub(super) fn content(found: &SqliteRow) -> Result<ContentHash, StoreError> {
    let hash: &[u8] = found.try_get("content")?;
    let hash = hash.try_into().map_err(|_| StoreError::Damaged("a hash is not 32 bytes long"))?;
    Ok(ContentHash::new(hash))
}

impl Sqlite {
    pub(crate) async fn files(&self, principal: PrincipalId) -> Result<Vec<File>, StoreError> {
        let query = format!("{FILE} WHERE f.principal_id = ? ORDER BY f.rowid DESC");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(file).collect()
    }

    pub(crate) async fn file(
        &self,
        principal: PrincipalId,
        id: FileId,
    ) -> Result<Option<File>, StoreError> {
        let query = format!("{FILE} WHERE f.file_id = ? AND f.principal_id = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_bytes().as_slice())
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        found.as_ref().map(file).transpose()
    }

    pub(crate) async fn files_with(&self, content: ContentHash) -> Result<Vec<File>, StoreError> {
        let query = format!("{FILE} WHERE d.content = ? ORDER BY f.rowid");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(content.as_bytes().as_slice())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(file).collect()
    }

    pub(crate) async fn unread(&self) -> Result<Vec<ContentHash>, StoreError> {
        let unread = "SELECT content FROM documents WHERE state = 'processing' ORDER BY id";
        let rows = sqlx::query(unread).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(content).collect()
    }

    pub(crate) async fn deleted_documents(&self) -> Result<Vec<ContentHash>, StoreError> {
        let deleted = "SELECT content FROM documents WHERE state = 'deleted' ORDER BY id";
        let rows = sqlx::query(deleted).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(content).collect()
    }

    pub(crate) async fn documents(&self) -> Result<Vec<ContentHash>, StoreError> {
        let rows = sqlx::query("SELECT content FROM documents ORDER BY id");
        rows.fetch_all(&mut *self.reader().await?).await?.iter().map(content).collect()
    }
}

impl Transaction<'_> {
    pub(crate) async fn put_file(
        &mut self,
        new: &NewFile,
        quota: u64,
    ) -> Result<FileOutcome, StoreError> {
        let query = format!("{FILE} WHERE f.principal_id = ? AND d.content = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(new.principal_id.as_bytes().as_slice())
            .bind(new.content.as_bytes().as_slice())
            .fetch_optional(self.now().await?)
            .await?;
        if let Some(found) = found {
            return Ok(FileOutcome::Repeated(file(&found)?));
        }
        let used = sqlx::query(
            "SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS files FROM files \
             WHERE principal_id = ?",
        )
        .bind(new.principal_id.as_bytes().as_slice())
        .fetch_one(self.now().await?)
        .await?;
        if row::count(&used, "files")? >= limits::FILES as u64 {
            return Ok(FileOutcome::TooMany);
        }
        if row::count(&used, "bytes")?.saturating_add(new.bytes) > quota {
            return Ok(FileOutcome::Full);
        }
        let known = sqlx::query(
            "SELECT 1 FROM documents WHERE content = ? AND NOT (state = 'deleted' \
             OR state = 'refused' AND reason IN ('unreadable', 'out_of_time', 'out_of_memory'))",
        )
        .bind(new.content.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
        .await?;
        let mut script = Script::default();
        script.file(new);
        script.run(self.now().await?).await?;
        let query = format!("{FILE} WHERE f.file_id = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(new.file_id.as_bytes().as_slice())
            .fetch_one(self.now().await?)
            .await?;
        Ok(FileOutcome::Created { file: file(&found)?, is_new: known.is_none() })
    }

    pub(crate) async fn delete_file(
        &mut self,
        principal: PrincipalId,
        id: FileId,
    ) -> Result<Option<ContentHash>, StoreError> {
        let found = sqlx::query(
            "SELECT d.content FROM files f JOIN documents d ON d.id = f.document \
             WHERE f.file_id = ? AND f.principal_id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(None) };
        let mut script = Script::default();
        script
            .step("DELETE FROM collection_items WHERE file_id = ?")
            .id(id.as_bytes())
            .step("DELETE FROM files WHERE file_id = ?")
            .id(id.as_bytes())
            .step(
                "UPDATE documents SET state = 'deleted' WHERE content = ? \
                 AND NOT EXISTS (SELECT 1 FROM files WHERE document = documents.id)",
            )
            .bind(content(&found)?.as_bytes().to_vec());
        script.run(self.now().await?).await?;
        Ok(Some(content(&found)?))
    }

    pub(crate) async fn forget_files(&mut self, principal: PrincipalId) -> Result<(), StoreError> {
        let mut script = Script::default();
        for sql in [
            "DELETE FROM collection_items WHERE collection_id IN \
             (SELECT collection_id FROM collections WHERE principal_id = ?)",
            "DELETE FROM collections WHERE principal_id = ?",
            "UPDATE documents SET state = 'deleted' FROM files f \
             WHERE f.principal_id = ? AND f.document = documents.id AND NOT EXISTS \
             (SELECT 1 FROM files o WHERE o.document = f.document \
              AND o.principal_id <> f.principal_id)",
            "DELETE FROM files WHERE principal_id = ?",
        ] {
            script.step(sql).id(principal.as_bytes());
        }
        script.run(self.now().await?).await
    }

    pub(crate) async fn begin_reading(
        &mut self,
        content: ContentHash,
        attempt: u32,
    ) -> Result<bool, StoreError> {
        let begun = sqlx::query(
            "UPDATE documents SET attempt = ? WHERE content = ? AND state = 'processing'",
        )
        .bind(attempt)
        .bind(content.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        Ok(begun.rows_affected() > 0)
    }

    pub(crate) async fn refuse_document(
        &mut self,
        content: ContentHash,
        attempt: u32,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let refused = sqlx::query(
            "UPDATE documents SET state = 'refused', reason = ? \
             WHERE content = ? AND attempt = ? AND state = 'processing'",
        )
        .bind(reason)
        .bind(content.as_bytes().as_slice())
        .bind(attempt)
        .execute(self.now().await?)
        .await?;
        Ok(refused.rows_affected() > 0)
    }

    pub(crate) async fn remove_document(
        &mut self,
        content: ContentHash,
    ) -> Result<bool, StoreError> {
        let removed = sqlx::query(
            "DELETE FROM documents WHERE content = ? AND state = 'deleted' \
             AND NOT EXISTS (SELECT 1 FROM passages WHERE document = documents.id) \
             AND NOT EXISTS (SELECT 1 FROM vectors WHERE document = documents.id)",
        )
        .bind(content.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        Ok(removed.rows_affected() > 0)
    }
}

impl Script {
    /// A document that is being removed begins anew, and so does one that was refused by the fault
    /// of the machine, perhaps. Whoever still reads the earlier one writes nothing into it.
    fn file(&mut self, new: &NewFile) {
        self.step(
            "INSERT INTO documents (content, state) VALUES (?, 'processing') \
             ON CONFLICT (content) DO UPDATE SET state = 'processing', reason = NULL, \
             title = NULL, media_type = NULL, pages = NULL, passages = 0, chars = 0, attempt = 0 \
             WHERE state = 'deleted' \
             OR state = 'refused' AND reason IN ('unreadable', 'out_of_time', 'out_of_memory')",
        )
        .bind(new.content.as_bytes().to_vec())
        .step(
            "INSERT INTO files (file_id, principal_id, document, name, media_type, bytes, \
             created_at) SELECT ?, ?, id, ?, ?, ?, ? FROM documents WHERE content = ?",
        )
        .id(new.file_id.as_bytes())
        .id(new.principal_id.as_bytes())
        .bind(new.name.clone())
        .bind(new.media_type.clone())
        .bind(signed(new.bytes))
        .bind(new.at.as_millis())
        .bind(new.content.as_bytes().to_vec());
    }
}
