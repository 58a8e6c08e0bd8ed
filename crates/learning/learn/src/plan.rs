//! The plan: which candidates share work, and how a search is split into blocks of roughly equal cost.

use std::cmp::Ordering;
use std::collections::HashSet;

use model::search::{Block, Candidate, Search};

use crate::family::{CostEstimate, FitSize};
use crate::pipeline::Pipeline;

/// Core seconds that a block should take at most, so that little is lost with a worker. Shared work is never split, and
/// blocks of lockstep groups may take half as much again.
const MAX_BLOCK_SECONDS: f64 = 60.0;

/// Core seconds that a block should take at least: every block copies the rows of its fold and queries the store.
const MIN_BLOCK_SECONDS: f64 = 1.0;

/// Blocks that a search should have, so that no worker idles for long while another finishes the last one.
const TARGET_BLOCKS: f64 = 100.0;

/// A family's part of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyPlan {
    /// Name.
    pub family: String,
    /// Candidates of the grid.
    pub candidates: usize,
    /// Those that differ in their canonical parameters.
    pub distinct: usize,
    /// Pieces of shared work (trees that are built, passes over distances, networks), each of which serves one or more
    /// candidates.
    pub shared: usize,
    /// Estimated seconds of all folds on one core.
    pub seconds: f64,
}

/// The size of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetShape {
    /// Training rows, which the folds are made of.
    pub rows: usize,
    /// Features.
    pub features: usize,
    /// Labels.
    pub labels: usize,
}

/// Splits a search into blocks of one fold each. Candidates that share work are in one block, in the order of the grid.
/// The costliest blocks come first, so that workers wait for a short one at the end. How a search is split never changes
/// a score.
pub fn blocks(candidates: &[Candidate], folds: u32, shape: DatasetShape) -> Vec<Block> {
    let groups = work_groups(candidates, folds, shape);
    let total = f64::from(folds) * groups.iter().map(WorkGroup::seconds).sum::<f64>();
    let mut drafts = block_drafts(groups, (total / TARGET_BLOCKS).clamp(MIN_BLOCK_SECONDS, MAX_BLOCK_SECONDS));
    drafts.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let on_each_fold =
        |draft: BlockDraft| (0..folds).map(move |fold| Block { settings: draft.candidates.clone(), folds: vec![fold] });
    drafts.into_iter().flat_map(on_each_fold).collect()
}

/// Estimated seconds of a block of a search on one core.
pub fn seconds(search: &Search, block: &Block, shape: DatasetShape) -> f64 {
    let candidates: Vec<_> =
        block.settings.iter().filter_map(|&index| search.settings.get(index as usize)).cloned().collect();
    block.folds.len() as f64 * fold_seconds(&candidates, search.folds, shape)
}

/// Estimated seconds of one fold of the costliest candidate of a search, on one core; a refit takes about as long.
pub fn costliest_fold_seconds(search: &Search, shape: DatasetShape) -> f64 {
    let candidates = search.settings.iter().map(std::slice::from_ref);
    candidates.map(|candidate| fold_seconds(candidate, search.folds, shape)).fold(0.0, f64::max)
}

fn fold_seconds(candidates: &[Candidate], folds: u32, shape: DatasetShape) -> f64 {
    work_groups(candidates, folds, shape).iter().map(WorkGroup::seconds).sum()
}

/// What a search would cost, family by family, in the order of the grid.
pub fn summary(candidates: &[Candidate], folds: u32, shape: DatasetShape) -> Vec<FamilyPlan> {
    let mut plans: Vec<FamilyPlan> = Vec::new();
    for group in work_groups(candidates, folds, shape) {
        let family = &candidates[group.candidates[0] as usize].family;
        let position = plans.iter().position(|plan| plan.family == *family).unwrap_or_else(|| {
            plans.push(FamilyPlan { family: family.clone(), candidates: 0, distinct: 0, shared: 0, seconds: 0.0 });
            plans.len() - 1
        });
        let canonical = group.candidates.iter().map(|&index| match Pipeline::new(&candidates[index as usize], 0) {
            Ok(pipeline) => format!("{:?}", pipeline.canonical()),
            Err(error) => error.to_string(),
        });
        let plan = &mut plans[position];
        plan.distinct += canonical.collect::<HashSet<String>>().len();
        plan.candidates += group.candidates.len();
        plan.shared += 1;
        plan.seconds += f64::from(folds) * group.seconds();
    }
    plans
}

/// Candidates that share their work.
struct WorkGroup {
    /// That of the first candidate; `None` if its parameters are invalid.
    first: Option<Pipeline>,
    candidates: Vec<u32>,
    /// Seconds of the shared work: the most that any candidate needs.
    shared: f64,
    /// The most seconds that a candidate adds of its own, and how many candidates add that much. Those that add less are
    /// taken to be part of one that adds more, as a forest is of a larger one.
    own: (f64, u32),
}

