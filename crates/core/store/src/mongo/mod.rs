//! The MongoDB backend. Each trait is implemented in a file of its own, on the few functions here.
//!
//! Documents are serialized domain types under their natural key: `_id` if the key has one field, a unique index if it has
//! several. Fields that documents are counted or listed by have an index of their own (`schema`).

mod address;
mod audio;
mod blobs;
mod bulk;
mod clock;
mod datasets;
mod errors;
mod fleet;
mod labels;
mod read;
mod schema;
mod searches;
mod tags;
mod tracks;

use std::future::Future;
use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc, serialize_to_document};
use mongodb::error::Result as Answer;
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::clock::ServerClock;
use crate::{Result, StoreError};

/// How long an operation on a few keys may take. A stopped server, or a network that drops everything, returns no error.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an operation on blobs or on a whole collection may take.
const BULK_TIMEOUT: Duration = Duration::from_secs(60);
/// What each write adds to [`OPERATION_TIMEOUT`].
const EXTRA_TIMEOUT_PER_WRITE: Duration = Duration::from_millis(20);
/// Attempts to read a blob that other processes keep replacing.
const MAX_BLOB_READ_ATTEMPTS: usize = 5;

/// A store in a MongoDB database.
///
/// The driver ends its sessions and closes its connections in the background when the last handle to its client is dropped.
/// Waiting for that (`Client::shutdown`) would guarantee nothing more: every operation here runs to completion, and none
/// leaves a cursor open.
pub(crate) struct Mongo {
    db: Database,
    /// Whether the server has the command `bulkWrite` (8.0).
    has_bulk_write: bool,
    clock: ServerClock,
    /// Address without credentials.
    at: String,
}

impl Mongo {
    /// Opens the database that `url` names, and creates its indexes and its view.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let address::Address { at, client, database } = address::parse(url).await?;
        let server = schema::check_server(&at, &client).await?;
        let has_bulk_write = server.version >= schema::BULK_WRITE_VERSION;
        let mongo = Self { db: client.database(&database), has_bulk_write, clock: server.clock, at };
        mongo.run(BULK_TIMEOUT, schema::create_indexes_and_view(mongo.db.clone())).await?;
        Ok(mongo)
    }

    /// Runs an operation of the driver, see [`run`].
    async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        operation: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Result<T> {
        run(&self.at, timeout, operation).await
    }

    /// Carries out `writes` in order; they are safe when this returns. Not a transaction: readers may see the first ones only.
    async fn save(&self, writes: Vec<bulk::Write>) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let timeout = OPERATION_TIMEOUT + EXTRA_TIMEOUT_PER_WRITE * u32::try_from(writes.len()).unwrap_or(u32::MAX);
        self.run(timeout, bulk::write(self.db.clone(), self.has_bulk_write, writes)).await
    }

    /// Changes the document of a key atomically and returns the changed document; `None` if there is none.
    async fn change<T: DeserializeOwned>(
        &self,
        collection: &str,
        key: Document,
        change: Vec<Document>,
    ) -> Result<Option<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let change = async move { found.find_one_and_update(key, change).return_document(ReturnDocument::After).await };
        let changed = self.run(OPERATION_TIMEOUT, change).await?;
        changed.map(|document| self.decode(collection, &document)).transpose()
    }

    /// Changes a document that matches `filter` and returns whether there is one. For documents too large to return.
    async fn update(&self, collection: &str, filter: Document, change: Document) -> Result<bool> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let change = async move { found.update_one(filter, vec![change]).await };
        Ok(self.run(OPERATION_TIMEOUT, change).await?.matched_count == 1)
    }

    /// [`Mongo::change`]; if there is no document, `first` is inserted before.
    async fn change_or_create<T: DeserializeOwned>(
        &self,
        collection: &'static str,
        key: &str,
        first: Document,
        change: Vec<Document>,
    ) -> Result<T> {
        let key = doc! { "_id": key };
        if let Some(changed) = self.change(collection, key.clone(), change.clone()).await? {
            return Ok(changed);
        }
        // Not an upsert of the change itself: if two upserts collide, the answer of one may be lost, and the change must not
        // be made twice.
        self.save(vec![bulk::Write::insert_if_absent(collection, key.clone(), first)]).await?;
        let changed = self.change(collection, key, change).await?;
        changed
            .ok_or_else(|| StoreError::Unusable(format!("`{collection}` of the store at {} is being emptied", self.at)))
    }

    /// The blob that the document of a key names.
    async fn blob(&self, collection: &'static str, key: &str) -> Result<Option<Vec<u8>>> {
        #[derive(serde::Deserialize)]
        struct Named {
            blob: String,
        }
        for _ in 0..MAX_BLOB_READ_ATTEMPTS {
            let Some(Named { blob }) = self.get(collection, key).await? else { return Ok(None) };
            let blobs = blobs::Blobs::of_document(&self.db, collection, key);
            let found = self.run(BULK_TIMEOUT, async move { blobs.get(&blob).await }).await?;
            if found.is_some() {
                return Ok(found);
            }
            // Replaced while it was read: the document names another blob by now.
        }
        Err(self.unreadable(collection, key, &"its blob is missing"))
    }

    /// `value` as the document of `key`.
    fn entry(&self, key: &str, value: &impl Serialize) -> Result<Document> {
        let mut entry = self.document(value)?;
        entry.insert("_id", key);
        Ok(entry)
    }

    /// `value` as a document.
    fn document(&self, value: &impl Serialize) -> Result<Document> {
        serialize_to_document(value)
            .map_err(|error| StoreError::Unusable(format!("the store at {} cannot keep a value: {error}", self.at)))
    }
}

/// Runs an operation of the driver in a task of its own, so that it completes even if the caller drops this future: an
/// operation that is dropped half-way can leave its connection unusable.
async fn run<T: Send + 'static>(
    at: &str,
    timeout: Duration,
    operation: impl Future<Output = Answer<T>> + Send + 'static,
) -> Result<T> {
    let unavailable = |cause: String| StoreError::Unavailable { at: at.to_owned(), cause };
    match tokio::time::timeout(timeout, tokio::spawn(operation)).await {
        Ok(Ok(answer)) => answer.map_err(|error| errors::store_error(at, &error)),
        Ok(Err(ended)) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(unavailable("this program is stopping".to_owned())),
        },
        Err(_) => Err(unavailable(format!("no answer within {} s", timeout.as_secs()))),
    }
}
