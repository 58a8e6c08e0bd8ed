//! Blobs of any size, in GridFS.
//!
//! A blob is written first, under a unique name, and then the document that names it: nobody sees a half-written blob. What
//! a killed process left behind is removed when the same document is saved again.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use model::Timestamp;
use mongodb::Database;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind, Result as Answer};
use mongodb::gridfs::GridFsBucket;
use mongodb::options::GridFsBucketOptions;

const BLOB_BUCKET: &str = "blobs";
/// Fewer round trips than with the default of 255 KiB, and well below the 16 MB that a document may have.
const CHUNK_BYTES: u32 = 4 << 20;
/// Age from which a blob that no document names is considered abandoned. Until then it may still be being written.
const ABANDONED_AGE: Duration = Duration::from_secs(6 * 3600);

/// The blobs of a document.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    db: Database,
    /// What all their names begin with.
    prefix: String,
}

impl Blobs {
    /// The blobs of a document of `collection`.
    pub(super) fn of_document(db: &Database, collection: &str, key: &str) -> Self {
        Self { db: db.clone(), prefix: format!("{collection}/{key}/") }
    }

    /// Writes a blob and returns its name.
    pub(super) async fn put(&self, bytes: &[u8]) -> Answer<String> {
        let name = format!("{}{}", self.prefix, ObjectId::new().to_hex());
        let mut stream = self.bucket().open_upload_stream(&self.prefix).id(Bson::from(&name)).await?;
        stream.write_all(bytes).await.map_err(driver_error)?;
        stream.close().await.map_err(driver_error)?;
        Ok(name)
    }

    /// The blob with this name; `None` if it was removed.
    pub(super) async fn get(&self, name: &str) -> Answer<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let read = match self.bucket().open_download_stream(Bson::from(name)).await {
            Ok(mut stream) => stream.read_to_end(&mut bytes).await.map_err(driver_error),
            Err(error) => Err(error),
        };
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind.as_ref(), ErrorKind::GridFs(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a blob that no document names any more.
    pub(super) async fn remove(&self, name: &str) -> Answer<()> {
        self.delete(doc! { "$eq": name }).await
    }

    /// Removes what killed processes left behind; `kept` is the blob that the document names.
    pub(super) async fn remove_abandoned(&self, kept: &str) -> Answer<()> {
        // Names are ordered by time: an object id begins with the seconds of its creation.
        let seconds = (Timestamp::now() - ABANDONED_AGE).0.div_euclid(1000);
        let oldest = format!("{}{seconds:08x}", self.prefix);
        self.delete(doc! { "$gte": &self.prefix, "$lt": oldest, "$ne": kept }).await
    }

    async fn delete(&self, names: Document) -> Answer<()> {
        let collection = |part: &str| self.db.collection::<Document>(&format!("{BLOB_BUCKET}.{part}"));
        collection("files").delete_many(doc! { "_id": names.clone() }).await?;
        collection("chunks").delete_many(doc! { "files_id": names }).await?;
        Ok(())
    }

    fn bucket(&self) -> GridFsBucket {
        let bucket =
            GridFsBucketOptions::builder().bucket_name(BLOB_BUCKET.to_owned()).chunk_size_bytes(CHUNK_BYTES).build();
        self.db.gridfs_bucket(bucket)
    }
}

/// The driver's error inside an error of its stream.
fn driver_error(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => error.into(),
    }
}
