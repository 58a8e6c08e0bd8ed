use async_trait::async_trait;
use model::Timestamp;
use model::search::{ModelInfo, Search, SearchInfo, Trial};

use sqlite::rusqlite::Row;

use super::{Embedded, to_doc};
use crate::{Result, Searches};

/// Selects [`SearchInfo`]s as JSON documents. A cancellation is stored in the document of the search.
macro_rules! infos {
    ($clauses:literal) => {
        concat!(
            "SELECT json_object(
                'id', id, 'dataset', doc -> '$.dataset', 'settings', json_array_length(doc, '$.settings'),
                'blocks', json_array_length(doc, '$.blocks'), 'folds', doc -> '$.folds', 'created_at', created_at,
                'cancelled_at', doc -> '$.cancelled_at'
            ) FROM searches ",
            $clauses
        )
    };
}

#[async_trait]
impl Searches for Embedded {
    async fn save_search(&self, search: &Search) -> Result<()> {
        let rows = vec![(search.id.clone(), search.created_at.0, to_doc(search))];
        self.save("INSERT INTO searches (id, created_at, doc) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", rows).await
    }

    async fn search(&self, id: &str) -> Result<Option<Search>> {
        self.doc("SELECT doc FROM searches WHERE id = ?1", [id.to_owned()]).await
    }

    async fn search_info(&self, id: &str) -> Result<Option<SearchInfo>> {
        self.doc(infos!("WHERE id = ?1"), [id.to_owned()]).await
    }

    async fn searches(&self) -> Result<Vec<SearchInfo>> {
        self.docs(infos!("ORDER BY created_at DESC, id DESC"), []).await
    }

    async fn cancel_search(&self, id: &str, at: Timestamp) -> Result<Option<SearchInfo>> {
        let mark = "UPDATE searches SET doc = json_set(doc, '$.cancelled_at', ?2)
            WHERE id = ?1 AND doc ->> '$.cancelled_at' IS NULL";
        self.save(mark, vec![(id.to_owned(), at.0)]).await?;
        self.search_info(id).await
    }

    async fn resume_search(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        let resume = "UPDATE searches SET doc = json_remove(doc, '$.cancelled_at')
            WHERE id = ?1 AND doc ->> '$.cancelled_at' IS NOT NULL";
        self.write(move |connection| Ok(connection.execute(resume, [id])? == 1)).await
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

    async fn trials_of(&self, search: &str, settings: &[u32]) -> Result<Vec<Trial>> {
        let query = "SELECT doc FROM trials WHERE search = ?1 AND setting IN (SELECT value FROM json_each(?2))
            ORDER BY setting, fold";
        self.docs(query, (search.to_owned(), to_doc(settings))).await
    }

    async fn finished_trials(&self, search: &str, settings: Option<&[u32]>) -> Result<Vec<(u32, u32)>> {
        let key = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        let query = "SELECT setting, fold FROM trials
            WHERE search = ?1 AND (?2 IS NULL OR setting IN (SELECT value FROM json_each(?2))) ORDER BY setting, fold";
        self.rows(query, (search.to_owned(), settings.map(to_doc)), key).await
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
