//! Trees and forests against numbers that scikit-learn computed on real tables: `tests/sklearn/real_trees.py`.

mod common;

use common::tables::assert_same_means;

fn assert_scores(family: &str) {
    assert_same_means(family, &serde_json::from_str(include_str!("sklearn/real_trees.json")).unwrap());
}

#[test]
fn trees_score_on_real_tables_as_with_scikit_learn() {
    assert_scores("tree");
}

#[test]
fn an_extra_tree_scores_on_real_tables_as_with_scikit_learn() {
    assert_scores("extra_tree");
}

#[test]
fn extra_trees_score_on_real_tables_as_with_scikit_learn() {
    assert_scores("extra_trees");
}

#[test]
fn random_forests_score_on_real_tables_as_with_scikit_learn() {
    assert_scores("random_forest");
}
