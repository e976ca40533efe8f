//! Vectors of passages.

use futures_util::TryStreamExt as _;
use sqlx::Row as _;

use super::passages::{self, passage};
use super::{Sqlite, Transaction, files};
use crate::vector::Nearest;
use crate::{ContentHash, Found, StoreError, ToEmbed, Vector, VectorStep};

/// Documents whose vectors are read at once: no read lives long.
const DOCUMENTS: usize = 32;
/// After so many rows others have their turn.
const YIELD_EVERY: u32 = 16;
/// Vectors that a question looks at; of more those of the newest documents.
const LOOKED_AT: u64 = 250_000;

impl Sqlite {
    pub(crate) async fn unembedded(
        &self,
        model: &str,
        before: Option<ContentHash>,
    ) -> Result<Option<ContentHash>, StoreError> {
        let found = sqlx::query(
            "SELECT d.content FROM documents d WHERE d.state = 'ready' AND d.passages > coalesce( \
             (SELECT v.ordinal + v.count FROM vectors v WHERE v.document = d.id AND v.model = ?1 \
              ORDER BY v.ordinal DESC LIMIT 1), 0) \
             AND (?2 IS NULL OR d.id < (SELECT id FROM documents WHERE content = ?2)) \
             ORDER BY d.id DESC LIMIT 1",
        )
        .bind(model)
        .bind(before.as_ref().map(|content| content.as_bytes().as_slice()))
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        found.as_ref().map(files::content).transpose()
    }

    pub(crate) async fn to_embed(
        &self,
        content: ContentHash,
        model: &str,
        most: u32,
    ) -> Result<Option<ToEmbed>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.attempt, p.ordinal, p.page, p.heading, p.text FROM documents d \
             CROSS JOIN passages p ON p.document = d.id \
             WHERE d.content = ? AND d.state = 'ready' AND p.ordinal >= coalesce( \
             (SELECT v.ordinal + v.count FROM vectors v WHERE v.document = d.id AND v.model = ? \
              ORDER BY v.ordinal DESC LIMIT 1), 0) ORDER BY p.ordinal LIMIT ?",
        )
        .bind(content.as_bytes().as_slice())
        .bind(model)
        .bind(most)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let attempt = first.try_get("attempt")?;
        let passages = rows.iter().map(passage).collect::<Result<_, _>>()?;
        Ok(Some(ToEmbed { attempt, passages }))
    }

    pub(crate) async fn nearest(
        &self,
        among: &[ContentHash],
        model: &str,
        to: &Vector,
        most: u32,
    ) -> Result<Vec<Found>, StoreError> {
        let mut documents = self.numbers(among).await?;
        documents.reverse();
        let mut nearest = Nearest::new(to, most);
        let mut rows_seen = 0_u32;
        for some in documents.chunks(DOCUMENTS) {
            let mut reader = self.reader().await?;
            let mut rows = sqlx::query(
                "SELECT v.document, v.ordinal, v.count, v.vectors FROM json_each(?) e \
                 CROSS JOIN vectors v ON v.document = e.value AND v.model = ?",
            )
            .bind(serde_json::to_string(some).expect("numbers are plain data"))
            .bind(model)
            .fetch(&mut *reader);
            while nearest.looked_at() < LOOKED_AT
                && let Some(row) = rows.try_next().await?
            {
                let (document, from): (i64, u32) =
                    (row.try_get("document")?, row.try_get("ordinal")?);
                let place = |number| (document, from.saturating_add(number));
                nearest.look_at(row.try_get("count")?, row.try_get("vectors")?, place);
                // Rows may be there faster than they are compared, and others wait meanwhile.
                rows_seen += 1;
                if rows_seen.is_multiple_of(YIELD_EVERY) {
                    tokio::task::yield_now().await;
                }
            }
        }
        self.at(&nearest.into_places()).await
    }

    /// The passages at some places, which are documents and ordinals, in that order.
    async fn at(&self, places: &[((i64, u32), f64)]) -> Result<Vec<Found>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT d.content, p.ordinal, p.page, p.heading, p.text, e.value ->> 1 AS score \
             FROM json_each(?) e CROSS JOIN documents d ON d.id = e.value ->> '$[0][0]' \
             CROSS JOIN passages p ON p.document = d.id AND p.ordinal = e.value ->> '$[0][1]' \
             WHERE d.state = 'ready' ORDER BY e.key",
        )
        .bind(serde_json::to_string(places).expect("numbers are plain data"))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        rows.iter().map(passages::found).collect()
    }
}

impl Transaction<'_> {
    pub(crate) async fn put_vectors(&mut self, step: &VectorStep) -> Result<bool, StoreError> {
        let put = sqlx::query(
            "INSERT INTO vectors (document, model, ordinal, count, vectors) \
             SELECT d.id, ?1, ?2, ?3, ?4 FROM documents d \
             WHERE d.content = ?5 AND d.attempt = ?6 AND d.state = 'ready' \
             AND d.passages >= ?2 + ?3 AND ?2 = coalesce( \
             (SELECT v.ordinal + v.count FROM vectors v WHERE v.document = d.id AND v.model = ?1 \
              ORDER BY v.ordinal DESC LIMIT 1), 0)",
        )
        .bind(&step.model)
        .bind(step.from)
        .bind(step.pack.count)
        .bind(&*step.pack.bytes)
        .bind(step.content.as_bytes().as_slice())
        .bind(step.attempt)
        .execute(self.now().await?)
        .await?;
        Ok(put.rows_affected() > 0)
    }

    pub(crate) async fn drop_other_vectors(
        &mut self,
        model: &str,
        most: u32,
    ) -> Result<bool, StoreError> {
        let dropped = sqlx::query(
            "DELETE FROM vectors WHERE id IN (SELECT id FROM vectors WHERE model <> ? LIMIT ?)",
        )
        .bind(model)
        .bind(most)
        .execute(self.now().await?)
        .await?;
        Ok(dropped.rows_affected() == u64::from(most))
    }
}
