//! Statements that go to the database together. It works in a thread of its own, and the way there
//! and back costs more than most statements do.

use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, Type};

use crate::StoreError;

/// Carried out in order; what comes after one that fails is not.
#[derive(Default)]
pub(super) struct Script {
    sql: String,
    arguments: SqliteArguments,
}

impl Script {
    /// Adds a statement. Its parameters are written `?` and bound next: a number would be one of
    /// the whole script.
    pub(super) fn step(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self.sql.push(';');
        self
    }

    pub(super) fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.arguments.add(value).expect("plain values can be bound");
        self
    }

    pub(super) fn id(&mut self, id: &[u8; 16]) -> &mut Self {
        self.bind(id.to_vec())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    pub(super) async fn run(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let sql = AssertSqlSafe(self.sql);
        sqlx::query_with(sql, self.arguments).execute(connection).await?;
        Ok(())
    }

    /// The rows that the statements return, in order.
    pub(super) async fn rows(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let sql = AssertSqlSafe(self.sql);
        Ok(sqlx::query_with(sql, self.arguments).fetch_all(connection).await?)
    }

    /// The row that the last statement returns, if it does; no other may return any.
    pub(super) async fn row(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<SqliteRow>, StoreError> {
        let sql = AssertSqlSafe(self.sql);
        Ok(sqlx::query_with(sql, self.arguments).fetch_optional(connection).await?)
    }
}
