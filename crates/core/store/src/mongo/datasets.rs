use async_trait::async_trait;
use model::dataset::DatasetInfo;
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};

use super::blobs::Blobs;
use super::errors::is_duplicate_key;
use super::{BULK_TIMEOUT, Mongo};
use crate::{Datasets, Result};

#[async_trait]
impl Datasets for Mongo {
    async fn save_dataset(&self, info: &DatasetInfo, parquet: &[u8]) -> Result<()> {
        let (entry, parquet) = (self.entry(&info.id, info)?, parquet.to_vec());
        let blobs = Blobs::of_document(&self.db, "datasets", &info.id);
        self.run(BULK_TIMEOUT, save(self.db.clone(), blobs, info.id.clone(), entry, parquet)).await
    }

    async fn dataset(&self, id: &str) -> Result<Option<DatasetInfo>> {
        self.get("datasets", id).await
    }

    async fn latest_dataset(&self) -> Result<Option<DatasetInfo>> {
        self.first("datasets", doc! {}, doc! { "created_at": -1, "_id": -1 }).await
    }

    async fn dataset_blob(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.blob("datasets", id).await
    }
}

/// Readers start from the document: until it names the new blob they see the old one.
async fn save(
    db: Database,
    blobs: Blobs,
    id: String,
    mut entry: Document,
    parquet: Vec<u8>,
) -> mongodb::error::Result<()> {
    let blob = blobs.put(&parquet).await?;
    entry.insert("blob", &blob);
    let datasets: Collection<Document> = db.collection("datasets");
    let replace = || async {
        let replace = datasets.find_one_and_replace(doc! { "_id": &id }, &entry).upsert(true);
        replace.return_document(ReturnDocument::Before).await
    };
    let before = match replace().await {
        // Another process was the first to save this id; now there is a document to replace.
        Err(error) if is_duplicate_key(&error) => replace().await?,
        other => other?,
    };
    if let Some(before) = before.as_ref().and_then(|before| before.get_str("blob").ok()) {
        blobs.remove(before).await?;
    }
    blobs.remove_abandoned(&blob).await
}
