//! Radius neighbours and ridge against numbers that scikit-learn computed, `tests/sklearn/near.py`, and what these
//! families and k nearest neighbours share in a search against each candidate alone.

mod common;

use std::sync::LazyLock;

use common::tables::in_order;
use common::{dataset, labels, numbers, split_at};
use learn::family::{Estimator, Model, complete, decide};
use learn::radius::{OutlierLabel, RadiusParams};
use learn::ridge::RidgeParams;
use learn::{Cancel, Labelled, LearnError, SavedModel, grid, prepare, refit, run_block};
use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use model::Timestamp;
use model::dataset::Dataset;
use model::search::{Block, Candidate, Search, Trial};
use ndarray::{Array2, array};
use serde_json::Value;

static REFERENCE: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("sklearn/near.json")).unwrap());

fn estimator(family: &str, case: &Value) -> Estimator {
    let params = serde_json::from_value(case["params"].clone()).unwrap();
    Estimator::new(&complete(family, &params).unwrap(), 0).unwrap()
}

/// As `near.py` takes them: the last label is everyone's.
fn narrow() -> (Labelled, Labelled) {
    let mut all = dataset(11, 300, 7, 4);
    all.targets.column_mut(3).fill(true);
    split_at(&all, 210)
}

#[test]
fn radius_neighbours_predict_as_scikit_learns() {
    let (train, test) = narrow();
    let cases = REFERENCE["radius"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let shares = estimator("radius", case).fit(&train).unwrap().probabilities(test.records.view());
        assert_eq!(decide(shares.view()), labels(&case["predicted"]), "{}", case["params"]);
        for (ours, theirs) in shares.rows().into_iter().zip(numbers(&case["probability_sums"])) {
            assert!((ours.sum() - theirs).abs() < 1e-12, "{}: {} and {theirs}", case["params"], ours.sum());
        }
    }
}

#[test]
fn ridge_predicts_as_scikit_learns_with_more_rows_and_with_more_features() {
    let wide = split_at(&dataset(12, 60, 90, 3), 45);
    for (cases, (train, test)) in [("ridge", narrow()), ("ridge_wide", wide)] {
        let cases = REFERENCE[cases].as_array().unwrap();
        assert!(cases.len() >= 20);
        for case in cases {
            let Model::Ridge(model) = estimator("ridge", case).fit(&train).unwrap() else { panic!("another family") };
            let predicted: Array2<bool> = model.predict(&test.records);
            assert_eq!(predicted, labels(&case["predicted"]), "{}", case["params"]);
            let values = model.decision(test.records.view());
            for (ours, theirs) in values.rows().into_iter().zip(numbers(&case["value_sums"])) {
                assert!((ours.sum() - theirs).abs() < 1e-9, "{}: {} and {theirs}", case["params"], ours.sum());
            }
            let shares = model.probabilities(test.records.view());
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            assert_eq!(decide(shares.view()), values.mapv(|value| value > 0.0), "{}", case["params"]);
        }
    }
}

#[test]
fn what_radius_neighbours_cannot_answer_they_say() -> Result<(), LearnError> {
    let train = Labelled::new(array![[0.0], [0.1], [0.2]], array![[true, false], [true, true], [false, false]]);
    let far = array![[0.0], [9.0]];
    let alone = RadiusParams::default().fit(&train)?.probabilities(far.view());
    assert_eq!(alone.row(1).to_vec(), [0.0, 0.0], "nothing is known of a row without neighbours");
    let frequent = RadiusParams::default().outlier_label(Some(OutlierLabel::MostFrequent)).fit(&train)?;
    assert_eq!(frequent.probabilities(far.view()).row(1).to_vec(), [1.0, 0.0]);
    for case in REFERENCE["radius_errors"].as_array().unwrap() {
        let fitted = estimator("radius", case).fit(&narrow().0);
        assert!(
            fitted.is_ok() == (case["params"]["metric"] != "cosine"),
            "a tree refuses the cosine when it is fitted"
        );
    }
    let error = RadiusParams::default().radius(-1.0).check().unwrap_err();
    assert_eq!(error.to_string(), "radius: radius cannot be -1: it is a number from 0");
    Ok(())
}

