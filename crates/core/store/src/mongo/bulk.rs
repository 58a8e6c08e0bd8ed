//! Many writes in few round trips.

use mongodb::bson::{Bson, Document, deserialize_from_bson, doc, serialize_to_bson};
use mongodb::error::{Error, ErrorKind, Result as Answer, WriteError, WriteFailure};
use mongodb::options::{ReplaceOneModel, UpdateModifications, UpdateOneModel, WriteModel};
use mongodb::{Database, Namespace};

use super::errors::is_duplicate_key;

/// Writes in one `update` command: with the small documents that come in bulk, far below the largest message.
const WRITES_PER_COMMAND: usize = 1_000;
/// Attempts at an upsert. Two upserts of the same new key can collide: one fails, and finds the document when retried.
const MAX_UPSERT_ATTEMPTS: usize = 5;

/// An upsert.
#[derive(Debug, Clone)]
pub(super) struct Write {
    collection: &'static str,
    /// The natural key.
    key: Document,
    document: Document,
    insert_only: bool,
}

impl Write {
    /// Replaces the document of `key` by `document`, or inserts it.
    pub(super) fn replace(collection: &'static str, key: Document, document: Document) -> Self {
        Self { collection, key, document, insert_only: false }
    }

    /// Inserts `document` as the document of `key`, unless there is one.
    pub(super) fn insert_if_absent(collection: &'static str, key: Document, document: Document) -> Self {
        Self { collection, key, document, insert_only: true }
    }

    fn model(self, db: &Database) -> WriteModel {
        let namespace = Namespace::new(db.name(), self.collection);
        match self.insert_only {
            true => {
                let update = UpdateModifications::Document(doc! { "$setOnInsert": self.document });
                UpdateOneModel::builder()
                    .namespace(namespace)
                    .filter(self.key)
                    .update(update)
                    .upsert(true)
                    .build()
                    .into()
            }
            false => {
                let model = ReplaceOneModel::builder().namespace(namespace).filter(self.key);
                model.replacement(self.document).upsert(true).build().into()
            }
        }
    }

    /// A statement of an `update` command.
    fn statement(self) -> Document {
        let update = if self.insert_only {
            doc! { "$setOnInsert": self.document }
        } else {
            self.document
        };
        doc! { "q": self.key, "u": update, "upsert": true }
    }
}

/// Carries out the writes in order. They are idempotent, so it may stop half-way and be repeated.
pub(super) async fn write(db: Database, has_bulk_write: bool, writes: Vec<Write>) -> Answer<()> {
    let mut attempt = 1;
    loop {
        let written = match has_bulk_write {
            true => bulk_write(&db, writes.clone()).await,
            false => updates(&db, writes.clone()).await,
        };
        match written {
            Err(error) if is_duplicate_key(&error) && attempt < MAX_UPSERT_ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn bulk_write(db: &Database, writes: Vec<Write>) -> Answer<()> {
    let models: Vec<WriteModel> = writes.into_iter().map(|write| write.model(db)).collect();
    db.client().bulk_write(models).await.map(drop)
}

/// The same before 8.0: one `update` command for consecutive writes to one collection.
async fn updates(db: &Database, writes: Vec<Write>) -> Answer<()> {
    for same_collection in writes.chunk_by(|write, next| write.collection == next.collection) {
        for writes in same_collection.chunks(WRITES_PER_COMMAND) {
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

#[cfg(test)]
mod tests {
    use mongodb::Client;

    use super::*;

    const TRACK_COUNT: i64 = 2_500;

    fn writes(name: &str) -> Vec<Write> {
        let track = |i: i64| Write::replace("tracks", doc! { "_id": i }, doc! { "_id": i, "name": name });
        let page =
            Write::insert_if_absent("pages", doc! { "run": 1, "page": 2 }, doc! { "run": 1, "page": 2, "name": name });
        (0..TRACK_COUNT).map(track).chain([page]).collect()
    }

    /// Newer servers accept the commands for servers before 8.0 as well.
    #[tokio::test]
    async fn both_ways_write_the_same() {
        let Some(url) = testkit::test_server("SPOTIFAI_TEST_STORE", "bulk::both_ways_write_the_same") else { return };
        let client = Client::with_uri_str(&url).await.unwrap();
        for has_bulk_write in [true, false] {
            let db = client.database(&format!("test-bulk-{}-{has_bulk_write}", std::process::id()));
            for name in ["first", "second"] {
                write(db.clone(), has_bulk_write, writes(name)).await.unwrap();
            }
            let [tracks, pages] = ["tracks", "pages"].map(|name| db.collection::<Document>(name));
            assert_eq!(tracks.count_documents(doc! { "name": "second" }).await.unwrap(), TRACK_COUNT as u64);
            assert_eq!(tracks.count_documents(doc! {}).await.unwrap(), TRACK_COUNT as u64);
            assert_eq!(pages.count_documents(doc! { "name": "first" }).await.unwrap(), 1);
            assert_eq!(pages.count_documents(doc! {}).await.unwrap(), 1);
            let clash = Write::replace("tracks", doc! { "_id": 1, "name": "other" }, doc! { "name": "other" });
            let error = write(db.clone(), has_bulk_write, vec![clash]).await.unwrap_err();
            assert!(is_duplicate_key(&error), "{error}");
            db.drop().await.unwrap();
        }
    }
}
