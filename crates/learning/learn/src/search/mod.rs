//! The steps of a search: prepare the data once, run blocks, rank the candidates, refit the winner.

mod column_groups;
mod importances;
mod leaderboard;
mod prepare;
mod refit;
mod saved;
mod thresholds;

use model::search::{Search, Trial};
use ndarray::{ArrayView2, s};

pub use leaderboard::leaderboard;
pub use prepare::{Prepared, prepare};
pub use refit::refit;
pub use saved::SavedModel;

use crate::family::{FitResult, decide};
use crate::pipeline::{Pipeline, train_all};
use crate::{Cancel, LearnError, folds, metrics};

/// Fits and scores the candidates of one block on its folds, on all cores. A candidate that cannot be fitted on this data
/// gives a trial whose outcome says why; an error means that no trial of the block can be run, or that it was cancelled.
pub fn run_block(data: &Prepared, search: &Search, block: u32, cancel: &Cancel) -> Result<Vec<Trial>, LearnError> {
    let missing = || LearnError::Search(format!("search {} has no block {block}", search.id));
    let block = search.blocks.get(block as usize).ok_or_else(missing)?;
    check_kernel(search, data)?;
    let fold_rows = folds::group_k_fold(&data.track_ends, search.folds as usize)?;
    let pipelines: Vec<Pipeline> =
        block.settings.iter().map(|&candidate| pipeline(data, search, candidate)).collect::<Result<_, _>>()?;
    let mut trials = Vec::new();
    for &fold in &block.folds {
        cancel.check()?;
        let no_fold = || LearnError::Search(format!("search {} has no fold {fold}", search.id));
        let validation = fold_rows.get(fold as usize).ok_or_else(no_fold)?.clone();
        let train = folds::training_rows(&data.train, &validation);
        let truth = data.train.targets.slice(s![validation.clone(), ..]);
        let score = |probabilities: ArrayView2<'_, f64>| metrics::scores(truth, decide(probabilities).view());
        let trained = train_all(&pipelines, &train, data.train.records.slice(s![validation, ..]), &score, cancel)?;
        trials.extend(block.settings.iter().zip(trained).map(|(&setting, FitResult { outcome, seconds })| Trial {
            search: search.id.clone(),
            setting,
            fold,
            outcome,
            fit_seconds: seconds,
        }));
    }
    Ok(trials)
}

/// Checks that this program has the kernel of a search, as far as that can be told without the data.
///
/// # Errors
/// [`LearnError::Kernel`] if it has not.
pub fn check_version(search: &Search) -> Result<(), LearnError> {
    let (wanted, ours) = (search.kernel.clone(), crate::kernel(false));
    let is_ours = wanted == ours || wanted == crate::kernel(true);
    if is_ours { Ok(()) } else { Err(LearnError::Kernel { wanted, ours }) }
}

fn check_kernel(search: &Search, data: &Prepared) -> Result<(), LearnError> {
    let (wanted, ours) = (search.kernel.clone(), crate::kernel(data.has_copies()));
    if data.has_copies() && wanted == crate::kernel(false) {
        return Err(LearnError::Search(format!(
            "search {} was started by an older program, whose folds split the copies of a track: start a new search",
            search.id
        )));
    }
    if wanted == ours { Ok(()) } else { Err(LearnError::Kernel { wanted, ours }) }
}

/// The pipeline of a candidate, with the search's seed and the class weights of all training rows.
fn pipeline(data: &Prepared, search: &Search, candidate: u32) -> Result<Pipeline, LearnError> {
    let missing = || LearnError::Search(format!("search {} has no candidate {candidate}", search.id));
    let mut pipeline = Pipeline::new(search.settings.get(candidate as usize).ok_or_else(missing)?, search.seed)?;
    pipeline.balance_by(&data.class_weights);
    Ok(pipeline)
}
