//! Trains candidates together: those that can share trees build them once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use ndarray::{Array2, ArrayView2};
use pulp::Arch;
use rayon::prelude::*;

use super::builder::{StoppingRules, TreeSpec};
use super::columns::{Columns, Layouts};
use super::evaluation::{self, ForestRequest};
use super::forest::{Forest, to_f32};
use super::level_builder;
use super::params::{Splitter, TreeValidParams};
use super::pruning::{Pruning, normalise};
use super::row_labels::RowLabels;
use super::row_weights::RowWeights;
use super::shared_tree::SharedTree;
use super::split_record::{LeafLimits, MAX_VARIANTS};
use super::splitter::NodeSplitter;
use crate::Cancel;
use crate::family::FitResult;
use crate::random::RandomKey;

/// Trees that are built at once, before they are evaluated and dropped. A level build reads each tile of features once for all
/// of them.
const MAX_BATCH_TREES: u32 = 32;

/// The most rows that the trees of a batch have together. Their nodes take some 30 bytes a row while they are built, and the
/// trees some 200: at most 1 GB.
const MAX_BATCH_ROWS: usize = 1 << 22;

/// The number of rows must be below this, so that 32 bits number every value of a tile.
const ROW_LIMIT: usize = 1 << 26;

/// Training rows, laid out for trees.
pub(super) struct TreeRows {
    columns: Columns,
    labels: RowLabels,
}

impl TreeRows {
    /// Makes the layouts that these candidates need.
    pub(super) fn new(
        records: ArrayView2<'_, f64>,
        labels: ArrayView2<'_, bool>,
        candidates: &[&TreeValidParams],
        cancel: &Cancel,
    ) -> Self {
        let features = records.ncols();
        let any = |needs: &dyn Fn(&TreeValidParams) -> bool| candidates.iter().any(|params| needs(params));
        let layouts = Layouts {
            values: any(&|params| !params.builds_by_level(features)),
            tiles: any(&|params| params.builds_by_level(features)),
            keys: any(&|params| params.splitter == Splitter::Random && !params.builds_by_level(features)),
            ranks: any(&|params| params.splitter == Splitter::Best && !params.uses_all_features(features)),
        };
        Self { columns: Columns::new(records, layouts, cancel), labels: RowLabels::new(labels) }
    }
}

/// Fits one candidate.
pub(super) fn fit(
    params: &TreeValidParams,
    rows: &TreeRows,
    labels: ArrayView2<'_, bool>,
    cancel: &Cancel,
) -> Result<Forest, String> {
    let fit = SharedFit::new(&[params], rows, labels, cancel)?;
    let pruning = fit.pruning(params);
    let trees = fit.map_trees(params.n_estimators, |shared_tree| pruning.apply(shared_tree))?;
    Ok(Forest { labels: labels.ncols(), trees })
}

/// Each feature's importance in the trees of one candidate: the mean over those that split, normalised.
pub(super) fn importances(
    params: &TreeValidParams,
    rows: &TreeRows,
    labels: ArrayView2<'_, bool>,
    cancel: &Cancel,
) -> Result<Vec<f64>, String> {
    let fit = SharedFit::new(&[params], rows, labels, cancel)?;
    let (pruning, features) = (fit.pruning(params), rows.columns.features());
    let mut sums = vec![0.0; features];
    for importances in fit.map_trees(params.n_estimators, |shared_tree| pruning.importances(shared_tree, features))? {
        sums.iter_mut().zip(importances).for_each(|(sum, importance)| *sum += importance);
    }
    normalise(&mut sums);
    Ok(sums)
}

/// A fit that candidates share.
struct SharedFit<'a> {
    /// Any of the candidates: what they share.
    params: &'a TreeValidParams,
    rows: &'a TreeRows,
    /// From class weights.
    row_weights: Vec<f64>,
    /// What a leaf must have: a number of rows, and a share of all weight.
    variants: Vec<(usize, f64)>,
    stopping: StoppingRules,
    cancel: &'a Cancel,
}

