use async_trait::async_trait;
use model::Timestamp;
use model::tag::{LabelSelection, LabelledTrack, LabelledTracks, TagSource, TaggedTrack, TagsOutcome};
use model::track::Track;
use mongodb::bson::doc;
use serde::Deserialize;

use super::bulk::Write;
use super::{Mongo, labels};
use crate::{Result, TagOutcomeCounts, Tags};

#[async_trait]
impl Tags for Mongo {
    async fn save_tags(&self, track: &Track, outcome: &TagsOutcome, source: TagSource) -> Result<()> {
        let tagged = TaggedTrack::new(track, outcome, source);
        let mut entry = self.entry(&track.id, &tagged)?;
        entry.insert("found", outcome.as_str());
        self.save(vec![Write::replace("tags", doc! { "_id": &track.id }, entry)]).await
    }

    async fn tags(&self, track_ids: &[String]) -> Result<Vec<TaggedTrack>> {
        self.find_by_ids("tags", track_ids).await
    }

    async fn tracks_without_tags(&self) -> Result<Vec<String>> {
        // Tracks first: a track that is tagged meanwhile is not listed.
        let tracks = self.find_ids("tracks", doc! {}, doc! { "_id": 1 }).await?;
        let tagged = self.find_ids("tags", doc! {}, doc! { "_id": 1 }).await?;
        Ok(without(tracks, &tagged))
    }

    async fn save_unrecognised(&self, address: &str, status: u16, body: &str) -> Result<()> {
        let page = doc! {
            "_id": address, "address": address, "status": i32::from(status), "fetched_at": Timestamp::now().0,
            "body": body,
        };
        self.save(vec![Write::replace("pages", doc! { "_id": address }, page)]).await
    }

    async fn labelled_tracks(&self, label_selection: &LabelSelection) -> Result<LabelledTracks> {
        #[derive(Deserialize)]
        struct TagCount {
            _id: String,
            n: usize,
        }
        let (tracks, counts, tagged, with_genre) = futures::try_join!(
            self.aggregate::<LabelledTrack>("tags", labels::labelled_tracks(label_selection)),
            self.aggregate::<TagCount>("tags", labels::tag_counts()),
            self.count("tags", doc! { "found": "tags" }),
            self.count("tags", labels::with_genre()),
        )?;
        Ok(LabelledTracks {
            // The queries are no snapshot: tags saved in between must not make these negative.
            only_excluded: with_genre.saturating_sub(tracks.len()),
            no_genre: tagged.saturating_sub(with_genre),
            tracks,
            tag_counts: counts.into_iter().map(|count| (count._id, count.n)).collect(),
        })
    }

    async fn tag_outcomes(&self) -> Result<TagOutcomeCounts> {
        let counts = self.count_by("tags", "found").await?;
        let count_of =
            |name: &str| counts.iter().find(|(found, _)| found.as_str() == Some(name)).map_or(0, |(_, n)| *n);
        Ok(TagOutcomeCounts {
            tags: count_of("tags"),
            no_tags: count_of("no_tags"),
            unknown_track: count_of("unknown_track"),
        })
    }
}

/// Those of `ids` that are not in the sorted `others`.
pub(super) fn without(ids: Vec<String>, others: &[String]) -> Vec<String> {
    ids.into_iter().filter(|id| others.binary_search(id).is_err()).collect()
}
