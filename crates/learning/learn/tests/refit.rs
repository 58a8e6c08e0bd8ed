//! The refit of a search's winner: what is saved, thresholds, importances.

mod common;

use common::searches::{dataset, planned, run};
use learn::{Cancel, SavedModel, metrics, prepare, refit};
use model::dataset::{ColumnGroup, Split};
use model::search::{Evaluation, Search};
use ndarray::Array2;

#[test]
fn a_saved_model_selects_what_the_refit_selected() {
    let dataset = dataset(120);
    let data = prepare(&dataset).unwrap();
    let selections = [
        "{ method = 'variance', threshold = 0.5 }",
        "{ method = 'anova', k = 3 }",
        "{ method = 'tree_importance', k = 3 }",
        "{ method = 'pca', n_components = 3 }",
    ];
    for (family, select) in ["knn", "tree", "ridge", "extra_trees"].into_iter().zip(selections) {
        let search = planned(&format!("[{family}]\nselect = {select}"), 120);
        let (info, bytes) = refit(&data, &search, &run(&data, &search), &Cancel::new()).unwrap();
        let saved = SavedModel::load(&bytes).unwrap();
        for (example, row) in info.evaluation.examples.iter().zip(84..) {
            let assigned = saved.assign(&dataset.track_ids[row], dataset.feature_row(row)).unwrap();
            assert_eq!((&assigned.assigned, &assigned.probabilities), (&example.assigned, &example.probabilities));
        }
        assert!(info.winner.params.contains_key("select"));
    }
}

#[test]
fn thresholds_are_tuned_on_training_rows_and_the_saved_model_decides_by_them() {
    let dataset = dataset(300);
    let data = prepare(&dataset).unwrap();
    for grid in ["[knn]\nn_neighbors = 15", "[tree]\nmax_depth = 3", "[ridge]\nselect = { method = 'anova', k = 5 }"] {
        let search = planned(grid, 300);
        let trials = run(&data, &search);
        let (plain, _) = refit(&data, &search, &trials, &Cancel::new()).unwrap();
        assert_eq!(plain.evaluation.tuned, None);
        let (info, bytes) = refit(&data, &Search { thresholds: true, ..search }, &trials, &Cancel::new()).unwrap();
        let Evaluation { heldout, confusion, tuned, examples, .. } = info.evaluation;
        assert_eq!((heldout, &confusion), (plain.evaluation.heldout, &plain.evaluation.confusion));
        let tuned = tuned.unwrap();
        assert!(tuned.thresholds.iter().all(|threshold| (0.0..1.0).contains(threshold)), "{:?}", tuned.thresholds);
        assert!(
            tuned.out_of_fold.f1.macro_ > tuned.out_of_fold_at_half.f1.macro_,
            "{grid}: every label gains or stays"
        );

        let saved = SavedModel::load(&bytes).unwrap();
        let rows = dataset.rows_in(Split::Test);
        let assigned = rows.iter().map(|&row| saved.assign("t", dataset.feature_row(row)).unwrap().assigned);
        let assigned: Vec<Vec<String>> = assigned.collect();
        let labels = |value: &dyn Fn(usize) -> Vec<String>| {
            let has = |(row, label)| value(row).contains(&dataset.label_names[label]);
            Array2::from_shape_fn((rows.len(), dataset.label_names.len()), has)
        };
        let (truth, predicted) = (labels(&|row| dataset.labels_of(rows[row])), labels(&|row| assigned[row].clone()));
        assert_eq!(metrics::scores(truth.view(), predicted.view()), tuned.heldout);
        assert!(examples.iter().zip(&assigned).all(|(example, assigned)| example.assigned == *assigned));
    }
}

#[test]
fn scores_fall_where_labels_depend_on_a_feature_and_not_elsewhere() {
    let mut dataset = dataset(600);
    // A feature that says nothing at all.
    dataset.features.chunks_mut(7).for_each(|row| row[6] = 2.5);
    let group = |name: &str| ColumnGroup { name: name.into(), columns: vec![0] };
    let data = prepare(&dataset).unwrap().with_column_groups(vec![group("one"), group("another")]);
    for grid in ["[knn]\nn_neighbors = 15", "[extra_trees]\nn_estimators = 50", "[ridge]\nalpha = 1.0"] {
        let search = planned(grid, 600);
        let trials = run(&data, &search);
        let look = || refit(&data, &search, &trials, &Cancel::new()).unwrap().0.evaluation;
        let evaluation = look();
        assert_eq!(evaluation.importances, look().importances, "{grid}: the same numbers again");
        let importances = evaluation.importances.unwrap();
        assert_eq!((importances.rows, importances.repeats, importances.features_left_out), (180, 5, 0));
        assert_eq!((importances.scores, importances.baseline), (evaluation.heldout, evaluation.baseline));
        let loss = |name: &str| importances.groups.iter().find(|value| value.group == name).unwrap().f1_micro;
        // Label k depends on features k and, half as much, k + 1.
        for telling in ["one", "another", "f1", "f2"] {
            for silent in ["f4", "f5"] {
                let (telling, silent) = (loss(telling), loss(silent));
                assert!(telling.mean > silent.mean + silent.std, "{grid}: {telling:?} {silent:?}");
            }
        }
        assert_eq!((loss("f6").mean, loss("f6").std), (0.0, 0.0));
        assert!(importances.groups.is_sorted_by(|a, b| a.f1_micro.mean >= b.f1_micro.mean));
    }
}
