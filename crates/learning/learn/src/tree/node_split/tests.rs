use ndarray::Array2;
use pulp::{Arch, Scalar};

use super::super::best_small_node;
use super::super::columns::{Columns, Layouts};
use super::super::ranks::RankTable;
use super::super::row_labels::RowLabels;
use super::super::row_weights::RowWeights;
use super::super::split_record::LeafLimits;
use super::*;
use crate::Cancel;
use crate::random::RandomKey;

fn variants<const COUNT: usize>(limits: [(usize, f64); COUNT]) -> [LeafLimits; COUNT] {
    limits.map(|(min_rows, min_weight)| LeafLimits { min_rows, min_weight })
}

mod best {
    use super::*;

    const FEATURES: usize = 20;
    const LABELS: usize = 18;

    /// Distant, equal and nearly equal values; chains of nearly equal ones in every fifth column.
    fn value(draw: u32, feature: usize) -> f64 {
        match feature % 5 {
            0 => f64::from(draw % 1_000) / 100.0,
            1 => f64::from(draw % 3),
            2 => 0.5 + f64::from(draw % 2) * 5e-8 + f64::from(draw / 2 % 2),
            3 => f64::from(draw % 9) * 6e-8,
            _ => 4.0,
        }
    }

    fn by_rank<C: RankWidth, const ENTROPY: bool, const SMALL_NODE: bool>(
        splitter: &NodeSplitter<'_>,
        node: &SplitRequest<'_>,
    ) -> Vec<SplitRecord> {
        let columns = splitter.columns;
        let ranks = RankTable::<C>::new(columns.values(), (columns.rows(), columns.features()), &Cancel::new());
        let mut scratch = SplitScratch::new(splitter);
        scratch.best.resize(splitter.variants.len(), SplitRecord::NONE);
        scratch.statistics.fill(node.rows, node.weight, splitter.weights, splitter.labels);
        scratch.statistics.fill_lanes(node.rows, splitter.labels);
        let compact = C::compact(&mut scratch.compact);
        compact.copy_rows(ranks.row_by_row(), columns.features(), node.rows);
        compact.find_places(node.rows, &mut scratch.places);
        scratch.pool.begin(node.path);
        match SMALL_NODE {
            true => assert!(splitter.best_split_small_node::<ENTROPY, 16, C>(node, &ranks, &mut scratch)),
            false => splitter.best_split_drawn::<ENTROPY, C>(node, &ranks, &mut scratch, 0),
        }
        splitter.place_rank_thresholds(node, &ranks, &mut scratch.best);
        scratch.best
    }

    fn presorted<C: Ordinal>(
        splitter: &NodeSplitter<'_>,
        node: &SplitRequest<'_>,
        variant: fn(SortedOrders<C>) -> Presorted,
    ) -> Vec<SplitRecord> {
        let mut scratch = SplitScratch::new(splitter);
        let orders = SortedOrders::root(splitter.columns, node.rows, &splitter.cancel);
        splitter.split(node, Some(&variant(orders)), &mut scratch);
        scratch.best
    }

    fn every_search_agrees<const ENTROPY: bool>(criterion: Criterion) {
        let mut splits = 0;
        for seed in 0..300 {
            let draw = |place: u32| RandomKey::root(seed, 0).draw(place).priority;
            let rows = 2 + seed as usize % (best_small_node::SMALL_NODE_ROWS - 1);
            let records = Array2::from_shape_fn((40, FEATURES), |(row, feature)| {
                value(draw((row * FEATURES + feature) as u32), feature)
            });
            let targets =
                Array2::from_shape_fn((40, LABELS), |(row, label)| draw((row * 31 + label) as u32).is_multiple_of(4));
            let (columns, labels) = (
                Columns::new(records.view(), Layouts { values: true, ..Layouts::default() }, &Cancel::new()),
                RowLabels::new(targets.view()),
            );
            let weights = RowWeights::new((0..40).map(|row| f64::from(1 + draw(row) % 3)).collect(), LABELS);
            let rows: Vec<u32> = (0..rows as u32).map(|row| row * 4 + 1).collect();
            let weight = rows.iter().map(|&row| weights.per_row[row as usize]).sum();
            let variants = variants([(1, 0.0), (2, 0.0), (1, 3.0)]);
            let splitter = NodeSplitter {
                arch: Arch::new(),
                columns: &columns,
                labels: &labels,
                weights: &weights,
                criterion,
                splitter: Splitter::Best,
                max_features: FEATURES,
                variants: &variants,
                cancel: Cancel::new(),
            };
            let node =
                SplitRequest { path: RandomKey::root(seed, 1), rows: &rows, weight, variants: 0b111, is_compact: true };
            let splits_of = |best: Vec<SplitRecord>| -> Vec<(u32, f64)> {
                best.iter().map(|best| (best.feature, best.threshold)).collect()
            };
            let expected = splits_of(presorted(&splitter, &node, Presorted::Narrow));
            assert_eq!(splits_of(presorted(&splitter, &node, Presorted::Wide)), expected, "{seed}");
            assert_eq!(splits_of(by_rank::<u16, ENTROPY, true>(&splitter, &node)), expected, "{seed}");
            assert_eq!(splits_of(by_rank::<u32, ENTROPY, true>(&splitter, &node)), expected, "{seed}");
            assert_eq!(splits_of(by_rank::<u16, ENTROPY, false>(&splitter, &node)), expected, "{seed}");
            assert_eq!(splits_of(by_rank::<u32, ENTROPY, false>(&splitter, &node)), expected, "{seed}");
            splits += expected.iter().filter(|(feature, _)| *feature != u32::MAX).count();
        }
        assert!(splits > 500, "{splits}");
    }

