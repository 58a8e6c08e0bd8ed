//! Against numbers that scikit-learn computed: `tests/sklearn/reference.py`.

mod common;

use std::sync::LazyLock;

use common::{assert_same_mean, dataset, labels, numbers, split_at};
use learn::family::{Estimator, Model, complete, decide};
use learn::{folds, metrics, scaler::StandardScaler};
use model::search::Scores;
use ndarray::s;
use serde_json::Value;

static REFERENCE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("sklearn/reference.json")).unwrap());

fn estimator(family: &str, case: &Value, seed: u64) -> Estimator {
    let params = serde_json::from_value(case["params"].clone()).unwrap();
    Estimator::new(&complete(family, &params).unwrap(), seed).unwrap()
}

/// Fits every case of a family and compares labels and the sum of each row's probabilities.
fn assert_predictions(family: &str, cases: &Value) {
    let (train, test) = split_at(&dataset(11, 300, 7, 4), 210);
    for case in cases.as_array().unwrap() {
        let fitted = estimator(family, case, 5).fit(&train).unwrap();
        if let Model::Tree(tree) = &fitted {
            assert_eq!(tree.leaves() as u64, case["leaves"], "{}", case["params"]);
        }
        let probabilities = fitted.probabilities(test.records.view());
        assert_eq!(decide(probabilities.view()), labels(&case["predicted"]), "{}", case["params"]);
        for (ours, theirs) in probabilities.rows().into_iter().zip(numbers(&case["probability_sums"])) {
            assert!((ours.sum() - theirs).abs() < 1e-12, "{}: {} and {theirs}", case["params"], ours.sum());
        }
    }
}

#[test]
fn neighbours_predict_as_scikit_learn() {
    assert_predictions("knn", &REFERENCE["knn"]);
}

#[test]
fn trees_without_ties_are_scikit_learns() {
    assert_predictions("tree", &REFERENCE["trees"]);
}

#[test]
fn random_trees_score_as_scikit_learns_do_on_average() {
    let all = dataset(11, 300, 7, 4);
    let accuracy = |estimator: Estimator| {
        let of_fold = |validation: std::ops::Range<usize>| {
            let fitted = estimator.fit(&folds::training_rows(&all, &validation)).unwrap();
            let shares = fitted.probabilities(all.records.slice(s![validation.clone(), ..]));
            metrics::scores(all.targets.slice(s![validation, ..]), decide(shares.view()).view()).accuracy
        };
        folds::k_fold(300, 5).unwrap().into_iter().map(of_fold).sum::<f64>() / 5.0
    };
    for case in REFERENCE["random_trees"].as_array().unwrap() {
        let ours: Vec<f64> = (0..20).map(|seed| accuracy(estimator("tree", case, seed))).collect();
        assert_same_mean(&ours, &numbers(&case["accuracies"]), &case["params"].to_string());
        assert!(ours.iter().any(|score| *score != ours[0]), "{} does not depend on the seed", case["params"]);
    }
}

#[test]
fn scores_are_scikit_learns_to_the_twelfth_digit() {
    let case = &REFERENCE["metrics"];
    let (truth, predicted) = (labels(&case["truth"]), labels(&case["predicted"]));
    let ours = metrics::scores(truth.view(), predicted.view());
    let theirs: Scores = serde_json::from_value(case["scores"].clone()).unwrap();
    let flat = |scores: Scores| {
        let averages = [scores.precision, scores.recall, scores.f1];
        let values = averages.into_iter().flat_map(|value| [value.micro, value.macro_, value.weighted, value.samples]);
        std::iter::once(scores.accuracy).chain(values).collect::<Vec<f64>>()
    };
    for (ours, theirs) in flat(ours).into_iter().zip(flat(theirs)) {
        assert!((ours - theirs).abs() < 1e-12, "{ours} and {theirs}");
    }
    let confusion = metrics::confusion(truth.view(), predicted.view());
    let counts = confusion.iter().map(|m| [m.true_negative, m.false_positive, m.false_negative, m.true_positive]);
    assert_eq!(serde_json::to_value(counts.collect::<Vec<_>>()).unwrap(), case["confusion"]);
}

#[test]
fn columns_are_scaled_as_scikit_learn_scales_them() {
    let mut x = dataset(31, 50, 4, 1).records;
    x.column_mut(1).fill(0.1);
    x.column_mut(2).mapv_inplace(|x| x * 1e-9 + 1e6);
    x.column_mut(3).mapv_inplace(|x| x * 1e5);
    let ours = StandardScaler::fit(x.view());
    for (ours, theirs) in [(ours.mean, "mean"), (ours.scale, "scale")] {
        for (ours, theirs) in ours.iter().zip(numbers(&REFERENCE["scaler"][theirs])) {
            assert!((ours - theirs).abs() <= 1e-14 * theirs.abs(), "{ours} and {theirs}");
        }
    }
}

#[test]
fn folds_are_cut_where_scikit_learn_cuts_them() {
    let ours: Vec<[usize; 2]> = folds::k_fold(23, 5).unwrap().iter().map(|fold| [fold.start, fold.end]).collect();
    assert_eq!(serde_json::to_value(ours).unwrap(), REFERENCE["folds"]);
}
