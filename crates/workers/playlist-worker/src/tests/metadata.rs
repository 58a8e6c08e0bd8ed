//! `track.metadata`.

use model::job::TrackMetadataJob;
use model::tag::{TagSource, TagsOutcome};
use runtime::Failure;
use serde_json::json;

use super::stand_in::{error, ok};
use super::{Place, id, ids, job};
use crate::metadata::Metadata;

fn track(number: usize) -> TrackMetadataJob {
    TrackMetadataJob { track_id: id(number) }
}

#[tokio::test]
async fn a_track_is_fetched_once_and_its_tags_are_looked_up_after_it() {
    let place = Place::new().await;
    // The edition of the user's country, under an id of its own.
    let song = json!({"id": id(9), "name": "Title", "artists": [{"id": null, "name": "Name"}]});
    place.spotify.on(&format!("/v1/tracks/{}", id(1)), move |_| ok(song.clone()));
    let handler = place.handler::<Metadata>();
    for _ in 0..2 {
        assert_eq!(place.run(&handler, track(1)).await.unwrap(), [job("track.tags", id(1))]);
    }
    assert_eq!(place.asked(&format!("tracks/{}", id(1))), 1);
    let stored = place.store.tracks(&ids([1])).await.unwrap();
    assert_eq!((stored[0].name.as_str(), stored[0].artists[0].name.as_str()), ("Title", "Name"));
    place.store.save_tags(&stored[0], &TagsOutcome::NoTags, TagSource::Page).await.unwrap();
    assert_eq!(place.run(&handler, track(1)).await.unwrap(), [], "the tags are there");
}

#[tokio::test]
async fn a_track_that_cannot_be_had_is_dead_with_the_reason() {
    let place = Place::new().await;
    place.spotify.on(&format!("/v1/tracks/{}", id(1)), |_| error(404, "Resource not found"));
    let nameless = json!({"id": id(2), "name": null, "artists": [{"name": "Name"}]});
    place.spotify.on(&format!("/v1/tracks/{}", id(2)), move |_| ok(nameless.clone()));
    let handler = place.handler::<Metadata>();
    for (number, why) in [(1, "does not know track"), (2, "no_name")] {
        let failure = place.run(&handler, track(number)).await.unwrap_err();
        assert!(matches!(&failure, Failure::Dead { reason } if reason.contains(why)), "{failure:?}");
    }
    assert_eq!(place.store.all_tracks().await.unwrap(), []);
}
