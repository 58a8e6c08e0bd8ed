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
mod schema;
mod searches;
mod tags;
mod tracks;

use std::future::Future;
use std::time::Duration;

use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, doc, serialize_to_document};
use mongodb::error::Result as Answer;
use mongodb::options::{Hint, ReturnDocument};
use mongodb::{Collection, Database};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::clock::Clock;
use crate::{Result, StoreError};

/// How long a verb about some keys may take: a server that is stopped, or a network that swallows everything, gives no
/// error of its own.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The same for a verb that moves blobs or a whole collection.
const LONG_ANSWER_WITHIN: Duration = Duration::from_secs(600);
/// Ids in one query: far below the largest message.
const IDS_A_QUERY: usize = 10_000;
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
        self.run(LONG_ANSWER_WITHIN, bulk::write(self.db.clone(), self.has_bulk_write, writes)).await
    }

    /// The documents of a collection that `filter` lets through.
    async fn find<T>(&self, collection: &'static str, filter: Document, sort: Document) -> Result<Vec<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let found: Collection<T> = self.db.collection(collection);
        self.run(LONG_ANSWER_WITHIN, async move { found.find(filter).sort(sort).await?.try_collect().await }).await
    }

    /// The first document that `filter` lets through.
    async fn first<T>(&self, collection: &'static str, filter: Document, sort: Document) -> Result<Option<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let found: Collection<T> = self.db.collection(collection);
        self.run(ANSWER_WITHIN, async move { found.find_one(filter).sort(sort).await }).await
    }

    /// The document of a key.
    async fn get<T>(&self, collection: &'static str, key: &str) -> Result<Option<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.first(collection, doc! { "_id": key }, doc! {}).await
    }

    /// The documents of those of `ids` that there are, sorted by id.
    async fn of_ids<T>(&self, collection: &'static str, ids: &[String]) -> Result<Vec<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let mut found = Vec::new();
        for ids in sorted(ids).chunks(IDS_A_QUERY) {
            found.extend(self.find(collection, doc! { "_id": { "$in": ids } }, doc! { "_id": 1 }).await?);
        }
        Ok(found)
    }

    /// Some fields of the documents of a collection that `filter` lets through, sorted by key.
    async fn parts<T>(&self, collection: &'static str, filter: Document, fields: Document) -> Result<Vec<T>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let found: Collection<T> = self.db.collection(collection);
        let read = async move { found.find(filter).projection(fields).sort(doc! { "_id": 1 }).await?.try_collect().await };
        self.run(LONG_ANSWER_WITHIN, read).await
    }

    /// The ids, sorted, of the documents that `filter` lets through; `index`, which has to hold all that `filter` looks
    /// at and the id, is all that is read.
    async fn ids(&self, collection: &'static str, filter: Document, index: Document) -> Result<Vec<String>> {
        #[derive(serde::Deserialize)]
        struct Id {
            _id: String,
        }
        let found: Collection<Id> = self.db.collection(collection);
        let read = async move {
            let cursor = found.find(filter).projection(doc! { "_id": 1 }).hint(Hint::Keys(index)).await?;
            cursor.try_collect::<Vec<Id>>().await
        };
        let mut ids: Vec<String> = self.run(LONG_ANSWER_WITHIN, read).await?.into_iter().map(|of| of._id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// How many documents of a collection have each value of `field`; only the index on it is read.
    async fn counts(&self, collection: &'static str, field: &'static str) -> Result<Vec<(Bson, usize)>> {
        #[derive(serde::Deserialize)]
        struct Count {
            _id: Bson,
            n: usize,
        }
        let found: Collection<Document> = self.db.collection(collection);
        let read = async move {
            let group = doc! { "$group": { "_id": format!("${field}"), "n": { "$sum": 1 } } };
            let counts = found.aggregate([group]).hint(Hint::Keys(schema::by(field)));
            counts.with_type::<Count>().await?.try_collect::<Vec<Count>>().await
        };
        let counts = self.run(LONG_ANSWER_WITHIN, read).await?;
        Ok(counts.into_iter().map(|count| (count._id, count.n)).collect())
    }

    /// Changes the document of a key in one atomic step, and returns it; where there is none, `first` is made one before.
    async fn step<T>(
        &self,
        collection: &'static str,
        key: &str,
        first: Document,
        change: Vec<Document>,
    ) -> Result<T>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let (found, key): (Collection<T>, _) = (self.db.collection(collection), doc! { "_id": key });
        let change = || {
            let (found, key, change) = (found.clone(), key.clone(), change.clone());
            async move { found.find_one_and_update(key, change).return_document(ReturnDocument::After).await }
        };
        if let Some(changed) = self.run(ANSWER_WITHIN, change()).await? {
            return Ok(changed);
        }
        // Not an upsert of the step itself: the answer of one that meets another upsert may be lost, and the step must
        // not be done twice.
        self.save(vec![bulk::Write::first_stays(collection, key.clone(), first)]).await?;
        let changed = self.run(ANSWER_WITHIN, change()).await?;
        changed.ok_or_else(|| StoreError::Unusable(format!("`{collection}` of the store at {} is being emptied", self.at)))
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

    /// An entry that this program did not write like that.
    fn unreadable(&self, collection: &str, key: &str, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError::Unusable(format!("`{key}` in `{collection}` of the store at {} is unreadable: {cause}", self.at))
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

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}
