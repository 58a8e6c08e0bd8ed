//! Feature selection against numbers that scikit-learn computed, `tests/sklearn/selection.py`, and without leakage.

mod common;

use common::{assert_same_mean, dataset, numbers};
use learn::family::{Estimator, complete, decide};
use learn::knn::KnnParams;
use learn::select::{Components, Selection, Selector, warnings};
use learn::{Labelled, folds, metrics};
use linfa::traits::Fit;
use model::search::{Candidate, Params};
use ndarray::{Array1, Array2, Axis, array, s};
use serde_json::{Value, json};

fn reference() -> Value {
    serde_json::from_str(include_str!("sklearn/selection.json")).unwrap()
}

/// As `selection.py` makes it: columns of different size, one of them constant, one of few values.
fn uneven() -> Labelled {
    let mut all = dataset(41, 400, 12, 3);
    all.records *= &Array1::linspace(0.2, 3.0, 12);
    all.records.column_mut(5).fill(0.1);
    all.records.column_mut(9).mapv_inplace(f64::round_ties_even);
    all
}

fn columns(selection: Selection, train: &Labelled) -> Vec<u32> {
    match selection.fit(train).unwrap() {
        Selector::Columns(columns) => columns,
        Selector::Axes { .. } => panic!("no columns"),
    }
}

#[test]
fn columns_are_selected_as_scikit_learn_selects_them() {
    let (reference, train) = (reference(), uneven());
    for case in reference["variance"].as_array().unwrap() {
        let selected = columns(Selection::Variance { threshold: case[0].as_f64().unwrap() }, &train);
        assert_eq!(json!(selected), case[1], "variance above {}", case[0]);
    }
    for case in reference["anova"].as_array().unwrap() {
        let selected = columns(Selection::Anova { k: case[0].as_u64().unwrap() as u32 }, &train);
        assert_eq!(json!(selected), case[1], "the best {} by F", case[0]);
    }
    let informative: Vec<u32> = serde_json::from_value(reference["mutual_info"].clone()).unwrap();
    let train = dataset(43, 2_000, 12, 3);
    for k in [3, 4] {
        let mut theirs = informative[..k].to_vec();
        theirs.sort_unstable();
        assert_eq!(columns(Selection::MutualInfo { k: k as u32 }, &train), theirs);
    }
}

#[test]
fn importances_of_trees_are_scikit_learns_and_those_of_forests_have_the_same_distribution() {
    let (reference, train) = (reference(), dataset(44, 500, 8, 3));
    let candidates = [
        json!({"min_samples_leaf": 40}),
        json!({"min_samples_leaf": 40, "class_weight": [{"1": 2.0}, {"1": 2.0}, {"1": 2.0}]}),
        json!({"min_samples_leaf": 40, "ccp_alpha": 0.005}),
    ];
    let importances = |family: &str, params: Value, seed| {
        let candidate = complete(family, &serde_json::from_value(params).unwrap()).unwrap();
        match Estimator::new(&candidate, seed).unwrap() {
            Estimator::Tree(params) => params.feature_importances(&train).unwrap(),
            _ => panic!("no tree"),
        }
    };
    for (params, theirs) in candidates.into_iter().zip(reference["tree_importances"].as_array().unwrap()) {
        let ours = importances("tree", params.clone(), 0);
        for (ours, theirs) in ours.iter().zip(numbers(theirs)) {
            assert!((ours - theirs).abs() < 1e-9, "{params}: {ours} and {theirs}");
        }
    }
    let theirs: Vec<Vec<f64>> = serde_json::from_value(reference["forest_importances"].clone()).unwrap();
    let ours: Vec<Vec<f64>> = (0..20).map(|seed| importances("extra_trees", json!({}), seed)).collect();
    for feature in 0..8 {
        let importances_of = |forests: &[Vec<f64>]| forests.iter().map(|forest| forest[feature]).collect::<Vec<f64>>();
        assert_same_mean(&importances_of(&ours), &importances_of(&theirs), &format!("importance of feature {feature}"));
    }
    assert!(ours.iter().all(|importances| (importances.iter().sum::<f64>() - 1.0).abs() < 1e-12));
}

#[test]
fn trees_select_the_features_that_labels_depend_on() {
    let train = dataset(45, 600, 30, 3);
    assert_eq!(columns(Selection::TreeImportance { k: 4, seed: 3 }, &train), [0, 1, 2, 3]);
    let constant = Labelled::new(Array2::zeros((9, 3)), dataset(45, 9, 3, 2).targets);
    assert_eq!(columns(Selection::TreeImportance { k: 2, seed: 0 }, &constant), [1, 2], "all are worth nothing");
}

#[test]
fn principal_components_are_scikit_learns_to_the_ninth_digit() {
    let reference = reference();
    for (cases, records) in [("pca", uneven().records), ("pca_wide", dataset(42, 20, 35, 1).records)] {
        let at = records.nrows() - 10;
        let train = Labelled::new(records.slice(s![..at, ..]).to_owned(), Array2::default((at, 1)));
        for case in reference[cases].as_array().unwrap() {
            let n_components: Components = serde_json::from_value(case["n_components"].clone()).unwrap();
            let selector = Selection::Pca { n_components }.fit(&train).unwrap();
            let ours = selector.apply(records.slice(s![at.., ..]));
            let theirs: Vec<Vec<f64>> = serde_json::from_value(case["transformed"].clone()).unwrap();
            assert_eq!(ours.dim(), (10, theirs[0].len()), "{cases} {n_components:?}");
            for (ours, theirs) in ours.iter().zip(theirs.iter().flatten()) {
                assert!((ours - theirs).abs() < 1e-9, "{cases} {n_components:?}: {ours} and {theirs}");
            }
        }
    }
}