impl<'a> SharedFit<'a> {
    fn new(
        candidates: &[&'a TreeValidParams],
        rows: &'a TreeRows,
        labels: ArrayView2<'_, bool>,
        cancel: &'a Cancel,
    ) -> Result<Self, String> {
        if labels.is_empty() {
            return Err("there are no rows to fit on".into());
        }
        if labels.nrows() >= ROW_LIMIT {
            return Err(format!("{} rows are too many for a tree: it takes fewer than {ROW_LIMIT}", labels.nrows()));
        }
        let params = candidates[0];
        let row_weights = match &params.class_weight {
            None => vec![1.0; labels.nrows()],
            Some(weight) => weight.row_weights(labels)?,
        };
        let n = labels.nrows();
        let max_depths = candidates.iter().map(|params| params.max_depth);
        let min_samples_split = candidates.iter().map(|params| params.min_samples_split.to_rows(n)).min();
        let min_decreases = candidates.iter().map(|params| params.min_impurity_decrease);
        let stopping = StoppingRules {
            max_depth: max_depths.reduce(|a, b| Some(a?.max(b?))).flatten(),
            min_samples_split: min_samples_split.unwrap_or(2),
            min_impurity_decrease: min_decreases.fold(f64::INFINITY, f64::min),
        };
        let mut fit = Self { params, rows, row_weights, variants: Vec::new(), stopping, cancel };
        for variant in candidates.iter().map(|params| fit.variant(params)).collect::<Vec<_>>() {
            if !fit.variants.contains(&variant) {
                fit.variants.push(variant);
            }
        }
        Ok(fit)
    }

    /// What a candidate demands of a leaf. A share of the weight that even the lightest row reaches is no demand.
    fn variant(&self, params: &TreeValidParams) -> (usize, f64) {
        let share = params.min_weight_fraction_leaf;
        let heaviest = self.row_weights.iter().copied().fold(0.0, f64::max);
        let positive = self.row_weights.iter().copied().filter(|&weight| weight > 0.0);
        let lightest = positive.fold(f64::INFINITY, f64::min);
        let is_demand = share * heaviest * self.row_weights.len() as f64 >= lightest;
        (params.min_samples_leaf.to_rows(self.row_weights.len()), if is_demand { share } else { 0.0 })
    }

    fn pruning(&self, params: &TreeValidParams) -> Pruning {
        let variant = self.variant(params);
        let position = self.variants.iter().position(|known| *known == variant);
        Pruning {
            variant: position.expect("every candidate's variant is known"),
            max_depth: params.max_depth,
            min_samples_split: params.min_samples_split.to_rows(self.row_weights.len()),
            max_leaf_nodes: params.max_leaf_nodes,
            min_impurity_decrease: params.min_impurity_decrease,
            ccp_alpha: params.ccp_alpha,
        }
    }

    /// The distinct prunings, each with its candidates.
    fn requests(&self, candidates: &[&TreeValidParams]) -> Vec<ForestRequest> {
        let mut requests: Vec<ForestRequest> = Vec::new();
        for (index, params) in candidates.iter().enumerate() {
            let pruning = self.pruning(params);
            let position = requests.iter().position(|request| request.pruning == pruning).unwrap_or_else(|| {
                requests.push(ForestRequest { pruning, candidates: BTreeMap::new() });
                requests.len() - 1
            });
            requests[position].candidates.entry(params.n_estimators).or_default().push(index);
        }
        requests
    }

    /// Builds this many trees and maps each of them.
    fn map_trees<T: Send>(&self, trees: u32, map: impl Fn(&SharedTree) -> T + Sync) -> Result<Vec<T>, String> {
        let mut results = Vec::new();
        for batch in self.batches(trees) {
            results.par_extend(self.build(batch)?.par_iter().map(&map));
        }
        Ok(results)
    }

    /// Trees from number 0 on in batches of about the same size, each to be built at once.
    fn batches(&self, trees: u32) -> impl Iterator<Item = Range<u32>> {
        let max_size = MAX_BATCH_TREES.min((MAX_BATCH_ROWS / self.row_weights.len()).max(1) as u32);
        let size = trees.div_ceil(trees.div_ceil(max_size).max(1)).max(1);
        (0..trees).step_by(size as usize).map(move |first| first..trees.min(first.saturating_add(size)))
    }

    /// Builds the trees of these numbers.
    fn build(&self, trees: Range<u32>) -> Result<Vec<SharedTree>, String> {
        self.cancel.check()?;
        let roots: Vec<RandomKey> = trees.map(|tree| RandomKey::root(self.params.seed, u64::from(tree))).collect();
        // As in scikit-learn since 1.9, class weights are the odds of drawing a row, and a drawn row weighs as much as it was
        // drawn often.
        let draw = |root: &RandomKey| root.bootstrap(&self.row_weights).into_iter().map(f64::from).collect();
        let tree_weights: Vec<Vec<f64>> = match self.params.bootstrap {
            true => roots.par_iter().map(draw).collect(),
            false => vec![self.row_weights.clone()],
        };
        let limits = |weights: &RowWeights| -> Vec<LeafLimits> {
            let limits = |&(min_rows, share): &(usize, f64)| LeafLimits { min_rows, min_weight: share * weights.total };
            self.variants.iter().map(limits).collect()
        };
        let weights = tree_weights.into_iter().map(|per_row| RowWeights::new(per_row, self.rows.labels.count()));
        let weights: Vec<(Vec<LeafLimits>, RowWeights)> = weights.map(|weights| (limits(&weights), weights)).collect();
        // Without bootstraps all trees have the same weights.
        let splitters = weights.iter().cycle().map(|(variants, weights)| self.splitter(weights, variants));
        let specs = splitters.take(roots.len()).map(|splitter| TreeSpec { splitter, stopping: self.stopping });
        let specs: Vec<TreeSpec<'_>> = specs.collect();
        if self.params.builds_by_level(self.rows.columns.features()) {
            return level_builder::build(&specs, &roots);
        }
        let shared_trees = specs.par_iter().zip(roots).map(|(spec, root)| spec.build(root)).collect();
        self.cancel.check()?;
        shared_trees
    }

    fn splitter<'s>(&'s self, weights: &'s RowWeights, variants: &'s [LeafLimits]) -> NodeSplitter<'s> {
        NodeSplitter {
            arch: Arch::new(),
            columns: &self.rows.columns,
            labels: &self.rows.labels,
            weights,
            criterion: self.params.criterion.canonical(),
            splitter: self.params.splitter,
            max_features: self.params.features_per_node(self.rows.columns.features()),
            variants,
            cancel: self.cancel.clone(),
        }
    }
}

