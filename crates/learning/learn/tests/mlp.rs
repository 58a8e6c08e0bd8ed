//! Networks against scikit-learn (`tests/sklearn/mlp.py`), against themselves, and on data that is no good.

mod common;

use common::{assert_same_mean, dataset, numbers, split_at};
use learn::family::{Estimator, Model, complete, decide, train_all};
use learn::mlp::{Activation, Mlp, MlpParams, Solver};
use learn::{Cancel, Labelled, LearnError, metrics};
use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use ndarray::{Array2, ArrayView2, array, s};
use serde_json::{Value, json};

fn estimator(params: &Value, seed: u64) -> Result<Estimator, learn::params::ParamError> {
    let candidate = complete("mlp", &serde_json::from_value(params.clone()).unwrap())?;
    Estimator::new(&candidate, seed)
}

fn fit(params: MlpParams, train: &Labelled) -> Result<Mlp, LearnError> {
    params.check()?.fit(train)
}

#[test]
fn networks_score_as_scikit_learns_do_on_average() {
    let reference: Value = serde_json::from_str(include_str!("sklearn/mlp.json")).unwrap();
    let (train, test) = split_at(&dataset(51, 400, 8, 3), 280);
    for case in reference["scores"].as_array().unwrap() {
        let score = |seed| {
            let fitted = estimator(&case["params"], seed).unwrap().fit(&train).unwrap();
            let predicted = decide(fitted.probabilities(test.records.view()).view());
            metrics::scores(test.targets.view(), predicted.view())
        };
        let ours: Vec<_> = (0..20).map(score).collect();
        let what = case["params"].to_string();
        let scores_of = |get: fn(&model::search::Scores) -> f64| ours.iter().map(get).collect::<Vec<f64>>();
        assert_same_mean(&scores_of(|scores| scores.accuracy), &numbers(&case["accuracy"]), &what);
        assert_same_mean(&scores_of(|scores| scores.f1.micro), &numbers(&case["f1_micro"]), &what);
        assert_same_mean(&scores_of(|scores| scores.f1.macro_), &numbers(&case["f1_macro"]), &what);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let train = dataset(52, 1_500, 40, 5);
    for solver in [Solver::Adam, Solver::Lbfgs] {
        let params = MlpParams::default().hidden_layer_sizes(&[300, 70]).activation(Activation::Tanh).solver(solver);
        let params = params.max_iter(4).seed(7);
        let fit_on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(params.clone(), &train).unwrap().probabilities(train.records.view()))
        };
        let alone = fit_on(1);
        assert_eq!(fit_on(2), alone, "{solver:?}");
        assert_eq!(fit_on(4), alone, "{solver:?}");
    }
}

#[test]
fn seed_and_data_decide_the_network_and_it_survives_being_saved() {
    let train = dataset(53, 120, 6, 2);
    let params = MlpParams::default().hidden_layer_sizes(&[9]).max_iter(15);
    let network = fit(params.clone().seed(1), &train).unwrap();
    assert_eq!(fit(params.clone().seed(1), &train).unwrap(), network);
    assert_ne!(fit(params.seed(2), &train).unwrap(), network);
    let back: Mlp = serde_json::from_str(&serde_json::to_string(&network).unwrap()).unwrap();
    assert_eq!(back, network);
    let predicted: Array2<bool> = network.predict(&train.records);
    assert_eq!(predicted, decide(network.probabilities(train.records.view()).view()));
}

#[test]
fn parameters_that_cannot_be_are_refused_by_name() {
    for (params, part) in [
        (json!({"solver": "sgd"}), "adam or lbfgs"),
        (json!({"hidden_layer_sizes": [10, 0]}), "hidden_layer_sizes cannot be [10,0]"),
        (json!({"hidden_layer_sizes": 100_000}), "an integer from 1 to 65536"),
        (json!({"batch_size": 0}), "batch_size cannot be 0"),
        (json!({"batch_size": "all"}), "auto or an integer"),
        (json!({"beta_1": 1.0}), "beta_1 cannot be 1"),
        (json!({"learning_rate_init": 0.0}), "learning_rate_init"),
        (json!({"tol": -1e-3}), "tol"),
        (json!({"max_iter": 0}), "max_iter"),
        (json!({"momentum": 0.9}), "no parameter `momentum`"),
    ] {
        let error = estimator(&params, 0).unwrap_err().to_string();
        assert!(error.contains(part), "{params}: {error}");
    }
}

