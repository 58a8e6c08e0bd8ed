//! `tracks.audio`, `track.analysis` and `artists.genres`.

use model::audio::{SCALARS, TrackPitches};
use model::job::{ArtistsGenresJob, TrackAnalysisJob, TracksAudioJob};
use runtime::Failure;
use serde_json::{Value, json};

use super::stand_in::{error, ok, text};
use super::{Place, id, ids, job};
use crate::analysis::AudioAnalysis;
use crate::artists::Artists;
use crate::audio::AudioFeatures;
use crate::capability::{ARTISTS, AUDIO_ANALYSIS, AUDIO_FEATURES};

fn tracks(numbers: impl IntoIterator<Item = usize>) -> TracksAudioJob {
    TracksAudioJob { track_ids: ids(numbers) }
}

fn analysis_of(number: usize) -> TrackAnalysisJob {
    TrackAnalysisJob { track_id: id(number) }
}

fn features(number: usize) -> Value {
    let mut features = json!({ "id": id(number) });
    for name in SCALARS {
        features[name] = json!(number);
    }
    features
}

/// Answers the single form for these tracks.
fn allow_singly(place: &Place, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        place.spotify.on(&format!("/v1/audio-features/{}", id(number)), move |_| ok(features(number)));
    }
}

async fn has_features(place: &Place, numbers: impl IntoIterator<Item = usize>) -> Vec<bool> {
    let found = place.store.features(&ids(numbers)).await.unwrap();
    found.into_iter().map(|features| features.values.is_some()).collect()
}

#[tokio::test]
async fn features_are_fetched_once_in_one_request() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| ok(json!({"audio_features": [null, features(1)]})));
    let handler = place.handler::<AudioFeatures>();
    let expected = [job("track.analysis", id(1)), job("track.analysis", id(2))];
    assert_eq!(place.run(&handler, tracks([2, 1, 2])).await.unwrap(), expected);
    assert_eq!(has_features(&place, [1, 2]).await, [true, false]);
    assert_eq!(place.capability(AUDIO_FEATURES).await, Some((true, String::new())));
    assert_eq!(place.run(&handler, tracks([1, 2])).await.unwrap(), expected);
    assert_eq!(place.asked("audio-features"), 1, "that there are none is known, too");
    place.run(&handler, tracks([1, 2, 3])).await.unwrap();
    assert_eq!(place.spotify.asked("/v1/audio-features")[1].query, format!("ids={}", id(3)), "only what is missing");
}

#[tokio::test]
async fn where_the_batch_is_refused_features_are_fetched_singly() {
    for refusal in [error(403, "Forbidden"), error(404, "Service not found"), text(410, "Gone")] {
        let place = Place::new().await;
        place.spotify.on("/v1/audio-features", move |_| refusal.clone());
        allow_singly(&place, 1..=3);
        let handler = place.handler::<AudioFeatures>();
        place.run(&handler, tracks([1, 2])).await.unwrap();
        assert_eq!(has_features(&place, [1, 2]).await, [true, true]);
        place.run(&handler, tracks([3])).await.unwrap();
        assert_eq!(place.asked("audio-features"), 4, "one batch, three single ones: the refusal is remembered");
        assert_eq!(place.capability(AUDIO_FEATURES).await, Some((true, String::new())));
    }
}

