//! A track's row is the same, to the last bit, in a dataset and where it is predicted.

use std::collections::HashMap;

use features::{StoredTracks, TrackColumns, TrackParts, build};
use model::audio::{AudioFeatures, CONFIDENCES, PITCH_COLUMNS, SCALARS, TrackPitches, pitch_columns};
use model::settings;
use model::tag::{LabelledTrack, LabelledTracks};
use proptest::prelude::*;

/// Some stored track: any of its parts may be missing, and single audio features too.
fn track() -> impl Strategy<Value = (Option<TrackPitches>, Option<AudioFeatures>, Option<[f64; 4]>)> {
    let pitches = any::<f64>().prop_map(|first| (0..PITCH_COLUMNS).map(|at| first + at as f64).collect::<Vec<_>>());
    let outcome = prop_oneof![8 => pitches.prop_map(Ok), 1 => Just(Err("too_short".to_owned()))];
    // Some scalars are missing often, so that whole columns fall away.
    let scalar = |at: usize| proptest::option::weighted(if at == 3 { 0.02 } else { 0.98 }, any::<f64>());
    let scalars: Vec<_> = (0..SCALARS.len()).map(scalar).collect();
    let values = scalars.prop_map(|values| <[Option<f64>; 13]>::try_from(values).unwrap());
    let id = String::new;
    (
        proptest::option::weighted(0.9, outcome.prop_map(move |outcome| TrackPitches { track_id: id(), outcome })),
        proptest::option::weighted(
            0.9,
            proptest::option::weighted(0.9, values).prop_map(move |values| AudioFeatures { track_id: id(), values }),
        ),
        proptest::option::weighted(0.9, any::<[f64; 4]>()),
    )
}

/// The values that are stored of a track by the names of their columns.
fn by_name(track: TrackParts<'_>) -> HashMap<String, f64> {
    let mut values = HashMap::new();
    if let Some(TrackPitches { outcome: Ok(pitches), .. }) = track.pitches {
        values.extend(pitch_columns().into_iter().zip(pitches.iter().copied()));
    }
    let scalars = track.features.and_then(|features| features.values).unwrap_or_default();
    values.extend(SCALARS.iter().zip(scalars).filter_map(|(name, value)| Some((name.to_string(), value?))));
    let confidences = track.confidences.into_iter().flatten().copied();
    values.extend(CONFIDENCES.iter().map(|name| name.to_string()).zip(confidences));
    values
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_row_of_a_dataset_is_the_row_that_is_predicted(tracks in prop::collection::vec(track(), 10..20)) {
        let ids: Vec<String> = (0..tracks.len()).map(|at| format!("t{at:02}")).collect();
        let labels = |at: usize| vec![["jazz", "pop"][at % 2].to_owned()];
        let labelled = |(at, id): (usize, &String)| LabelledTrack { track_id: id.clone(), labels: labels(at) };
        let mut sources = StoredTracks {
            labelled: LabelledTracks { tracks: ids.iter().enumerate().map(labelled).collect(), ..Default::default() },
            ..Default::default()
        };
        for (id, (pitches, features, confidences)) in ids.iter().zip(&tracks) {
            sources.pitches.extend(pitches.clone().map(|parts| TrackPitches { track_id: id.clone(), ..parts }));
            sources.features.extend(features.clone().map(|parts| AudioFeatures { track_id: id.clone(), ..parts }));
            sources.confidences.extend(confidences.map(|values| (id.clone(), values)));
        }
        let Ok(built) = build(sources, &settings::DatasetSettings::default()) else { return Ok(()) };
        let dataset = &built.dataset;
        let columns = TrackColumns::from_names(dataset.feature_names.clone()).unwrap();
        let mut dropped = 0;
        for (id, (pitches, features, confidences)) in ids.iter().zip(&tracks) {
            let parts =
                TrackParts { pitches: pitches.as_ref(), features: features.as_ref(), confidences: confidences.as_ref() };
            let mut row = vec![7.0];
            let stored = by_name(parts);
            let expected: Vec<f64> = dataset.feature_names.iter().filter_map(|name| stored.get(name).copied()).collect();
            match dataset.track_ids.iter().position(|track_id| track_id == id) {
                Some(at) => {
                    prop_assert_eq!(columns.append(parts, &mut row), Ok(()));
                    prop_assert_eq!(bits(&row[1..]), bits(dataset.feature_row(at)));
                    prop_assert_eq!(bits(&row[1..]), bits(&expected));
                }
                None => {
                    let lack = columns.append(parts, &mut row).unwrap_err();
                    prop_assert_eq!(lack.columns, dataset.feature_names.len() - expected.len());
                    prop_assert!(lack.columns > 0 && !stored.contains_key(&lack.first));
                    prop_assert!(built.dropped.contains_key(&lack.reason.to_string()), "{:?}", lack.reason);
                    prop_assert_eq!(row, [7.0], "nothing is appended");
                    dropped += 1;
                }
            }
        }
        prop_assert_eq!(built.dropped.values().sum::<usize>(), dropped);
    }
}

#[test]
fn columns_that_tracks_do_not_have_are_no_columns_of_tracks() {
    assert!(TrackColumns::from_names(vec!["tempo".into(), "C_7".into(), "key_confidence".into()]).is_some());
    assert!(TrackColumns::from_names(vec!["tempo".into(), "C_100".into()]).is_none());
}
