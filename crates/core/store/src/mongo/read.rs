//! Reading. The driver returns raw documents, which are deserialized here: the driver's code is instantiated once for all
//! types, and the error of a damaged document names its key.

use std::time::Duration;

use futures::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, RawDocumentBuf, deserialize_from_slice, doc};
use mongodb::options::{AggregateOptions, FindOptions, Hint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{BULK_TIMEOUT, Mongo, OPERATION_TIMEOUT, schema};
use crate::{Result, StoreError};

/// Ids in one query, which keeps it far below the largest message.
const IDS_PER_QUERY: usize = 10_000;

/// The key of a document.
#[derive(Deserialize)]
struct Id {
    _id: String,
}

impl Mongo {
    /// The documents of a collection that match `filter`.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        collection: &str,
        filter: Document,
        sort: Document,
    ) -> Result<Vec<T>> {
        self.query(timeout, collection, filter, FindOptions::builder().sort(sort).build()).await
    }

    /// The first document that matches `filter`.
    pub(super) async fn first<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
    ) -> Result<Option<T>> {
        let options = FindOptions::builder().sort(sort).limit(1).build();
        Ok(self.query(OPERATION_TIMEOUT, collection, filter, options).await?.into_iter().next())
    }

    /// The document of a key.
    pub(super) async fn get<T: DeserializeOwned>(&self, collection: &str, key: &str) -> Result<Option<T>> {
        self.first(collection, doc! { "_id": key }, doc! {}).await
    }

    /// The documents with these ids, sorted by id. Ids without a document are left out.
    pub(super) async fn find_by_ids<T: DeserializeOwned>(&self, collection: &str, ids: &[String]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        for ids in sorted(ids).chunks(IDS_PER_QUERY) {
            let (filter, sort) = (doc! { "_id": { "$in": ids } }, doc! { "_id": 1 });
            found.extend(self.find(BULK_TIMEOUT, collection, filter, sort).await?);
        }
        Ok(found)
    }

    /// Those of `ids` that have a document, sorted.
    pub(super) async fn existing_ids(&self, collection: &str, ids: &[String]) -> Result<Vec<String>> {
        self.existing_ids_where(collection, ids, doc! {}, doc! { "_id": 1 }).await
    }

    /// Those of `ids` that have a document that matches `filter`, sorted; `index` as for [`find_ids`](Self::find_ids).
    pub(super) async fn existing_ids_where(
        &self,
        collection: &str,
        ids: &[String],
        filter: Document,
        index: Document,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for ids in sorted(ids).chunks(IDS_PER_QUERY) {
            let mut filter = filter.clone();
            filter.insert("_id", doc! { "$in": ids });
            found.extend(self.find_ids(collection, filter, index.clone()).await?);
        }
        Ok(found)
    }

    /// Some fields of the documents that match `filter`, sorted by key.
    pub(super) async fn find_fields<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        fields: Document,
    ) -> Result<Vec<T>> {
        let options = FindOptions::builder().projection(fields).sort(doc! { "_id": 1 }).build();
        self.query(BULK_TIMEOUT, collection, filter, options).await
    }

    /// The ids of the documents that match `filter`, sorted. Reads only `index`, which must hold the id and all fields of
    /// `filter`.
    pub(super) async fn find_ids(&self, collection: &str, filter: Document, index: Document) -> Result<Vec<String>> {
        let options = FindOptions::builder().projection(doc! { "_id": 1 }).hint(Hint::Keys(index)).build();
        let found: Vec<Id> = self.query(BULK_TIMEOUT, collection, filter, options).await?;
        let mut ids: Vec<String> = found.into_iter().map(|document| document._id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The keys of the documents that match `filter`, sorted. Reads only the index on `key`.
    pub(super) async fn find_keys<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        key: Document,
    ) -> Result<Vec<T>> {
        let mut fields = key.clone();
        fields.insert("_id", 0);
        let options = FindOptions::builder().projection(fields).sort(key.clone()).hint(Hint::Keys(key)).build();
        self.query(BULK_TIMEOUT, collection, filter, options).await
    }

    /// How many documents of a collection have each value of `field`. Reads only the index on it.
    pub(super) async fn count_by(&self, collection: &str, field: &str) -> Result<Vec<(Bson, usize)>> {
        #[derive(Deserialize)]
        struct GroupCount {
            _id: Bson,
            n: usize,
        }
        let group = doc! { "$group": { "_id": format!("${field}"), "n": { "$sum": 1 } } };
        let options = AggregateOptions::builder().hint(Hint::Keys(schema::index_on(field))).build();
        let counts: Vec<GroupCount> = self.aggregate_with(collection, vec![group], options).await?;
        Ok(counts.into_iter().map(|count| (count._id, count.n)).collect())
    }

    /// How many documents of a collection match `filter`.
    pub(super) async fn count(&self, collection: &str, filter: Document) -> Result<usize> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        Ok(self.run(OPERATION_TIMEOUT, async move { found.count_documents(filter).await }).await? as usize)
    }

    /// The results of a pipeline over a collection.
    pub(super) async fn aggregate<T: DeserializeOwned>(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
    ) -> Result<Vec<T>> {
        self.aggregate_with(collection, pipeline, AggregateOptions::default()).await
    }

    /// Deserializes a document.
    pub(super) fn decode<T: DeserializeOwned>(&self, collection: &str, document: &RawDocumentBuf) -> Result<T> {
        deserialize_from_slice(document.as_bytes()).map_err(|error| {
            let key = document.get("_id").ok().flatten().and_then(|key| Bson::try_from(key).ok());
            self.unreadable(collection, &key.map_or("?".to_owned(), |key| key.to_string()), &error)
        })
    }

    /// The error of a document that this program did not write in that form.
    pub(super) fn unreadable(&self, collection: &str, key: &str, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError::Unusable(format!("{key} in `{collection}` of the store at {} is unreadable: {cause}", self.at))
    }

    async fn query<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        collection: &str,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let read = async move { found.find(filter).with_options(options).await?.try_collect().await };
        let documents: Vec<RawDocumentBuf> = self.run(timeout, read).await?;
        documents.iter().map(|document| self.decode(collection, document)).collect()
    }

    async fn aggregate_with<T: DeserializeOwned>(
        &self,
        collection: &str,
        pipeline: Vec<Document>,
        options: AggregateOptions,
    ) -> Result<Vec<T>> {
        let found: Collection<RawDocumentBuf> = self.db.collection(collection);
        let read =
            async move { found.aggregate(pipeline).with_options(options).with_type().await?.try_collect().await };
        let documents: Vec<RawDocumentBuf> = self.run(BULK_TIMEOUT, read).await?;
        documents.iter().map(|document| self.decode(collection, document)).collect()
    }
}

pub(super) fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}
