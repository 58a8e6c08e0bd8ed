use async_trait::async_trait;
use model::dataset::DatasetInfo;

use super::{Embedded, to_doc};
use crate::{Datasets, Result};

#[async_trait]
impl Datasets for Embedded {
    async fn save_dataset(&self, info: &DatasetInfo, parquet: &[u8]) -> Result<()> {
        let rows = vec![(info.id.clone(), info.created_at.0, to_doc(info), parquet.to_vec())];
        self.save("REPLACE INTO datasets (id, created_at, doc, parquet) VALUES (?1, ?2, ?3, ?4)", rows).await
    }

    async fn dataset(&self, id: &str) -> Result<Option<DatasetInfo>> {
        self.doc("SELECT doc FROM datasets WHERE id = ?1", [id.to_owned()]).await
    }

    async fn latest_dataset(&self) -> Result<Option<DatasetInfo>> {
        self.doc("SELECT doc FROM datasets ORDER BY created_at DESC, id DESC LIMIT 1", []).await
    }

    async fn dataset_blob(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let query = "SELECT parquet FROM datasets WHERE id = ?1";
        Ok(self.rows(query, [id.to_owned()], |row| row.get(0)).await?.pop())
    }
}
