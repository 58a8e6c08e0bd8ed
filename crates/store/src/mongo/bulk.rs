//! Many writes in few round trips.

use mongodb::bson::{Bson, Document, deserialize_from_bson, doc, serialize_to_bson};
use mongodb::error::{Error, ErrorKind, Result as Answer, WriteError, WriteFailure};
use mongodb::options::{ReplaceOneModel, UpdateModifications, UpdateOneModel, WriteModel};
use mongodb::{Database, Namespace};

use super::errors::is_duplicate_key;

/// Writes in one `update` command: far below the largest message with the small documents that come in numbers.
const WRITES_A_COMMAND: usize = 1_000;
/// Two upserts of one new key can meet: one of them fails, and finds the document when it tries again.
const ATTEMPTS: usize = 5;

/// An upsert.
#[derive(Debug, Clone)]
pub(super) struct Write {
    collection: &'static str,
    /// The natural key.
    key: Document,
    document: Document,
    first_stays: bool,
}

impl Write {
    /// The document of `key` becomes `document`.
    pub(super) fn replace(collection: &'static str, key: Document, document: Document) -> Self {
        Self { collection, key, document, first_stays: false }
    }

    /// The document of `key` becomes `document`, unless there is one.
    pub(super) fn first_stays(collection: &'static str, key: Document, document: Document) -> Self {
        Self { collection, key, document, first_stays: true }
    }

    fn model(self, db: &Database) -> WriteModel {
        let namespace = Namespace::new(db.name(), self.collection);
        match self.first_stays {
            true => {
                let update = UpdateModifications::Document(doc! { "$setOnInsert": self.document });
                UpdateOneModel::builder().namespace(namespace).filter(self.key).update(update).upsert(true).build().into()
            }
            false => {
                let model = ReplaceOneModel::builder().namespace(namespace).filter(self.key);
                model.replacement(self.document).upsert(true).build().into()
            }
        }
    }

    /// A statement of an `update` command.
    fn statement(self) -> Document {
        let update = if self.first_stays { doc! { "$setOnInsert": self.document } } else { self.document };
        doc! { "q": self.key, "u": update, "upsert": true }
    }
}

/// Writes all in their order. Doing it again changes nothing, so it may stop half-way.
pub(super) async fn write(db: Database, has_bulk_write: bool, writes: Vec<Write>) -> Answer<()> {
    let mut attempt = 1;
    loop {
        let written = match has_bulk_write {
            true => bulk_write(&db, writes.clone()).await,
            false => updates(&db, writes.clone()).await,
        };
        match written {
            Err(error) if is_duplicate_key(&error) && attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn bulk_write(db: &Database, writes: Vec<Write>) -> Answer<()> {
    let models: Vec<WriteModel> = writes.into_iter().map(|write| write.model(db)).collect();
    db.client().bulk_write(models).await.map(drop)
}

/// The same before 8.0: an `update` command for each stretch of writes of one collection.
async fn updates(db: &Database, writes: Vec<Write>) -> Answer<()> {
    for stretch in writes.chunk_by(|one, next| one.collection == next.collection) {
        for writes in stretch.chunks(WRITES_A_COMMAND) {
            update(db, writes[0].collection, writes.iter().cloned().map(Write::statement).collect()).await?;
        }
    }
    Ok(())
}

async fn update(db: &Database, collection: &str, statements: Vec<Document>) -> Answer<()> {
    let mut command = doc! { "update": collection, "updates": statements };
    if let Some(concern) = db.write_concern() {
        command.insert("writeConcern", serialize_to_bson(concern)?);
    }
    let mut answer = db.run_command(command).await?;
    match answer.remove("writeErrors").or_else(|| answer.remove("writeConcernError")) {
        None => Ok(()),
        Some(Bson::Array(mut errors)) if !errors.is_empty() => Err(write_error(errors.swap_remove(0))?),
        Some(error) => Err(write_error(error)?),
    }
}

fn write_error(error: Bson) -> Answer<Error> {
    let error: WriteError = deserialize_from_bson(error)?;
    Ok(ErrorKind::Write(WriteFailure::WriteError(error)).into())
}
