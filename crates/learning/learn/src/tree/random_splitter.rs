//! One random threshold for each searched feature: scikit-learn's `node_split_random`.

use pulp::Simd;

use super::node_samples::NodeSamples;
use super::node_view::NodeView;
use super::random_thresholds::{RandomThresholds, draw_thresholds};
use super::scratch::SplitScratch;
use super::split_record::{SplitRecord, variant_indices};
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::{TILE_FEATURES, key};

impl NodeSplitter<'_> {
    /// Tries one random threshold of each drawn feature, `WIDTH` features at a time, until `max_features` are drawn, and further
    /// until one is not constant.
    #[inline(always)]
    pub(super) fn random_split_drawn<S: Simd, const ENTROPY: bool, const WIDTH: usize>(
        &self,
        simd: S,
        node: &SplitRequest<'_>,
        scratch: &mut SplitScratch,
    ) {
        scratch.pool.begin(node.path);
        scratch.counts.clear();
        let encoding = scratch.statistics.encode(node.rows, self.labels, &mut scratch.counts);
        let (mut drawn_count, mut all_constant) = (0, true);
        while (drawn_count < self.max_features || all_constant) && !self.cancel.is_cancelled() {
            let SplitScratch { best, statistics, sums, compact, tile, places, counts, pool, .. } = &mut *scratch;
            let mut features = [u32::MAX; WIDTH];
            let missing = self.max_features.saturating_sub(drawn_count);
            let mut next = || match missing {
                // All features so far were constant, and many more may be.
                0 => std::iter::from_fn(|| pool.next()).find(|&feature| self.varies(feature, node.rows)),
                _ => pool.next(),
            };
            let slots = features[..missing.clamp(1, WIDTH)].iter_mut();
            let added = slots.zip(std::iter::from_fn(&mut next)).map(|(slot, feature)| *slot = feature).count();
            if added == 0 {
                return;
            }
            drawn_count += added;
            // Lanes without a feature are zero, so they look constant.
            tile.clear();
            tile.resize(node.rows.len() * WIDTH, 0);
            for (lane, &feature) in features[..added].iter().enumerate() {
                let cells = tile[lane..].iter_mut().step_by(WIDTH).zip(statistics.encoded_rows(node.rows));
                if node.is_compact {
                    let keys = compact.keys.feature(feature);
                    cells.for_each(|(cell, &row)| *cell = keys[compact.keys.place(row) as usize]);
                } else {
                    let column = self.columns.column(feature);
                    cells.for_each(|(cell, &row)| *cell = key(column[row as usize]));
                }
            }
            places.clear();
            places.extend((0..node.rows.len() as u32).map(|row| row * WIDTH as u32));
            let (view, samples) = (statistics.view(node.path), NodeSamples { places, encoding, counts });
            let drawn = draw_thresholds::<S, ENTROPY, WIDTH>(simd, &view, &samples, tile, &features, sums);
            all_constant &= drawn.lowest() == f32::INFINITY;
            self.keep_best(node.variants, &view, &samples, &drawn, tile, best);
        }
    }

    /// Tries one random threshold of each feature, at a node of a compact branch.
    #[inline(always)]
    pub(super) fn random_split_all<S: Simd, const ENTROPY: bool>(
        &self,
        simd: S,
        node: &SplitRequest<'_>,
        scratch: &mut SplitScratch,
    ) {
        let SplitScratch { best, statistics, sums, compact, places, counts, .. } = scratch;
        counts.clear();
        let encoding = statistics.encode(node.rows, self.labels, counts);
        compact.keys.find_places(statistics.encoded_rows(node.rows), places);
        let (view, samples) = (statistics.view(node.path), NodeSamples { places, encoding, counts });
        for first in (0..self.columns.features() as u32).step_by(TILE_FEATURES) {
            let (tile, features) = (compact.keys.feature(first), std::array::from_fn(|j| first + j as u32));
            let drawn = draw_thresholds::<S, ENTROPY, TILE_FEATURES>(simd, &view, &samples, tile, &features, sums);
            self.keep_best(node.variants, &view, &samples, &drawn, tile, best);
        }
    }

    /// Keeps the best of these thresholds for each variant in the bit set.
    #[inline(always)]
    pub(super) fn keep_best<const WIDTH: usize>(
        &self,
        variants: u64,
        node: &NodeView<'_>,
        samples: &NodeSamples<'_>,
        drawn: &RandomThresholds<'_, WIDTH>,
        tile: &[i32],
        best: &mut [SplitRecord],
    ) {
        let lowest = drawn.lowest();
        for variant in variant_indices(variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if f64::from(lowest) > best.cost || lowest == f32::INFINITY {
                continue;
            }
            let offer = |lane: usize, priority: u32, best: &mut SplitRecord| {
                let (cost, feature) = (f64::from(drawn.costs[lane]), drawn.features[lane]);
                if best.is_beaten_by(cost, priority, feature) {
                    let threshold = f64::from(drawn.thresholds[lane]);
                    *best = SplitRecord { cost, gain: -cost, priority, feature, last_left_row: 0, threshold };
                }
            };
            if limits.are_none() {
                let (lane, priority) = drawn.winner(lowest, node.path);
                offer(lane, priority, best);
                continue;
            }
            let leaves_fit = |lane: usize| {
                let is_left = |place: &&u32| tile[**place as usize + lane] <= key(drawn.thresholds[lane]);
                let (left_rows, left_weight) =
                    (samples.places.iter().filter(is_left).count(), drawn.left_weights[lane]);
                left_rows >= limits.min_rows
                    && samples.places.len() - left_rows >= limits.min_rows
                    && node.sides_weigh(left_weight, limits.min_weight)
            };
            for (lane, &feature) in drawn.features.iter().enumerate() {
                let cost = drawn.costs[lane];
                if cost < f32::INFINITY && f64::from(cost) <= best.cost && leaves_fit(lane) {
                    offer(lane, node.path.draw(feature).priority, best);
                }
            }
        }
    }
}
