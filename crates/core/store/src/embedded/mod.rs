//! The embedded backend: one SQLite file. Each trait is implemented in a file of its own, on the few functions here.

mod audio;
mod datasets;
mod fleet;
mod schema;
mod searches;
mod tags;
mod tracks;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlite::rusqlite::types::Type;
use sqlite::rusqlite::{self, Connection, Params, Row};
use sqlite::{Db, Remedy};

use crate::{Result, StoreError};

/// A store in one file.
pub(crate) struct Embedded {
    db: Db,
}

impl Embedded {
    /// Opens or creates `file`.
    pub(crate) async fn open(file: &str) -> Result<Self> {
        let db = Db::open(file, schema::SCHEMA).await.map_err(|error| failed(file, &error))?;
        Ok(Self { db })
    }

    /// Runs `work` in a transaction; what it wrote is safe when this returns.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.write(work).await.map_err(|error| self.failed(&error))
    }

    /// Runs `work` on one snapshot of the file.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.db.read(work).await.map_err(|error| self.failed(&error))
    }

    /// Runs a statement once per row, in one transaction.
    async fn save<P: Params + Send + 'static>(&self, statement: &'static str, rows: Vec<P>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write(move |connection| execute_each(connection, statement, rows)).await
    }

    /// The rows of a query, each mapped by `map_row`.
    async fn rows<T: Send + 'static>(
        &self,
        query: &'static str,
        params: impl Params + Send + 'static,
        map_row: impl Fn(&Row) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Vec<T>> {
        self.read(move |connection| connection.prepare_cached(query)?.query_map(params, map_row)?.collect()).await
    }

    /// The rows of a query whose only column is a JSON document.
    async fn docs<T: DeserializeOwned + Send + 'static>(
        &self,
        query: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Vec<T>> {
        self.rows(query, params, |row| from_doc(row, 0)).await
    }

    /// The first row of [`Embedded::docs`].
    async fn doc<T: DeserializeOwned + Send + 'static>(
        &self,
        query: &'static str,
        params: impl Params + Send + 'static,
    ) -> Result<Option<T>> {
        Ok(self.docs(query, params).await?.into_iter().next())
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        failed(&self.db.path().display().to_string(), error)
    }
}

fn failed(file: &str, error: &rusqlite::Error) -> StoreError {
    match sqlite::remedy(error) {
        Remedy::Retry => StoreError::Unavailable { at: format!("sqlite:{file}"), cause: error.to_string() },
        Remedy::FixDisk(why) => StoreError::Unwritable { file: file.to_owned(), why },
        Remedy::GiveUp => StoreError::Unusable(format!("the store `sqlite:{file}` cannot be used: {error}")),
    }
}

fn execute_each<P: Params>(connection: &Connection, statement: &str, rows: Vec<P>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(statement)?;
    rows.into_iter().try_for_each(|row| statement.execute(row).map(drop))
}

fn to_doc<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("domain types are plain data")
}

fn from_doc<T: DeserializeOwned>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let doc = row.get_ref(column)?.as_str()?;
    serde_json::from_str(doc).map_err(|error| unreadable(column, Type::Text, error))
}

/// The error of a value that this program did not write in that form.
fn unreadable(
    column: usize,
    sql_type: Type,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, sql_type, cause.into())
}
