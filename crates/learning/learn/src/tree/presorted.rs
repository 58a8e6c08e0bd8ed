//! A node's rows sorted along every feature, handed down from parent to children, so that a tree sorts only once.

use rayon::prelude::*;

use super::columns::Columns;
use super::ordinal::Ordinal;
use super::values::FEATURE_THRESHOLD;
use crate::Cancel;

/// Features of a block, the least work handed to a thread.
const BLOCK_FEATURES: usize = 64;

/// A node with more values (rows × features) is searched by several threads. It is about a millisecond of work, since a value
/// takes some nanoseconds ([`super::cost`]); handing work to another thread takes microseconds.
pub(super) const MIN_PARALLEL_VALUES: usize = 200_000;

/// The sorted orders of a node, in 16 bits per place if that is enough.
#[derive(Clone)]
pub(super) enum Presorted {
    /// A tree of at most 65,536 rows.
    Narrow(SortedOrders<u16>),
    Wide(SortedOrders<u32>),
}

/// The places of a node's rows by value, for each feature not known to be constant there.
#[derive(Clone)]
pub(super) struct SortedOrders<C> {
    rows: usize,
    blocks: Vec<FeatureBlock<C>>,
}

/// Some of the features with their orders.
#[derive(Clone)]
pub(super) struct FeatureBlock<C> {
    features: Vec<PresortedFeature>,
    /// One order after another.
    orders: Vec<C>,
}

#[derive(Debug, Clone, Copy)]
struct PresortedFeature {
    index: u32,
    mostly_differ: bool,
}

/// Where each of a node's rows goes: twice its place in the child, plus one if that is the right child.
pub(super) struct ChildPlaces(Vec<u32>);

impl ChildPlaces {
    /// From whether the row at each place goes left.
    pub(super) fn new(is_left: impl Iterator<Item = bool>) -> Self {
        let mut counts = [0, 0];
        let place = |is_left: bool| {
            let side = usize::from(!is_left);
            counts[side] += 1;
            (counts[side] - 1) << 1 | side as u32
        };
        Self(is_left.map(place).collect())
    }
}

impl Presorted {
    /// Sorts these rows, given ascending, along all features.
    pub(super) fn root(columns: &Columns, rows: &[u32], cancel: &Cancel) -> Self {
        match rows.len() <= 1 << 16 {
            true => Self::Narrow(SortedOrders::root(columns, rows, cancel)),
            false => Self::Wide(SortedOrders::root(columns, rows, cancel)),
        }
    }

    /// The orders of the left and the right child, which have these rows; empty for a child that is not wanted.
    pub(super) fn children(
        self,
        columns: &Columns,
        child_places: &ChildPlaces,
        rows: [&[u32]; 2],
        wanted: [bool; 2],
        cancel: &Cancel,
    ) -> [Self; 2] {
        match self {
            Self::Narrow(orders) => orders.children(columns, child_places, rows, wanted, cancel).map(Self::Narrow),
            Self::Wide(orders) => orders.children(columns, child_places, rows, wanted, cancel).map(Self::Wide),
        }
    }
}

impl<C: Ordinal> SortedOrders<C> {
    /// Sorts these rows, given ascending, along all features; along fewer if cancelled.
    pub(super) fn root(columns: &Columns, rows: &[u32], cancel: &Cancel) -> Self {
        let mut places = vec![u32::MAX; columns.rows()];
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
        let features: Vec<u32> = (0..columns.features() as u32).collect();
        let block = |features: &[u32]| {
            let mut block =
                FeatureBlock { features: Vec::new(), orders: Vec::with_capacity(features.len() * rows.len()) };
            for &index in features.iter().take_while(|_| !cancel.is_cancelled()) {
                let first = block.orders.len();
                let order = columns.order(index).rows.iter().map(|&row| places[row as usize]);
                block.orders.extend(order.filter(|&place| place != u32::MAX).map(C::from_u32));
                let feature = PresortedFeature { index, mostly_differ: columns.order(index).mostly_differ };
                match feature.may_vary(columns, &block.orders[first..], rows) {
                    true => block.features.push(feature),
                    false => block.orders.truncate(first),
                }
            }
            block
        };
        Self { rows: rows.len(), blocks: features.par_chunks(BLOCK_FEATURES).map(block).collect() }
    }