#[test]
fn hidden_layers_may_be_one_number_or_none_at_all() {
    let train = dataset(54, 80, 5, 2);
    let fitted =
        |params: Value| estimator(&params, 4).unwrap().fit(&train).unwrap().probabilities(train.records.view());
    assert_eq!(fitted(json!({"hidden_layer_sizes": 7})), fitted(json!({"hidden_layer_sizes": [7]})));
    assert_eq!(fitted(json!({"hidden_layer_sizes": []})).dim(), (80, 2));
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let none = Labelled::new(Array2::zeros((0, 3)), Array2::default((0, 2)));
    let huge = Labelled::new(array![[1e300], [-1e300]], array![[true], [false]]);
    for solver in [Solver::Adam, Solver::Lbfgs] {
        let params = MlpParams::default().solver(solver);
        let reason = |train| match fit(params.clone(), train) {
            Err(LearnError::Unfittable(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert!(reason(&none).contains("no rows"));
        assert!(reason(&huge).contains("not finite"));
    }
    let vast = fit(MlpParams::default().hidden_layer_sizes(&[60_000, 60_000]), &dataset(56, 10, 2, 1));
    assert!(vast.unwrap_err().to_string().contains("smaller hidden_layer_sizes"));
}

#[test]
fn one_row_one_label_no_column_and_constant_columns_are_fitted() {
    let single_row = Labelled::new(array![[0.5, 0.5]], array![[true]]);
    let constant = Labelled::new(Array2::zeros((30, 3)), Array2::from_elem((30, 2), false));
    let none = Labelled::new(Array2::zeros((30, 0)), Array2::from_elem((30, 2), false));
    for solver in [Solver::Adam, Solver::Lbfgs] {
        let params = MlpParams::default().solver(solver).learning_rate_init(0.01);
        assert!(fit(params.clone(), &single_row).unwrap().probabilities(single_row.records.view())[(0, 0)] > 0.5);
        for train in [&constant, &none] {
            let network = fit(params.clone(), train).unwrap();
            assert!(network.probabilities(train.records.view()).iter().all(|p| *p < 0.5));
        }
    }
}

#[test]
fn numbers_too_small_for_f32_leave_a_network() {
    let train = Labelled::new(Array2::zeros((30, 3)), Array2::from_elem((30, 2), true));
    let fitted = estimator(&json!({"epsilon": 1e-200, "alpha": 0.0, "learning_rate_init": 0.05}), 0)
        .unwrap()
        .fit(&train)
        .unwrap();
    assert!(fitted.probabilities(train.records.view()).iter().all(|p| *p > 0.5));
}

#[test]
fn rows_are_predicted_alike_alone_and_among_others() {
    let train = dataset(57, 1_030, 21, 3);
    let fitted = fit(MlpParams::default().hidden_layer_sizes(&[19]).max_iter(2), &train).unwrap();
    let all = fitted.probabilities(train.records.view());
    for count in [0, 1, 15, 16, 17, 511, 512, 513] {
        let first_rows = fitted.probabilities(train.records.slice(s![..count, ..]));
        assert_eq!(first_rows, all.slice(s![..count, ..]), "{count} rows");
    }
}

#[test]
fn the_last_minibatch_may_be_a_single_row() {
    let train = dataset(58, 17, 5, 2);
    let fitted = estimator(&json!({"batch_size": 16, "max_iter": 3}), 0).unwrap().fit(&train).unwrap();
    assert!(fitted.probabilities(train.records.view()).iter().all(|p| (0.0..=1.0).contains(p)));
}

#[test]
fn many_networks_on_many_threads_come_to_an_end() {
    let train = dataset(59, 3_000, 400, 3);
    let alphas: Vec<f64> = (1..=12).map(|alpha| f64::from(alpha) * 1e-3).collect();
    let params = json!({"solver": "lbfgs", "max_iter": 1, "hidden_layer_sizes": 5});
    let candidates: Vec<Estimator> = alphas
        .iter()
        .map(|alpha| {
            let mut params = params.clone();
            params["alpha"] = json!(alpha);
            estimator(&params, 0).unwrap()
        })
        .collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
    for _ in 0..10 {
        let judge = |probabilities: ArrayView2<'_, f64>| probabilities.iter().all(|p| p.is_finite());
        let trained = pool.install(|| {
            train_all(&candidates, &train, train.records.slice(s![..50, ..]), &judge, &Cancel::new()).unwrap()
        });
        assert!(trained.iter().all(|result| result.outcome == Ok(true)));
    }
}

#[test]
fn a_model_of_the_family_is_a_model() {
    let train = dataset(55, 60, 4, 2);
    let fitted = estimator(&json!({"max_iter": 3}), 0).unwrap().fit(&train).unwrap();
    assert!(matches!(fitted, Model::Mlp(_)));
}
