use async_trait::async_trait;
use model::Timestamp;
use model::run::Run;
use model::track::{Artist, PlaylistPage, Track};
use mongodb::bson::{Document, doc};

use super::bulk::Write;
use super::read::sorted;
use super::tags::without;
use super::{BULK_TIMEOUT, Mongo, OPERATION_TIMEOUT, schema};
use crate::{Gaps, Result, Tracks};

#[async_trait]
impl Tracks for Mongo {
    async fn save_tracks(&self, tracks: &[Track]) -> Result<()> {
        self.save(self.track_writes(tracks)?).await
    }

    async fn tracks(&self, ids: &[String]) -> Result<Vec<Track>> {
        self.find_by_ids("tracks", ids).await
    }

    async fn all_tracks(&self) -> Result<Vec<Track>> {
        self.find(BULK_TIMEOUT, "tracks", doc! {}, doc! { "_id": 1 }).await
    }

    async fn gaps(&self, track_ids: &[String]) -> Result<Gaps> {
        let lacking =
            async |collection: &str| Ok(without(sorted(track_ids), &self.existing_ids(collection, track_ids).await?));
        // First, so that pitches that are computed meanwhile are not listed.
        let with_segments =
            self.existing_ids_where("analyses", track_ids, doc! { "found": true }, schema::index_on("found")).await?;
        Ok(Gaps {
            tags: lacking("tags").await?,
            features: lacking("features").await?,
            analyses: lacking("analyses").await?,
            pitches: without(with_segments, &self.existing_ids("pitches", track_ids).await?),
        })
    }

    async fn save_artists(&self, artists: &[Artist]) -> Result<()> {
        let write = |artist: &Artist| {
            Ok(Write::replace("artists", doc! { "_id": &artist.id }, self.entry(&artist.id, artist)?))
        };
        self.save(artists.iter().map(write).collect::<Result<_>>()?).await
    }

    async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>> {
        self.find_by_ids("artists", ids).await
    }

    /// A transaction would need a replica set; the order does instead. Readers find tracks by the page that names them, so the
    /// page comes last. A process killed in between leaves valid tracks, and the page is read again.
    async fn save_page(&self, page: &PlaylistPage, tracks: &[Track]) -> Result<()> {
        let mut writes = self.track_writes(tracks)?;
        let key = page_key(&page.run, &page.playlist, page.offset);
        writes.push(Write::replace("playlist_pages", key, self.document(page)?));
        self.save(writes).await
    }

    async fn page(&self, run: &str, playlist: &str, offset: u32) -> Result<Option<PlaylistPage>> {
        self.first("playlist_pages", page_key(run, playlist, offset), doc! {}).await
    }

    async fn pages(&self, run: Option<&str>) -> Result<Vec<PlaylistPage>> {
        let filter = run.map_or_else(Document::new, |run| doc! { "run": run });
        self.find(BULK_TIMEOUT, "playlist_pages", filter, doc! { "run": 1, "playlist": 1, "offset": 1 }).await
    }

    async fn save_run(&self, run: &Run) -> Result<()> {
        self.save(vec![Write::replace("runs", doc! { "_id": &run.id }, self.entry(&run.id, run)?)]).await
    }

    async fn runs(&self) -> Result<Vec<Run>> {
        self.find(OPERATION_TIMEOUT, "runs", doc! {}, doc! { "started_at": 1, "_id": 1 }).await
    }

    async fn cancel_run(&self, id: &str, at: Timestamp) -> Result<Option<Run>> {
        let mark = doc! { "$set": { "cancelled_at": { "$ifNull": ["$cancelled_at", at.0] } } };
        self.change("runs", doc! { "_id": id }, vec![mark]).await
    }
}

impl Mongo {
    fn track_writes(&self, tracks: &[Track]) -> Result<Vec<Write>> {
        let write =
            |track: &Track| Ok(Write::replace("tracks", doc! { "_id": &track.id }, self.entry(&track.id, track)?));
        tracks.iter().map(write).collect()
    }
}

fn page_key(run: &str, playlist: &str, offset: u32) -> Document {
    doc! { "run": run, "playlist": playlist, "offset": i64::from(offset) }
}
