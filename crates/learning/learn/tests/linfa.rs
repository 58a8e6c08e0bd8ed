//! The families on linfa's traits, beside linfa's own tree.

mod common;

use common::{dataset, split_at};
use learn::LearnError;
use learn::knn::{KnnParams, Metric, VoteWeights};
use learn::tree::{Criterion, MinSamples, TreeParams};
use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, array};

#[test]
fn on_one_label_our_tree_is_as_good_as_linfas() {
    let (train, test) = split_at(&dataset(51, 400, 5, 1), 280);
    let params = TreeParams::default().max_depth(Some(4)).min_samples_leaf(MinSamples::Count(5));
    let ours: Array2<bool> = params.fit(&train).unwrap().predict(&test.records);

    let targets: Array1<usize> = train.targets.column(0).mapv(usize::from);
    let baseline = DecisionTree::params().max_depth(Some(4)).min_weight_leaf(5.0);
    let linfas: Array1<usize> =
        baseline.fit(&linfa::Dataset::new(train.records.clone(), targets)).unwrap().predict(&test.records);

    let truth = test.targets.column(0);
    let right = |predicted: Vec<bool>| predicted.iter().zip(truth).filter(|(a, b)| a == b).count();
    let (ours, linfas) =
        (right(ours.iter().copied().collect()), right(linfas.iter().map(|&class| class == 1).collect()));
    assert!(ours > 90 && ours + 6 >= linfas, "of 120 rows: ours {ours}, linfa's {linfas}");
}

#[test]
fn parameters_are_checked_when_fitting() {
    let (train, _) = split_at(&dataset(51, 20, 2, 2), 20);
    let error = KnnParams::default().n_neighbors(0).fit(&train).unwrap_err();
    assert_eq!(error.to_string(), "knn: n_neighbors cannot be 0: it is an integer from 1");
    let error = TreeParams::default().max_depth(Some(0)).check().unwrap_err();
    assert_eq!(error.to_string(), "tree: max_depth cannot be 0: it is none or an integer from 1");
    assert!(matches!(KnnParams::default().n_neighbors(21).fit(&train), Err(LearnError::Unfittable(_))));
}

#[test]
fn equally_distant_rows_count_in_their_order_and_exact_hits_outvote_all() -> Result<(), LearnError> {
    let rows = array![[1.0], [-1.0], [1.0], [0.0]];
    let labels = array![[true, false], [false, true], [false, true], [false, false]];
    let train = learn::Labelled::new(rows, labels);
    let knn = KnnParams::default().metric(Metric::Manhattan);
    let at = |x: f64, params: &KnnParams| Ok::<_, LearnError>(params.fit(&train)?.probabilities(array![[x]].view()));
    // Of the three rows at distance 1 the first comes right after the hit.
    assert_eq!(at(0.0, &knn.clone().n_neighbors(2))?, array![[0.5, 0.0]]);
    assert_eq!(at(0.0, &knn.clone().n_neighbors(2).weights(VoteWeights::Distance))?, array![[0.0, 0.0]]);
    // A vote of one half is a no.
    let predicted: Array2<bool> = knn.n_neighbors(2).fit(&train)?.predict(&array![[0.0], [1.0]]);
    assert_eq!(predicted, array![[false, false], [false, false]]);
    Ok(())
}

#[test]
fn a_seed_decides_a_tree() {
    let (train, test) = split_at(&dataset(52, 120, 6, 3), 80);
    let predict = |seed| -> Array2<bool> {
        let params = TreeParams::default().criterion(Criterion::Entropy).seed(seed);
        params.fit(&train).unwrap().predict(&test.records)
    };
    assert_eq!(predict(1), predict(1));
}
