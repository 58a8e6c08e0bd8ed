//! Rows of the database. Natural keys are unique there, so a doubled row could only have another key: the numbers tell.

use anyhow::Context;
use mongodb::Client;
use mongodb::bson::{Document, doc};

/// The collections of the run.
const COLLECTIONS: [&str; 7] = ["tracks", "artists", "tags", "features", "analyses", "pitches", "playlist_pages"];

/// Rows of each collection, counted at the server.
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
