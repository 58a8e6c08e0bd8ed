//! Candidates that share work get, to the last bit, what each gets alone.

mod common;

use common::{dataset, split_at};
use learn::family::{Estimator, complete, train_all};
use learn::{Cancel, Labelled, grid};
use model::search::{Candidate, Params};
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Rows, features and labels of the generated data.
const USUAL_SHAPE: [usize; 3] = [220, 9, 4];

/// The last of the rows are predicted.
const PREDICTED_ROWS: usize = 130;

type Outcome = Result<Array2<f64>, String>;

fn estimators(candidates: &[Candidate]) -> Vec<Estimator> {
    candidates.iter().map(|candidate| Estimator::new(candidate, 3).unwrap()).collect()
}

/// Training rows and others; every other feature has many equal values.
fn data([n, d, q]: [usize; 3]) -> (Labelled, Labelled) {
    let mut data = dataset(61, n, d, q);
    data.records.columns_mut().into_iter().step_by(2).for_each(|mut value| value.mapv_inplace(|x| (x * 10.0).round()));
    split_at(&data, n - PREDICTED_ROWS)
}

/// Probabilities by one training of all, on so many threads.
fn together(candidates: &[Candidate], shape: [usize; 3], threads: usize) -> Vec<Outcome> {
    let (train, test) = data(shape);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let keep = |shares: ArrayView2<'_, f64>| shares.to_owned();
    let trained = pool
        .install(|| train_all(&estimators(candidates), &train, test.records.view(), &keep, &Cancel::new()).unwrap());
    trained.into_iter().map(|trained| trained.outcome).collect()
}

/// Probabilities by a fit of each.
fn alone(candidates: &[Candidate], shape: [usize; 3]) -> Vec<Outcome> {
    let (train, test) = data(shape);
    let fit = |estimator: Estimator| match estimator.fit(&train) {
        Ok(model) => Ok(model.probabilities(test.records.view())),
        Err(reason) => Err(reason.to_string()),
    };
    estimators(candidates).into_iter().map(fit).collect()
}

fn candidate(family: &'static str, params: Vec<(&'static str, Value)>) -> Candidate {
    let params: Params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    complete(family, &params).unwrap()
}

fn one_of(name: &'static str, values: Value) -> impl Strategy<Value = (&'static str, Value)> {
    select(values.as_array().unwrap().clone()).prop_map(move |value| (name, value))
}

/// Where a tree stops, and what decides its growth.
fn of_trees(family: &'static str) -> impl Strategy<Value = Candidate> {
    let stops = (
        one_of("max_depth", json!([null, 1, 2, 4, 7])),
        one_of("min_samples_split", json!([2, 2, 5, 0.2])),
        one_of("min_samples_leaf", json!([1, 1, 3, 10, 0.1])),
        one_of("min_weight_fraction_leaf", json!([0.0, 1e-40, 1e-2, 0.1])),
        one_of("max_leaf_nodes", json!([null, null, 2, 5, 9])),
        one_of("min_impurity_decrease", json!([0.0, 1e-40, 1e-3, 1e-2])),
        one_of("ccp_alpha", json!([0.0, 1e-40, 1e-3, 1e-2])),
    );
    let growth = (
        one_of("criterion", json!(["gini", "gini", "entropy", "log_loss"])),
        one_of("max_features", json!([null, "sqrt", "log2", 0.8])),
        one_of("class_weight", json!([null, "balanced", [{}, {"1": 3}, {"0": 0.1}, {}]])),
        one_of("splitter", json!(["best", "random"])),
        one_of("n_estimators", json!([1, 3, 20, 32, 33])),
        one_of("bootstrap", json!([true, false])),
    );
    (stops, growth).prop_map(move |(stops, growth)| {
        let mut params = vec![stops.0, stops.1, stops.2, stops.3, stops.4, stops.5, stops.6];
        params.extend([growth.0, growth.1, growth.2]);
        match family {
            "tree" | "extra_tree" => params.push(growth.3),
            _ => params.extend([growth.4, growth.5]),
        }
        candidate(family, params)
    })
}

fn neighbours() -> impl Strategy<Value = Candidate> {
    let params = (
        one_of("n_neighbors", json!([1, 2, 5, 90, 91])),
        one_of("weights", json!(["uniform", "distance"])),
        one_of("algorithm", json!(["auto", "brute", "kd_tree"])),
        one_of("metric", json!(["minkowski", "euclidean", "manhattan", "cosine"])),
        one_of("p", json!([1, 2, 3, 4.5])),
    );
    params.prop_map(|(k, weights, algorithm, metric, p)| candidate("knn", vec![k, weights, algorithm, metric, p]))
}

