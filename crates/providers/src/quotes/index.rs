//! Finds passages by SQLite's full-text index (FTS5): porter stems, ranked by bm25.

use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use tokio::sync::OnceCell;

use super::guide::Passage;

/// How many words of a question are searched for.
const TERMS: usize = 64;
/// The longest word that is searched for, in characters.
const TERM_CHARS: usize = 64;

/// Words that say nothing about what is asked.
const STOP_WORDS: &str = " a about all am an and any are as at be been but by can could did do does \
    for from get give had has have he her hers him his how i if in into is it its just let like \
    make may me might more most must my need no not of on one or our please she should so some \
    tell than that the their them then there these they this those to too up us use want was we \
    were what when where which who why will with would yes you your ";

/// A passage that fits a question; a higher score fits better.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    /// Its place in the list that the index was made from.
    pub(crate) passage: usize,
    pub(crate) score: f64,
}

/// An index in memory, made at the first search.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pool: OnceCell<SqlitePool>,
}

impl Index {
    /// The best passages first, at most `limit`.
    pub(crate) async fn search(
        &self,
        passages: &'static [Passage],
        question: &str,
        limit: u32,
    ) -> sqlx::Result<Vec<Hit>> {
        let Some(query) = query(question) else { return Ok(Vec::new()) };
        let pool = self.pool.get_or_try_init(|| open(passages)).await?;
        let rows: Vec<(i64, f64)> = sqlx::query_as(
            "SELECT rowid, -bm25(passages, 3.0, 8.0, 1.0) AS score FROM passages \
             WHERE passages MATCH ? ORDER BY score DESC LIMIT ?",
        )
        .bind(query)
        .bind(limit)
        .fetch_all(pool)
        .await?;
        let hit = |(row, score)| Some(Hit { passage: usize::try_from(row).ok()?, score });
        Ok(rows.into_iter().filter_map(hit).collect())
    }
}

/// One connection: a database in memory belongs to it. A new one is filled anew.
async fn open(passages: &'static [Passage]) -> sqlx::Result<SqlitePool> {
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| Box::pin(fill(connection, passages)))
        .connect("sqlite::memory:")
        .await
}

async fn fill(connection: &mut SqliteConnection, passages: &[Passage]) -> sqlx::Result<()> {
    sqlx::query(
        "CREATE VIRTUAL TABLE passages USING fts5(page, heading, body, \
         tokenize = 'porter unicode61 remove_diacritics 2')",
    )
    .execute(&mut *connection)
    .await?;
    for (row, passage) in passages.iter().enumerate() {
        sqlx::query("INSERT INTO passages (rowid, page, heading, body) VALUES (?, ?, ?, ?)")
            .bind(i64::try_from(row).unwrap_or(i64::MAX))
            .bind(&passage.page)
            .bind(&passage.heading)
            .bind(&passage.body)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The question as a query of FTS5: its words, quoted, any of them. A question of stop words alone
/// ("What can you do?") is searched for as it is.
fn query(question: &str) -> Option<String> {
    let mut terms = terms(question, |word| !STOP_WORDS.contains(&format!(" {word} ")));
    if terms.is_empty() {
        terms = self::terms(question, |_| true);
    }
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{term}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" OR "))
}

fn terms(question: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    let words =
        question.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        let word: String = word.chars().take(TERM_CHARS).flat_map(char::to_lowercase).collect();
        if wanted(&word) && !terms.contains(&word) {
            terms.push(word);
        }
        if terms.len() == TERMS {
            break;
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_question_becomes_its_quoted_words() {
        assert_eq!(query("How do I add a Model?").as_deref(), Some(r#""add" OR "model""#));
        assert_eq!(
            query("\"add\" AND NEAR(model*)").as_deref(),
            Some(r#""add" OR "near" OR "model""#)
        );
        assert_eq!(query("add add ADD").as_deref(), Some(r#""add""#));
        assert_eq!(query("¿?! \u{0}"), None);
    }

    #[test]
    fn a_question_of_stop_words_is_searched_for_as_it_is() {
        assert_eq!(
            query("What can you do?").as_deref(),
            Some(r#""what" OR "can" OR "you" OR "do""#)
        );
    }

    #[test]
    fn a_long_question_is_cut() {
        let words: Vec<String> = (0..200).map(|n| format!("word{n}")).collect();
        assert_eq!(query(&words.join(" ")).unwrap().matches(" OR ").count(), TERMS - 1);
        assert_eq!(query(&"x".repeat(1024 * 1024)).unwrap().len(), TERM_CHARS + 2);
    }

    proptest! {
        #[test]
        fn no_question_breaks_the_quotes(question in any::<String>()) {
            if let Some(query) = query(&question) {
                for term in query.split(" OR ") {
                    let inner = &term[1..term.len() - 1];
                    prop_assert!(inner.chars().all(char::is_alphanumeric) || inner.chars().count() > 1);
                    prop_assert!(!inner.contains('"') && !inner.is_empty());
                }
            }
        }
    }
}
