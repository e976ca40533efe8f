//! Named sets of a person's files and of addresses.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{CollectionId, FileId, PrincipalId, Timestamp};

use super::{Sqlite, Transaction, row};
use crate::{Collected, Collection, CollectionChange, StoreError};

const COLLECTION: &str = "SELECT c.collection_id, c.name, c.created_at, c.urls, \
     (SELECT group_concat(hex(i.file_id) ORDER BY i.file_id) FROM collection_items i \
      WHERE i.collection_id = c.collection_id) AS files FROM collections c";

fn collection(found: &SqliteRow) -> Result<Collection, StoreError> {
    let files: Option<&str> = found.try_get("files")?;
    let unreadable = |_| StoreError::Damaged("an id is not 16 bytes long");
    let ids = files.into_iter().flat_map(|files| files.split(','));
    Ok(Collection {
        collection_id: CollectionId::from_bytes(row::bytes(found, "collection_id")?),
        name: found.try_get("name")?,
        created_at: Timestamp::from_millis(found.try_get("created_at")?),
        files: ids.map(|id| id.parse().map_err(unreadable)).collect::<Result<_, _>>()?,
        urls: serde_json::from_str(found.try_get("urls")?)
            .map_err(|_| StoreError::Damaged("the addresses of a collection are no list"))?,
    })
}

fn list(urls: &[String]) -> String {
    serde_json::to_string(urls).expect("texts are JSON")
}

impl Sqlite {
    pub(crate) async fn collections(
        &self,
        principal: PrincipalId,
    ) -> Result<Vec<Collection>, StoreError> {
        let query = format!("{COLLECTION} WHERE c.principal_id = ? ORDER BY c.collection_id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(collection).collect()
    }

    pub(crate) async fn collection(
        &self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<Option<Collection>, StoreError> {
        let query = format!("{COLLECTION} WHERE c.collection_id = ? AND c.principal_id = ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id.as_bytes().as_slice())
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        found.as_ref().map(collection).transpose()
    }
}

impl Transaction<'_> {
    pub(crate) async fn put_collection(
        &mut self,
        principal: PrincipalId,
        new: &Collection,
        most: u32,
    ) -> Result<bool, StoreError> {
        let put = sqlx::query(
            "INSERT INTO collections (collection_id, principal_id, name, created_at, urls) \
             SELECT ?1, ?2, ?3, ?4, ?5 \
             WHERE ?6 > (SELECT count(*) FROM collections WHERE principal_id = ?2)",
        )
        .bind(new.collection_id.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .bind(&new.name)
        .bind(new.created_at.as_millis())
        .bind(list(&new.urls))
        .bind(most)
        .execute(self.now().await?)
        .await?;
        Ok(put.rows_affected() > 0)
    }

    pub(crate) async fn change_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        change: &CollectionChange,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE collections SET name = coalesce(?, name), urls = coalesce(?, urls) \
             WHERE collection_id = ? AND principal_id = ?",
        )
        .bind(&change.name)
        .bind(change.urls.as_deref().map(list))
        .bind(id.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        Ok(changed.rows_affected() > 0)
    }

    pub(crate) async fn delete_collection(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
    ) -> Result<bool, StoreError> {
        let deleted =
            sqlx::query("DELETE FROM collections WHERE collection_id = ? AND principal_id = ?")
                .bind(id.as_bytes().as_slice())
                .bind(principal.as_bytes().as_slice())
                .execute(self.now().await?)
                .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM collection_items WHERE collection_id = ?")
            .bind(id.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        Ok(true)
    }

    pub(crate) async fn collect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
        most: u32,
    ) -> Result<Collected, StoreError> {
        let found = sqlx::query(
            "SELECT (SELECT count(*) FROM collection_items i \
               WHERE i.collection_id = c.collection_id AND i.file_id <> f.file_id) AS n \
             FROM collections c JOIN files f ON f.principal_id = c.principal_id \
             WHERE c.collection_id = ? AND c.principal_id = ? AND f.file_id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .bind(file.as_bytes().as_slice())
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(Collected::NotFound) };
        if row::count(&found, "n")? >= u64::from(most) {
            return Ok(Collected::Full);
        }
        let insert = "INSERT INTO collection_items (collection_id, file_id) VALUES (?, ?) \
             ON CONFLICT DO NOTHING";
        sqlx::query(insert)
            .bind(id.as_bytes().as_slice())
            .bind(file.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        Ok(Collected::Done)
    }

    pub(crate) async fn uncollect(
        &mut self,
        principal: PrincipalId,
        id: CollectionId,
        file: FileId,
    ) -> Result<bool, StoreError> {
        let deleted = sqlx::query(
            "DELETE FROM collection_items WHERE file_id = ? AND collection_id = \
             (SELECT collection_id FROM collections WHERE collection_id = ? AND principal_id = ?)",
        )
        .bind(file.as_bytes().as_slice())
        .bind(id.as_bytes().as_slice())
        .bind(principal.as_bytes().as_slice())
        .execute(self.now().await?)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