#[tokio::test]
async fn a_batch_that_spotify_does_not_accept_says_nothing_of_the_app() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| error(400, "invalid request"));
    allow_singly(&place, [1, 3]);
    place.spotify.on(&format!("/v1/audio-features/{}", id(2)), |_| error(400, "invalid id"));
    let handler = place.handler::<AudioFeatures>();
    let jobs = place.run(&handler, tracks(1..=3)).await.unwrap();
    let expected = [job("tracks.audio", id(2)), job("track.analysis", id(1)), job("track.analysis", id(3))];
    assert_eq!(jobs, expected, "the one at fault gets a job of its own");
    assert_eq!(has_features(&place, 1..=3).await, [true; 2]);
    assert_eq!(place.capability(AUDIO_FEATURES).await, Some((true, String::new())));
    let Err(Failure::Dead { reason }) = place.run(&handler, tracks([2])).await else { panic!("it stays invalid") };
    assert!(reason.contains(&id(2)) && reason.contains("invalid id"), "{reason}");
    assert_eq!(place.capability(AUDIO_FEATURES).await, Some((true, String::new())));
    place.spotify.on("/v1/audio-features", |_| ok(json!({"audio_features": [features(4)]})));
    place.run(&handler, tracks([4])).await.unwrap();
    assert_eq!(has_features(&place, [4]).await, [true], "the next batch is asked for as a batch");
}

#[tokio::test]
async fn a_single_track_that_spotify_does_not_accept_refuses_nothing_for_the_team() {
    let place = Place::new().await;
    for path in ["/v1/audio-features".to_owned(), format!("/v1/audio-features/{}", id(1))] {
        place.spotify.on(&path, |_| error(400, "invalid id"));
    }
    let handler = place.handler::<AudioFeatures>();
    assert!(matches!(place.run(&handler, tracks([1])).await, Err(Failure::Dead { .. })));
    assert_eq!(place.capability(AUDIO_FEATURES).await, None);
    assert!(has_features(&place, [1]).await.is_empty());
}

#[tokio::test]
async fn odd_ids_of_a_job_spoil_only_themselves() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| ok(json!({"audio_features": [features(1)]})));
    place.spotify.on("/v1/artists", |_| ok(json!({"artists": [{"id": id(1), "name": "One"}]})));
    let (audio, artists) = (place.handler::<AudioFeatures>(), place.handler::<Artists>());
    let odd = ["../me/player/devices".to_owned(), "0short".to_owned()];
    let mixed = [odd.to_vec(), vec![id(1)]].concat();
    let jobs = place.run(&audio, TracksAudioJob { track_ids: mixed.clone() }).await.unwrap();
    assert_eq!(jobs, [job("tracks.audio", odd.join(",")), job("track.analysis", id(1))]);
    let jobs = place.run(&artists, ArtistsGenresJob { artist_ids: mixed }).await.unwrap();
    assert_eq!(jobs, [job("artists.genres", odd.join(","))]);
    let asked = place.spotify.asked("/v1/").len();
    let alone = TrackAnalysisJob { track_id: odd[0].clone() };
    let failure = place.run(&place.handler::<AudioAnalysis>(), alone).await.unwrap_err();
    let Failure::Dead { reason } = failure else { panic!("{failure:?}") };
    assert!(reason.contains("\"../me/player/devices\" is not a Spotify id"), "{reason}");
    assert_eq!(place.spotify.asked("/v1/").len(), asked, "nothing was asked for");
}

#[tokio::test]
async fn what_a_batch_does_not_speak_of_is_asked_for_again_and_never_stored_as_none() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| ok(json!({"audio_features": [features(1)]})));
    let handler = place.handler::<AudioFeatures>();
    let jobs = place.run(&handler, tracks(1..=3)).await.unwrap();
    assert_eq!(jobs, [job("tracks.audio", ids([2, 3]).join(",")), job("track.analysis", id(1))]);
    assert_eq!(has_features(&place, 1..=3).await, [true]);
    assert!(matches!(place.run(&handler, tracks([2, 3])).await, Err(Failure::Retry { .. })));
    assert_eq!(has_features(&place, [2, 3]).await, [true; 0]);
}

