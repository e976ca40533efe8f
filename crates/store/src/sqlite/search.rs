//! The index of all texts: what is put in with every change of a text, and what is found in it.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{ConversationId, MessageId, PrincipalId, Timestamp};

use super::{Sqlite, Transaction, Writer, row};
use crate::words::folded;
use crate::{Durability, Hit, NEWEST, Query, StoreError, search};

/// Texts that are put in at once when the index is new.
const PIECE: u32 = 500;

impl Sqlite {
    pub(crate) async fn search(
        &self,
        principal: PrincipalId,
        query: &Query,
    ) -> Result<Vec<Hit>, StoreError> {
        // The inner order comes from the index: of a common word only the newest are read.
        let rows = sqlx::query(
            "SELECT d.conversation_id, c.title, d.message_id, m.role, \
               coalesce(m.created_at, c.updated_at) AS at, \
               substr(coalesce(m.content, c.title), 1, ?4) AS beginning \
             FROM (SELECT rowid AS id FROM search WHERE search MATCH ?2 \
               ORDER BY rowid DESC LIMIT ?3) s \
             CROSS JOIN searched d ON d.id = s.id \
             CROSS JOIN conversations c ON c.conversation_id = d.conversation_id \
               AND c.principal_id = ?1 \
             LEFT JOIN messages m ON m.message_id = d.message_id",
        )
        .bind(principal.as_bytes().as_slice())
        .bind(format!("principal : \"{}\" AND words : ({})", token(principal), query.to_fts()))
        .bind(row::signed(NEWEST as u64))
        .bind(row::signed(search::BEGINNING as u64))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(hit).collect()
    }
}

fn hit(found: &SqliteRow) -> Result<Hit, StoreError> {
    let message: Option<&[u8]> = found.try_get("message_id")?;
    let message = message.map(|id| {
        let role = row::word(found.try_get("role")?)?;
        Ok::<_, StoreError>((MessageId::from_bytes(row::id_bytes(id)?), role))
    });
    Ok(Hit {
        conversation_id: ConversationId::from_bytes(row::bytes(found, "conversation_id")?),
        title: found.try_get("title")?,
        message: message.transpose()?,
        at: Timestamp::from_millis(found.try_get("at")?),
        beginning: found.try_get("beginning")?,
    })
}

/// A person as a word of the index.
fn token(principal: PrincipalId) -> String {
    principal.to_string().replace('-', "")
}

impl Transaction<'_> {
    /// Puts a text into the index, in the place of what it was before.
    pub(super) async fn index(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
        text: &str,
    ) -> Result<(), StoreError> {
        self.unindex(conversation, message).await?;
        let words = folded(text);
        if words.is_empty() {
            return Ok(());
        }
        let done = sqlx::query("INSERT INTO searched (conversation_id, message_id) VALUES (?, ?)")
            .bind(conversation.as_bytes().as_slice())
            .bind(message.map(|id| id.as_bytes().to_vec()))
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "INSERT INTO search (rowid, principal, words) \
             SELECT ?, lower(hex(principal_id)), ? FROM conversations WHERE conversation_id = ?",
        )
        .bind(done.last_insert_rowid())
        .bind(words)
        .bind(conversation.as_bytes().as_slice())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    pub(super) async fn unindex(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
    ) -> Result<(), StoreError> {
        let found = sqlx::query_scalar::<_, i64>(
            "DELETE FROM searched WHERE conversation_id = ? AND message_id IS ? RETURNING id",
        )
        .bind(conversation.as_bytes().as_slice())
        .bind(message.map(|id| id.as_bytes().to_vec()))
        .fetch_all(&mut *self.inner)
        .await?;
        for id in found {
            sqlx::query("DELETE FROM search WHERE rowid = ?")
                .bind(id)
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    /// Takes a whole conversation out of the index.
    pub(super) async fn unindex_conversation(
        &mut self,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        for query in [
            "DELETE FROM search WHERE rowid IN (SELECT id FROM searched WHERE conversation_id = ?)",
            "DELETE FROM searched WHERE conversation_id = ?",
        ] {
            let id = conversation.as_bytes().as_slice();
            sqlx::query(query).bind(id).execute(&mut *self.inner).await?;
        }
        Ok(())
    }

    /// Puts the next of the texts in that are older than the index; `false` when none is left.
    async fn index_due(&mut self) -> Result<bool, StoreError> {
        let rows = sqlx::query(
            "SELECT d.id, d.conversation_id, d.message_id, coalesce(m.content, c.title) AS text \
             FROM (SELECT * FROM search_due ORDER BY id LIMIT ?) d \
             JOIN conversations c ON c.conversation_id = d.conversation_id \
             LEFT JOIN messages m ON m.message_id = d.message_id ORDER BY d.id",
        )
        .bind(PIECE)
        .fetch_all(&mut *self.inner)
        .await?;
        let Some(last) = rows.last() else { return Ok(false) };
        let last: i64 = last.try_get("id")?;
        for found in &rows {
            let conversation = ConversationId::from_bytes(row::bytes(found, "conversation_id")?);
            let message: Option<&[u8]> = found.try_get("message_id")?;
            let message = message.map(row::id_bytes).transpose()?.map(MessageId::from_bytes);
            self.index(conversation, message, found.try_get("text")?).await?;
        }
        sqlx::query("DELETE FROM search_due WHERE id <= ?")
            .bind(last)
            .execute(&mut *self.inner)
            .await?;
        Ok(true)
    }
}

impl Writer {
    /// Brings the index up to what was stored before there was one.
    pub(super) async fn fill_index(&mut self) -> Result<(), StoreError> {
        loop {
            let mut transaction = self.begin(Durability::Process).await?;
            let more = transaction.index_due().await?;
            transaction.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }
}
