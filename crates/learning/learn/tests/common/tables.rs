//! Real tables as datasets, and searches over them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;

use learn::family::complete;
use learn::{Cancel, Prepared, plan, prepare, run_block};
use model::Timestamp;
use model::dataset::{Dataset, Split};
use model::search::{Candidate, Scores, Search, Trial};
use rayon::prelude::*;
use serde_json::Value;
use testkit::SCALAR_COLUMNS;

use super::mean_and_error;

/// The tables by their names in the references, or none where no real data is at hand.
pub fn tables(test: &str) -> Option<[(&'static str, Dataset); 2]> {
    let folder: PathBuf = testkit::real_data(test)?.join("tables");
    let text = std::fs::read(folder.join("strusz_spotify_features_genres.csv")).unwrap();
    let unpacked = Command::new("gzip").arg("-dc").arg(folder.join("river_yeast.csv.gz")).output().unwrap();
    Some([("strusz", strusz(&text)), ("yeast", yeast(&unpacked.stdout))])
}

/// Asserts that the reference was computed on this table.
pub fn assert_same_table(dataset: &Dataset, reference: &Value) {
    assert_eq!(dataset.rows() as u64, reference["rows"]);
    assert_eq!(serde_json::to_value(&dataset.label_names).unwrap(), reference["labels"]);
}

pub fn candidate(family: &str, case: &Value) -> Candidate {
    complete(family, &serde_json::from_value(case["params"].clone()).unwrap()).unwrap()
}

pub fn run(data: &Prepared, candidates: Vec<Candidate>, seed: u64) -> Vec<Trial> {
    run_folds(data, candidates, 0..5, seed)
}

/// Runs candidates on some of the five folds.
pub fn run_folds(data: &Prepared, candidates: Vec<Candidate>, folds: Range<u32>, seed: u64) -> Vec<Trial> {
    let mut blocks = plan::blocks(&candidates, 5, plan::DatasetShape { rows: 5_000, features: 13, labels: 10 });
    blocks.retain(|block| block.folds.iter().all(|fold| folds.contains(fold)));
    let count = blocks.len() as u32;
    let (id, dataset, created_at) = (String::new(), String::new(), Timestamp(0));
    let kernel = learn::kernel(false);
    let search =
        Search { id, dataset, settings: candidates, blocks, kernel, folds: 5, seed, thresholds: false, created_at };
    (0..count).flat_map(|block| run_block(data, &search, block, &Cancel::new()).unwrap()).collect()
}

/// Runs the candidates of a family with 20 seeds, and asserts that the means of their scores are less than four standard
/// errors from the reference's. `tests/sklearn/seeds.py` makes references like this.
pub fn assert_same_means(family: &str, reference: &Value) {
    let Some(tables) = tables(family) else { return };
    let folds = reference["folds"].as_u64().unwrap() as u32;
    let mut misses = Vec::new();
    for (name, dataset) in tables {
        let reference = &reference[name];
        assert_same_table(&dataset, reference);
        let data = prepare(&dataset).unwrap();
        let cases = reference[family].as_array().unwrap();
        let candidates: Vec<Candidate> = cases.iter().map(|case| candidate(family, case)).collect();
        let of_seed = |seed| run_folds(&data, candidates.clone(), 0..folds, seed);
        let trials: Vec<Vec<Trial>> = (0..20).into_par_iter().map(of_seed).collect();
        for (index, case) in cases.iter().enumerate() {
            for (score, get) in SCORES {
                let of_seed = |trials: &Vec<Trial>| {
                    let of_candidate = trials.iter().filter(|trial| trial.setting as usize == index);
                    of_candidate.map(|trial| get(trial.outcome.as_ref().unwrap())).sum::<f64>() / f64::from(folds)
                };
                let (mean, error) = mean_and_error(&trials.iter().map(of_seed).collect::<Vec<f64>>());
                let [their_mean, their_error]: [f64; 2] = serde_json::from_value(case[score].clone()).unwrap();
                let error = error.hypot(their_error);
                // The reference has nine decimals.
                if (mean - their_mean).abs() > 4.0 * error + 1e-9 {
                    misses.push(format!("{name} {} {score}: {mean} and {their_mean} ± {error}", case["params"]));
                }
            }
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// The scores that references have.
/// A score by its name.
type Named = (&'static str, fn(&Scores) -> f64);

const SCORES: [Named; 3] = [
    ("accuracy", |scores| scores.accuracy),
    ("f1_micro", |scores| scores.f1.micro),
    ("f1_macro", |scores| scores.f1.macro_),
];

pub fn rows_of_fold(dataset: &Dataset, fold: usize) -> usize {
    let folds = learn::folds::k_fold(dataset.rows_in(Split::Train).len(), 5).unwrap();
    folds[fold].len()
}

/// Rows in the order of the file, of which the first 70 % are training rows.
pub fn in_order(feature_names: Vec<String>, label_names: Vec<String>, features: Vec<f64>, labels: Vec<u8>) -> Dataset {
    let n = features.len() / feature_names.len();
    let test = (n * 3).div_ceil(10);
    Dataset {
        track_ids: (0..n).map(|row| row.to_string()).collect(),
        artists: vec![String::new(); n],
        feature_names,
        features,
        label_names,
        labels,
        split: (0..n).map(|row| if row < n - test { Split::Train } else { Split::Test }).collect(),
    }
}

fn strusz(text: &[u8]) -> Dataset {
    let mut reader = csv::Reader::from_reader(text);
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap();
    let (genres, scalars) = (column("Genres"), SCALAR_COLUMNS.map(column));
    let mut rows: Vec<(Vec<f64>, BTreeSet<String>)> = Vec::new();
    for record in reader.records().map(Result::unwrap) {
        let values: Vec<f64> = scalars.iter().filter_map(|&at| record[at].parse().ok()).collect();
        let tags = record[genres].split(',').map(str::trim).filter(|tag| !tag.is_empty() && *tag != "rock");
        let tags: BTreeSet<String> = tags.map(str::to_owned).collect();
        if values.len() == SCALAR_COLUMNS.len() && !tags.is_empty() {
            rows.push((values, tags));
        }
    }
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    rows.iter().flat_map(|(_, tags)| tags).for_each(|tag| *counts.entry(tag).or_default() += 1);
    let mut counts: Vec<(&String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let top: BTreeSet<String> = counts.iter().take(9).map(|(tag, _)| (*tag).clone()).collect();
    let names: BTreeSet<String> = top.iter().cloned().chain(["misc".to_owned()]).collect();
    let has =
        |tags: &BTreeSet<String>, label: &String| tags.contains(label) || label == "misc" && tags.is_disjoint(&top);
    let labels = rows.iter().flat_map(|(_, tags)| names.iter().map(|label| u8::from(has(tags, label)))).collect();
    let features = rows.iter().flat_map(|(values, _)| values.clone()).collect();
    in_order(SCALAR_COLUMNS.map(str::to_owned).into(), names.into_iter().collect(), features, labels)
}

fn yeast(text: &[u8]) -> Dataset {
    let mut reader = csv::Reader::from_reader(text);
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for record in reader.records().map(Result::unwrap) {
        for (name, value) in head.iter().zip(&record) {
            if name.starts_with("Class") {
                labels.push(u8::from(value.starts_with('1') || value == "True"));
            } else {
                features.push(value.parse().unwrap());
            }
        }
    }
    let (label_names, feature_names) = head.into_iter().partition(|name| name.starts_with("Class"));
    in_order(feature_names, label_names, features, labels)
}
