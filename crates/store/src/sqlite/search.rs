//! The index of all texts: what is put in with every change of a text, and what is found in it.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{ConversationId, MessageId, PrincipalId, Timestamp};

use super::script::Script;
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
               AND c.principal_id = ?1 AND c.shelf < 2 \
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

impl Script {
    /// Puts a text into the index that is not in it.
    pub(super) fn index(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
        text: &str,
    ) -> &mut Self {
        let words = folded(text);
        if words.is_empty() {
            return self;
        }
        self.step(
            "INSERT INTO searched (conversation_id, message_id) SELECT conversation_id, ? \
             FROM conversations WHERE conversation_id = ? AND temporary = 0",
        )
        .bind(message.map(|id| id.as_bytes().to_vec()))
        .id(conversation.as_bytes())
        .step(
            "INSERT INTO search (rowid, principal, words) \
                 SELECT last_insert_rowid(), lower(hex(principal_id)), ? \
                 FROM conversations WHERE conversation_id = ? AND temporary = 0",
        )
        .bind(words)
        .id(conversation.as_bytes())
    }

    /// Puts a text into the index, in the place of what it was before.
    pub(super) fn index_again(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
        text: &str,
    ) -> &mut Self {
        self.unindex(conversation, message).index(conversation, message, text)
    }

    pub(super) fn unindex(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
    ) -> &mut Self {
        for sql in [
            "DELETE FROM search WHERE rowid IN \
             (SELECT id FROM searched WHERE conversation_id = ? AND message_id IS ?)",
            "DELETE FROM searched WHERE conversation_id = ? AND message_id IS ?",
        ] {
            let message = message.map(|id| id.as_bytes().to_vec());
            self.step(sql).id(conversation.as_bytes()).bind(message);
        }
        self
    }

    /// Takes a whole conversation out of the index.
    pub(super) fn unindex_conversation(&mut self, conversation: ConversationId) -> &mut Self {
        for sql in [
            "DELETE FROM search WHERE rowid IN (SELECT id FROM searched WHERE conversation_id = ?)",
            "DELETE FROM searched WHERE conversation_id = ?",
        ] {
            self.step(sql).id(conversation.as_bytes());
        }
        self
    }
}

impl Transaction<'_> {
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
            let mut script = Script::default();
            script.index_again(conversation, message, found.try_get("text")?);
            script.run(&mut *self.inner).await?;
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