#[tokio::test]
async fn features_without_a_key_are_stored_as_such_and_not_as_none() {
    let place = Place::new().await;
    let (mut without, mut odd) = (features(1), features(2));
    without.as_object_mut().unwrap().remove("key");
    odd["key"] = json!("NaN");
    place.spotify.on("/v1/audio-features", move |_| ok(json!({"audio_features": [without, null, odd]})));
    let handler = place.handler::<AudioFeatures>();
    place.run(&handler, tracks(1..=3)).await.unwrap();
    let stored = place.store.features(&ids(1..=3)).await.unwrap();
    for (features, value) in stored.iter().zip([1.0, 2.0]) {
        let expected = SCALARS.map(|name| (name != "key").then_some(value));
        assert_eq!(features.values, Some(expected));
    }
    assert_eq!(stored[2].values, None);
    let counts = place.store.audio_counts().await.unwrap();
    assert_eq!((counts.features, counts.incomplete_features, counts.without_features), (2, 2, 1));
}

#[tokio::test]
async fn a_failure_on_the_way_keeps_what_was_fetched() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| error(403, "Forbidden"));
    allow_singly(&place, 1..=3);
    place.spotify.on(&format!("/v1/audio-features/{}", id(2)), |_| error(500, "oops"));
    let handler = place.handler::<AudioFeatures>();
    assert!(matches!(place.run(&handler, tracks(1..=3)).await, Err(Failure::Retry { .. })));
    allow_singly(&place, [2]);
    place.run(&handler, tracks(1..=3)).await.unwrap();
    assert_eq!(has_features(&place, 1..=3).await, [true; 3]);
    assert_eq!(place.asked(&format!("audio-features/{}", id(1))), 1);
}

#[tokio::test]
async fn features_that_are_refused_in_both_forms_are_a_known_fact() {
    let place = Place::new().await;
    for path in ["/v1/audio-features".to_owned(), format!("/v1/audio-features/{}", id(1))] {
        place.spotify.on(&path, |_| error(403, "Insufficient client scope"));
    }
    let handler = place.handler::<AudioFeatures>();
    for _ in 0..2 {
        assert_eq!(place.run(&handler, tracks([1])).await.unwrap(), [job("track.analysis", id(1))]);
    }
    assert_eq!(place.asked("audio-features"), 2, "the batch and the single one, and nothing after that");
    assert_eq!(place.capability(AUDIO_FEATURES).await, Some((false, "Insufficient client scope".into())));
    assert!(has_features(&place, [1]).await.is_empty(), "refused is not none");
}

#[tokio::test]
async fn a_refusal_is_believed_for_a_day() {
    let place = Place::new().await;
    place.spotify.on("/v1/audio-features", |_| ok(json!({"audio_features": [features(1)]})));
    let handler = place.handler::<AudioFeatures>();
    place.refused_before(AUDIO_FEATURES, 23).await;
    place.refused_before(AUDIO_ANALYSIS, 23).await;
    assert_eq!(place.run(&handler, tracks([1])).await.unwrap(), [], "no analysis is asked for in vain either");
    assert_eq!(place.asked("audio-features"), 0);
    place.refused_before(AUDIO_FEATURES, 25).await;
    place.refused_before(AUDIO_ANALYSIS, 25).await;
    assert_eq!(place.run(&handler, tracks([1])).await.unwrap(), [job("track.analysis", id(1))]);
    assert_eq!(place.capability(AUDIO_FEATURES).await, Some((true, String::new())));
}

#[tokio::test]
async fn an_analysis_is_fetched_once_and_brings_the_pitches() {
    let place = Place::new().await;
    let document = json!({"segments": [{"start": 0.1, "pitches": vec![0.123; 12]}]});
    place.spotify.on(&format!("/v1/audio-analysis/{}", id(1)), move |_| ok(document.clone()));
    let handler = place.handler::<AudioAnalysis>();
    for _ in 0..2 {
        assert_eq!(place.run(&handler, analysis_of(1)).await.unwrap(), [job("track.pitches", id(1))]);
    }
    assert_eq!(place.asked("audio-analysis"), 1);
    let stored = place.store.analysis(&id(1)).await.unwrap().unwrap().analysis.unwrap();
    assert_eq!((stored.segments[0].start, stored.segments[0].pitches), (0.1, [0.123; 12]));
    let pitches = TrackPitches { track_id: id(1), outcome: Err("too_short".into()) };
    place.store.save_pitches(&pitches).await.unwrap();
    assert_eq!(place.run(&handler, analysis_of(1)).await.unwrap(), [], "the pitches are there");
}

