use async_trait::async_trait;
use model::Timestamp;
use model::run::Run;
use model::track::{Artist, PlaylistPage, Track};
use sqlite::rusqlite::Row;

use super::{Embedded, execute_each, to_doc};
use crate::{Gaps, Result, Tracks};

const SAVE_TRACK: &str = "REPLACE INTO tracks (id, doc) VALUES (?1, ?2)";
const SAVE_PAGE: &str = "REPLACE INTO playlist_pages (run, playlist, offset, doc) VALUES (?1, ?2, ?3, ?4)";

#[async_trait]
impl Tracks for Embedded {
    async fn save_tracks(&self, tracks: &[Track]) -> Result<()> {
        self.save(SAVE_TRACK, track_rows(tracks)).await
    }

    async fn tracks(&self, ids: &[String]) -> Result<Vec<Track>> {
        let query = "SELECT doc FROM tracks WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
        self.docs(query, [to_doc(ids)]).await
    }

    async fn all_tracks(&self) -> Result<Vec<Track>> {
        self.docs("SELECT doc FROM tracks ORDER BY id", []).await
    }

    async fn gaps(&self, track_ids: &[String]) -> Result<Gaps> {
        let query = "SELECT DISTINCT value,
                NOT EXISTS (SELECT 1 FROM tags WHERE track_id = value),
                NOT EXISTS (SELECT 1 FROM features WHERE track_id = value),
                NOT EXISTS (SELECT 1 FROM analyses WHERE track_id = value),
                EXISTS (SELECT 1 FROM analyses WHERE track_id = value AND segments IS NOT NULL)
                    AND NOT EXISTS (SELECT 1 FROM pitches WHERE track_id = value)
            FROM json_each(?1) ORDER BY value";
        let row = |row: &Row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]));
        let mut gaps = Gaps::default();
        for (id, lacks) in self.rows::<(String, [bool; 4])>(query, [to_doc(track_ids)], row).await? {
            let lists = [&mut gaps.tags, &mut gaps.features, &mut gaps.analyses, &mut gaps.pitches];
            lists.into_iter().zip(lacks).filter(|(_, lacks)| *lacks).for_each(|(ids, _)| ids.push(id.clone()));
        }
        Ok(gaps)
    }

    async fn save_artists(&self, artists: &[Artist]) -> Result<()> {
        let rows = artists.iter().map(|artist| (artist.id.clone(), to_doc(artist))).collect();
        self.save("REPLACE INTO artists (id, doc) VALUES (?1, ?2)", rows).await
    }

    async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>> {
        let query = "SELECT doc FROM artists WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";
        self.docs(query, [to_doc(ids)]).await
    }

    async fn save_page(&self, page: &PlaylistPage, tracks: &[Track]) -> Result<()> {
        let page = (page.run.clone(), page.playlist.clone(), page.offset, to_doc(page));
        let tracks = track_rows(tracks);
        self.write(move |connection| {
            execute_each(connection, SAVE_TRACK, tracks)?;
            execute_each(connection, SAVE_PAGE, vec![page])
        })
        .await
    }

    async fn page(&self, run: &str, playlist: &str, offset: u32) -> Result<Option<PlaylistPage>> {
        let query = "SELECT doc FROM playlist_pages WHERE run = ?1 AND playlist = ?2 AND offset = ?3";
        self.doc(query, (run.to_owned(), playlist.to_owned(), offset)).await
    }

    async fn pages(&self, run: Option<&str>) -> Result<Vec<PlaylistPage>> {
        let query = "SELECT doc FROM playlist_pages WHERE ?1 IS NULL OR run = ?1 ORDER BY run, playlist, offset";
        self.docs(query, [run.map(str::to_owned)]).await
    }

    async fn save_run(&self, run: &Run) -> Result<()> {
        let rows = vec![(run.id.clone(), run.started_at.0, to_doc(run))];
        self.save("REPLACE INTO runs (id, started_at, doc) VALUES (?1, ?2, ?3)", rows).await
    }

    async fn runs(&self) -> Result<Vec<Run>> {
        self.docs("SELECT doc FROM runs ORDER BY started_at, id", []).await
    }

    async fn cancel_run(&self, id: &str, at: Timestamp) -> Result<Option<Run>> {
        let mark = "UPDATE runs SET doc = json_set(doc, '$.cancelled_at', ?2)
            WHERE id = ?1 AND doc ->> '$.cancelled_at' IS NULL";
        self.save(mark, vec![(id.to_owned(), at.0)]).await?;
        self.doc("SELECT doc FROM runs WHERE id = ?1", [id.to_owned()]).await
    }
}

fn track_rows(tracks: &[Track]) -> Vec<(String, String)> {
    tracks.iter().map(|track| (track.id.clone(), to_doc(track))).collect()
}