    /// The orders of both children; the left one's are written over the node's own.
    fn children(
        self,
        columns: &Columns,
        child_places: &ChildPlaces,
        rows: [&[u32]; 2],
        wanted: [bool; 2],
        cancel: &Cancel,
    ) -> [Self; 2] {
        let (is_parallel, node_rows) = (self.is_parallel(), self.rows);
        let lengths = rows.map(<[u32]>::len);
        let split = |block: FeatureBlock<C>| {
            let FeatureBlock { features, mut orders } = block;
            let mut left = Vec::with_capacity(features.len());
            let right_len = if wanted[1] { features.len() * lengths[1] } else { 0 };
            let mut right = FeatureBlock { features: left.clone(), orders: Vec::with_capacity(right_len) };
            let mut right_order = vec![C::default(); lengths[1] + 1];
            let not_cancelled = |_: &(PresortedFeature, usize)| !cancel.is_cancelled();
            for (feature, first) in features.into_iter().zip((0..).step_by(node_rows)).take_while(not_cancelled) {
                let start = left.len() * lengths[0];
                let mut counts = [0, 0];
                for position in first..first + node_rows {
                    let destination = child_places.0[orders[position].to_u32() as usize];
                    // Written on both sides, kept on one: faster than a branch, which could not be predicted.
                    orders[start + counts[0]] = C::from_u32(destination >> 1);
                    right_order[counts[1]] = C::from_u32(destination >> 1);
                    let is_right = (destination & 1) as usize;
                    counts[0] += 1 - is_right;
                    counts[1] += is_right;
                }
                if wanted[0] && feature.may_vary(columns, &orders[start..][..lengths[0]], rows[0]) {
                    left.push(feature);
                }
                let order = &right_order[..lengths[1]];
                if wanted[1] && feature.may_vary(columns, order, rows[1]) {
                    right.features.push(feature);
                    right.orders.extend_from_slice(order);
                }
            }
            orders.truncate(left.len() * lengths[0]);
            [FeatureBlock { features: left, orders }, right]
        };
        let blocks: Vec<[FeatureBlock<C>; 2]> = match is_parallel {
            true => self.blocks.into_par_iter().map(split).collect(),
            false => self.blocks.into_iter().map(split).collect(),
        };
        let (left, right) = blocks.into_iter().map(|[left, right]| (left, right)).unzip();
        [(lengths[0], left), (lengths[1], right)].map(|(rows, blocks)| Self { rows, blocks })
    }

    /// Whether the node is worth several threads.
    pub(super) fn is_parallel(&self) -> bool {
        self.blocks.iter().map(|block| block.orders.len()).sum::<usize>() > MIN_PARALLEL_VALUES
    }

    pub(super) fn blocks(&self) -> &[FeatureBlock<C>] {
        &self.blocks
    }
}

impl<C: Ordinal> FeatureBlock<C> {
    /// Each feature with its order; `rows` is the number of the node's rows.
    #[inline(always)]
    pub(super) fn iter(&self, rows: usize) -> impl Iterator<Item = (u32, &[C])> {
        self.features.iter().map(|feature| feature.index).zip(self.orders.chunks_exact(rows))
    }
}

impl PresortedFeature {
    /// Whether the feature may vary on a node's rows, given its order of them.
    fn may_vary<C: Ordinal>(&self, columns: &Columns, order: &[C], rows: &[u32]) -> bool {
        let value = |place: C| columns.column(self.index)[rows[place.to_u32() as usize] as usize];
        // Dropping constant features only saves time. Finding them costs two cache lines each, so it is tried where it may pay.
        self.mostly_differ || value(order[order.len() - 1]) > value(order[0]) + FEATURE_THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::columns::Layouts;
    use super::*;

    fn columns(rows: usize, features: usize, value: impl Fn(usize, usize) -> usize) -> Columns {
        let records = Array2::from_shape_fn((rows, features), |(row, feature)| value(row, feature) as f64);
        Columns::new(records.view(), Layouts { values: true, ..Layouts::default() }, &Cancel::new())
    }

    fn numbers<C: Ordinal>(orders: &SortedOrders<C>) -> Vec<u32> {
        orders.blocks.iter().flat_map(|block| block.orders.iter().map(|place| place.to_u32())).collect()
    }

    #[test]
    fn sixteen_bits_are_enough_for_65_536_rows_and_no_more() {
        for rows in [3, 1 << 16, (1 << 16) + 1] {
            // Values descend.
            let columns = columns(rows, 1, |row, _| rows - row);
            let row_numbers: Vec<u32> = (0..rows as u32).collect();
            let (order, is_narrow) = match Presorted::root(&columns, &row_numbers, &Cancel::new()) {
                Presorted::Narrow(orders) => (numbers(&orders), true),
                Presorted::Wide(orders) => (numbers(&orders), false),
            };
            assert!(order.into_iter().eq((0..rows as u32).rev()), "{rows} rows");
            assert_eq!(is_narrow, rows <= 1 << 16);
        }
    }

    #[test]
    fn children_that_are_wanted_get_the_orders_of_their_rows() {
        let columns = columns(9, 3, |row, feature| (row * 7 + feature * 5) % 9);
        let node_rows: Vec<u32> = (0..9).collect();
        let (left, right): (Vec<u32>, Vec<u32>) = node_rows.iter().partition(|&&row| row % 3 == 1);
        for wanted in [[true, true], [true, false], [false, true]] {
            let child_places = ChildPlaces::new(node_rows.iter().map(|row| row % 3 == 1));
            let root = |rows: &[u32]| SortedOrders::<u16>::root(&columns, rows, &Cancel::new());
            let children = root(&node_rows).children(&columns, &child_places, [&left, &right], wanted, &Cancel::new());
            for ((child, rows), wanted) in children.iter().zip([&left, &right]).zip(wanted) {
                let expected = if wanted { numbers(&root(rows)) } else { Vec::new() };
                assert_eq!(numbers(child), expected, "{wanted}");
            }
        }
    }
}