impl WorkGroup {
    fn new(first: Option<Pipeline>) -> Self {
        Self { first, candidates: Vec::new(), shared: 0.0, own: (0.0, 0) }
    }

    fn add(&mut self, candidate: u32, CostEstimate { shared, own }: CostEstimate) {
        self.candidates.push(candidate);
        self.shared = self.shared.max(shared);
        match own.total_cmp(&self.own.0) {
            Ordering::Less => {}
            Ordering::Equal => self.own.1 += 1,
            Ordering::Greater => self.own = (own, 1),
        }
    }

    fn shares_work_with(&self, pipeline: Option<&Pipeline>, features: usize) -> bool {
        matches!((&self.first, pipeline), (Some(a), Some(b)) if a.shares_work_with(b, features))
    }

    fn learns_in_lockstep_with(&self, other: &Self) -> bool {
        matches!((&self.first, &other.first), (Some(a), Some(b)) if a.learns_in_lockstep_with(b))
    }

    /// Estimated seconds on one fold.
    fn seconds(&self) -> f64 {
        self.shared + self.own.0 * f64::from(self.own.1)
    }
}

/// A block that is not assigned to a fold yet.
#[derive(Clone, Default)]
struct BlockDraft {
    /// Estimated, on one fold.
    seconds: f64,
    candidates: Vec<u32>,
}

/// Merges groups until they are worth a block of `target_seconds`.
fn block_drafts(groups: Vec<WorkGroup>, target_seconds: f64) -> Vec<BlockDraft> {
    let mut drafts: Vec<BlockDraft> = Vec::new();
    for part in lockstep_groups(groups).into_iter().flat_map(split_lockstep_group) {
        match drafts.last_mut() {
            Some(draft) if draft.seconds + part.seconds <= target_seconds => {
                draft.seconds += part.seconds;
                draft.candidates.extend(part.candidates);
            }
            _ => drafts.push(part),
        }
    }
    drafts
}

/// Groups whose networks learn in lockstep, in the order of their first; every other group by itself.
fn lockstep_groups(groups: Vec<WorkGroup>) -> Vec<Vec<WorkGroup>> {
    let mut lockstep: Vec<Vec<WorkGroup>> = Vec::new();
    for group in groups {
        match lockstep.iter_mut().find(|members| members[0].learns_in_lockstep_with(&group)) {
            Some(members) => members.push(group),
            None => lockstep.push(vec![group]),
        }
    }
    lockstep
}

/// Splits a lockstep group into as few equal parts of about [`MAX_BLOCK_SECONDS`] as possible.
fn split_lockstep_group(members: Vec<WorkGroup>) -> impl Iterator<Item = BlockDraft> {
    let total: f64 = members.iter().map(WorkGroup::seconds).sum();
    let count = ((total / MAX_BLOCK_SECONDS).round() as usize).clamp(1, members.len());
    let (mut drafts, mut before) = (vec![BlockDraft::default(); count], 0.0);
    for group in members {
        let seconds = group.seconds();
        // A group goes where its middle lies.
        let position = if total > 0.0 { (before + 0.5 * seconds) / total * count as f64 } else { 0.0 };
        let draft = &mut drafts[(position as usize).min(count - 1)];
        draft.seconds += seconds;
        draft.candidates.extend(group.candidates);
        before += seconds;
    }
    drafts.into_iter().filter(|draft| !draft.candidates.is_empty())
}

