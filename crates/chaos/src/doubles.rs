//! Rows of the database, and how many different ones they are by their natural key.

use anyhow::Context;
use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{Document, doc};

/// The collections of the run, with the fields of their natural keys.
const KEYS: [(&str, &[&str]); 7] = [
    ("tracks", &["_id"]),
    ("artists", &["_id"]),
    ("tags", &["_id"]),
    ("features", &["_id"]),
    ("analyses", &["_id"]),
    ("pitches", &["_id"]),
    ("playlist_pages", &["run", "playlist", "offset"]),
];

/// Rows of a collection.
pub struct Rows {
    pub collection: &'static str,
    pub rows: u64,
    pub different: u64,
}

/// Counts them at the server.
pub async fn count(url: &str) -> anyhow::Result<Vec<Rows>> {
    let client = Client::with_uri_str(url).await?;
    let database = client.default_database().context("the store's URL names a database")?;
    let mut counts = Vec::new();
    for (collection, key) in KEYS {
        let documents = database.collection::<Document>(collection);
        let rows = documents.count_documents(doc! {}).await?;
        let part = |field: &&str| (field.trim_start_matches('_').to_owned(), format!("${field}").into());
        let key: Document = key.iter().map(part).collect();
        let groups = documents.aggregate([doc! { "$group": { "_id": key } }, doc! { "$count": "different" }]).await?;
        let group: Vec<Document> = groups.try_collect().await?;
        let different = group.first().map_or(0, |group| {
            group.get_i32("different").map(i64::from).or_else(|_| group.get_i64("different")).unwrap_or(0)
        });
        counts.push(Rows { collection, rows, different: different as u64 });
    }
    client.shutdown().await;
    Ok(counts)
}
