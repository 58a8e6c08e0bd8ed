//! The beginning of a search.

use model::Timestamp;
use model::dataset::DatasetInfo;
use model::job::{Envelope, SearchBlockJob, SearchRefitJob};
use model::search::{Block, Candidate, Search};
use sha2::{Digest, Sha256};

/// A search over a dataset with the jobs that run it; with `thresholds` its winner gets one for each label. Equal
/// arguments give a search of equal id.
pub fn start(
    dataset: &DatasetInfo,
    settings: Vec<Candidate>,
    folds: u32,
    seed: u64,
    thresholds: bool,
) -> (Search, Vec<Envelope>) {
    let has_copies = dataset.training.is_some_and(|training| training.tracks.is_some());
    let kernel = learn::kernel(has_copies);
    let id = fingerprint(&dataset.id, &settings, folds, seed, &kernel, thresholds);
    let blocks = learn::plan::blocks(&settings, folds, shape(dataset));
    let dataset = dataset.id.clone();
    let created_at = Timestamp::now();
    let search = Search { id, dataset, settings, blocks, folds, seed, kernel, thresholds, created_at };
    let jobs = jobs_left(&search, &[]);
    (search, jobs)
}

/// What the folds of a dataset are cut from; about, where a dataset does not say how many rows are for training.
pub fn shape(dataset: &DatasetInfo) -> learn::plan::DatasetShape {
    let rows = dataset.training.as_ref().map_or(dataset.rows * 7 / 10, |training| training.rows);
    learn::plan::DatasetShape { rows, features: dataset.features, labels: dataset.labels.len() }
}

/// The jobs that are left of a search without a model, of which these trials are finished: (setting, fold), sorted. They
/// are its unfinished blocks; where there is none, the refit.
pub fn jobs_left(search: &Search, finished: &[(u32, u32)]) -> Vec<Envelope> {
    let id = || search.id.clone();
    let unfinished = search.blocks.iter().zip(0..).filter(|(block, _)| !is_finished(block, finished));
    let jobs: Vec<Envelope> =
        unfinished.map(|(_, block)| Envelope::new(&SearchBlockJob { search: id(), block })).collect();
    if jobs.is_empty() { vec![Envelope::new(&SearchRefitJob { search: id() })] } else { jobs }
}

/// Whether all trials of a block are among the finished ones: (setting, fold), sorted.
pub fn is_finished(block: &Block, finished: &[(u32, u32)]) -> bool {
    let is_done = |setting, fold| finished.binary_search(&(setting, fold)).is_ok();
    block.folds.iter().all(|&fold| block.settings.iter().all(|&setting| is_done(setting, fold)))
}

/// The first half of a SHA-256 of everything that decides a score, enough that no two searches of one store meet.
fn fingerprint(dataset: &str, settings: &[Candidate], folds: u32, seed: u64, kernel: &str, thresholds: bool) -> String {
    let settings = serde_json::to_string(settings).expect("settings are plain data");
    let thresholds = if thresholds { "\nthresholds" } else { "" };
    let text = format!("{kernel}\n{dataset}\n{folds}\n{seed}\n{settings}{thresholds}");
    let digits: String = Sha256::digest(text)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("s{digits}")
}
