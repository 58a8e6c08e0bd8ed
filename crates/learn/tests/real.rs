//! Against numbers that scikit-learn computed on real tables: `tests/sklearn/real.py`.

mod common;

use common::tables::{assert_same_table, run, setting, tables};
use common::{assert_same_mean, numbers};
use learn::prepare;
use model::search::{Setting, Trial};
use rayon::prelude::*;
use serde_json::Value;

#[test]
fn trees_score_on_real_tables_as_with_scikit_learn() {
    let Some(tables) = tables("trees_score_on_real_tables_as_with_scikit_learn") else { return };
    let reference: Value = serde_json::from_str(include_str!("sklearn/real.json")).unwrap();
    for (name, dataset) in tables {
        let reference = &reference[name];
        assert_same_table(&dataset, reference);
        let data = prepare(&dataset).unwrap();
        let cases = reference["trees"].as_array().unwrap();
        let settings: Vec<Setting> = cases.iter().map(|case| setting("tree", case)).collect();
        let by_seed: Vec<Vec<Trial>> = (0..20).into_par_iter().map(|seed| run(&data, settings.clone(), seed)).collect();
        for (index, case) in cases.iter().enumerate() {
            let accuracy = |trials: &Vec<Trial>| {
                let of_setting = trials.iter().filter(|trial| trial.setting as usize == index);
                of_setting.map(|trial| trial.outcome.as_ref().unwrap().accuracy).sum::<f64>() / 5.0
            };
            let ours: Vec<f64> = by_seed.iter().map(accuracy).collect();
            assert_same_mean(&ours, &numbers(&case["accuracies"]), &format!("{name} {}", case["params"]));
        }
    }
}
