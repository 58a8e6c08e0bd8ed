//! Random thresholds of features: scikit-learn's `node_split_random`.

use pulp::Simd;

use super::members::Members;
use super::split::{Best, Node, Scratch, Search, each};
use super::thresholds::{Seen, Thresholds, thresholds};
use super::values::{TILE, key};

impl Search<'_> {
    /// One random threshold of each drawn feature, W of them side by side: of as many as are wanted, and on until one is
    /// found that is not constant.
    #[inline(always)]
    pub(super) fn random_of_drawn<S: Simd, const ENTROPY: bool, const W: usize>(
        &self,
        simd: S,
        node: &Node<'_>,
        scratch: &mut Scratch,
    ) {
        scratch.pool.begin(node.path);
        scratch.counts.clear();
        let form = scratch.local.write(node.rows, self.labels, &mut scratch.counts);
        let (mut count, mut all_constant) = (0, true);
        while (count < self.drawn || all_constant) && !self.cancel.is_cancelled() {
            let Scratch { best, local, sums, near, tile, places, counts, pool, .. } = &mut *scratch;
            let mut features = [u32::MAX; W];
            let left = self.drawn.saturating_sub(count);
            let mut next = || match left {
                // All were constant so far, and so may be many more.
                0 => std::iter::from_fn(|| pool.next()).find(|&feature| self.varies(feature, node.rows)),
                _ => pool.next(),
            };
            let room = features[..left.clamp(1, W)].iter_mut();
            let taken = room.zip(std::iter::from_fn(&mut next)).map(|(to, feature)| *to = feature).count();
            if taken == 0 {
                return;
            }
            count += taken;
            // Lanes without a feature stay 0, so they are constant.
            tile.clear();
            tile.resize(node.rows.len() * W, 0);
            for (lane, &feature) in features[..taken].iter().enumerate() {
                let of_node = tile[lane..].iter_mut().step_by(W).zip(local.in_order(node.rows));
                if node.near {
                    let keys = near.keys.feature(feature);
                    of_node.for_each(|(key, &row)| *key = keys[near.keys.place(row) as usize]);
                } else {
                    let column = self.columns.column(feature);
                    of_node.for_each(|(of, &row)| *of = key(column[row as usize]));
                }
            }
            places.clear();
            places.extend((0..node.rows.len() as u32).map(|at| at * W as u32));
            let (seen, members) = (local.seen(node.path), Members { places, form, counts });
            let drawn = thresholds::<S, ENTROPY, W>(simd, &seen, &members, tile, &features, sums);
            all_constant &= drawn.lowest() == f32::INFINITY;
            self.offer(node.variants, &seen, &members, &drawn, tile, best);
        }
    }

    /// One random threshold of each feature, at a node of a near branch.
    #[inline(always)]
    pub(super) fn random_of_all<S: Simd, const ENTROPY: bool>(&self, simd: S, node: &Node<'_>, scratch: &mut Scratch) {
        let Scratch { best, local, sums, near, places, counts, .. } = scratch;
        counts.clear();
        let form = local.write(node.rows, self.labels, counts);
        near.keys.look_up(local.in_order(node.rows), places);
        let (seen, members) = (local.seen(node.path), Members { places, form, counts });
        for first in (0..self.columns.features() as u32).step_by(TILE) {
            let (tile, features) = (near.keys.feature(first), std::array::from_fn(|j| first + j as u32));
            let drawn = thresholds::<S, ENTROPY, TILE>(simd, &seen, &members, tile, &features, sums);
            self.offer(node.variants, &seen, &members, &drawn, tile, best);
        }
    }

    /// Keeps the best of some random thresholds for each of some variants.
    #[inline(always)]
    pub(super) fn offer<const W: usize>(
        &self,
        variants: u64,
        node: &Seen<'_>,
        members: &Members<'_>,
        drawn: &Thresholds<'_, W>,
        tile: &[i32],
        best: &mut [Best],
    ) {
        let lowest = drawn.lowest();
        for variant in each(variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if f64::from(lowest) > best.cost || lowest == f32::INFINITY {
                continue;
            }
            let offer = |j: usize, priority: u32, best: &mut Best| {
                let cost = f64::from(drawn.costs[j]);
                if best.is_beaten_by(cost, priority, drawn.features[j]) {
                    let threshold = f64::from(drawn.thresholds[j]);
                    *best = Best { cost, gain: -cost, priority, feature: drawn.features[j], edge: 0, threshold };
                }
            };
            if limits.are_none() {
                let (j, priority) = drawn.first_of(lowest, node.path);
                offer(j, priority, best);
                continue;
            }
            let fits = |j: usize| {
                let is_left = |place: &&u32| tile[**place as usize + j] <= key(drawn.thresholds[j]);
                let (count, weight) = (members.places.iter().filter(is_left).count(), drawn.weights[j]);
                count >= limits.rows
                    && members.places.len() - count >= limits.rows
                    && node.weighs_enough(weight, limits.weight)
            };
            for (j, &feature) in drawn.features.iter().enumerate() {
                if drawn.costs[j] < f32::INFINITY && f64::from(drawn.costs[j]) <= best.cost && fits(j) {
                    offer(j, node.path.draw(feature).priority, best);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::columns::{Columns, Layouts};
    use super::super::rows::{Labels, Weights};
    use super::super::split::Limits;
    use super::*;
    use crate::Cancel;
    use crate::random::RandomKey;

    #[test]
    fn drawn_features_of_a_near_branch_are_those_of_all_rows() {
        const FEATURES: usize = 90;
        let draw = |place: usize| RandomKey::root(11, 0).draw(place as u32).priority;
        let records = Array2::from_shape_fn((200, FEATURES), |(row, feature)| f64::from(draw(row << 8 | feature) % 50));
        let targets =
            Array2::from_shape_fn((200, 5), |(row, label)| draw(1 << 20 | row << 4 | label).is_multiple_of(3));
        let layouts = Layouts { values: true, keys: true, ..Layouts::default() };
        let columns = Columns::new(records.view(), layouts, &Cancel::new());
        let (labels, weights) = (Labels::new(targets.view()), Weights::new(vec![1.0; 200], 5));
        let variants = [(1, 0.0), (5, 0.0)].map(|(rows, weight)| Limits { rows, weight });
        for (seed, drawn) in (0..).zip([3, 16, 40, 60, 89]) {
            let search = Search::random(&columns, &labels, &weights, drawn, &variants);
            let branch: Vec<u32> = (20..150).collect();
            for rows in [&branch[..], &branch[40..100], &branch[7..16]] {
                let best = |near: bool| {
                    let weight = rows.len() as f64;
                    let node = Node { path: RandomKey::root(seed, 1), rows, weight, variants: 0b11, near };
                    let mut scratch = Scratch::new(&search);
                    search.take(&branch, &mut scratch);
                    search.split(&node, None, &mut scratch);
                    scratch.best.iter().map(|best| (best.cost, best.feature, best.threshold)).collect::<Vec<_>>()
                };
                let near = best(true);
                assert!(near[0].0 < f64::INFINITY && near == best(false), "{drawn} of all features");
            }
        }
    }
}
