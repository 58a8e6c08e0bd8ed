//! The dataset built from what was collected.

use std::collections::BTreeMap;

use features::{DatasetError, StoredTracks, build, describe, read, to_parquet};
use model::Timestamp;
use model::audio::{AudioFeatures, CONFIDENCES, SCALARS, TrackPitches, pitch_columns};
use model::dataset::Split;
use model::settings;
use model::tag::{LabelledTrack, LabelledTracks, RULES_VERSION, TagSource, TaggedTrack, TagsOutcome};
use model::track::{ArtistRef, Track};

/// Ten labelled tracks `t0` … `t9` of five artists, in falling order, each with all groups of columns.
fn complete() -> StoredTracks {
    let ids: Vec<String> = (0..10).rev().map(|i| format!("t{i}")).collect();
    let labels = |i: usize| if i % 2 == 1 { vec!["misc".into(), "pop".into()] } else { vec!["jazz".into()] };
    let labelled = |(i, id): (usize, &String)| LabelledTrack { track_id: id.clone(), labels: labels(i) };
    StoredTracks {
        tracks: ids.iter().enumerate().map(|(i, id)| track(id, &format!("artist {}", i % 5))).collect(),
        labelled: LabelledTracks {
            tracks: ids.iter().enumerate().map(labelled).collect(),
            tag_counts: vec![("rock".into(), 7), ("jazz".into(), 5)],
            ..LabelledTracks::default()
        },
        tags: Vec::new(),
        features: ids.iter().map(|id| AudioFeatures { track_id: id.clone(), values: Some([Some(2.0); 13]) }).collect(),
        confidences: ids.iter().map(|id| (id.clone(), [3.0; 4])).collect(),
        pitches: ids.iter().map(|id| TrackPitches { track_id: id.clone(), outcome: Ok(vec![1.0; 1_224]) }).collect(),
    }
}

fn track(id: &str, artist: &str) -> Track {
    let artists = vec![ArtistRef { id: None, name: artist.into() }, ArtistRef { id: None, name: "guest".into() }];
    Track { id: id.into(), name: "song".into(), artists, album: None, duration_ms: None, isrc: None }
}

fn tags(id: &str, outcome: TagsOutcome, canonical: &[&str]) -> TaggedTrack {
    TaggedTrack {
        track_id: id.into(),
        outcome,
        source: TagSource::Page,
        canonical: canonical.iter().map(|tag| tag.to_string()).collect(),
        rules: RULES_VERSION,
        fetched_at: Timestamp(0),
    }
}

fn dropped(sources: StoredTracks) -> BTreeMap<String, usize> {
    build(sources, &settings::DatasetSettings::default()).unwrap().dropped
}

#[test]
fn a_row_has_1241_features_its_labels_and_its_side() {
    let built = build(complete(), &settings::DatasetSettings::default()).unwrap();
    let dataset = &built.dataset;
    let names = pitch_columns().into_iter().chain(SCALARS.iter().chain(&CONFIDENCES).map(|name| name.to_string()));
    assert_eq!(dataset.feature_names, names.collect::<Vec<_>>());
    let row: Vec<f64> = [vec![1.0; 1_224], vec![2.0; 13], vec![3.0; 4]].concat();
    assert_eq!((dataset.rows(), dataset.feature_row(9)), (10, row.as_slice()));
    // Sorted by id and permuted by numpy's RandomState(234634754): 8 5 1 are the test rows.
    assert_eq!(dataset.track_ids, ["t0", "t3", "t6", "t9", "t2", "t7", "t4", "t8", "t5", "t1"]);
    assert_eq!(dataset.rows_in(Split::Test), [7, 8, 9]);
    assert_eq!(dataset.label_names, ["jazz", "misc", "pop"]);
    assert_eq!(
        (dataset.labels_of(0), dataset.labels_of(1)),
        (vec!["misc".into(), "pop".into()], vec!["jazz".to_owned()])
    );
    assert_eq!(dataset.artists[0], "artist 4");
    assert!(built.dropped.is_empty());
}

#[test]
fn its_file_reads_back_and_its_info_tells_what_was_cut() {
    let built = build(complete(), &settings::DatasetSettings::default()).unwrap();
    let parquet = to_parquet(&built.dataset).unwrap();
    assert_eq!(read(&parquet, &Default::default()).unwrap(), built.dataset);
    let info = built.info(&parquet);
    assert_eq!(info.id, describe(&built.dataset, &parquet).id);
    assert_eq!((info.rows, info.features), (10, 1_241));
    assert_eq!(info.tags_before[0], ("rock".into(), 7));
    assert_eq!(info.tags_after, [("jazz".into(), 5), ("misc".into(), 5), ("pop".into(), 5)]);
    assert_eq!(info.label_selection.unwrap().top, 9);
}

