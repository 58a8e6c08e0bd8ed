//! What makes a database a store: indexes and the view. Made at every start, by any number of processes at once.

use futures::TryStreamExt;
use model::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{ErrorKind, Result as Answer};
use mongodb::options::IndexOptions;
use mongodb::{Client, Database, IndexModel};
use serde::Deserialize;

use super::clock::Clock;
use super::{ANSWER_WITHIN, labels};
use crate::{Result, StoreError};

/// The oldest server that has all that is used here.
const OLDEST: (u32, u32) = (6, 0);
/// The first one with the command `bulkWrite`.
pub(super) const BULK_WRITE: (u32, u32) = (8, 0);
/// The view's name.
const LABELLED_TRACKS: &str = "labelled_tracks";
/// The server's code for a collection or view that is there already.
const NAMESPACE_EXISTS: i32 = 48;

/// The collections whose natural key is several words, with it.
const KEYS: [(&str, [&str; 3]); 2] =
    [("playlist_pages", ["run", "playlist", "offset"]), ("trials", ["search", "setting", "fold"])];

/// The collections with a field that says in a word what was found: what is counted and listed by it is read from the
/// index alone, without the large documents.
const FOUND: [(&str, &str); 4] =
    [("tags", "found"), ("features", "found"), ("analyses", "found"), ("pitches", "rejected")];

/// The index of a field of [`FOUND`].
pub(super) fn by(field: &str) -> Document {
    doc! { field: 1, "_id": 1 }
}

/// What the server says of itself.
pub(super) struct Server {
    pub(super) version: (u32, u32),
    pub(super) clock: Clock,
}

/// Reaches the server, and refuses one that is too old.
pub(super) async fn greet(at: &str, client: &Client) -> Result<Server> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct BuildInfo {
        version: String,
        version_array: Vec<u32>,
    }
    let admin = client.database("admin");
    let ask = async move {
        let info: Document = admin.run_command(doc! { "buildInfo": 1 }).await?;
        let asked = Timestamp::now();
        let hello = admin.run_command(doc! { "hello": 1 }).await?;
        Ok((info, asked, Timestamp::now(), hello))
    };
    let (info, asked, answered, hello) = super::run(at, ANSWER_WITHIN, ask).await?;
    let info: BuildInfo = mongodb::bson::deserialize_from_document(info)
        .map_err(|error| StoreError::Unusable(format!("the server at {at} does not tell its version: {error}")))?;
    let version = match info.version_array[..] {
        [major, minor, ..] => (major, minor),
        _ => (0, 0),
    };
    if version < OLDEST {
        let line = format!("the server at {at} is MongoDB {}: use 6.0 or newer", info.version);
        return Err(StoreError::Unusable(line));
    }
    let clock = Clock::default();
    if let Ok(time) = hello.get_datetime("localTime") {
        clock.learn(asked, answered, Timestamp(time.timestamp_millis()));
    }
    Ok(Server { version, clock })
}

/// Makes the indexes and the view where they are not there yet.
pub(super) async fn prepare(db: Database) -> Answer<()> {
    for (collection, key) in KEYS {
        let keys: Document = key.into_iter().map(|field| (field.to_owned(), Bson::from(1))).collect();
        create_index(&db, collection, keys, true).await?;
    }
    for (collection, field) in FOUND {
        create_index(&db, collection, by(field), false).await?;
    }
    create_view(&db).await
}

async fn create_index(db: &Database, collection: &str, keys: Document, unique: bool) -> Answer<()> {
    // A common index says nothing of `unique`, as servers compare what is said.
    let options = unique.then(|| IndexOptions::builder().unique(true).build());
    let index = IndexModel::builder().keys(keys).options(options).build();
    db.collection::<Document>(collection).create_index(index).await.map(drop)
}

/// Makes the view, or replaces that of another version of this program.
async fn create_view(db: &Database) -> Answer<()> {
    let pipeline = labels::pipeline(&model::tag::LabelSelection::default());
    let filter = doc! { "name": LABELLED_TRACKS };
    let found: Vec<_> = db.list_collections().filter(filter).await?.try_collect().await?;
    let command = match found.first() {
        Some(view) if view.options.pipeline.as_ref() == Some(&pipeline) => return Ok(()),
        Some(_) => "collMod",
        None => "create",
    };
    let create = doc! { command: LABELLED_TRACKS, "viewOn": "tags", "pipeline": pipeline };
    match db.run_command(create).await {
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(c) if c.code == NAMESPACE_EXISTS) => Ok(()),
        other => other.map(drop),
    }
}
