//! The index of all texts: what is put in after every change of a text, and what is found in it.
//!
//! A change only notes that its text is due. Putting a text in takes longer than all else that the
//! end of an answer writes, and many at once take less than half.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use unbroken_protocol::{ConversationId, MessageId, PrincipalId, Timestamp};

use super::script::Script;
use super::{Sqlite, Transaction, row};
use crate::words::folded;
use crate::{Hit, Indexed, NEWEST, Query, StoreError, search};

/// Texts that go to the database together.
const PUT_IN_AT_ONCE: usize = 8;
/// What a text costs beside its bytes, as bytes.
const TEXT: i64 = 400;
/// Pages of the index that are merged after each step, about.
const MERGED: i64 = 16;

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
        .fetch_all(&mut *self.reader().await?)
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
    /// Notes that a text is new or another: a message's, or (no message) a title.
    pub(super) fn due(
        &mut self,
        conversation: ConversationId,
        message: Option<MessageId>,
    ) -> &mut Self {
        self.step("INSERT INTO search_due (conversation_id, message_id) VALUES (?, ?)")
            .id(conversation.as_bytes())
            .bind(message.map(|id| id.as_bytes().to_vec()))
    }

    /// Takes a message out of the index.
    pub(super) fn unindex(
        &mut self,
        conversation: ConversationId,
        message: MessageId,
    ) -> &mut Self {
        for sql in [
            "DELETE FROM search WHERE rowid IN \
             (SELECT id FROM searched WHERE conversation_id = ? AND message_id = ?)",
            "DELETE FROM searched WHERE conversation_id = ? AND message_id = ?",
        ] {
            self.step(sql).id(conversation.as_bytes()).id(message.as_bytes());
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
    pub(crate) async fn index(&mut self, bytes: u32) -> Result<Indexed, StoreError> {
        let Some((first, last)) = self.due_within(bytes).await? else {
            return Ok(Indexed::default());
        };
        // One by one and nothing between them: what changes several rows makes the index write
        // what it has gathered.
        for some in self.number_due(last).await?.chunks(PUT_IN_AT_ONCE) {
            let script = self.later();
            for found in some {
                script
                    .step("INSERT INTO search (rowid, principal, words) VALUES (?, ?, ?)")
                    .bind(found.try_get::<i64, _>("id")?)
                    .bind(found.try_get::<String, _>("principal")?)
                    .bind(folded(found.try_get("text")?));
            }
            self.now().await?;
        }
        self.later()
            .step("INSERT INTO search (search, rank) VALUES ('merge', ?)")
            .bind(MERGED)
            .step("DELETE FROM search_due WHERE id <= ?")
            .bind(last)
            .step("SELECT coalesce(max(id) - ?, 0) AS n FROM search_due")
            .bind(last);
        let left = self.rows().await?.first().map_or(Ok(0), |row| row::count(row, "n"))?;
        Ok(Indexed { taken: (last - first).unsigned_abs() + 1, left })
    }

    /// The first and the last row of the list of texts that are due, as far as `bytes` go; one at
    /// least, if there is any.
    async fn due_within(&mut self, bytes: u32) -> Result<Option<(i64, i64)>, StoreError> {
        let mut left = i64::from(bytes);
        self.later()
            .step(
                "SELECT d.id, coalesce(octet_length(m.content), 0) AS bytes FROM search_due d \
                 LEFT JOIN messages m ON m.message_id = d.message_id ORDER BY d.id LIMIT ?",
            )
            .bind(1 + left / TEXT);
        let mut due: Option<(i64, i64)> = None;
        for row in self.rows().await? {
            let (id, bytes): (i64, i64) = (row.try_get("id")?, row.try_get("bytes")?);
            left -= bytes + TEXT;
            due = Some(match due {
                Some(_) if left < 0 => break,
                Some((first, _)) => (first, id),
                None => (id, id),
            });
        }
        Ok(due)
    }

    /// Gives new numbers to the texts that are due, up to row `last` of the list of them, in the
    /// order of their last changes, and returns them. The old numbers leave the index.
    async fn number_due(&mut self, last: i64) -> Result<Vec<SqliteRow>, StoreError> {
        self.later().renumber(last);
        let numbers = self.rows().await?;
        let numbers = numbers.iter().map(|row| row.try_get::<i64, _>("id"));
        let Some(first) = numbers.collect::<Result<Vec<_>, _>>()?.into_iter().min() else {
            return Ok(Vec::new());
        };
        let rows = sqlx::query(
            "SELECT d.id, lower(hex(c.principal_id)) AS principal, \
               CASE WHEN d.message_id IS NULL THEN c.title ELSE m.content END AS text \
             FROM searched d JOIN conversations c ON c.conversation_id = d.conversation_id \
             LEFT JOIN messages m ON m.message_id = d.message_id WHERE d.id >= ? ORDER BY d.id",
        )
        .bind(first)
        .fetch_all(self.now().await?)
        .await?;
        Ok(rows)
    }
}

impl Script {
    fn renumber(&mut self, last: i64) {
        for sql in [
            "DELETE FROM search WHERE rowid IN (SELECT s.id FROM search_due d JOIN searched s \
               ON s.conversation_id = d.conversation_id AND s.message_id IS d.message_id \
               WHERE d.id <= ?)",
            "DELETE FROM searched WHERE id IN (SELECT s.id FROM search_due d JOIN searched s \
               ON s.conversation_id = d.conversation_id AND s.message_id IS d.message_id \
               WHERE d.id <= ?)",
            "INSERT INTO searched (conversation_id, message_id) \
             SELECT d.conversation_id, d.message_id FROM search_due d \
             JOIN conversations c ON c.conversation_id = d.conversation_id AND c.temporary = 0 \
             LEFT JOIN messages m ON m.message_id = d.message_id \
             WHERE d.id <= ? AND (d.message_id IS NULL OR m.content <> '') \
             GROUP BY d.conversation_id, d.message_id ORDER BY max(d.id) RETURNING id",
        ] {
            self.step(sql).bind(last);
        }
    }
}