#[test]
fn a_group_that_no_labelled_track_has_costs_its_columns_and_no_row() {
    let mut sources = complete();
    sources.pitches.clear();
    sources.confidences = vec![("somebody else's".into(), [0.0; 4])];
    let built = build(sources, &settings::DatasetSettings::default()).unwrap();
    assert_eq!(built.dataset.feature_names, SCALARS);
    assert_eq!(built.dataset.rows(), 10);
}

/// Takes a scalar from the features of these tracks.
fn take(sources: &mut StoredTracks, scalar: &str, tracks: std::ops::Range<usize>) {
    let scalar = SCALARS.iter().position(|name| *name == scalar).unwrap();
    sources.features[tracks].iter_mut().for_each(|track| track.values.as_mut().unwrap()[scalar] = None);
}

#[test]
fn a_scalar_that_no_labelled_track_has_costs_its_column_and_no_row() {
    let mut sources = complete();
    take(&mut sources, "key", 0..10);
    take(&mut sources, "tempo", 0..10);
    let built = build(sources, &settings::DatasetSettings::default()).unwrap();
    assert_eq!((built.dataset.rows(), built.dataset.feature_names.len()), (10, 1_239));
    assert!(!built.dataset.feature_names.iter().any(|name| name == "key" || name == "tempo"));
    assert!(built.dataset.features.iter().all(|value| value.is_finite()));
    assert!(built.dropped.is_empty());
}

#[test]
fn a_track_that_lacks_a_used_scalar_is_counted_apart_from_one_without_any() {
    let mut sources = complete();
    take(&mut sources, "key", 0..2);
    take(&mut sources, "mode", 1..3);
    sources.features[9].values = None;
    let built = build(sources, &settings::DatasetSettings::default()).unwrap();
    assert_eq!((built.dataset.rows(), built.dataset.feature_names.len()), (6, 1_241));
    let expected = [("incomplete_audio_features", 3), ("no_audio_features", 1)];
    assert_eq!(built.dropped, expected.map(|(reason, count)| (reason.to_owned(), count)).into());
}

#[test]
fn labelled_tracks_without_a_used_group_are_counted_by_reason() {
    let mut sources = complete();
    sources.pitches[0].outcome = Err("too_short".into());
    sources.pitches.remove(1);
    sources.features[2].values = None;
    sources.features.remove(3);
    sources.confidences.remove(4);
    let expected = [
        ("audio_features_not_fetched", 1),
        ("no_audio_features", 1),
        ("no_confidences", 1),
        ("no_pitches", 1),
        ("pitches_too_short", 1),
    ];
    assert_eq!(dropped(sources), expected.map(|(reason, count)| (reason.to_owned(), count)).into());
}

#[test]
fn tracks_without_a_label_are_counted_by_reason() {
    let mut sources = complete();
    let unlabelled = ["a", "b", "c", "d", "e"];
    sources.tracks.extend(unlabelled.map(|id| track(id, "x")));
    sources.tags = vec![
        tags("a", TagsOutcome::NoTags, &[]),
        tags("b", TagsOutcome::UnknownTrack, &[]),
        tags("c", TagsOutcome::Tags(Vec::new()), &[]),
        tags("d", TagsOutcome::Tags(Vec::new()), &["rock"]),
    ];
    let reasons = ["no_tags", "unknown_track", "no_genre", "only_excluded_tags", "not_looked_up"];
    assert_eq!(dropped(sources), reasons.map(|reason| (reason.to_owned(), 1)).into());
}

#[test]
fn nothing_to_learn_from_is_an_error_that_says_why() {
    let settings = settings::DatasetSettings::default();
    let mut sources = complete();
    sources.labelled.tracks.clear();
    let message = build(sources.clone(), &settings).unwrap_err().to_string();
    assert!(message.contains("not_looked_up 10"), "{message}");
    let mut sources = complete();
    (sources.pitches, sources.features, sources.confidences) = Default::default();
    assert_eq!(build(sources, &settings).unwrap_err(), DatasetError::NoFeatures { labelled: 10 });
    assert!(build(StoredTracks::default(), &settings).is_err());
}

#[test]
fn an_artist_that_has_most_tracks_is_trained_on_and_that_is_told() {
    let mut sources = complete();
    sources.tracks.iter_mut().take(8).for_each(|track| track.artists[0].name = "prolific".into());
    let split = settings::SplitSettings { by_artist: true, ..Default::default() };
    let built = build(sources, &settings::DatasetSettings { split, ..Default::default() }).unwrap();
    let test = built.dataset.rows_in(Split::Test);
    assert!(test.len() == 1 && built.dataset.artists[test[0]] != "prolific", "{:?}", built.dataset.artists);
    let told = "1 of 10 rows are held out, not 3: all rows of an artist stay together, and `prolific` has 8";
    assert_eq!(built.note.as_deref(), Some(told));
    assert_eq!(build(complete(), &settings::DatasetSettings::default()).unwrap().note, None);
}
