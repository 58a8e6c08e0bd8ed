//! Sums the predictions of shared trees over each candidate's forest, and evaluates every forest once it is complete.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut3, Axis, s};
use rayon::prelude::*;

use super::pruning::Pruning;
use super::shared_tree::SharedTree;
use crate::Cancel;

/// Rows that a thread predicts at a time.
const BATCH_ROWS: usize = 64;

/// The most sums that truncated forests keep together: 64 MB of `f64`.
const MAX_SUMS: usize = 8 << 20;

/// A pruning, and the candidates whose forests use it.
pub(super) struct ForestRequest {
    pub(super) pruning: Pruning,
    /// Candidates by their number of trees.
    pub(super) candidates: BTreeMap<u32, Vec<usize>>,
}

impl ForestRequest {
    fn max_trees(&self) -> u32 {
        self.candidates.last_key_value().map_or(0, |(&trees, _)| trees)
    }

    /// Evaluates the forest of this many trees, whose shares have these sums, for every candidate with as many.
    fn evaluate<T: Clone>(
        &self,
        trees: u32,
        sums: ArrayView2<'_, f64>,
        evaluate: &impl Fn(ArrayView2<'_, f64>) -> T,
    ) -> Vec<(usize, T)> {
        let Some(candidates) = self.candidates.get(&trees) else { return Vec::new() };
        let result = evaluate(sums.mapv(|sum| sum / f64::from(trees)).view());
        candidates.iter().map(|&index| (index, result.clone())).collect()
    }
}

/// Forests of one variant that only truncate the shared trees: a row descends a tree once for all of them.
pub(super) struct TruncatedForests<T> {
    requests: Vec<ForestRequest>,
    /// Rows × requests × labels: the summed shares of the trees so far; dropped after the last tree.
    sums: Option<Array3<f64>>,
    /// Results with the index of their candidate.
    pub(super) results: Vec<(usize, T)>,
}

/// A forest whose trees must be pruned one by one.
pub(super) struct PrunedForest<T> {
    request: ForestRequest,
    /// Rows × labels: the summed shares of the trees so far; dropped after the last tree.
    sums: Option<Array2<f64>>,
    /// Results with the index of their candidate.
    pub(super) results: Vec<(usize, T)>,
}

/// Separates the requests that only truncate, in groups of bounded memory for this many rows and labels, from the others.
pub(super) fn group_requests<T>(
    requests: Vec<ForestRequest>,
    rows: usize,
    labels: usize,
) -> (Vec<TruncatedForests<T>>, Vec<PrunedForest<T>>) {
    let max_requests = (MAX_SUMS / (rows * labels).max(1)).max(1);
    let (mut truncated, mut pruned): (Vec<TruncatedForests<T>>, _) = (Vec::new(), Vec::new());
    for request in requests {
        if !request.pruning.only_truncates() {
            pruned.push(PrunedForest { request, sums: None, results: Vec::new() });
            continue;
        }
        let variant = request.pruning.variant;
        let has_room = |group: &&mut TruncatedForests<T>| {
            group.requests.len() < max_requests && group.requests[0].pruning.variant == variant
        };
        match truncated.iter_mut().find(has_room) {
            Some(group) => group.requests.push(request),
            None => truncated.push(TruncatedForests { requests: vec![request], sums: None, results: Vec::new() }),
        }
    }
    (truncated, pruned)
}

impl<T: Clone + Send> TruncatedForests<T> {
    /// Adds the predictions of the trees from number `first` on, and evaluates the forests that are complete; fewer if
    /// cancelled.
    pub(super) fn add_trees(
        &mut self,
        first: u32,
        shared_trees: &[SharedTree],
        rows: &Array2<f32>,
        labels: usize,
        evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
        cancel: &Cancel,
    ) {
        let mut start = 0;
        while start < shared_trees.len() && !cancel.is_cancelled() {
            let number = first + start as u32;
            let sizes = self.requests.iter().flat_map(|request| request.candidates.range(number + 1..).next());
            let Some(next_size) = sizes.map(|(&trees, _)| trees).min() else { break };
            let end = shared_trees.len().min((next_size - first) as usize);
            let requests = self.requests.len();
            let mut sums = self.sums.take().unwrap_or_else(|| Array3::zeros((rows.nrows(), requests, labels)));
            self.add_predictions(number, &shared_trees[start..end], rows, &mut sums, cancel);
            if first + end as u32 == next_size {
                self.evaluate(next_size, &sums, evaluate);
            }
            self.sums = Some(sums);
            start = end;
        }
        if self.requests.iter().all(|request| request.max_trees() <= first + shared_trees.len() as u32) {
            self.sums = None;
        }
    }

    /// Adds the predictions of these trees, the first of which has this number.
    fn add_predictions(
        &self,
        number: u32,
        shared_trees: &[SharedTree],
        rows: &Array2<f32>,
        sums: &mut Array3<f64>,
        cancel: &Cancel,
    ) {
        let incomplete = self.requests.iter().enumerate().filter(|(_, request)| request.max_trees() > number);
        let incomplete: Vec<(usize, &Pruning)> = incomplete.map(|(index, request)| (index, &request.pruning)).collect();
        let Some(earliest) = Pruning::earliest(incomplete.iter().map(|(_, pruning)| *pruning)) else { return };
        let predict = |(rows, mut sums): (ArrayView2<'_, f32>, ArrayViewMut3<'_, f64>)| {
            let mut remaining = Vec::new();
            for shared_tree in shared_trees.iter().take_while(|_| !cancel.is_cancelled()) {
                for (row, mut sums) in rows.rows().into_iter().zip(sums.outer_iter_mut()) {
                    remaining.clone_from(&incomplete);
                    let row = row.to_slice().expect("row-major");
                    shared_tree.descend(row, earliest, &mut remaining, |request, shares| {
                        sums.row_mut(request).iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
                    });
                }
            }
        };
        let batches = rows.axis_chunks_iter(Axis(0), BATCH_ROWS).into_par_iter();
        batches.zip(sums.axis_chunks_iter_mut(Axis(0), BATCH_ROWS)).for_each(predict);
    }

    /// Evaluates the forests of this many trees.
    fn evaluate(&mut self, trees: u32, sums: &Array3<f64>, evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync)) {
        let forest = |(index, request): (usize, &ForestRequest)| {
            request.evaluate(trees, sums.slice(s![.., index, ..]), evaluate)
        };
        let results: Vec<_> = self.requests.par_iter().enumerate().map(forest).collect();
        self.results.extend(results.into_iter().flatten());
    }
}

impl<T: Clone> PrunedForest<T> {
    /// Adds the predictions of the trees from number `first` on, and evaluates the forests that are complete; fewer if
    /// cancelled.
    pub(super) fn add_trees(
        &mut self,
        first: u32,
        shared_trees: &[SharedTree],
        rows: &Array2<f32>,
        labels: usize,
        evaluate: &impl Fn(ArrayView2<'_, f64>) -> T,
        cancel: &Cancel,
    ) {
        let max_trees = self.request.max_trees();
        if first >= max_trees {
            return;
        }
        let sums = self.sums.get_or_insert_with(|| Array2::zeros((rows.nrows(), labels)));
        for (trees, shared_tree) in (first + 1..=max_trees).zip(shared_trees).take_while(|_| !cancel.is_cancelled()) {
            self.request.pruning.apply(shared_tree).add_shares(rows, sums.view_mut());
            self.results.extend(self.request.evaluate(trees, sums.view(), evaluate));
        }
        if first + shared_trees.len() as u32 >= max_trees {
            self.sums = None;
        }
    }
}
