//! Random thresholds of features: scikit-learn's `node_split_random`.

use super::columns::{SAME, TILE};
use super::kernel;
use super::rows::Local;
use super::split::{Best, Node, Scratch, Search, each};
use super::thresholds::{SetCosts, Thresholds, threshold, thresholds};

impl Search<'_> {
    /// One random threshold of each feature, tile by tile.
    #[inline(always)]
    pub(super) fn random_of_all<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        let Scratch { best, local, sums, near, places, .. } = scratch;
        local.tell_apart(node.rows, self.labels);
        if node.near {
            let near = &near.values;
            near.look_up(node.rows, places);
            self.random_of_tiles::<ENTROPY>(node, near.tiles(), places, local, sums, best);
        } else {
            places.clear();
            places.extend(node.rows.iter().map(|&row| row * TILE as u32));
            self.random_of_tiles::<ENTROPY>(node, self.columns.tiles(), places, local, sums, best);
        }
    }

    #[inline(always)]
    fn random_of_tiles<'t, const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        tiles: impl Iterator<Item = &'t [f32]>,
        places: &[u32],
        local: &Local,
        sums: &mut [[i32; TILE]],
        best: &mut [Best],
    ) {
        let seen = local.seen(node.path, places);
        let sets = SetCosts::of::<ENTROPY>(&seen, sums);
        for (tile, first) in tiles.zip((0..).step_by(TILE)) {
            let features = std::array::from_fn(|j| first + j as u32);
            let drawn = thresholds::<ENTROPY, TILE>(&seen, tile, &features, sets.as_ref(), sums);
            self.offer(node, local, &features, &drawn, (tile, places), best);
        }
    }

    /// One random threshold of each drawn feature of a small node, side by side.
    #[inline(always)]
    pub(super) fn random_near<const ENTROPY: bool, const W: usize>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        scratch.pool.begin(node.path);
        scratch.local.tell_apart(node.rows, self.labels);
        let (mut count, mut all_constant) = (0, true);
        while count < self.drawn {
            let wanted = W.min(self.drawn - count);
            let features = scratch.draw::<W>(wanted);
            count += wanted;
            let Scratch { best, local, sums, near, tile, places, .. } = &mut *scratch;
            // Lanes without a feature stay 0, so they are constant.
            tile.clear();
            tile.resize(node.rows.len() * W, 0.0);
            for (lane, &feature) in features[..wanted].iter().enumerate() {
                let values = near.values.feature(feature);
                for (value, &row) in tile[lane..].iter_mut().step_by(W).zip(node.rows) {
                    *value = values[near.values.place(row) as usize];
                }
            }
            places.clear();
            places.extend((0..node.rows.len() as u32).map(|at| at * W as u32));
            let seen = local.seen(node.path, places);
            let drawn = thresholds::<ENTROPY, W>(&seen, tile, &features, None, sums);
            all_constant &= drawn.lowest() == f32::INFINITY;
            self.offer(node, local, &features, &drawn, (tile, places), best);
        }
        if all_constant {
            self.random_of_drawn::<ENTROPY>(node, scratch, count);
        }
    }

    /// Keeps the best of some random thresholds.
    #[inline(always)]
    fn offer<const W: usize>(
        &self,
        node: &Node<'_>,
        local: &Local,
        features: &[u32; W],
        drawn: &Thresholds<W>,
        (tile, places): (&[f32], &[u32]),
        best: &mut [Best],
    ) {
        let lowest = f64::from(drawn.lowest());
        for variant in each(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if lowest > best.cost || lowest == f64::INFINITY {
                continue;
            }
            let offer = |j: usize, best: &mut Best| {
                let (cost, priority) = (f64::from(drawn.costs[j]), drawn.priorities[j]);
                if best.is_beaten_by(cost, priority, features[j]) {
                    let threshold = f64::from(drawn.thresholds[j]);
                    *best = Best { cost, gain: -cost, priority, feature: features[j], edge: 0, threshold };
                }
            };
            if limits.are_none() {
                offer(drawn.first_of(drawn.lowest()), best);
                continue;
            }
            let fits = |j: usize| {
                let is_left = |place: u32| tile[place as usize + j] <= drawn.thresholds[j];
                let of_left = places.iter().zip(&local.weights).filter(|(place, _)| is_left(**place));
                let (count, weight) = of_left.fold((0, 0), |(count, sum), (_, weight)| (count + 1, sum + weight));
                count >= limits.rows
                    && node.rows.len() - count >= limits.rows
                    && local.weighs_enough(weight, limits.weight)
            };
            for j in 0..W {
                if drawn.costs[j] < f32::INFINITY && f64::from(drawn.costs[j]) <= best.cost && fits(j) {
                    offer(j, best);
                }
            }
        }
    }

    /// Features in random order, of which some are drawn already: so many, and on until one is found that is not constant.
    #[inline(always)]
    pub(super) fn random_of_drawn<const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        scratch: &mut Scratch,
        mut drawn: usize,
    ) {
        scratch.local.lay_out(node.rows, self.labels);
        let mut all_constant = true;
        while drawn < self.drawn || all_constant {
            let Some(feature) = scratch.pool.next() else { break };
            all_constant &= !self.random_of_one::<ENTROPY>(node, feature, scratch);
            drawn += 1;
        }
    }

    /// Tries one random threshold of a feature; whether it is not constant.
    #[inline(always)]
    fn random_of_one<const ENTROPY: bool>(&self, node: &Node<'_>, feature: u32, scratch: &mut Scratch) -> bool {
        let Scratch { best, local, values, left, .. } = scratch;
        let column = self.columns.column(feature);
        values.clear();
        values.extend(node.rows.iter().map(|&row| column[row as usize]));
        let (low, high) = kernel::range(values);
        if high <= low + SAME {
            return false;
        }
        let draw = node.path.draw(feature);
        let (threshold, priority) = (threshold(low, high, draw.uniform), draw.priority);
        left.sum(threshold, values, local);
        let groups = left.with.iter().zip(&local.totals);
        let cost_of = |(of, total)| kernel::cost_of::<ENTROPY>(of, total, left.weight, local.weight);
        let cost = f64::from(groups.map(cost_of).sum::<f32>());
        for variant in each(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if best.is_beaten_by(cost, priority, feature)
                && left.count >= limits.rows
                && node.rows.len() - left.count >= limits.rows
                && local.weighs_enough(left.weight, limits.weight)
            {
                let threshold = f64::from(threshold);
                *best = Best { cost, gain: -cost, priority, feature, edge: 0, threshold };
            }
        }
        true
    }
}
