use std::collections::BTreeMap;

use model::analysis::{Analysis, TrackAnalysis};
use model::audio::{AudioFeatures, PITCH_COLUMNS, TrackPitches};
use model::tag::{TagSource, TagsOutcome};
use store::{AudioCounts, Gaps};

use super::values::{segment, track};
use super::{TestStore, ids};

fn features(id: &str, values: Option<[f64; 13]>) -> AudioFeatures {
    AudioFeatures { track_id: id.to_owned(), values: values.map(|values| values.map(Some)) }
}

/// Features that lack the key.
fn incomplete(id: &str) -> AudioFeatures {
    let values = std::array::from_fn(|i| (i != 3).then_some(i as f64 / 7.0));
    AudioFeatures { track_id: id.to_owned(), values: Some(values) }
}

fn analysis(id: &str, confidences: Option<[f64; 4]>) -> TrackAnalysis {
    let segments = vec![segment(0.0), segment(0.251_93), segment(1.0 / 3.0)];
    TrackAnalysis { track_id: id.to_owned(), analysis: Some(Analysis { segments, confidences }) }
}

fn no_analysis(id: &str) -> TrackAnalysis {
    TrackAnalysis { track_id: id.to_owned(), analysis: None }
}

fn pitches(id: &str) -> TrackPitches {
    let values = (0..PITCH_COLUMNS).map(|i| f64::from(i as u32) / 3.0).collect();
    TrackPitches { track_id: id.to_owned(), outcome: Ok(values) }
}

fn rejected(id: &str, reason: &str) -> TrackPitches {
    TrackPitches { track_id: id.to_owned(), outcome: Err(reason.to_owned()) }
}

pub async fn no_features_are_not_unknown_features(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let saved = [features("a", Some(std::array::from_fn(|i| i as f64 / 7.0))), features("b", None), incomplete("c")];
    for _ in 0..2 {
        store.save_features(&saved).await.unwrap();
        assert_eq!(store.features(&ids(&["d", "c", "b", "a"])).await.unwrap(), saved);
    }
}

pub async fn an_analysis_comes_back_bit_for_bit(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let mut saved = analysis("a", Some([0.1, 1.0 / 3.0, 0.0, 1.0]));
    for _ in 0..2 {
        store.save_analysis(&saved).await.unwrap();
        assert_eq!(store.analysis("a").await.unwrap(), Some(saved.clone()));
    }
    saved.analysis = Some(Analysis::default());
    store.save_analysis(&saved).await.unwrap();
    assert_eq!(store.analysis("a").await.unwrap(), Some(saved));
}

pub async fn no_analysis_is_not_an_unknown_one(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_analysis(&no_analysis("none")).await.unwrap();
    store.save_analysis(&analysis("some", None)).await.unwrap();
    assert_eq!(store.analysis("none").await.unwrap(), Some(no_analysis("none")));
    assert_eq!(store.analysis("unknown").await.unwrap(), None);
    assert_eq!(store.analysed(&ids(&["some", "unknown", "none"])).await.unwrap(), ids(&["none", "some"]));
}

pub async fn confidences_come_from_where_they_are(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let confidences = |x| [x, 0.2, 0.3, 2.0 / 3.0];
    for analysis in [
        analysis("b", Some(confidences(0.5))),
        analysis("a", Some(confidences(0.1))),
        analysis("c", None),
        no_analysis("d"),
    ] {
        store.save_analysis(&analysis).await.unwrap();
    }
    assert_eq!(
        store.confidences().await.unwrap(),
        [("a".to_owned(), confidences(0.1)), ("b".to_owned(), confidences(0.5))]
    );
}

pub async fn pitches_come_back_bit_for_bit(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for _ in 0..2 {
        store.save_pitches(&pitches("a")).await.unwrap();
        assert_eq!(store.pitches(&ids(&["a", "b"])).await.unwrap(), [pitches("a")]);
    }
}

pub async fn a_rejection_keeps_its_reason(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_pitches(&rejected("a", "too_short")).await.unwrap();
    assert_eq!(store.pitches(&ids(&["a"])).await.unwrap(), [rejected("a", "too_short")]);
    store.save_pitches(&pitches("a")).await.unwrap();
    assert_eq!(store.pitches(&ids(&["a"])).await.unwrap(), [pitches("a")]);
}

pub async fn what_is_missing_is_listed(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_tracks(&["a", "b", "c", "d"].map(track)).await.unwrap();
    store.save_features(&[features("a", None), features("b", Some([0.0; 13]))]).await.unwrap();
    for analysis in [analysis("a", None), no_analysis("b"), analysis("c", None)] {
        store.save_analysis(&analysis).await.unwrap();
    }
    assert_eq!(store.tracks_without_audio().await.unwrap(), ids(&["c", "d"]));
    assert_eq!(store.tracks_without_pitches().await.unwrap(), ids(&["a", "c"]));
    store.save_pitches(&rejected("a", "empty")).await.unwrap();
    assert_eq!(store.tracks_without_pitches().await.unwrap(), ids(&["c"]));
}

pub async fn what_some_tracks_lack_is_told_of_these_alone(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_tracks(&["a", "b", "c", "d", "e"].map(track)).await.unwrap();
    store.save_tags(&track("a"), &TagsOutcome::NoTags, TagSource::Page).await.unwrap();
    store.save_features(&[features("a", None), features("b", Some([0.0; 13]))]).await.unwrap();
    for analysis in [analysis("a", None), no_analysis("b"), analysis("c", None), analysis("e", None)] {
        store.save_analysis(&analysis).await.unwrap();
    }
    store.save_pitches(&rejected("a", "empty")).await.unwrap();
    let expected =
        Gaps { tags: ids(&["b", "c", "d"]), features: ids(&["c", "d"]), analyses: ids(&["d"]), pitches: ids(&["c"]) };
    assert_eq!(store.gaps(&ids(&["d", "c", "a", "b", "c"])).await.unwrap(), expected);
    assert_eq!(store.gaps(&[]).await.unwrap(), Gaps::default());
}

pub async fn audio_is_counted(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_tracks(&["a", "b", "c", "d"].map(track)).await.unwrap();
    let (whole, none) = (features("c", Some([1.0; 13])), [features("a", None), features("b", None)]);
    store.save_features(&[none.to_vec(), vec![whole, incomplete("d")]].concat()).await.unwrap();
    for analysis in [analysis("a", None), no_analysis("b"), analysis("c", None), analysis("d", None)] {
        store.save_analysis(&analysis).await.unwrap();
    }
    for pitches in [pitches("a"), rejected("c", "too_short"), rejected("d", "too_short")] {
        store.save_pitches(&pitches).await.unwrap();
    }
    let expected = AudioCounts {
        tracks: 4,
        features: 2,
        incomplete_features: 1,
        without_features: 2,
        analyses: 3,
        without_analysis: 1,
        pitches: 1,
        rejected_pitches: BTreeMap::from([("too_short".into(), 2)]),
    };
    assert_eq!(store.audio_counts().await.unwrap(), expected);
}
