//! The indexes and the view of a store. Created at every start, by any number of processes at once.

use futures::TryStreamExt;
use model::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{ErrorKind, Result as Answer};
use mongodb::options::IndexOptions;
use mongodb::{Client, Database, IndexModel};
use serde::Deserialize;

use super::clock::ServerClock;
use super::{OPERATION_TIMEOUT, labels};
use crate::{Result, StoreError};

/// The oldest server version with all features that are used here.
const MIN_VERSION: (u32, u32) = (6, 0);
/// The first server version with the command `bulkWrite`.
pub(super) const BULK_WRITE_VERSION: (u32, u32) = (8, 0);
/// Name of the view.
const LABELLED_TRACKS_VIEW: &str = "labelled_tracks";
/// The server's error code for a collection or view that exists already.
const NAMESPACE_EXISTS_CODE: i32 = 48;

/// The collections whose natural key has several fields, with these fields.
const COMPOUND_KEYS: [(&str, [&str; 3]); 2] =
    [("playlist_pages", ["run", "playlist", "offset"]), ("trials", ["search", "setting", "fold"])];

/// The collections with a field for the outcome of a request. Counting and listing by it reads only its index, not the
/// large documents.
const OUTCOME_FIELDS: [(&str, &str); 4] =
    [("tags", "found"), ("features", "found"), ("analyses", "found"), ("pitches", "rejected")];

/// The index on a field of [`OUTCOME_FIELDS`].
pub(super) fn index_on(field: &str) -> Document {
    doc! { field: 1, "_id": 1 }
}

/// What is known of the server.
pub(super) struct ServerInfo {
    pub(super) version: (u32, u32),
    pub(super) clock: ServerClock,
}

/// Connects to the server, and refuses one that is too old.
pub(super) async fn check_server(at: &str, client: &Client) -> Result<ServerInfo> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct BuildInfo {
        version: String,
        version_array: Vec<u32>,
    }
    let admin = client.database("admin");
    let request = async move {
        let info: Document = admin.run_command(doc! { "buildInfo": 1 }).await?;
        let asked = Timestamp::now();
        let hello = admin.run_command(doc! { "hello": 1 }).await?;
        Ok((info, asked, Timestamp::now(), hello))
    };
    let (info, asked, answered, hello) = super::run(at, OPERATION_TIMEOUT, request).await?;
    let info: BuildInfo = mongodb::bson::deserialize_from_document(info)
        .map_err(|error| StoreError::Unusable(format!("the server at {at} does not report its version: {error}")))?;
    let version = match info.version_array[..] {
        [major, minor, ..] => (major, minor),
        _ => (0, 0),
    };
    if version < MIN_VERSION {
        let line = format!("the server at {at} is MongoDB {}: use 6.0 or newer", info.version);
        return Err(StoreError::Unusable(line));
    }
    let clock = ServerClock::default();
    if let Ok(time) = hello.get_datetime("localTime") {
        clock.observe(asked, answered, Timestamp(time.timestamp_millis()));
    }
    Ok(ServerInfo { version, clock })
}

/// Creates the indexes and the view unless they exist.
pub(super) async fn create_indexes_and_view(db: Database) -> Answer<()> {
    for (collection, key) in COMPOUND_KEYS {
        let keys: Document = key.into_iter().map(|field| (field.to_owned(), Bson::from(1))).collect();
        create_index(&db, collection, keys, true).await?;
    }
    for (collection, field) in OUTCOME_FIELDS {
        create_index(&db, collection, index_on(field), false).await?;
    }
    create_view(&db).await
}

async fn create_index(db: &Database, collection: &str, keys: Document, unique: bool) -> Answer<()> {
    // An ordinary index leaves `unique` out: servers compare the options that were given.
    let options = unique.then(|| IndexOptions::builder().unique(true).build());
    let index = IndexModel::builder().keys(keys).options(options).build();
    db.collection::<Document>(collection).create_index(index).await.map(drop)
}

/// Creates the view, or replaces that of another version of this program.
async fn create_view(db: &Database) -> Answer<()> {
    let pipeline = labels::labelled_tracks(&model::tag::LabelSelection::default());
    let filter = doc! { "name": LABELLED_TRACKS_VIEW };
    let found: Vec<_> = db.list_collections().filter(filter).await?.try_collect().await?;
    let command = match found.first() {
        Some(view) if view.options.pipeline.as_ref() == Some(&pipeline) => return Ok(()),
        Some(_) => "collMod",
        None => "create",
    };
    let create = doc! { command: LABELLED_TRACKS_VIEW, "viewOn": "tags", "pipeline": pipeline };
    match db.run_command(create).await {
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(c) if c.code == NAMESPACE_EXISTS_CODE) => Ok(()),
        other => other.map(drop),
    }
}