/// Candidates that share work, in the order of their first; every other candidate by itself.
fn work_groups(candidates: &[Candidate], folds: u32, shape: DatasetShape) -> Vec<WorkGroup> {
    let DatasetShape { rows, features, labels } = shape;
    let queries = rows / folds.max(1) as usize;
    let size = FitSize { rows: rows - queries, queries, features, labels };
    let mut groups: Vec<WorkGroup> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        // An invalid candidate costs nothing here: running its block reports what is wrong with it.
        let pipeline = Pipeline::new(candidate, 0).ok();
        let cost = pipeline.as_ref().map_or(CostEstimate::default(), |pipeline| pipeline.seconds(size));
        match groups.iter_mut().find(|group| group.shares_work_with(pipeline.as_ref(), features)) {
            Some(group) => group.add(index as u32, cost),
            None => {
                let mut group = WorkGroup::new(pipeline);
                group.add(index as u32, cost);
                groups.push(group);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid;

    const FEATURES: usize = 1_241;

    fn shape(rows: usize, features: usize) -> DatasetShape {
        DatasetShape { rows, features, labels: 10 }
    }

    /// The candidate and the fold of every trial, sorted.
    fn sorted_trials(blocks: &[Block]) -> Vec<(u32, u32)> {
        let trials = blocks.iter().flat_map(|b| b.folds.iter().flat_map(|&f| b.settings.iter().map(move |&c| (c, f))));
        let mut trials: Vec<_> = trials.collect();
        trials.sort_unstable();
        trials
    }

    #[test]
    fn every_trial_is_in_exactly_one_block_however_large_the_data() {
        let candidates = grid::read(grid::STUDY, &[]).unwrap();
        let expected: Vec<_> = (0..candidates.len() as u32).flat_map(|c| (0..5).map(move |f| (c, f))).collect();
        for (rows, features) in [(0, 1), (30, 2), (700, FEATURES), (200_000, FEATURES)] {
            assert_eq!(sorted_trials(&blocks(&candidates, 5, shape(rows, features))), expected);
        }
        assert_eq!(blocks(&candidates[..72], 5, shape(100, 13)).len(), 5, "small data: one block per fold");
    }

    #[test]
    fn the_study_is_a_few_dozen_pieces_of_work() {
        let candidates = grid::read(grid::STUDY, &[]).unwrap();
        let plans = summary(&candidates, 5, shape(7_000, FEATURES));
        let counts = |plan: &FamilyPlan| (plan.family.clone(), plan.candidates, plan.distinct, plan.shared);
        let expected = [
            ("knn", 72, 8, 3),
            ("tree", 9_720, 9_720, 6),
            ("extra_trees", 1_350, 900, 12),
            ("random_forest", 96, 96, 2),
            ("mlp", 36, 24, 24),
        ];
        let expected =
            expected.map(|(family, candidates, distinct, shared)| (family.to_owned(), candidates, distinct, shared));
        assert_eq!(plans.iter().map(counts).collect::<Vec<_>>(), expected);
        assert!(plans.iter().all(|plan| plan.seconds > 0.0));
    }

    #[test]
    fn candidates_that_select_differently_share_nothing_and_cost_what_is_left() {
        let text = "[knn]\nn_neighbors = [3, 5]\nselect = ['none', { method = 'anova', k = 100 }, { method = 'anova', k = 200 }]";
        let candidates = grid::read(text, &[]).unwrap();
        let plan = &summary(&candidates, 5, shape(7_000, FEATURES))[0];
        assert_eq!((plan.candidates, plan.distinct, plan.shared), (6, 6, 3));
        let seconds = |index: usize| summary(&candidates[index..=index], 5, shape(7_000, FEATURES))[0].seconds;
        assert!(seconds(1) < seconds(2) && seconds(2) < seconds(0));
    }

    #[test]
    fn the_costliest_blocks_come_first() {
        let candidates = grid::read(grid::STUDY, &["tree".into(), "extra_trees".into()]).unwrap();
        let blocks = blocks(&candidates, 5, shape(7_000, FEATURES));
        let first = &candidates[blocks[0].settings[0] as usize];
        assert_eq!((first.family.as_str(), &first.params["max_features"]), ("extra_trees", &serde_json::Value::Null));
        assert!((30..=100).contains(&blocks.len()), "{}", blocks.len());
    }

    #[test]
    fn networks_that_draw_the_same_minibatches_as_often_are_in_few_equal_blocks() {
        let candidates = grid::read(grid::STUDY, &["mlp".into()]).unwrap();
        for (rows, max_blocks) in [(100, 1), (7_000, 2), (100_000, 6)] {
            let blocks = blocks(&candidates, 1, shape(rows, FEATURES));
            let learns_slowly = |index: u32| {
                let params = &candidates[index as usize].params;
                params["solver"] == "adam" && params["learning_rate_init"] == 1e-4
            };
            let slow: Vec<usize> = blocks
                .iter()
                .map(|block| block.settings.iter().filter(|&&index| learns_slowly(index)).count())
                .filter(|count| *count > 0)
                .collect();
            assert_eq!(slow.iter().sum::<usize>(), 6);
            assert!(slow.len() <= max_blocks && slow.iter().all(|count| *count == slow[0]), "{rows}: {slow:?}");
        }
    }

    #[test]
    fn lockstep_groups_of_any_cost_are_split_into_whole_work_groups() {
        let group = |seconds: f64| WorkGroup { shared: seconds, candidates: vec![0], ..WorkGroup::new(None) };
        let sizes = |seconds: &[f64]| {
            let members = seconds.iter().map(|&seconds| group(seconds)).collect();
            split_lockstep_group(members).map(|draft| draft.candidates.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[0.0, 0.0]), [2]);
        assert_eq!(sizes(&[20.0; 4]), [4], "80 s are about a minute");
        assert_eq!(sizes(&[20.0; 6]), [3, 3]);
        assert_eq!(sizes(&[1e12]), [1]);
        assert_eq!(sizes(&[1e17, 1e-3]), [2]);
        assert_eq!(sizes(&[1e-3, f64::INFINITY]), [2]);
    }

    #[test]
    fn candidates_that_share_work_stay_together() {
        let text = "[knn]\nmetric = ['euclidean', 'manhattan', 'cosine']\nn_neighbors = [1, 3, 5]";
        let blocks = blocks(&grid::read(text, &[]).unwrap(), 2, shape(10_000_000, 1_000));
        assert_eq!(blocks.len(), 6);
        assert!(blocks.iter().all(|block| block.settings.len() == 3));
    }
}