fn neighbours_in_reach() -> impl Strategy<Value = Candidate> {
    let params = (
        one_of("radius", json!([0.0, 0.5, 6.0, 15.0, 60.0])),
        one_of("weights", json!(["uniform", "distance"])),
        one_of("algorithm", json!(["auto", "brute", "ball_tree"])),
        one_of("metric", json!(["minkowski", "euclidean", "manhattan", "cosine"])),
        one_of("p", json!([1, 2, 3, 4.5])),
        // Without one, a row that nobody reaches is an error of the training, not of the model.
        one_of("outlier_label", json!(["most_frequent"])),
    );
    params.prop_map(|(radius, weights, algorithm, metric, p, outlier)| {
        candidate("radius", vec![radius, weights, algorithm, metric, p, outlier])
    })
}

fn ridges() -> impl Strategy<Value = Candidate> {
    let params = (
        one_of("alpha", json!([0.0, 0.1, 1.0, 50.0])),
        one_of("fit_intercept", json!([true, false])),
        one_of("class_weight", json!([null, "balanced"])),
    );
    params.prop_map(|(alpha, intercept, weight)| candidate("ridge", vec![alpha, intercept, weight]))
}

fn networks() -> impl Strategy<Value = Candidate> {
    let params = (
        one_of("hidden_layer_sizes", json!([[5], [8, 3]])),
        one_of("activation", json!(["relu", "tanh"])),
        one_of("solver", json!(["adam", "lbfgs"])),
        one_of("alpha", json!([0.0, 1e-4, 0.1])),
        one_of("batch_size", json!(["auto", 32])),
        one_of("learning_rate_init", json!([1e-3, 1e-2])),
        one_of("max_iter", json!([1, 12])),
        one_of("shuffle", json!([true, false])),
    );
    params.prop_map(|(sizes, activation, solver, alpha, batch, rate, iterations, shuffle)| {
        candidate("mlp", vec![sizes, activation, solver, alpha, batch, rate, iterations, shuffle])
    })
}

fn any() -> impl Strategy<Value = Candidate> {
    prop_oneof![
        4 => of_trees("tree"),
        1 => of_trees("extra_tree"),
        2 => of_trees("extra_trees"),
        2 => of_trees("random_forest"),
        2 => neighbours(),
        1 => neighbours_in_reach(),
        1 => ridges(),
        2 => networks(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn candidates_trained_together_predict_what_each_predicts_alone(
        candidates in proptest::collection::vec(any(), 40),
        threads in select(vec![1, 2, 4]),
    ) {
        let (together, alone) = (together(&candidates, USUAL_SHAPE, threads), alone(&candidates, USUAL_SHAPE));
        for ((candidate, together), alone) in candidates.iter().zip(together).zip(alone) {
            prop_assert_eq!(together, alone, "{:?}", candidate);
        }
    }
}

#[test]
fn whole_products_of_stops_predict_what_each_predicts_alone() {
    let text = "[tree]\nmax_features = ['none', 'sqrt']\nclass_weight = 'balanced'\nmax_depth = [1, 3, 'none']\n\
        min_samples_leaf = [1, 4]\nmin_weight_fraction_leaf = [0.0, 1e-2]\nmax_leaf_nodes = ['none', 5]\n\
        min_impurity_decrease = [0.0, 1e-3]\nccp_alpha = [0.0, 1e-3]\n\
        [extra_trees]\nn_estimators = [2, 33, 65]\nmax_depth = [2, 6]\nmin_samples_split = [2, 8]\n\
        max_features = ['sqrt', 'none']";
    let candidates = grid::read(text, &[]).unwrap();
    assert_eq!(together(&candidates, USUAL_SHAPE, 2), alone(&candidates, USUAL_SHAPE));
}

#[test]
fn wide_tables_of_many_labels_are_no_exception() {
    let text = "[tree]\nmax_features = ['none', 0.9]\nsplitter = ['best', 'random']\nmin_samples_leaf = [1, 3]\n\
        class_weight = ['none', 'balanced']\n[extra_trees]\nn_estimators = [2, 3]\nmax_features = ['none', 'sqrt', 0.5]\n\
        min_samples_leaf = [1, 2]\n[random_forest]\nn_estimators = 3\nmax_features = [0.9, 'sqrt']\nmin_samples_leaf = [1, 2]";
    let candidates = grid::read(text, &[]).unwrap();
    let wide = [280, 2_300, 35];
    assert_eq!(together(&candidates, wide, 4), alone(&candidates, wide));
    assert_eq!(together(&candidates, wide, 1), alone(&candidates, wide));
}
