use async_trait::async_trait;
use model::Timestamp;
use model::tag::{LabelSelection, LabelledTrack, LabelledTracks, TagSource, TaggedTrack, TagsOutcome};
use model::track::Track;
use sqlite::rusqlite::{self, Connection, Row};

use super::schema::LABELLED_TRACKS;
use super::{Embedded, from_doc, to_doc};
use crate::{Result, TagOutcomeCounts, Tags};

#[async_trait]
impl Tags for Embedded {
    async fn save_tags(&self, track: &Track, outcome: &TagsOutcome, source: TagSource) -> Result<()> {
        let tagged = TaggedTrack::new(track, outcome, source);
        let rows = vec![(track.id.clone(), outcome.as_str(), to_doc(&tagged))];
        self.save("REPLACE INTO tags (track_id, outcome, doc) VALUES (?1, ?2, ?3)", rows).await
    }

    async fn tags(&self, track_ids: &[String]) -> Result<Vec<TaggedTrack>> {
        let query = "SELECT doc FROM tags WHERE track_id IN (SELECT value FROM json_each(?1)) ORDER BY track_id";
        self.docs(query, [to_doc(track_ids)]).await
    }

    async fn tracks_without_tags(&self) -> Result<Vec<String>> {
        self.rows("SELECT id FROM tracks EXCEPT SELECT track_id FROM tags ORDER BY 1", [], |row| row.get(0)).await
    }

    async fn save_unrecognised(&self, address: &str, status: u16, body: &str) -> Result<()> {
        let rows = vec![(address.to_owned(), status, Timestamp::now().0, body.to_owned())];
        self.save("REPLACE INTO pages (address, status, fetched_at, body) VALUES (?1, ?2, ?3, ?4)", rows).await
    }

    async fn labelled_tracks(&self, label_selection: &LabelSelection) -> Result<LabelledTracks> {
        let top = i64::try_from(label_selection.top).unwrap_or(i64::MAX);
        let label_selection = (top, label_selection.misc.clone(), to_doc(&label_selection.excluded));
        self.read(move |connection| labelled_tracks(connection, label_selection)).await
    }

    async fn tag_outcomes(&self) -> Result<TagOutcomeCounts> {
        let query = "SELECT outcome, count(*) FROM tags GROUP BY outcome";
        let counts: Vec<(String, u32)> = self.rows(query, [], |row| Ok((row.get(0)?, row.get(1)?))).await?;
        let count_of = |name: &str| counts.iter().find(|(outcome, _)| outcome == name).map_or(0, |(_, n)| *n as usize);
        Ok(TagOutcomeCounts {
            tags: count_of("tags"),
            no_tags: count_of("no_tags"),
            unknown_track: count_of("unknown_track"),
        })
    }
}

fn labelled_tracks(
    connection: &Connection,
    label_selection: (i64, String, String),
) -> rusqlite::Result<LabelledTracks> {
    let labelled = |row: &Row| {
        let mut labels: Vec<String> = from_doc(row, 1)?;
        labels.sort();
        Ok(LabelledTrack { track_id: row.get(0)?, labels })
    };
    let mut query = connection.prepare_cached(LABELLED_TRACKS)?;
    let tracks = query.query_map(label_selection, labelled)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let counted = |row: &Row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize));
    let mut query =
        connection.prepare_cached("SELECT tag, count(*) FROM track_tags GROUP BY tag ORDER BY count(*) DESC, tag")?;
    let tag_counts = query.query_map([], counted)?.collect::<rusqlite::Result<_>>()?;
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, u32>(0)).map(|count| count as usize);
    let tagged = count("SELECT count(*) FROM tags WHERE outcome = 'tags'")?;
    let with_genre = count("SELECT count(DISTINCT track_id) FROM track_tags")?;
    Ok(LabelledTracks { only_excluded: with_genre - tracks.len(), no_genre: tagged - with_genre, tracks, tag_counts })
}
