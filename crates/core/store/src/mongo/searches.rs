use async_trait::async_trait;
use model::Timestamp;
use model::search::{ModelInfo, Search, SearchInfo, Trial};
use mongodb::bson::{Bson, Document, deserialize_from_document, doc};
use mongodb::error::Result as Answer;
use mongodb::{Collection, Database};
use serde::Deserialize;

use super::blobs::Blobs;
use super::bulk::Write;
use super::errors::{ignore_duplicates, is_duplicate_key};
use super::{BULK_TIMEOUT, Mongo};
use crate::{Result, Searches};

/// The key of a trial.
#[derive(Deserialize)]
struct TrialKey {
    setting: u32,
    fold: u32,
}

#[async_trait]
impl Searches for Mongo {
    /// BSON has only signed integers: the seed is stored as the one with the same 64 bits.
    async fn save_search(&self, search: &Search) -> Result<()> {
        let mut entry = self.entry(&search.id, &Search { seed: 0, ..search.clone() })?;
        entry.insert("seed", search.seed.cast_signed());
        self.save(vec![Write::insert_if_absent("searches", doc! { "_id": &search.id }, entry)]).await
    }

    async fn search(&self, id: &str) -> Result<Option<Search>> {
        let Some(mut entry) = self.get::<Document>("searches", id).await? else { return Ok(None) };
        let unreadable = |cause: &dyn std::fmt::Display| self.unreadable("searches", id, cause);
        let seed = entry.get_i64("seed").map_err(|error| unreadable(&error))?.cast_unsigned();
        entry.insert("seed", 0);
        let search: Search = deserialize_from_document(entry).map_err(|error| unreadable(&error))?;
        Ok(Some(Search { seed, ..search }))
    }

    async fn search_info(&self, id: &str) -> Result<Option<SearchInfo>> {
        let found = self.aggregate("searches", infos(doc! { "_id": id })).await?;
        Ok(found.into_iter().next())
    }

    async fn searches(&self) -> Result<Vec<SearchInfo>> {
        self.aggregate("searches", infos(doc! {})).await
    }

    async fn cancel_search(&self, id: &str, at: Timestamp) -> Result<Option<SearchInfo>> {
        let mark = doc! { "$set": { "cancelled_at": { "$ifNull": ["$cancelled_at", at.0] } } };
        self.update("searches", doc! { "_id": id }, mark).await?;
        self.search_info(id).await
    }

    async fn resume_search(&self, id: &str) -> Result<bool> {
        let cancelled = doc! { "_id": id, "cancelled_at": { "$ne": Bson::Null } };
        self.update("searches", cancelled, doc! { "$unset": "cancelled_at" }).await
    }

    /// Inserts, and lets the unique index refuse existing trials: an upsert would have to look for each one first.
    async fn save_trials(&self, trials: &[Trial]) -> Result<()> {
        if trials.is_empty() {
            return Ok(());
        }
        let documents: Vec<Document> = trials.iter().map(|trial| self.document(trial)).collect::<Result<_>>()?;
        let collection: Collection<Document> = self.db.collection("trials");
        let insert = async move { collection.insert_many(documents).ordered(false).await.map(drop) };
        self.run(BULK_TIMEOUT, async move { insert.await.or_else(ignore_duplicates) }).await
    }

    async fn trials(&self, search: &str) -> Result<Vec<Trial>> {
        self.find(BULK_TIMEOUT, "trials", doc! { "search": search }, doc! { "setting": 1, "fold": 1 }).await
    }

    async fn trials_of(&self, search: &str, settings: &[u32]) -> Result<Vec<Trial>> {
        let filter = doc! { "search": search, "setting": { "$in": numbers(settings) } };
        self.find(BULK_TIMEOUT, "trials", filter, doc! { "setting": 1, "fold": 1 }).await
    }

    async fn finished_trials(&self, search: &str, settings: Option<&[u32]>) -> Result<Vec<(u32, u32)>> {
        let mut filter = doc! { "search": search };
        if let Some(settings) = settings {
            filter.insert("setting", doc! { "$in": numbers(settings) });
        }
        let found: Vec<TrialKey> =
            self.find_keys("trials", filter, doc! { "search": 1, "setting": 1, "fold": 1 }).await?;
        Ok(found.into_iter().map(|key| (key.setting, key.fold)).collect())
    }

    async fn trial_count(&self, search: &str) -> Result<usize> {
        self.count("trials", doc! { "search": search }).await
    }

    async fn save_model(&self, info: &ModelInfo, blob: &[u8]) -> Result<()> {
        let (entry, blob) = (self.entry(&info.search, info)?, blob.to_vec());
        let blobs = Blobs::of_document(&self.db, "models", &info.search);
        self.run(BULK_TIMEOUT, save_model(self.db.clone(), blobs, info.search.clone(), entry, blob)).await
    }

    async fn model(&self, search: &str) -> Result<Option<ModelInfo>> {
        self.get("models", search).await
    }

    async fn latest_model(&self) -> Result<Option<ModelInfo>> {
        self.first("models", doc! {}, doc! { "created_at": -1, "_id": -1 }).await
    }

    async fn model_blob(&self, search: &str) -> Result<Option<Vec<u8>>> {
        self.blob("models", search).await
    }
}

/// The pipeline that makes a [`SearchInfo`] of each search, newest first.
fn infos(filter: Document) -> Vec<Document> {
    let sizes = doc! { "settings": { "$size": "$settings" }, "blocks": { "$size": "$blocks" } };
    let mut fields = doc! { "id": 1, "dataset": 1, "folds": 1, "created_at": 1, "cancelled_at": 1 };
    fields.extend(sizes);
    vec![doc! { "$match": filter }, doc! { "$project": fields }, doc! { "$sort": { "created_at": -1, "_id": -1 } }]
}

fn numbers(settings: &[u32]) -> Vec<i64> {
    settings.iter().copied().map(i64::from).collect()
}

async fn save_model(db: Database, blobs: Blobs, search: String, mut entry: Document, bytes: Vec<u8>) -> Answer<()> {
    let models: Collection<Document> = db.collection("models");
    if let Some(existing) = models.find_one(doc! { "_id": &search }).await? {
        return blobs.remove_abandoned(existing.get_str("blob").unwrap_or_default()).await;
    }
    let blob = blobs.put(&bytes).await?;
    entry.insert("blob", &blob);
    match models.insert_one(entry).await {
        Ok(_) => blobs.remove_abandoned(&blob).await,
        // Another process has fitted it as well, and was first.
        Err(error) if is_duplicate_key(&error) => blobs.remove(&blob).await,
        Err(error) => Err(error),
    }
}
