//! A person's own prompts.

use sqlx::Row as _;
use unbroken_protocol::{PrincipalId, Prompt, PromptId, Timestamp};

use super::{Sqlite, Transaction, row};
use crate::StoreError;

impl Sqlite {
    pub(crate) async fn prompts(&self, principal: PrincipalId) -> Result<Vec<Prompt>, StoreError> {
        let rows = sqlx::query(
            "SELECT prompt_id, name, text, updated_at FROM prompts \
             WHERE principal_id = ? ORDER BY prompt_id",
        )
        .bind(principal.as_bytes().as_slice())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let prompt = |row: sqlx::sqlite::SqliteRow| {
            Ok(Prompt {
                prompt_id: PromptId::from_bytes(row::bytes(&row, "prompt_id")?),
                name: row.try_get("name")?,
                text: row.try_get("text")?,
                updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
            })
        };
        rows.into_iter().map(prompt).collect()
    }
}

impl Transaction<'_> {
    pub(crate) async fn put_prompt(
        &mut self,
        principal: PrincipalId,
        prompt: &Prompt,
        most: u32,
    ) -> Result<bool, StoreError> {
        let put = sqlx::query(
            "INSERT INTO prompts (principal_id, prompt_id, name, text, updated_at) \
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 > (SELECT count(*) FROM prompts \
             WHERE principal_id = ?1 AND prompt_id <> ?2) \
             ON CONFLICT (principal_id, prompt_id) \
             DO UPDATE SET name = ?3, text = ?4, updated_at = ?5",
        )
        .bind(principal.as_bytes().as_slice())
        .bind(prompt.prompt_id.as_bytes().as_slice())
        .bind(&prompt.name)
        .bind(&prompt.text)
        .bind(prompt.updated_at.as_millis())
        .bind(most)
        .execute(self.now().await?)
        .await?;
        Ok(put.rows_affected() > 0)
    }

    pub(crate) async fn delete_prompt(
        &mut self,
        principal: PrincipalId,
        id: PromptId,
    ) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM prompts WHERE principal_id = ? AND prompt_id = ?")
            .bind(principal.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .execute(self.now().await?)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