#[tokio::test]
async fn that_there_is_no_analysis_is_stored() {
    let place = Place::new().await;
    let handler = place.handler::<AudioAnalysis>();
    for _ in 0..2 {
        assert_eq!(place.run(&handler, analysis_of(1)).await.unwrap(), []);
    }
    assert_eq!(place.asked("audio-analysis"), 1);
    assert_eq!(place.store.analysis(&id(1)).await.unwrap().unwrap().analysis, None);
}

#[tokio::test]
async fn a_refused_analysis_is_asked_for_once() {
    let place = Place::new().await;
    for number in [1, 2] {
        place
            .spotify
            .on(&format!("/v1/audio-analysis/{}", id(number)), |_| text(403, "{\"error\": {\"status\": 403}}"));
    }
    let handler = place.handler::<AudioAnalysis>();
    for number in [1, 2] {
        assert_eq!(place.run(&handler, analysis_of(number)).await.unwrap(), []);
    }
    assert_eq!(place.asked("audio-analysis"), 1);
    assert_eq!(place.capability(AUDIO_ANALYSIS).await, Some((false, "HTTP 403".into())));
    assert_eq!(place.store.analysed(&ids([1, 2])).await.unwrap(), Vec::<String>::new(), "refused is not none");
}

#[tokio::test]
async fn a_broken_analysis_is_tried_again() {
    let place = Place::new().await;
    place.spotify.on(&format!("/v1/audio-analysis/{}", id(1)), |_| text(200, "{\"segments\": [{}]}"));
    let handler = place.handler::<AudioAnalysis>();
    let Err(Failure::Retry { after: None, reason }) = place.run(&handler, analysis_of(1)).await else {
        panic!("it may be whole the next time")
    };
    assert!(reason.contains("segment 0"), "{reason}");
}

#[tokio::test]
async fn artists_are_stored_once_the_unknown_ones_too() {
    for has_batch in [true, false] {
        let place = Place::new().await;
        let artist = json!({"id": id(1), "name": "One", "genres": ["folk"]});
        let batch = artist.clone();
        place.spotify.on(&format!("/v1/artists/{}", id(1)), move |_| ok(artist.clone()));
        place.spotify.on("/v1/artists", move |_| match has_batch {
            true => ok(json!({"artists": [null, batch]})),
            false => error(403, "Forbidden"),
        });
        let handler = place.handler::<Artists>();
        for _ in 0..2 {
            assert_eq!(place.run(&handler, ArtistsGenresJob { artist_ids: ids([2, 1]) }).await.unwrap(), []);
        }
        let stored = place.store.artists(&ids([1, 2])).await.unwrap();
        let stored: Vec<_> = stored.iter().map(|artist| (artist.name.as_str(), artist.genres.join(","))).collect();
        assert_eq!(stored, [("One", "folk".to_owned()), ("", String::new())]);
        assert_eq!(place.asked("artists"), if has_batch { 1 } else { 3 });
    }
}

#[tokio::test]
async fn artists_that_are_refused_in_both_forms_are_a_known_fact() {
    let place = Place::new().await;
    for path in ["/v1/artists".to_owned(), format!("/v1/artists/{}", id(1))] {
        place.spotify.on(&path, |_| error(403, "Forbidden"));
    }
    let handler = place.handler::<Artists>();
    for _ in 0..2 {
        let job = ArtistsGenresJob { artist_ids: vec![id(1)] };
        assert_eq!(place.run(&handler, job).await.unwrap(), []);
    }
    assert_eq!(place.asked("artists"), 2, "the batch and the single one, and nothing after that");
    assert_eq!(place.capability(ARTISTS).await, Some((false, "Forbidden".into())));
}