#[test]
fn ridge_says_when_features_depend_on_each_other() {
    let twice = Labelled::new(array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], array![[true], [false], [true]]);
    assert!(matches!(RidgeParams::default().alpha(0.0).fit(&twice), Err(LearnError::Unfittable(_))));
    assert!(RidgeParams::default().fit(&twice).is_ok());
    let nothing = Labelled::new(Array2::zeros((0, 2)), Array2::default((0, 1)));
    assert!(matches!(RidgeParams::default().fit(&nothing), Err(LearnError::Unfittable(_))));
    let error = RidgeParams::default().alpha(f64::NAN).check().unwrap_err();
    assert_eq!(error.to_string(), "ridge: alpha cannot be NaN: it is a number from 0");
}

const GRID: &str = "
[knn]
n_neighbors = [1, 4, 90]
weights = ['uniform', 'distance']
metric = ['euclidean', 'cosine', 'manhattan', 'minkowski']
algorithm = ['brute', 'kd_tree']
p = [1, 3, 2.5]
[radius]
radius = [0.0, 0.6, 1.8, 30.0]
weights = ['uniform', 'distance']
metric = ['euclidean', 'cosine', 'manhattan', 'minkowski']
algorithm = ['brute', 'kd_tree']
p = [1, 4]
outlier_label = ['none', 'most_frequent']
[ridge]
alpha = [0.0, 0.1, 20]
fit_intercept = [true, false]
class_weight = ['none', 'balanced']
";

/// The first rows of the generated data as a dataset.
fn table(n: usize) -> Dataset {
    let (d, q) = (7, 3);
    let data = dataset(41, n, d, q);
    let names = |letter: &str, count: usize| (0..count).map(|at| format!("{letter}{at}")).collect();
    let labels = data.targets.iter().map(|has| u8::from(*has)).collect();
    in_order(names("f", d), names("label", q), data.records.into_raw_vec_and_offset().0, labels)
}

fn trials(dataset: &Dataset, candidates: &[Candidate], blocks: Vec<Block>) -> (Search, Vec<Trial>) {
    let data = prepare(dataset).unwrap();
    let count = blocks.len() as u32;
    let (id, dataset, candidates) = (String::new(), String::new(), candidates.to_vec());
    let kernel = learn::kernel(false);
    let search = Search {
        id,
        dataset,
        settings: candidates,
        blocks,
        kernel,
        folds: 3,
        seed: 0,
        thresholds: false,
        created_at: Timestamp(0),
    };
    let mut trials: Vec<Trial> =
        (0..count).flat_map(|block| run_block(&data, &search, block, &Cancel::new()).unwrap()).collect();
    trials.iter_mut().for_each(|trial| trial.fit_seconds = 0.0);
    trials.sort_by_key(|trial| (trial.setting, trial.fold));
    (search, trials)
}

#[test]
fn candidates_that_share_their_work_score_what_each_scores_alone() {
    let (dataset, candidates) = (table(120), grid::read(GRID, &[]).unwrap());
    let all: Vec<u32> = (0..candidates.len() as u32).collect();
    let alone = all.iter().map(|&value| Block { settings: vec![value], folds: vec![0, 1, 2] }).collect();
    let together = vec![Block { settings: all, folds: vec![0, 1, 2] }];
    let (_, together) = trials(&dataset, &candidates, together);
    assert!(together.iter().any(|trial| trial.outcome.is_err()) && together.iter().any(|trial| trial.outcome.is_ok()));
    assert_eq!(together, trials(&dataset, &candidates, alone).1);
}

#[test]
fn the_small_families_can_win_and_be_saved() {
    let dataset = table(150);
    for family in ["radius", "ridge"] {
        let candidates = grid::read(GRID, &[family.into()]).unwrap();
        let block = Block { settings: (0..candidates.len() as u32).collect(), folds: vec![0, 1, 2] };
        let (search, trials) = trials(&dataset, &candidates, vec![block]);
        let (info, bytes) = refit(&prepare(&dataset).unwrap(), &search, &trials, &Cancel::new()).unwrap();
        assert!(info.evaluation.heldout.accuracy > info.evaluation.baseline.accuracy, "{family}");
        let saved = SavedModel::load(&bytes).unwrap();
        let first = &info.evaluation.examples[0];
        let row: usize = first.track_id.parse().unwrap();
        let again = saved.assign(&first.track_id, dataset.feature_row(row)).unwrap();
        assert_eq!(again.probabilities, first.probabilities, "{family}");
    }
}
