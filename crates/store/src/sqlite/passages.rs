//! Passages of documents, and the index of their words.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::row::signed;
use super::script::Script;
use super::{Sqlite, Transaction, files};
use crate::{ContentHash, Found, Passage, ReadStep, StoreError, Terms, Whose};

pub(super) fn passage(found: &SqliteRow) -> Result<Passage, StoreError> {
    Ok(Passage {
        ordinal: found.try_get("ordinal")?,
        page: found.try_get("page")?,
        heading: found.try_get("heading")?,
        text: found.try_get("text")?,
    })
}

pub(super) fn found(row: &SqliteRow) -> Result<Found, StoreError> {
    Ok(Found {
        content: files::content(row)?,
        passage: passage(row)?,
        score: row.try_get("score")?,
    })
}

impl Sqlite {
    pub(crate) async fn passages(
        &self,
        content: ContentHash,
        from: u32,
        most: u32,
    ) -> Result<Vec<Passage>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.ordinal, p.page, p.heading, p.text FROM documents d \
             CROSS JOIN passages p ON p.document = d.id \
             WHERE d.content = ? AND d.state = 'ready' AND p.ordinal >= ? \
             ORDER BY p.ordinal LIMIT ?",
        )
        .bind(content.as_bytes().as_slice())
        .bind(from)
        .bind(most)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(passage).collect()
    }

    pub(crate) async fn find_passages(
        &self,
        among: &[ContentHash],
        terms: &Terms,
        most: u32,
    ) -> Result<Vec<Found>, StoreError> {
        let documents: Vec<_> =
            self.numbers(among).await?.iter().map(|id| format!("\"d{id}\"")).collect();
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT d.content, p.ordinal, p.page, p.heading, p.text, s.score \
             FROM (SELECT rowid AS id, -bm25(passage_words, 0.0, 3.0, 1.0) AS score \
               FROM passage_words WHERE passage_words MATCH ? ORDER BY score DESC LIMIT ?) s \
             CROSS JOIN passages p ON p.id = s.id CROSS JOIN documents d ON d.id = p.document \
             ORDER BY s.score DESC, p.document, p.ordinal",
        )
        .bind(format!(
            "document : ({}) AND {{heading words}} : ({})",
            documents.join(" OR "),
            terms.to_fts()
        ))
        .bind(most)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(found).collect()
    }

    /// Those of the documents that can be looked into, the oldest first.
    pub(super) async fn numbers(&self, among: &[ContentHash]) -> Result<Vec<i64>, StoreError> {
        let hashes: Vec<_> = among.iter().map(ToString::to_string).collect();
        let rows = sqlx::query(
            "SELECT id FROM documents WHERE state = 'ready' \
             AND content IN (SELECT unhex(value) FROM json_each(?)) ORDER BY id",
        )
        .bind(serde_json::to_string(&hashes).expect("hashes are plain data"))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }
}

impl Transaction<'_> {
    pub(crate) async fn put_passages(&mut self, step: &ReadStep) -> Result<bool, StoreError> {
        let found = sqlx::query(
            "UPDATE documents SET passages = passages + ?, chars = chars + ? \
             WHERE content = ? AND attempt = ? AND state = 'processing' RETURNING id",
        )
        .bind(signed(step.passages.len() as u64))
        .bind(signed(step.chars))
        .bind(step.content.as_bytes().as_slice())
        .bind(step.attempt)
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(false) };
        let mut script = Script::default();
        script.passages(found.try_get("id")?, step);
        script.run(self.now().await?).await?;
        Ok(true)
    }

    pub(crate) async fn drop_passages(
        &mut self,
        content: ContentHash,
        whose: Whose,
        most: u32,
    ) -> Result<bool, StoreError> {
        let (state, attempt) = match whose {
            Whose::Deleted => ("deleted", None),
            Whose::Reading(attempt) => ("processing", Some(attempt)),
        };
        let found = sqlx::query(
            "UPDATE documents SET passages = 0, chars = 0 \
             WHERE content = ? AND state = ? AND attempt = coalesce(?, attempt) RETURNING id",
        )
        .bind(content.as_bytes().as_slice())
        .bind(state)
        .bind(attempt)
        .fetch_optional(self.now().await?)
        .await?;
        let Some(found) = found else { return Ok(false) };
        let mut script = Script::default();
        script.drop_passages(found.try_get("id")?, most);
        Ok(script.row(self.now().await?).await?.is_some())
    }
}

impl Script {
    fn passages(&mut self, document: i64, step: &ReadStep) {
        if !step.passages.is_empty() {
            self.step(
                "INSERT INTO passages (document, ordinal, page, heading, text) \
                 SELECT ?, value ->> 'ordinal', value ->> 'page', value ->> 'heading', \
                 value ->> 'text' FROM json_each(?)",
            )
            .bind(document)
            .bind(step.rows.clone())
            .step(
                "INSERT INTO passage_words (rowid, document, heading, words) \
                 SELECT p.id, 'd' || p.document, e.value ->> 'heading_words', \
                 e.value ->> 'words' FROM json_each(?) e \
                 CROSS JOIN passages p ON p.document = ? AND p.ordinal = e.value ->> 'ordinal'",
            )
            .bind(step.rows.clone())
            .bind(document);
        }
        if let Some(ready) = &step.ready {
            self.step(
                "UPDATE documents SET state = 'ready', title = ?, media_type = ?, pages = ? \
                 WHERE id = ?",
            )
            .bind(ready.title.clone())
            .bind(ready.media_type.clone())
            .bind(ready.pages)
            .bind(document);
        }
    }

    /// Returns a row when there are more.
    fn drop_passages(&mut self, document: i64, most: u32) {
        for sql in [
            "DELETE FROM passage_words WHERE rowid IN \
             (SELECT id FROM passages WHERE document = ? ORDER BY ordinal LIMIT ?)",
            "DELETE FROM passages WHERE id IN \
             (SELECT id FROM passages WHERE document = ? ORDER BY ordinal LIMIT ?)",
            "DELETE FROM vectors WHERE id IN \
             (SELECT id FROM vectors WHERE document = ? ORDER BY model, ordinal LIMIT ?)",
        ] {
            self.step(sql).bind(document).bind(most);
        }
        self.step(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM passages WHERE document = ?) \
             OR EXISTS (SELECT 1 FROM vectors WHERE document = ?)",
        )
        .bind(document)
        .bind(document);
    }
}
