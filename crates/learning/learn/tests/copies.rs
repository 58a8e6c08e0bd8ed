//! Searches over data in which tracks have copies.

mod common;

use common::searches::{dataset, planned, run};
use learn::{Cancel, LearnError, prepare, refit, run_block};
use model::dataset::{Dataset, Split};
use model::search::Search;

const GRID: &str = "[knn]\nn_neighbors = 1\n";

/// Every row of these data `copies` times.
fn copied(value: &Dataset, copies: usize) -> Dataset {
    let rows: Vec<usize> = (0..value.rows()).flat_map(|row| std::iter::repeat_n(row, copies)).collect();
    Dataset {
        track_ids: rows.iter().map(|&row| value.track_ids[row].clone()).collect(),
        artists: vec![String::new(); rows.len()],
        features: rows.iter().flat_map(|&row| value.feature_row(row).to_vec()).collect(),
        labels: rows.iter().flat_map(|&row| value.label_row(row).to_vec()).collect(),
        split: rows.iter().map(|&row| value.split[row]).collect(),
        ..value.clone()
    }
}

fn with_copies(search: Search) -> Search {
    Search { kernel: learn::kernel(true), ..search }
}

#[test]
fn a_nearest_neighbour_is_never_a_copy() {
    // Three training tracks of 5, 8 and 5 rows, each with a label of its own: who has not seen a track knows none of its
    // rows. Folds of 6 rows would cut the second track.
    let of_track = [vec![0; 5], vec![1; 8], vec![2; 5], vec![3; 3]].concat();
    let dataset = Dataset {
        track_ids: of_track.iter().map(|track| format!("t{track}")).collect(),
        artists: vec![String::new(); of_track.len()],
        feature_names: vec!["x".into()],
        features: of_track.iter().map(|track| f64::from(*track)).collect(),
        label_names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        labels: of_track.iter().flat_map(|track| (0..3).map(move |label| u8::from(label == *track))).collect(),
        split: of_track.iter().map(|track| if *track < 3 { Split::Train } else { Split::Test }).collect(),
    };
    let (data, search) = (prepare(&dataset).unwrap(), with_copies(planned(GRID, 18)));
    let trials = run(&data, &search);
    let accuracies: Vec<f64> = trials.iter().map(|trial| trial.outcome.as_ref().unwrap().accuracy).collect();
    assert_eq!(accuracies, [0.0; 3]);
    let (model, _) = refit(&data, &Search { thresholds: true, ..search }, &trials, &Cancel::new()).unwrap();
    assert_eq!(model.evaluation.tuned.unwrap().out_of_fold_at_half.accuracy, 0.0);
}

#[test]
fn a_search_of_an_older_program_does_not_mix_folds() {
    let data = prepare(&copied(&dataset(30), 2)).unwrap();
    let old = planned(GRID, 42);
    let Err(LearnError::Search(message)) = run_block(&data, &old, 0, &Cancel::new()) else { panic!("folds are mixed") };
    assert!(message.contains("older program") && message.contains("start a new search"), "{message}");
    assert!(run_block(&data, &with_copies(old.clone()), 0, &Cancel::new()).is_ok());
    let without = prepare(&dataset(30)).unwrap();
    assert!(matches!(run_block(&without, &with_copies(old), 0, &Cancel::new()), Err(LearnError::Kernel { .. })));
}

#[test]
fn copies_that_lie_apart_are_refused() {
    let mut dataset = dataset(10);
    dataset.track_ids[2] = dataset.track_ids[0].clone();
    assert!(prepare(&dataset).is_err_and(|error| error.to_string().contains("are not consecutive")));
    dataset.track_ids[1] = dataset.track_ids[0].clone();
    assert!(prepare(&dataset).is_ok());
    dataset.split[2] = Split::Test;
    assert!(prepare(&dataset).is_err(), "on both sides");
}