/// Fits every candidate on the same rows, predicts the same queries, and evaluates the probabilities. The results are those of
/// each candidate on its own, to the last bit.
pub(crate) fn train_all<T: Clone + Send>(
    candidates: &[&TreeValidParams],
    train: &crate::Labelled,
    queries: ArrayView2<'_, f64>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<FitResult<T>> {
    let rows = TreeRows::new(train.records.view(), train.targets.view(), candidates, cancel);
    let queries = to_f32(queries);
    let features = train.records.ncols();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, params) in candidates.iter().enumerate() {
        match groups.iter_mut().find(|group| candidates[group[0]].shares_work_with(params, features)) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    let train_indices = |group: &Vec<usize>| {
        let started = Instant::now();
        let members: Vec<&TreeValidParams> = group.iter().map(|&index| candidates[index]).collect();
        let outcomes = train_group(&members, &rows, train.targets.view(), &queries, evaluate, cancel);
        let seconds = started.elapsed().as_secs_f64() / group.len() as f64;
        let trained = outcomes.into_iter().map(move |outcome| FitResult { outcome, seconds });
        group.iter().copied().zip(trained).collect::<Vec<_>>()
    };
    let mut trained: Vec<(usize, FitResult<T>)> = groups.par_iter().flat_map_iter(train_indices).collect();
    trained.sort_by_key(|(index, _)| *index);
    trained.into_iter().map(|(_, trained)| trained).collect()
}

/// The outcomes of candidates that share trees, in their order.
fn train_group<T: Clone + Send>(
    candidates: &[&TreeValidParams],
    rows: &TreeRows,
    labels: ArrayView2<'_, bool>,
    queries: &Array2<f32>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<Result<T, String>> {
    let fit = match SharedFit::new(candidates, rows, labels, cancel) {
        Ok(fit) => fit,
        Err(reason) => return vec![Err(reason); candidates.len()],
    };
    if fit.variants.len() > MAX_VARIANTS {
        let (first, second) = candidates.split_at(candidates.len() / 2);
        return [first, second].map(|half| train_group(half, rows, labels, queries, evaluate, cancel)).concat();
    }
    let requests = fit.requests(candidates);
    let (mut truncated, mut pruned) = evaluation::group_requests(requests, queries.nrows(), labels.ncols());
    let trees = candidates.iter().map(|params| params.n_estimators).max().unwrap_or(0);
    for batch in fit.batches(trees) {
        let first = batch.start;
        let shared_trees = match fit.build(batch) {
            Ok(shared_trees) => shared_trees,
            Err(reason) => return vec![Err(reason); candidates.len()],
        };
        for forests in &mut truncated {
            forests.add_trees(first, &shared_trees, queries, labels.ncols(), evaluate, cancel);
        }
        pruned.par_iter_mut().for_each(|forest| {
            forest.add_trees(first, &shared_trees, queries, labels.ncols(), evaluate, cancel);
        });
    }
    if let Err(cancelled) = cancel.check() {
        return vec![Err(cancelled.into()); candidates.len()];
    }
    let truncated_results = truncated.into_iter().flat_map(|forests| forests.results);
    let pruned_results = pruned.into_iter().flat_map(|forest| forest.results);
    let mut results: Vec<(usize, T)> = truncated_results.chain(pruned_results).collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| Ok(result)).collect()
}
