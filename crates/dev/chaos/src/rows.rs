//! Counts rows in the database. Natural keys are unique there, so a duplicate could only have another key: counts reveal it.

use anyhow::Context;
use mongodb::Client;
use mongodb::bson::{Document, doc};

/// The collections of the run.
const COLLECTIONS: [&str; 7] = ["tracks", "artists", "tags", "features", "analyses", "pitches", "playlist_pages"];

/// The number of rows of each collection.
pub async fn count(url: &str) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let client = Client::with_uri_str(url).await?;
    let database = client.default_database().context("the store's URL names a database")?;
    let mut counts = Vec::new();
    for collection in COLLECTIONS {
        counts.push((collection, database.collection::<Document>(collection).count_documents(doc! {}).await?));
    }
    client.shutdown().await;
    Ok(counts)
}
