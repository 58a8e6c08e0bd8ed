//! Neighbours and ridge against numbers that scikit-learn computed on real tables: `tests/sklearn/real_near.py`.

mod common;

use common::tables::{assert_same_table, candidate, rows_of_fold, run, tables};
use learn::prepare;
use serde_json::Value;

#[test]
fn neighbours_and_ridge_score_on_real_tables_as_with_scikit_learn() {
    let Some(tables) = tables("neighbours_and_ridge_score_on_real_tables_as_with_scikit_learn") else { return };
    let reference: Value = serde_json::from_str(include_str!("sklearn/real_near.json")).unwrap();
    for (name, dataset) in tables {
        let reference = &reference[name];
        assert_same_table(&dataset, reference);
        let data = prepare(&dataset).unwrap();
        for family in ["knn", "radius", "ridge"] {
            let cases = reference[family].as_array().unwrap();
            let candidates = cases.iter().map(|case| candidate(family, case)).collect();
            let trials = run(&data, candidates, 0);
            assert_eq!(trials.len(), 5 * cases.len());
            for trial in trials {
                let (case, fold) = (&cases[trial.setting as usize], trial.fold as usize);
                let what = format!("{name} {family} {} fold {fold}", case["params"]);
                let Some(right) = case["right"][fold].as_f64() else {
                    assert!(trial.outcome.is_err(), "{what} is an error");
                    continue;
                };
                let scores = trial.outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                let open = case["open"][fold].as_f64().unwrap();
                let off = (scores.accuracy * rows_of_fold(&dataset, fold) as f64 - right).abs();
                assert!(off < open + 0.5, "{what}: {off} rows off, {open} open");
                if open == 0.0 {
                    for (ours, theirs) in [(scores.f1.micro, "f1_micro"), (scores.f1.macro_, "f1_macro")] {
                        assert!((ours - case[theirs][fold].as_f64().unwrap()).abs() < 1e-12, "{what}: {theirs}");
                    }
                }
            }
        }
    }
}