#[test]
fn a_selection_outside_the_folds_finds_success_in_pure_noise_and_inside_them_none() {
    let noise = dataset(61, 80, 2_000, 1);
    // Labels of other rows: they have nothing to do with the features.
    let all = Labelled::new(noise.records, dataset(62, 80, 2, 1).targets);
    let (selection, knn) = (Selection::Anova { k: 20 }, KnnParams::default());
    let accuracy = |inside: bool| {
        let leaking = selection.fit(&all).unwrap();
        let of_fold = |validation: std::ops::Range<usize>| {
            let train = folds::training_rows(&all, &validation);
            let selector = if inside { selection.fit(&train).unwrap() } else { leaking.clone() };
            let selected = Labelled::new(selector.apply(train.records.view()), train.targets);
            let rows = selector.apply(all.records.slice(s![validation.clone(), ..]));
            let shares = knn.fit(&selected).unwrap().probabilities(rows.view());
            metrics::scores(all.targets.slice(s![validation, ..]), decide(shares.view()).view()).accuracy
        };
        folds::k_fold(80, 5).unwrap().into_iter().map(of_fold).sum::<f64>() / 5.0
    };
    let (inside, outside) = (accuracy(true), accuracy(false));
    assert!(outside > 0.75 && inside < 0.6, "inside {inside}, outside {outside}");
}

#[test]
fn a_grid_says_how_to_select() {
    let read = |select: Value| Selection::split(&Params::from([("select".to_owned(), select), ("p".into(), json!(1))]));
    let (selection, others) = read(json!({"method": "anova", "k": 200})).unwrap();
    assert_eq!(selection, Some(Selection::Anova { k: 200 }));
    assert_eq!(others, Params::from([("p".to_owned(), json!(1))]));
    assert_eq!(read(Value::Null).unwrap().0, None);
    assert_eq!(Selection::split(&Params::new()).unwrap(), (None, Params::new()));
    let pca = |n_components| Some(Selection::Pca { n_components });
    assert_eq!(read(json!({"method": "pca", "n_components": 0.95})).unwrap().0, pca(Components::Share(0.95)));
    assert_eq!(read(json!({"method": "pca", "n_components": 50})).unwrap().0, pca(Components::Count(50)));
    for wrong in [
        json!("anova"),
        json!({"method": "anova"}),
        json!({"method": "anova", "k": 0}),
        json!({"method": "anova", "k": 5, "n_components": 2}),
        json!({"method": "lasso", "k": 5}),
        json!({"method": "pca", "n_components": 1.5}),
        json!({"method": "variance", "threshold": -1}),
    ] {
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.starts_with("feature selection: select cannot be "), "{error}");
    }
}

#[test]
fn who_asks_for_more_than_there_is_gets_all_and_a_word() {
    let train = dataset(7, 20, 5, 2);
    for selection in
        [Selection::Anova { k: 6 }, Selection::MutualInfo { k: u32::MAX }, Selection::TreeImportance { k: 99, seed: 0 }]
    {
        assert_eq!(columns(selection, &train), [0, 1, 2, 3, 4]);
    }
    let pca = |count| {
        let selection = Selection::Pca { n_components: Components::Count(count) };
        selection.fit(&train).unwrap().apply(train.records.view())
    };
    assert_eq!(pca(6), pca(5));
    let selecting =
        |select: Value| Candidate { family: "knn".into(), params: Params::from([("select".to_owned(), select)]) };
    let anova = |k: u32| selecting(json!({"method": "anova", "k": k}));
    let said = warnings(
        &[
            anova(200),
            anova(5),
            anova(200),
            selecting(Value::Null),
            selecting(json!({"method": "pca", "n_components": 50})),
        ],
        16,
        5,
    );
    assert_eq!(
        said,
        [
            "select: anova with k = 200 takes all features: there are 5",
            "select: pca with n_components = 50 makes 5 at most: so many have 16 rows of 5 features"
        ]
    );
}

#[test]
fn what_cannot_be_selected_is_said() {
    let constant = Labelled::new(Array2::ones((4, 2)), array![[true], [false], [true], [false]]);
    let same = Labelled::new(array![[1.0], [2.0], [3.0]], array![[true], [true], [true]]);
    let error = |selection: Selection, train: &Labelled| selection.fit(train).unwrap_err().to_string();
    assert_eq!(error(Selection::Variance { threshold: 0.0 }, &constant), "no feature has a variance above 0");
    let pca = |count| Selection::Pca { n_components: Components::Count(count) };
    assert_eq!(error(pca(1), &constant), "pca: every feature is constant");
    let unlabelled = "no label distinguishes rows: each is on all rows or on none";
    assert_eq!(error(Selection::Anova { k: 1 }, &same), unlabelled);
    assert_eq!(error(Selection::MutualInfo { k: 1 }, &same), unlabelled);
    let empty = Labelled::new(Array2::zeros((0, 2)), Array2::default((0, 1)));
    for selection in [Selection::Variance { threshold: 0.0 }, Selection::Anova { k: 1 }, pca(0), pca(1)] {
        assert!(selection.fit(&empty).is_err(), "{selection:?}");
    }
}

#[test]
fn of_equal_scores_the_later_columns_win_and_a_saved_selector_is_the_same() {
    let selector = Selector::best(&[1.0, 3.0, 1.0, 2.0, 1.0], 3);
    assert_eq!(selector, Selector::Columns(vec![1, 3, 4]));
    let rows = dataset(7, 6, 5, 1).records;
    assert_eq!(selector.apply(rows.view()), rows.select(Axis(1), &[1, 3, 4]));
    let saved = serde_json::to_string(&selector).unwrap();
    assert_eq!(serde_json::from_str::<Selector>(&saved).unwrap(), selector);
}
