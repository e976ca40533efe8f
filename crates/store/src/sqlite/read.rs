//! Reading: sessions, generations and their records.

use sqlx::{AssertSqlSafe, Row as _};
use unbroken_protocol::{ConversationId, DeviceId, GenerationId, PrincipalId, Timestamp};

use super::{Sqlite, row};
use crate::codec::{decode_journal, decode_pack};
use crate::{Generation, JournalEntry, Message, Record, SecretHash, Session, StoreError};

impl Sqlite {
    pub(crate) async fn session(&self, secret: SecretHash) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(
            "SELECT device_id, principal_id, expires_at FROM device_sessions WHERE secret_hash = ?",
        )
        .bind(secret.as_bytes())
        .fetch_optional(&mut *self.reader().await?)
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

    pub(crate) async fn preference(
        &self,
        principal: PrincipalId,
    ) -> Result<Option<String>, StoreError> {
        let model = sqlx::query_scalar("SELECT model_id FROM preferences WHERE principal_id = ?")
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(model)
    }

    pub(crate) async fn usage_count(&self, principal: PrincipalId) -> Result<u64, StoreError> {
        self.count("answers", principal).await
    }

    /// One of the counts of a person.
    pub(super) async fn count(
        &self,
        column: &'static str,
        principal: PrincipalId,
    ) -> Result<u64, StoreError> {
        let query = format!("SELECT {column} AS n FROM counts WHERE principal_id = ?");
        let row = sqlx::query(AssertSqlSafe(query))
            .bind(principal.as_bytes().as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        row.as_ref().map_or(Ok(0), |row| row::count(row, "n"))
    }

    pub(crate) async fn generation(
        &self,
        id: GenerationId,
    ) -> Result<Option<Generation>, StoreError> {
        self.generation_where("g.generation_id = ?", id.as_bytes()).await
    }

    pub(crate) async fn newest_generation(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Generation>, StoreError> {
        self.generation_where(
            "g.conversation_id = ? ORDER BY g.rowid DESC LIMIT 1",
            conversation.as_bytes(),
        )
        .await
    }

    pub(super) async fn generation_where(
        &self,
        condition: &'static str,
        id: &[u8; 16],
    ) -> Result<Option<Generation>, StoreError> {
        let query = format!(
            "SELECT {} FROM generations g JOIN conversations c USING (conversation_id) \
             WHERE {condition}",
            row::GENERATION
        );
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(id.as_slice())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        found.as_ref().map(row::generation).transpose()
    }

    pub(crate) async fn open_generations(&self) -> Result<Vec<Generation>, StoreError> {
        let query = format!(
            "SELECT {} FROM generations g INDEXED BY generations_open \
             JOIN conversations c USING (conversation_id) \
             WHERE g.state IN ('queued', 'running', 'interrupted') ORDER BY g.rowid",
            row::GENERATION
        );
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(row::generation).collect()
    }

    pub(crate) async fn packed_records(&self, id: GenerationId) -> Result<Vec<Record>, StoreError> {
        let rows =
            sqlx::query("SELECT records FROM packs WHERE generation_id = ? ORDER BY first_seq")
                .bind(id.as_bytes().as_slice())
                .fetch_all(&mut *self.reader().await?)
                .await?;
        let mut records = Vec::new();
        for row in rows {
            records.extend(decode_pack(row.try_get("records")?)?);
        }
        Ok(records)
    }

    pub(crate) async fn journal(
        &self,
        after: i64,
    ) -> Result<Option<(i64, Vec<JournalEntry>)>, StoreError> {
        let rows =
            sqlx::query("SELECT id, records FROM journal WHERE id > ? ORDER BY id LIMIT 256")
                .bind(after)
                .fetch_all(&mut *self.reader().await?)
                .await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let last = last.try_get("id")?;
        let mut entries = Vec::new();
        for row in rows {
            entries.extend(decode_journal(row.try_get("records")?)?);
        }
        Ok(Some((last, entries)))
    }

    pub(crate) async fn delivered(
        &self,
        generation: GenerationId,
        device: &DeviceId,
    ) -> Result<bool, StoreError> {
        let found =
            sqlx::query("SELECT 1 FROM deliveries WHERE generation_id = ? AND device_id = ?")
                .bind(generation.as_bytes().as_slice())
                .bind(&device.0)
                .fetch_optional(&mut *self.reader().await?)
                .await?;
        Ok(found.is_some())
    }

    pub(crate) async fn queue(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(GenerationId, Message)>, StoreError> {
        let rows = sqlx::query(
            "SELECT g.generation_id, m.message_id, m.parent_id, m.role, m.content, m.created_at, m.sources \
             FROM generations g JOIN messages a ON a.message_id = g.message_id \
             JOIN messages m ON m.message_id = a.parent_id \
             WHERE g.conversation_id = ? AND g.state = 'queued' \
             AND g.state IN ('queued', 'running', 'interrupted') ORDER BY g.rowid",
        )
        .bind(conversation.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter()
            .map(|row| {
                let id = GenerationId::from_bytes(row::bytes(row, "generation_id")?);
                Ok((id, row::message(row)?))
            })
            .collect()
    }
}
