use async_trait::async_trait;
use model::search::{ModelInfo, Search, Trial};

use super::{Embedded, to_doc};
use crate::{Result, Searches};

#[async_trait]
impl Searches for Embedded {
    async fn save_search(&self, search: &Search) -> Result<()> {
        let rows = vec![(search.id.clone(), search.created_at.0, to_doc(search))];
        self.save("REPLACE INTO searches (id, created_at, doc) VALUES (?1, ?2, ?3)", rows).await
    }

    async fn search(&self, id: &str) -> Result<Option<Search>> {
        self.doc("SELECT doc FROM searches WHERE id = ?1", [id.to_owned()]).await
    }

    async fn save_trials(&self, trials: &[Trial]) -> Result<()> {
        let statement =
            "INSERT INTO trials (search, setting, fold, doc) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let row = |trial: &Trial| (trial.search.clone(), trial.setting, trial.fold, to_doc(trial));
        self.save(statement, trials.iter().map(row).collect()).await
    }

    async fn trials(&self, search: &str) -> Result<Vec<Trial>> {
        self.docs("SELECT doc FROM trials WHERE search = ?1 ORDER BY setting, fold", [search.to_owned()]).await
    }

    async fn trial_count(&self, search: &str) -> Result<usize> {
        let query = "SELECT count(*) FROM trials WHERE search = ?1";
        let count: Vec<u32> = self.rows(query, [search.to_owned()], |row| row.get(0)).await?;
        Ok(count[0] as usize)
    }

    async fn save_model(&self, info: &ModelInfo, blob: &[u8]) -> Result<()> {
        let statement =
            "INSERT INTO models (search, created_at, doc, model) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        self.save(statement, vec![(info.search.clone(), info.created_at.0, to_doc(info), blob.to_vec())]).await
    }

    async fn model(&self, search: &str) -> Result<Option<ModelInfo>> {
        self.doc("SELECT doc FROM models WHERE search = ?1", [search.to_owned()]).await
    }

    async fn latest_model(&self) -> Result<Option<ModelInfo>> {
        self.doc("SELECT doc FROM models ORDER BY created_at DESC, search DESC LIMIT 1", []).await
    }

    async fn model_blob(&self, search: &str) -> Result<Option<Vec<u8>>> {
        let query = "SELECT model FROM models WHERE search = ?1";
        Ok(self.rows(query, [search.to_owned()], |row| row.get(0)).await?.pop())
    }
}
