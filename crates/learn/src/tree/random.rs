//! Random thresholds of features: scikit-learn's `node_split_random`.

use super::columns::key;
use super::split::{Best, Node, Scratch, Search, each};
use super::thresholds::{Seen, Thresholds, thresholds};

impl Search<'_> {
    /// One random threshold of each drawn feature, W of them side by side: of as many as are wanted, and on until one is
    /// found that is not constant.
    #[inline(always)]
    pub(super) fn random_of_drawn<const ENTROPY: bool, const W: usize>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        scratch.pool.begin(node.path);
        scratch.local.tell_apart(node.rows, self.labels);
        let (mut count, mut all_constant) = (0, true);
        while count < self.drawn || all_constant {
            let Scratch { best, local, sums, near, tile, places, pool, .. } = &mut *scratch;
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
                let of_node = tile[lane..].iter_mut().step_by(W).zip(node.rows);
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
            let seen = local.seen(node.path, places);
            let drawn = thresholds::<ENTROPY, W>(&seen, tile, &features, sums);
            all_constant &= drawn.lowest() == f32::INFINITY;
            self.offer(node.variants, &seen, &features, &drawn, tile, best);
        }
    }

    /// Keeps the best of some random thresholds for each of some variants.
    #[inline(always)]
    pub(super) fn offer<const W: usize>(
        &self,
        variants: u64,
        node: &Seen<'_>,
        features: &[u32; W],
        drawn: &Thresholds<W>,
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
                if best.is_beaten_by(cost, priority, features[j]) {
                    let threshold = f64::from(drawn.thresholds[j]);
                    *best = Best { cost, gain: -cost, priority, feature: features[j], edge: 0, threshold };
                }
            };
            if limits.are_none() {
                let (j, priority) = drawn.first_of(lowest, node.path, features);
                offer(j, priority, best);
                continue;
            }
            let fits = |j: usize| {
                let is_left = |place: u32| tile[place as usize + j] <= key(drawn.thresholds[j]);
                let of_left = node.places.iter().zip(node.weights).filter(|(place, _)| is_left(**place));
                let (count, weight) = of_left.fold((0, 0), |(count, sum), (_, weight)| (count + 1, sum + weight));
                count >= limits.rows
                    && node.places.len() - count >= limits.rows
                    && node.weighs_enough(weight, limits.weight)
            };
            for (j, &feature) in features.iter().enumerate() {
                if drawn.costs[j] < f32::INFINITY && f64::from(drawn.costs[j]) <= best.cost && fits(j) {
                    offer(j, node.path.draw(feature).priority, best);
                }
            }
        }
    }
}
