//! Planning a search: its blocks and the jobs that run them.

use model::Timestamp;
use model::dataset::DatasetInfo;
use model::job::{Envelope, SearchBlockJob, SearchRefitJob};
use model::search::{Block, Candidate, Search};
use sha2::{Digest, Sha256};

/// A search over a dataset, with the jobs that run it. With `thresholds`, a threshold is tuned for each label of the
/// winner. Equal arguments give searches with equal ids.
pub fn plan_search(
    dataset: &DatasetInfo,
    candidates: Vec<Candidate>,
    folds: u32,
    seed: u64,
    thresholds: bool,
) -> (Search, Vec<Envelope>) {
    let has_copies = dataset.training.is_some_and(|training| training.tracks.is_some());
    let kernel = learn::kernel(has_copies);
    let id = fingerprint(&dataset.id, &candidates, folds, seed, &kernel, thresholds);
    let blocks = learn::plan::blocks(&candidates, folds, dataset_shape(dataset));
    let dataset = dataset.id.clone();
    let created_at = Timestamp::now();
    let search = Search { id, dataset, settings: candidates, blocks, folds, seed, kernel, thresholds, created_at };
    let jobs = remaining_jobs(&search, &[]);
    (search, jobs)
}

/// The size of a dataset. A dataset that does not say how many rows are for training is taken to have 70 %.
pub fn dataset_shape(dataset: &DatasetInfo) -> learn::plan::DatasetShape {
    let rows = dataset.training.as_ref().map_or(dataset.rows * 7 / 10, |training| training.rows);
    learn::plan::DatasetShape { rows, features: dataset.features, labels: dataset.labels.len() }
}

/// The remaining jobs of a search that has no model yet: its unfinished blocks or, if there are none, the refit.
/// `finished` holds the candidate and the fold of every finished trial, sorted.
pub fn remaining_jobs(search: &Search, finished: &[(u32, u32)]) -> Vec<Envelope> {
    let id = || search.id.clone();
    let unfinished = search.blocks.iter().zip(0..).filter(|(block, _)| !is_finished(block, finished));
    let jobs: Vec<Envelope> =
        unfinished.map(|(_, block)| Envelope::new(&SearchBlockJob { search: id(), block })).collect();
    if jobs.is_empty() { vec![Envelope::new(&SearchRefitJob { search: id() })] } else { jobs }
}

/// Whether all trials of a block are finished. `finished` holds the candidate and the fold of every finished trial, sorted.
pub fn is_finished(block: &Block, finished: &[(u32, u32)]) -> bool {
    let is_done = |candidate, fold| finished.binary_search(&(candidate, fold)).is_ok();
    block.folds.iter().all(|&fold| block.settings.iter().all(|&candidate| is_done(candidate, fold)))
}

/// The first half of a SHA-256 of everything that decides a score: long enough that ids of different searches never
/// collide.
fn fingerprint(
    dataset: &str,
    candidates: &[Candidate],
    folds: u32,
    seed: u64,
    kernel: &str,
    thresholds: bool,
) -> String {
    let candidates = serde_json::to_string(candidates).expect("candidates are plain data");
    let thresholds = if thresholds { "\nthresholds" } else { "" };
    let text = format!("{kernel}\n{dataset}\n{folds}\n{seed}\n{candidates}{thresholds}");
    let digits: String = Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("s{digits}")
}
