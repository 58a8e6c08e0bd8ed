//! Searches over generated data.

use learn::{Cancel, Prepared, grid, plan, run_block};
use model::Timestamp;
use model::dataset::{Dataset, Split};
use model::search::{Block, Candidate, Search, Trial};

/// The data that the other tests use, the last 30 % of the rows held out.
pub fn dataset(n: usize) -> Dataset {
    let (d, q) = (7, 3);
    let data = super::dataset(41, n, d, q);
    Dataset {
        track_ids: (0..n).map(|row| format!("track{row}")).collect(),
        artists: vec![String::new(); n],
        feature_names: (0..d).map(|j| format!("f{j}")).collect(),
        features: data.records.into_raw_vec_and_offset().0,
        label_names: (0..q).map(|k| format!("label{k}")).collect(),
        labels: data.targets.iter().map(|has| u8::from(*has)).collect(),
        split: (0..n).map(|row| if row < n - (n * 3).div_ceil(10) { Split::Train } else { Split::Test }).collect(),
    }
}

pub fn search(candidates: Vec<Candidate>, blocks: Vec<Block>) -> Search {
    let (id, dataset) = ("s".into(), "d".into());
    let kernel = learn::kernel(false);
    Search {
        id,
        dataset,
        settings: candidates,
        blocks,
        kernel,
        folds: 3,
        seed: 9,
        thresholds: false,
        created_at: Timestamp(0),
    }
}

pub fn shape(rows: usize) -> plan::DatasetShape {
    plan::DatasetShape { rows, features: 7, labels: 3 }
}

pub fn planned(text: &str, rows: usize) -> Search {
    let candidates = grid::read(text, &[]).unwrap();
    let blocks = plan::blocks(&candidates, 3, shape(rows));
    search(candidates, blocks)
}

/// All trials, by candidate and fold, without their wall times.
pub fn run(data: &Prepared, search: &Search) -> Vec<Trial> {
    let blocks = 0..search.blocks.len() as u32;
    let mut trials: Vec<Trial> =
        blocks.flat_map(|block| run_block(data, search, block, &Cancel::new()).unwrap()).collect();
    trials.iter_mut().for_each(|trial| trial.fit_seconds = 0.0);
    trials.sort_by_key(|trial| (trial.setting, trial.fold));
    trials
}