    #[test]
    fn every_search_for_the_best_split_finds_the_same() {
        every_search_agrees::<false>(Criterion::Gini);
        every_search_agrees::<true>(Criterion::Entropy);
    }
}

#[test]
fn random_splits_of_a_small_node_are_as_good_as_a_search_of_all_features() {
    const FEATURES: usize = 40;
    let draw = |place: usize| RandomKey::root(11, 0).draw(place as u32).priority;
    let records = Array2::from_shape_fn((60, FEATURES), |(row, feature)| f64::from(draw(row << 8 | feature) % 9));
    let targets = Array2::from_shape_fn((60, 5), |(row, label)| draw(1 << 20 | row << 4 | label).is_multiple_of(3));
    let layouts = Layouts { values: true, tiles: true, ..Layouts::default() };
    let columns = Columns::new(records.view(), layouts, &Cancel::new());
    let labels = RowLabels::new(targets.view());
    let weights = RowWeights::new((0..60).map(|row| f64::from(1 + draw(row) % 3)).collect(), 5);
    let limits = variants([(1, 0.0), (2, 0.0), (1, 3.0)]);
    for seed in 0..300 {
        let first = seed as usize % 50;
        let rows: Vec<u32> = (first as u32..).take(2 + seed as usize % (SMALL_NODE_ROWS - 1)).collect();
        let splitter = NodeSplitter::random(&columns, &labels, &weights, FEATURES, &limits);
        let weight = rows.iter().map(|&row| weights.per_row[row as usize]).sum();
        let best = |variants: u64, is_compact: bool, as_small_node: bool| {
            let node = SplitRequest { path: RandomKey::root(seed, 1), rows: &rows, weight, variants, is_compact };
            let mut scratch = SplitScratch::new(&splitter);
            scratch.best.resize(3, SplitRecord::NONE);
            scratch.statistics.fill(&rows, weight, &weights, &labels);
            splitter.copy_branch(&rows, &mut scratch);
            match as_small_node {
                true => splitter.random_split_small_node::<false>(&node, &mut scratch),
                false => splitter.random_split_drawn::<_, false, TILE_FEATURES>(Scalar::new(), &node, &mut scratch),
            }
            scratch.best.into_iter().map(|best| (best.cost, best.feature, best.threshold)).collect::<Vec<_>>()
        };
        let (small, full) = (best(0b111, false, true), best(0b111, false, false));
        assert_eq!(small, best(0b111, true, true), "compact or not");
        for variant in 0..3 {
            assert_eq!(small[variant], best(1 << variant, true, true)[variant], "alone");
            let (cost, full_cost) = (small[variant].0, full[variant].0);
            // Splits of two rows cost nothing, up to rounding.
            let is_equal = cost == full_cost || rows.len() == 2 && (cost - full_cost).abs() < 1e-3;
            assert!(is_equal, "{small:?} {full:?}");
        }
    }
}

#[test]
fn random_splits_of_a_compact_branch_are_those_of_the_full_columns() {
    const FEATURES: usize = 90;
    let draw = |place: usize| RandomKey::root(11, 0).draw(place as u32).priority;
    let records = Array2::from_shape_fn((200, FEATURES), |(row, feature)| f64::from(draw(row << 8 | feature) % 50));
    let targets = Array2::from_shape_fn((200, 5), |(row, label)| draw(1 << 20 | row << 4 | label).is_multiple_of(3));
    let layouts = Layouts { values: true, keys: true, ..Layouts::default() };
    let columns = Columns::new(records.view(), layouts, &Cancel::new());
    let (labels, weights) = (RowLabels::new(targets.view()), RowWeights::new(vec![1.0; 200], 5));
    let variants = variants([(1, 0.0), (5, 0.0)]);
    for (seed, max_features) in (0..).zip([3, 16, 40, 60, 89]) {
        let splitter = NodeSplitter::random(&columns, &labels, &weights, max_features, &variants);
        let branch: Vec<u32> = (20..150).collect();
        for rows in [&branch[..], &branch[40..100], &branch[7..16]] {
            let best = |is_compact: bool| {
                let weight = rows.len() as f64;
                let node = SplitRequest { path: RandomKey::root(seed, 1), rows, weight, variants: 0b11, is_compact };
                let mut scratch = SplitScratch::new(&splitter);
                splitter.copy_branch(&branch, &mut scratch);
                splitter.split(&node, None, &mut scratch);
                scratch.best.iter().map(|best| (best.cost, best.feature, best.threshold)).collect::<Vec<_>>()
            };
            let compact = best(true);
            assert!(compact[0].0 < f64::INFINITY && compact == best(false), "{max_features} features");
        }
    }
}
