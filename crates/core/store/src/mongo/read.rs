//! Reading. The driver is asked for documents as they come, and they become the words of the field here: one operation of
//! the driver for all kinds of them, and an entry that is damaged is told by its key.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, RawDocumentBuf, deserialize_from_slice, doc};
use mongodb::options::{AggregateOptions, FindOptions, Hint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ANSWER_WITHIN, LONG_ANSWER_WITHIN, Mongo, schema};
use crate::{Result, StoreError};

/// Ids in one query: far below the largest message.
const IDS_A_QUERY: usize = 10_000;

/// The key of a document.
#[derive(Deserialize)]
struct Id {
    _id: String,
}

impl Mongo {
    /// The documents of a collection that `filter` lets through.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        within: Duration,
        collection: &str,
        filter: Document,
        sort: Document,
    ) -> Result<Vec<T>> {
        self.query(within, collection, filter, FindOptions::builder().sort(sort).build()).await
    }

    /// The first document that `filter` lets through.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
    ) -> Result<Option<T>> {
        let options = FindOptions::builder().sort(sort).limit(1).build();
        Ok(self.query(ANSWER_WITHIN, collection, filter, options).await?.into_iter().next())
    }

    /// The document of a key.
    pub(super) async fn get<T: DeserializeOwned>(&self, collection: &str, key: &str) -> Result<Option<T>> {
        self.first(collection, doc! { "_id": key }, doc! {}).await
    }

    /// The documents of those of `ids` that there are, sorted by id.
    pub(super) async fn of_ids<T: DeserializeOwned>(&self, collection: &str, ids: &[String]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        for ids in sorted(ids).chunks(IDS_A_QUERY) {
            let (filter, sort) = (doc! { "_id": { "$in": ids } }, doc! { "_id": 1 });
            found.extend(self.find(LONG_ANSWER_WITHIN, collection, filter, sort).await?);
        }
        Ok(found)
    }

    /// Those of `ids` that there is a document of, sorted.
    pub(super) async fn known(&self, collection: &str, ids: &[String]) -> Result<Vec<String>> {
        self.known_where(collection, ids, doc! {}, doc! { "_id": 1 }).await
    }

    /// Those of `ids` that there is a document of which `filter` lets through, sorted; `index` as for [`ids`](Self::ids).
    pub(super) async fn known_where(
        &self,
        collection: &str,
        ids: &[String],
        filter: Document,
        index: Document,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for ids in sorted(ids).chunks(IDS_A_QUERY) {
            let mut filter = filter.clone();
            filter.insert("_id", doc! { "$in": ids });
            found.extend(self.ids(collection, filter, index.clone()).await?);
        }
        Ok(found)
    }

    /// Some fields of the documents of a collection that `filter` lets through, sorted by key.
    pub(super) async fn parts<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        fields: Document,
    ) -> Result<Vec<T>> {
        let options = FindOptions::builder().projection(fields).sort(doc! { "_id": 1 }).build();
        self.query(LONG_ANSWER_WITHIN, collection, filter, options).await
    }

    /// The ids, sorted, of the documents that `filter` lets through; `index`, which has to hold all that `filter` looks
    /// at and the id, is all that is read.
    pub(super) async fn ids(&self, collection: &str, filter: Document, index: Document) -> Result<Vec<String>> {
        let options = FindOptions::builder().projection(doc! { "_id": 1 }).hint(Hint::Keys(index)).build();
        let found: Vec<Id> = self.query(LONG_ANSWER_WITHIN, collection, filter, options).await?;
        let mut ids: Vec<String> = found.into_iter().map(|of| of._id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The keys, in their order, of the documents that `filter` lets through; `key`, the index on them, is all that is
    /// read.
    pub(super) async fn keys<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        key: Document,
    ) -> Result<Vec<T>> {
        let mut fields = key.clone();
        fields.insert("_id", 0);
        let options = FindOptions::builder().projection(fields).sort(key.clone()).hint(Hint::Keys(key)).build();
        self.query(LONG_ANSWER_WITHIN, collection, filter, options).await
    }

    /// How many documents of a collection have each value of `field`; only the index on it is read.
    pub(super) async fn counts(&self, collection: &str, field: &str) -> Result<Vec<(Bson, usize)>> {
        #[derive(Deserialize)]
        struct Count {
            _id: Bson,
            n: usize,
        }
        let group = doc! { "$group": { "_id": format!("${field}"), "n": { "$sum": 1 } } };
        let options = AggregateOptions::builder().hint(Hint::Keys(schema::by(field))).build();
        let counts: Vec<Count> = self.pipe(collection, vec![group], options).await?;
        Ok(counts.into_iter().map(|count| (count._id, count.n)).collect())
    }

    /// How many documents of a collection `filter` lets through.
    pub(super) async fn count(&self, collection: &str, filter: Document) -> Result<usize> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        Ok(self.run(ANSWER_WITHIN, async move { found.count_documents(filter).await }).await? as usize)
    }

    /// What a pipeline makes of a collection.
    pub(super) async fn aggregate<T: DeserializeOwned>(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
    ) -> Result<Vec<T>> {
        self.pipe(collection, pipeline, AggregateOptions::default()).await
    }

    /// A document as a word of the field.
    pub(super) fn decode<T: DeserializeOwned>(&self, collection: &str, document: &RawDocumentBuf) -> Result<T> {
        deserialize_from_slice(document.as_bytes()).map_err(|error| {
            let key = document.get("_id").ok().flatten().and_then(|key| Bson::try_from(key).ok());
            self.unreadable(collection, &key.map_or("?".to_owned(), |key| key.to_string()), &error)
        })
    }

    /// An entry that this program did not write like that.
    pub(super) fn unreadable(&self, collection: &str, key: &str, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError::Unusable(format!("{key} in `{collection}` of the store at {} is unreadable: {cause}", self.at))
    }

    async fn query<T: DeserializeOwned>(
        &self,
        within: Duration,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let read = async move { found.find(filter).with_options(options).await?.try_collect().await };
        let documents: Vec<RawDocumentBuf> = self.run(within, read).await?;
        documents.iter().map(|document| self.decode(collection, document)).collect()
    }

    async fn pipe<T: DeserializeOwned>(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
        options: AggregateOptions,
    ) -> Result<Vec<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let read =
            async move { found.aggregate(pipeline).with_options(options).with_type().await?.try_collect().await };
        let documents: Vec<RawDocumentBuf> = self.run(LONG_ANSWER_WITHIN, read).await?;
        documents.iter().map(|document| self.decode(collection, document)).collect()
    }
}

pub(super) fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}
