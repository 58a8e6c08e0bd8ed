//! Weights and label counts of one node's rows in whole numbers, laid out for each way of finding a split.

use std::sync::OnceLock;

use super::count_encoding::CountEncoding;
use super::label_sets::LabelSetGroups;
use super::lanes::{LabelLanes, VECTOR_LANES};
use super::node_sums::NodeSums;
use super::node_view::{NodeView, sides_weigh};
use super::row_labels::RowLabels;
use super::row_weights::RowWeights;
use crate::random::RandomKey;

/// The rows of one node, their weights scaled to whole numbers. Buffers are reused from node to node.
#[derive(Default)]
pub(super) struct NodeStatistics {
    /// The weight of each row, at least 1.
    pub(super) weights: Vec<i32>,
    /// The weight of all rows.
    pub(super) weight: i32,
    /// For each label, the weight of the rows that have it.
    pub(super) label_weights: Vec<i32>,
    /// For each group of [`VECTOR_LANES`] labels, the weight of each row in the lanes of its labels.
    pub(super) lanes: Vec<LabelLanes>,
    /// The same in 16 bits, if all sums fit; else empty.
    pub(super) narrow: Vec<[i16; VECTOR_LANES]>,
    pub(super) narrow_products: Vec<i32>,
    /// `label_weights` by groups of labels.
    pub(super) totals: Vec<LabelLanes>,
    /// For each row, its weight times the summed `label_weights` of its labels.
    pub(super) products: Vec<i64>,
    mixed_labels: MixedLabels,
    groups: LabelSetGroups,
    /// The factor that made weights whole numbers.
    pub(super) scale: f64,
    /// Sums of the unscaled weights; computed when the first tie asks for them.
    pub(super) sums: OnceLock<NodeSums>,
}

/// The labels that some rows of a node have and some do not.
#[derive(Default)]
struct MixedLabels {
    /// For each of them, the weight of the rows that have it.
    label_weights: Vec<i32>,
    /// For each label, its index among the mixed ones; `u32::MAX` if it is none.
    indices: Vec<u32>,
}

impl MixedLabels {
    /// The mixed labels of a row.
    #[inline(always)]
    fn of_row<'a>(&'a self, row: u32, labels: &'a RowLabels) -> impl Iterator<Item = u32> {
        labels.of_row(row).iter().map(|&label| self.indices[label as usize]).filter(|&index| index != u32::MAX)
    }
}

impl NodeStatistics {
    /// Starts a node with these rows.
    pub(super) fn fill(&mut self, rows: &[u32], node_weight: f64, weights: &RowWeights, labels: &RowLabels) {
        self.scale = weights.scale(node_weight);
        self.groups.clear();
        self.sums.take();
        self.label_weights.clear();
        self.label_weights.resize(labels.count(), 0);
        self.weights.clear();
        for &row in rows {
            // At least 1, so that a side of very light rows does not look empty.
            let weight = ((weights.per_row[row as usize] * self.scale + 0.5) as i32).max(1);
            self.weights.push(weight);
            labels.of_row(row).iter().for_each(|&label| self.label_weights[label as usize] += weight);
        }
        self.weight = self.weights.iter().sum();
    }

    /// Lays the rows out by groups of labels, for best splits; call [`NodeStatistics::fill`] first.
    pub(super) fn fill_lanes(&mut self, rows: &[u32], labels: &RowLabels) {
        let groups = labels.count().div_ceil(VECTOR_LANES);
        self.lanes.clear();
        self.lanes.resize(groups * rows.len(), LabelLanes::ZERO);
        self.products.clear();
        for (place, (&row, &weight)) in rows.iter().zip(&self.weights).enumerate() {
            let mut product = 0;
            for &label in labels.of_row(row) {
                let (group, lane) = (label as usize / VECTOR_LANES, label as usize % VECTOR_LANES);
                self.lanes[group * rows.len() + place].0[lane] = weight;
                product += i64::from(weight) * i64::from(self.label_weights[label as usize]);
            }
            self.products.push(product);
        }
        self.totals.clear();
        self.totals.extend(self.label_weights.chunks(VECTOR_LANES).map(|group| {
            let mut total = LabelLanes::ZERO;
            total.0[..group.len()].copy_from_slice(group);
            total
        }));
        self.narrow.clear();
        if self.fits_narrow() {
            self.narrow.extend(self.lanes.iter().map(|lanes| lanes.0.map(|weight| weight as i16)));
            self.narrow_products.clear();
            self.narrow_products.extend(self.products.iter().map(|&product| product as i32));
        }
    }

