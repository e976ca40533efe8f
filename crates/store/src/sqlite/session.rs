//! Writing: what belongs to people and devices.

use unbroken_protocol::{PrincipalId, Timestamp};

use super::{Transaction, row};
use crate::{SecretHash, Session, StoreError};

impl Transaction<'_> {
    pub(crate) async fn put_session(
        &mut self,
        secret: SecretHash,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO device_sessions \
             (secret_hash, device_id, principal_id, created_at, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (secret_hash) DO UPDATE SET expires_at = ?5",
        )
        .bind(secret.as_bytes())
        .bind(&session.device_id.0)
        .bind(session.principal_id.as_bytes().as_slice())
        .bind(now.as_millis())
        .bind(session.expires_at.as_millis())
        .execute(self.now().await?)
        .await?;
        Ok(())
    }

    pub(crate) async fn put_link_code(
        &mut self,
        code: SecretHash,
        principal: PrincipalId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO link_codes (code_hash, principal_id, expires_at) VALUES (?, ?, ?)",
        )
        .bind(code.as_bytes())
        .bind(principal.as_bytes().as_slice())
        .bind(expires_at.as_millis())
        .execute(self.now().await?)
        .await?;
        Ok(())
    }

    pub(crate) async fn take_link_code(
        &mut self,
        code: SecretHash,
        now: Timestamp,
    ) -> Result<Option<PrincipalId>, StoreError> {
        sqlx::query("DELETE FROM link_codes WHERE expires_at <= ?")
            .bind(now.as_millis())
            .execute(self.now().await?)
            .await?;
        let row = sqlx::query("DELETE FROM link_codes WHERE code_hash = ? RETURNING principal_id")
            .bind(code.as_bytes())
            .fetch_optional(self.now().await?)
            .await?;
        row.map(|row| Ok(PrincipalId::from_bytes(row::bytes(&row, "principal_id")?))).transpose()
    }

    pub(crate) async fn set_preference(
        &mut self,
        principal: PrincipalId,
        model: Option<&str>,
    ) -> Result<(), StoreError> {
        let principal = principal.as_bytes().as_slice();
        match model {
            Some(model) => {
                sqlx::query(
                    "INSERT INTO preferences (principal_id, model_id) VALUES (?1, ?2) \
                     ON CONFLICT (principal_id) DO UPDATE SET model_id = ?2",
                )
                .bind(principal)
                .bind(model)
                .execute(self.now().await?)
                .await?
            }
            None => {
                sqlx::query("DELETE FROM preferences WHERE principal_id = ?")
                    .bind(principal)
                    .execute(self.now().await?)
                    .await?
            }
        };
        Ok(())
    }
}
