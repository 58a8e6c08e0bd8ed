//! Trees on data that is out of the ordinary, against numbers that scikit-learn computed: `tests/sklearn/corners.py`.

mod common;

use common::{dataset, mean_and_error, split_at};
use learn::family::{Estimator, Model, complete, decide};
use learn::{Labelled, metrics};
use ndarray::{Array2, Axis, s};
use serde_json::{Value, json};

/// The generated data with one thing changed.
fn data(kind: &str) -> Labelled {
    let Labelled { mut records, mut targets, .. } = dataset(71, 300, 8, 3);
    match kind {
        "constant columns" => {
            records.column_mut(1).fill(0.25);
            records.column_mut(4).mapv_inplace(|x| if x > 0.0 { 0.5 } else { 0.5 + 5e-8 });
        }
        "one column varies" => records.slice_mut(s![.., 1..]).fill(-3.0),
        "nothing varies" => records.fill(7.0),
        "repeated rows" => records = records.select(Axis(0), &(0..300).map(|row| row / 4 * 4).collect::<Vec<_>>()),
        "few values" => records.mapv_inplace(|x| (x * 2.0).floor()),
        "one label" => targets = targets.slice(s![.., ..1]).to_owned(),
        "labels of all and none" => {
            targets.column_mut(0).fill(true);
            targets.column_mut(2).fill(false);
        }
        "as it is" => {}
        other => panic!("there is no data with {other}"),
    }
    Labelled::new(records, targets)
}

/// Accuracy, micro F1 and number of leaves.
fn scores(family: &str, params: &Value, seed: u64, (train, test): &(Labelled, Labelled)) -> [f64; 3] {
    let candidate = complete(family, &serde_json::from_value(params.clone()).unwrap()).unwrap();
    let fitted = Estimator::new(&candidate, seed).unwrap().fit(train).unwrap();
    let predicted: Array2<bool> = decide(fitted.probabilities(test.records.view()).view());
    let scores = metrics::scores(test.targets.view(), predicted.view());
    let Model::Tree(forest) = fitted else { panic!("{family} is not of trees") };
    [scores.accuracy, scores.f1.micro, forest.leaves() as f64]
}

#[test]
fn trees_are_as_scikit_learns_on_unusual_data() {
    let reference: Value = serde_json::from_str(include_str!("sklearn/corners.json")).unwrap();
    let mut misses = Vec::new();
    for case in reference["cases"].as_array().unwrap() {
        let (kind, family) = (case["data"].as_str().unwrap(), case["family"].as_str().unwrap());
        let sides = split_at(&data(kind), 200);
        let of_seeds: Vec<[f64; 3]> = (0..20).map(|seed| scores(family, &case["params"], seed, &sides)).collect();
        for (at, name) in ["accuracy", "f1_micro", "leaves"].into_iter().enumerate() {
            let (mean, error) = mean_and_error(&of_seeds.iter().map(|scores| scores[at]).collect::<Vec<f64>>());
            let [their_mean, their_error]: [f64; 2] = serde_json::from_value(case[name].clone()).unwrap();
            let error = error.hypot(their_error);
            // The reference has nine decimals.
            if (mean - their_mean).abs() > 4.0 * error + 1e-9 {
                misses.push(format!("{kind} {family} {} {name}: {mean} and {their_mean} ± {error}", case["params"]));
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

#[test]
fn class_weights_that_leave_nothing_to_fit_say_so() {
    let train = dataset(71, 40, 4, 3);
    for family in ["tree", "extra_tree", "extra_trees", "random_forest"] {
        for (weight, part) in [(0.0, "leaves no row"), (1e200, "too large")] {
            let all = vec![json!({"0": weight, "1": weight}); 3];
            let candidate = complete(family, &serde_json::from_value(json!({"class_weight": all})).unwrap()).unwrap();
            let error = Estimator::new(&candidate, 0).unwrap().fit(&train).unwrap_err().to_string();
            assert!(error.contains(part), "{family}: {error}");
        }
    }
}

/// How often each of five copies of a column is what a tree of this family splits its root by, over 2,000 seeds.
fn roots(family: &str, rows: usize, mut params: Value) -> [u32; 5] {
    params["max_depth"] = json!(1);
    let of_row = |row: usize| row.is_multiple_of(2);
    let train = Labelled::new(
        Array2::from_shape_fn((rows, 5), |(row, _)| f64::from(u8::from(of_row(row)))),
        Array2::from_shape_fn((rows, 2), |(row, label)| of_row(row) || label == row % 3),
    );
    let candidate = complete(family, &serde_json::from_value(params).unwrap()).unwrap();
    let mut counts = [0; 5];
    for seed in 0..2_000 {
        let Estimator::Tree(params) = Estimator::new(&candidate, seed).unwrap() else { panic!("{family} is a tree") };
        let importances = params.feature_importances(&train).unwrap();
        counts[importances.iter().position(|&share| share == 1.0).unwrap()] += 1;
    }
    counts
}

#[test]
fn equally_good_features_are_taken_equally_often() {
    for (family, rows, params) in [
        ("extra_tree", 6, json!({"max_features": null})),
        ("extra_tree", 40, json!({"max_features": null})),
        ("extra_tree", 6, json!({"max_features": 3})),
        ("extra_tree", 40, json!({"max_features": 3})),
        ("tree", 40, json!({"max_features": 3})),
        ("tree", 40, json!({})),
    ] {
        let counts = roots(family, rows, params.clone());
        // 400 each, with a standard deviation of 18.
        assert!(counts.iter().all(|count| (320..=480).contains(count)), "{family} {rows} {params}: {counts:?}");
    }
}
