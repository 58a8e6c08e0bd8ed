//! The split of one node: scikit-learn's `node_split_best` and `node_split_random`.

use super::columns::{Columns, SAME};
use super::criterion::{Criterion, Sums};
use super::params::Splitter;
use crate::random::Path;

/// Rows go left where the feature's value is at most the threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) left: Side,
    pub(super) right: Side,
}

/// One side of a split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) weight: f64,
    pub(super) impurity: f64,
}

/// What a split may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    pub(super) drawn_features: usize,
    pub(super) min_samples_leaf: usize,
    pub(super) min_weight_leaf: f64,
}

/// Row weights, plain and for each label of the row, n × q.
pub(super) struct RowWeights {
    pub(super) plain: Vec<f64>,
    pub(super) with: Vec<f64>,
    pub(super) labels: usize,
}

impl RowWeights {
    pub(super) fn add_to(&self, sums: &mut Sums, row: u32) {
        let row = row as usize;
        sums.add(self.plain[row], &self.with[row * self.labels..(row + 1) * self.labels]);
    }
}

/// Finds splits, node after node, in the same room.
pub(super) struct Search<'a> {
    columns: &'a Columns,
    weights: &'a RowWeights,
    limits: Limits,
    member: Vec<bool>,
    pool: Vec<u32>,
    sorted: Vec<(f32, u32)>,
    left: Sums,
    right: Sums,
}

/// The best split so far.
struct Best {
    split: Option<Split>,
    gain: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(columns: &'a Columns, weights: &'a RowWeights, limits: Limits) -> Self {
        let zero = Sums::zero(weights.labels);
        let (member, left, right) = (vec![false; columns.rows()], zero.clone(), zero);
        Self { columns, weights, limits, member, pool: Vec::new(), sorted: Vec::new(), left, right }
    }

    /// The best split of the node at `path` with these rows (ascending) and sums, if there is one. Features are looked
    /// at in random order and the first of equally good splits wins, so none is preferred over many seeds. Constant
    /// features count as drawn, but drawing goes on until one is found that is not constant.
    pub(super) fn split(&mut self, path: Path, rows: &[u32], sums: &Sums) -> Option<Split> {
        rows.iter().for_each(|&row| self.member[row as usize] = true);
        let mut best = Best { split: None, gain: f64::NEG_INFINITY };
        let mut pool = std::mem::take(&mut self.pool);
        let mut all_constant = true;
        for (drawn, feature) in path.shuffle(self.columns.features(), &mut pool).enumerate() {
            if drawn >= self.limits.drawn_features && !all_constant {
                break;
            }
            let varies = match self.limits.splitter {
                Splitter::Best => self.scan(feature, rows, sums, &mut best),
                Splitter::Random => self.draw(feature, path, rows, sums, &mut best),
            };
            all_constant &= !varies;
        }
        self.pool = pool;
        rows.iter().for_each(|&row| self.member[row as usize] = false);
        best.split
    }

    /// Tries every threshold of a feature; whether it is not constant.
    fn scan(&mut self, feature: u32, rows: &[u32], sums: &Sums, best: &mut Best) -> bool {
        let mut sorted = std::mem::take(&mut self.sorted);
        self.columns.sort(feature, rows, &self.member, &mut sorted);
        let varies = sorted[sorted.len() - 1].0 > sorted[0].0 + SAME;
        if varies {
            self.left.clear();
            for left in 1..sorted.len() {
                let (below, row) = sorted[left - 1];
                self.weights.add_to(&mut self.left, row);
                let above = sorted[left].0;
                if above > below + SAME && self.leaves_fit(left, sorted.len() - left) {
                    let threshold = f64::from(below) / 2.0 + f64::from(above) / 2.0;
                    self.judge(feature, threshold, sums, best);
                }
            }
        }
        self.sorted = sorted;
        varies
    }

    /// Tries one random threshold of a feature; whether it is not constant.
    fn draw(&mut self, feature: u32, path: Path, rows: &[u32], sums: &Sums, best: &mut Best) -> bool {
        let column = self.columns.column(feature);
        let values = rows.iter().map(|&row| column[row as usize]);
        let (min, max) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), x| (min.min(x), max.max(x)));
        if max <= min + SAME {
            return false;
        }
        let (min, max) = (f64::from(min), f64::from(max));
        let mut threshold = (max - min) * path.uniform(feature) + min;
        if threshold == max {
            threshold = min;
        }
        self.left.clear();
        let mut left = 0;
        for &row in rows.iter().filter(|&&row| f64::from(column[row as usize]) <= threshold) {
            self.weights.add_to(&mut self.left, row);
            left += 1;
        }
        if self.leaves_fit(left, rows.len() - left) {
            self.judge(feature, threshold, sums, best);
        }
        true
    }

    fn leaves_fit(&self, left: usize, right: usize) -> bool {
        left >= self.limits.min_samples_leaf && right >= self.limits.min_samples_leaf
    }

    /// Weighs the split whose left side is summed up, and keeps it if it is better than the best.
    #[inline]
    fn judge(&mut self, feature: u32, threshold: f64, sums: &Sums, best: &mut Best) {
        self.right.rest(sums, &self.left);
        if self.left.weight < self.limits.min_weight_leaf || self.right.weight < self.limits.min_weight_leaf {
            return;
        }
        let side = |sums: &Sums| Side { weight: sums.weight, impurity: self.limits.criterion.impurity(sums) };
        let (left, right) = (side(&self.left), side(&self.right));
        let gain = -right.weight * right.impurity - left.weight * left.impurity;
        if gain > best.gain {
            *best = Best { split: Some(Split { feature, threshold, left, right }), gain };
        }
    }
}