    /// Whether 16 bits hold each label's sum on either side of any split, and 31 bits the sums of squares and products: it
    /// is enough that they hold those of all rows.
    fn fits_narrow(&self) -> bool {
        let sums_fit = self.label_weights.iter().all(|&weight| weight <= i32::from(i16::MAX));
        sums_fit && self.sum_of_squares() <= i64::from(i32::MAX)
    }

    /// Sum over labels of the squared weight of the rows with each; call [`NodeStatistics::fill_lanes`] first.
    #[inline(always)]
    pub(super) fn sum_of_squares(&self) -> i64 {
        self.totals.iter().map(LabelLanes::sum_of_squares).sum()
    }

    /// Whether both sides of a split whose left side has this weight weigh at least `min_weight`, in unscaled weight.
    #[inline(always)]
    pub(super) fn sides_weigh(&self, left: i32, min_weight: f64) -> bool {
        sides_weigh([left, self.weight - left], self.scale, min_weight)
    }
}

/// What random thresholds need.
impl NodeStatistics {
    /// Finds the labels that some of the rows have and some do not; call [`NodeStatistics::fill`] first.
    pub(super) fn find_mixed_labels(&mut self) {
        let MixedLabels { label_weights, indices } = &mut self.mixed_labels;
        label_weights.clear();
        indices.clear();
        for &weight in &self.label_weights {
            let is_mixed = weight != 0 && weight != self.weight;
            indices.push(if is_mixed { label_weights.len() as u32 } else { u32::MAX });
            label_weights.extend(is_mixed.then_some(weight));
        }
    }

    /// The node as random thresholds are scored for it; call [`NodeStatistics::find_mixed_labels`] first.
    #[inline(always)]
    pub(super) fn view(&self, path: RandomKey) -> NodeView<'_> {
        NodeView { path, weight: self.weight, scale: self.scale, label_weights: &self.mixed_labels.label_weights }
    }

    /// The weight and the mixed labels of each row.
    #[inline(always)]
    pub(super) fn mixed_rows<'a>(
        &'a self,
        rows: &'a [u32],
        labels: &'a RowLabels,
    ) -> impl Iterator<Item = (i32, impl Iterator<Item = u32>)> {
        self.weights.iter().zip(rows).map(|(&weight, &row)| (weight, self.mixed_labels.of_row(row, labels)))
    }

    /// Finds the mixed labels and appends the rows' counts to `counts`, in the returned encoding and in the order of
    /// [`NodeStatistics::encoded_rows`].
    pub(super) fn encode(&mut self, rows: &[u32], labels: &RowLabels, counts: &mut Vec<u32>) -> CountEncoding {
        self.find_mixed_labels();
        self.groups.sort(rows, &self.weights, labels);
        if let Some(groups) = self.groups.iter() {
            for (rows, weight) in groups {
                let labels = self.mixed_labels.of_row(rows[0], labels);
                CountEncoding::encode_group(rows.len() as u32, weight, labels, counts);
            }
            return CountEncoding::Groups;
        }
        let max_weight = self.weights.iter().fold(1, |max, &weight| weight.max(max));
        let encoding = CountEncoding::shortest(self.mixed_labels.label_weights.len(), max_weight);
        self.mixed_rows(rows, labels).for_each(|(weight, labels)| encoding.encode(weight, labels, counts));
        encoding
    }

    /// The node's rows in the order in which they were encoded.
    pub(super) fn encoded_rows<'a>(&'a self, rows: &'a [u32]) -> &'a [u32] {
        self.groups.rows().unwrap_or(rows)
    }
}
