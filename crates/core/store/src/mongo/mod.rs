//! The shared home: MongoDB. Each family of verbs is a file; they share the few lines here.
//!
//! Documents are the words of the field as they are, under their natural key: as `_id` where it is one word, as a unique
//! index where it is several. What is counted or listed without its document has an index of its own (`schema`).

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

use self::clock::Clock;
use crate::{Result, StoreError};

/// How long a verb about some keys may take: a server that is stopped, or a network that swallows everything, gives no
/// error of its own.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The same for a verb that moves blobs or a whole collection.
const LONG_ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// What each of many writes may add.
const WRITE_WITHIN: Duration = Duration::from_millis(20);
/// How often a blob may be replaced by others while it is read.
const READ_ATTEMPTS: usize = 5;

/// A store in a MongoDB database.
///
/// The driver ends its sessions and closes its connections when the last handle to its client is gone, in the background;
/// waiting for that (`Client::shutdown`) would guarantee nothing more, since every operation here runs to its end and none
/// leaves a cursor behind.
pub(crate) struct Mongo {
    db: Database,
    /// Whether the server has the command `bulkWrite` (8.0).
    has_bulk_write: bool,
    clock: Clock,
    /// Address without credentials.
    at: String,
}

impl Mongo {
    /// Opens the database that `url` names, and makes what it lacks of a store.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let address::Address { at, client, database } = address::parse(url).await?;
        let server = schema::greet(&at, &client).await?;
        let has_bulk_write = server.version >= schema::BULK_WRITE;
        let mongo = Self { db: client.database(&database), has_bulk_write, clock: server.clock, at };
        mongo.run(LONG_ANSWER_WITHIN, schema::prepare(mongo.db.clone())).await?;
        Ok(mongo)
    }

    /// Runs an operation of the driver, see [`run`].
    async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        operation: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Result<T> {
        run(&self.at, within, operation).await
    }

    /// Writes all of `writes`, in their order; safe when this returns. Not one step: a write is seen before those after it.
    async fn save(&self, writes: Vec<bulk::Write>) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let within = ANSWER_WITHIN + WRITE_WITHIN * u32::try_from(writes.len()).unwrap_or(u32::MAX);
        self.run(within, bulk::write(self.db.clone(), self.has_bulk_write, writes)).await
    }

    /// Changes the document of a key in one atomic step, and returns it as it is then; `None` where there is none.
    async fn change<T: DeserializeOwned>(
        &self,
        collection: &str,
        key: Document,
        change: Vec<Document>,
    ) -> Result<Option<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let change = async move { found.find_one_and_update(key, change).return_document(ReturnDocument::After).await };
        let changed = self.run(ANSWER_WITHIN, change).await?;
        changed.map(|document| self.decode(collection, &document)).transpose()
    }

    /// Changes the document that `filter` finds; whether there is one. For documents that are large to return.
    async fn update(&self, collection: &str, filter: Document, change: Document) -> Result<bool> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let change = async move { found.update_one(filter, vec![change]).await };
        Ok(self.run(ANSWER_WITHIN, change).await?.matched_count == 1)
    }

    /// [`Mongo::change`]; where there is no document, `first` is made one before.
    async fn step<T: DeserializeOwned>(
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
        // Not an upsert of the step itself: the answer of one that meets another upsert may be lost, and the step must
        // not be done twice.
        self.save(vec![bulk::Write::first_stays(collection, key.clone(), first)]).await?;
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
        for _ in 0..READ_ATTEMPTS {
            let Some(Named { blob }) = self.get(collection, key).await? else { return Ok(None) };
            let blobs = blobs::Blobs::of(&self.db, collection, key);
            let found = self.run(LONG_ANSWER_WITHIN, async move { blobs.get(&blob).await }).await?;
            if found.is_some() {
                return Ok(found);
            }
            // Replaced while it was read: the document names another by now.
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

/// Runs an operation of the driver in a task of its own, to its end even where nobody waits for it any more: an operation
/// of the driver that is dropped half-way can leave a connection in disorder.
async fn run<T: Send + 'static>(
    at: &str,
    within: Duration,
    operation: impl Future<Output = Answer<T>> + Send + 'static,
) -> Result<T> {
    let unavailable = |cause: String| StoreError::Unavailable { at: at.to_owned(), cause };
    match tokio::time::timeout(within, tokio::spawn(operation)).await {
        Ok(Ok(answer)) => answer.map_err(|error| errors::failed(at, &error)),
        Ok(Err(ended)) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(unavailable("this program is stopping".to_owned())),
        },
        Err(_) => Err(unavailable(format!("no answer within {} s", within.as_secs()))),
    }
}
