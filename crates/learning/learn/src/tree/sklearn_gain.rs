//! The gain of a split computed as scikit-learn does, rounding errors included, because they decide between equally good
//! splits.
//!
//! scikit-learn adds the weights left of a split in the order of the values, and subtracts them from the node's sums to get
//! those on the right. With whole-number weights every order gives the same sums, and the decision is scikit-learn's.
//! With others, the node's sums depend on how scikit-learn's seed shuffled the rows; here they are added from a random row
//! on.

use super::lanes::{LabelLanes, VECTOR_LANES};
use super::node_statistics::NodeStatistics;
use super::node_sums::{ClassSums, NodeSums};
use super::ordinal::Ordinal;
use super::splitter::{NodeSplitter, SplitRequest};

/// Gains of a node's splits computed so far: in a small node most features have the same few rows on the left.
#[derive(Default)]
pub(super) struct GainCache(Vec<(u64, f64)>);

impl GainCache {
    /// Entries that are searched one by one; with more, computing the gain again is as fast.
    const MAX_GAINS: usize = 32;

    /// Forgets the node before.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The gain of the split with the rows at these places on the left.
    #[inline]
    pub(super) fn get_or_compute<C: Ordinal>(
        &mut self,
        splitter: &NodeSplitter<'_>,
        node: &SplitRequest<'_>,
        statistics: &NodeStatistics,
        left: &[C],
    ) -> f64 {
        // The key has a byte for each place.
        if left.len() > 8 || node.rows.len() > 255 {
            return gain(splitter, node, statistics, left);
        }
        let key = left.iter().fold(0, |key, &place| key << 8 | u64::from(place.to_u32() + 1));
        if let Some((_, gain)) = self.0.iter().find(|(known, _)| *known == key) {
            return *gain;
        }
        let gain = gain(splitter, node, statistics, left);
        if self.0.len() < Self::MAX_GAINS {
            self.0.push((key, gain));
        }
        gain
    }
}

/// scikit-learn's `proxy_impurity_improvement` of the split with the rows at these places of the node on the left.
pub(super) fn gain<C: Ordinal>(
    splitter: &NodeSplitter<'_>,
    node: &SplitRequest<'_>,
    statistics: &NodeStatistics,
    left: &[C],
) -> f64 {
    let rows = node.rows.len();
    let row_weight = |place: C| splitter.weights.per_row[node.rows[place.to_u32() as usize] as usize];
    let class_sums = |places: &[C], group: usize| {
        let lanes = &statistics.lanes[group * rows..][..rows];
        ClassSums::new(places.iter().map(|&place| (row_weight(place), &lanes[place.to_u32() as usize])))
    };
    let weight = |places: &[C]| places.iter().map(|&place| row_weight(place)).fold(0.0, |sum, weight| sum + weight);
    if splitter.weights.all_whole && statistics.scale == 1.0 {
        return whole_gain(splitter, statistics, left);
    }
    let node_sums = statistics.sums.get_or_init(|| {
        let mut places: Vec<C> = (0..rows as u32).map(C::from_u32).collect();
        places.rotate_left(node.path.draw(u32::MAX).priority as usize % rows);
        let groups = (0..statistics.totals.len()).map(|group| class_sums(&places, group)).collect();
        NodeSums { weight: weight(&places), groups }
    });
    let left_weight = weight(left);
    let right_weight = node_sums.weight - left_weight;
    let (mut left_impurity, mut right_impurity) = (0.0, 0.0);
    for (group, total) in node_sums.groups.iter().enumerate() {
        let sums = class_sums(left, group);
        for lane in 0..VECTOR_LANES.min(splitter.labels.count() - group * VECTOR_LANES) {
            let (with, without) = (sums.with[lane], sums.without[lane]);
            let (right_with, right_without) = (total.with[lane] - with, total.without[lane] - without);
            left_impurity += splitter.criterion.label_impurity(left_weight, without, with);
            right_impurity += splitter.criterion.label_impurity(right_weight, right_without, right_with);
        }
    }
    let labels = splitter.labels.count() as f64;
    -right_weight * (right_impurity / labels) - left_weight * (left_impurity / labels)
}

/// The same for whole-number weights, whose sums are exact in any order.
fn whole_gain<C: Ordinal>(splitter: &NodeSplitter<'_>, statistics: &NodeStatistics, left: &[C]) -> f64 {
    let rows = statistics.weights.len();
    let left_weight: i32 = left.iter().map(|&place| statistics.weights[place.to_u32() as usize]).sum();
    let (left_weight, right_weight) = (f64::from(left_weight), f64::from(statistics.weight - left_weight));
    let (mut left_impurity, mut right_impurity) = (0.0, 0.0);
    for (group, total) in statistics.totals.iter().enumerate() {
        let mut sums = LabelLanes::ZERO;
        left.iter().for_each(|&place| sums.add(&statistics.lanes[group * rows + place.to_u32() as usize]));
        for lane in 0..VECTOR_LANES.min(splitter.labels.count() - group * VECTOR_LANES) {
            let (with, right_with) = (f64::from(sums.0[lane]), f64::from(total.0[lane] - sums.0[lane]));
            left_impurity += splitter.criterion.label_impurity(left_weight, left_weight - with, with);
            right_impurity += splitter.criterion.label_impurity(right_weight, right_weight - right_with, right_with);
        }
    }
    let labels = splitter.labels.count() as f64;
    -right_weight * (right_impurity / labels) - left_weight * (left_impurity / labels)
}
