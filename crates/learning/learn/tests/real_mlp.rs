//! Networks against numbers that scikit-learn computed on real tables: `tests/sklearn/real_mlp.py`.

mod common;

use common::tables::assert_same_means;

#[test]
fn networks_score_on_real_tables_as_with_scikit_learn() {
    assert_same_means("mlp", &serde_json::from_str(include_str!("sklearn/real_mlp.json")).unwrap());
}
