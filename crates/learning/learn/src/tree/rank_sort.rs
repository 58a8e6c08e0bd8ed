//! Sorts rows along a feature: a node's rows by rank, all training rows by value.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::ordinal::Ordinal;
use super::values::key;

/// Ranks compared at once by the counting sort: a vector register of 16-bit ranks.
const COMPARED_RANKS: usize = 32;

/// The most rows for which counting the rows before each is faster than a radix sort. `cargo xtask bench search --only single`
/// measures it again (random forests).
const COUNTING_SORT_MAX_ROWS: usize = 64;

/// The most bits of a radix sort's digit: 2⁸ counters stay in the nearest cache.
const MAX_DIGIT_BITS: usize = 8;

/// Sorts a node's rows by rank. Buffers are reused from node to node.
#[derive(Default)]
pub(super) struct RankSorter<C> {
    /// The ranks of the node's rows.
    pub(super) ranks: Vec<C>,
    /// The same ranks, ascending.
    pub(super) sorted: Vec<C>,
    /// The places of the node's rows by rank, then by place.
    pub(super) order: Vec<u32>,
    /// For each row, the number of rows with a lower rank.
    before: Vec<C>,
    /// Ranks with their places; a place fits the type of a rank, since both are below the number of rows.
    pairs: Vec<(C, C)>,
    buffer: Vec<(C, C)>,
}

impl<C: Ordinal> RankSorter<C> {
    /// The lowest and the highest rank.
    #[inline(always)]
    pub(super) fn range(&self) -> (C, C) {
        let (mut low, mut high) = (self.ranks[0], self.ranks[0]);
        for &rank in &self.ranks {
            (low, high) = (low.min(rank), high.max(rank));
        }
        (low, high)
    }

    /// Sets the ranks of the node's rows along a feature.
    #[inline(always)]
    pub(super) fn set_ranks(&mut self, ranks: impl Iterator<Item = C>) {
        self.ranks.clear();
        self.ranks.extend(ranks);
    }

    /// Sorts the node's rows by rank, then by place; all ranks are below `rank_count`.
    #[inline(always)]
    pub(super) fn sort(&mut self, rank_count: usize) {
        if self.ranks.len() <= COUNTING_SORT_MAX_ROWS { self.counting_sort() } else { self.radix_sort(rank_count) }
    }

    /// Sorts the node's rows by value, then by place, for features whose ranks do not tell which values differ.
    pub(super) fn sort_by_value(&mut self, rows: usize, value: impl Fn(u32) -> f32) {
        self.order.clear();
        self.order.extend(0..rows as u32);
        self.order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
    }

    #[inline(always)]
    fn counting_sort(&mut self) {
        let rows = self.ranks.len();
        self.before.clear();
        // Lanes beyond the last row are padding: counted, and never read.
        self.ranks.resize(rows.next_multiple_of(COMPARED_RANKS), C::default());
        for own in self.ranks.chunks_exact(COMPARED_RANKS) {
            let own: &[C; COMPARED_RANKS] = own.try_into().expect("a chunk has its length");
            let mut before = [C::default(); COMPARED_RANKS];
            for &rank in &self.ranks[..rows] {
                for lane in 0..COMPARED_RANKS {
                    before[lane] = before[lane].plus(rank < own[lane]);
                }
            }
            self.before.extend_from_slice(&before);
        }
        self.ranks.truncate(rows);
        self.order.resize(rows, 0);
        self.sorted.resize(rows, C::default());
        // Rows of equal rank get consecutive positions: `pairs` counts those placed so far.
        self.pairs.clear();
        self.pairs.resize(rows, (C::default(), C::default()));
        for ((&before, &rank), place) in self.before.iter().zip(&self.ranks).zip(0..) {
            let equal = &mut self.pairs[before.to_u32() as usize].0;
            let position = (before.to_u32() + equal.to_u32()) as usize;
            *equal = equal.plus(true);
            self.order[position] = place;
            self.sorted[position] = rank;
        }
    }

    fn radix_sort(&mut self, rank_count: usize) {
        let Self { ranks, sorted, order, pairs, buffer, .. } = self;
        let rows = ranks.len();
        let bits = rank_count.next_power_of_two().trailing_zeros() as usize;
        let digits = bits.div_ceil(MAX_DIGIT_BITS).max(1);
        let width = bits.div_ceil(digits);
        let digit = |index: usize| Digit { shift: index * width, mask: (1 << width) - 1 };
        order.resize(rows, 0);
        sorted.resize(rows, C::default());
        let store = |position: usize, (rank, place): (C, C)| {
            order[position] = place.to_u32();
            sorted[position] = rank;
        };
        let unsorted = ranks.iter().zip(0..).map(|(&rank, place)| (rank, C::from_u32(place)));
        if digits == 1 {
            return digit(0).scatter(ranks, unsorted, store);
        }
        pairs.resize(rows, (C::default(), C::default()));
        buffer.resize(rows, (C::default(), C::default()));
        digit(0).scatter(ranks, unsorted, |position, pair| pairs[position] = pair);
        for index in 1..digits - 1 {
            digit(index).scatter(ranks, pairs.iter().copied(), |position, pair| buffer[position] = pair);
            std::mem::swap(pairs, buffer);
        }
        digit(digits - 1).scatter(ranks, pairs.iter().copied(), store);
    }
}

/// A digit of a rank: some of its bits.
struct Digit {
    shift: usize,
    mask: usize,
}

impl Digit {
    #[inline(always)]
    fn value<C: Ordinal>(&self, rank: C) -> usize {
        rank.to_u32() as usize >> self.shift & self.mask
    }

    /// One pass of a radix sort: stores pairs of rank and place in the order of this digit, equal digits in the order given.
    /// `ranks` are the pairs' ranks in any order, to be counted.
    #[inline(always)]
    fn scatter<C: Ordinal>(
        &self,
        ranks: &[C],
        pairs: impl Iterator<Item = (C, C)>,
        mut store: impl FnMut(usize, (C, C)),
    ) {
        let mut next = [0_u32; 1 << MAX_DIGIT_BITS];
        ranks.iter().for_each(|&rank| next[self.value(rank)] += 1);
        starts(&mut next[..=self.mask]);
        for pair in pairs {
            let position = &mut next[self.value(pair.0)];
            store(*position as usize, pair);
            *position += 1;
        }
    }
}

/// Turns counts into the position where each counted group starts.
#[inline(always)]
pub(super) fn starts(counts: &mut [u32]) {
    let mut before = 0;
    for count in counts {
        before += *count;
        *count = before - *count;
    }
}

/// All rows of a column by value, then by row: a radix sort by three digits of the values' keys.
pub(super) fn sorted_by_value(column: &[f32]) -> Vec<u32> {
    const VALUE_DIGIT_BITS: u32 = 11;
    let digit = |key: u32, index: usize| (key >> (VALUE_DIGIT_BITS * index as u32)) as usize % (1 << VALUE_DIGIT_BITS);
    let mut keys: Vec<(u32, u32)> = column.iter().map(|&value| key(value) as u32 ^ 1 << 31).zip(0..).collect();
    let mut nexts = [[0_u32; 1 << VALUE_DIGIT_BITS]; 3];
    for &(key, _) in &keys {
        nexts.iter_mut().enumerate().for_each(|(index, next)| next[digit(key, index)] += 1);
    }
    let mut sorted = keys.clone();
    for (index, next) in nexts.iter_mut().enumerate() {
        starts(next);
        for &pair in &keys {
            let next = &mut next[digit(pair.0, index)];
            sorted[*next as usize] = pair;
            *next += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_is_that_of_a_stable_sort<C: Ordinal>(ranks: &[u32], rank_count: usize) {
        let mut sorter = RankSorter::<C>::default();
        let mut expected: Vec<u32> = (0..ranks.len() as u32).collect();
        expected.sort_by_key(|&place| ranks[place as usize]);
        for method in 0..3 {
            sorter.set_ranks(ranks.iter().map(|&rank| C::from_u32(rank)));
            match method {
                0 => sorter.counting_sort(),
                1 => sorter.radix_sort(rank_count),
                _ => sorter.sort(rank_count),
            }
            assert_eq!(sorter.order, expected);
            assert!(
                sorter.sorted.iter().map(|rank| rank.to_u32()).eq(expected.iter().map(|&place| ranks[place as usize]))
            );
        }
    }

    #[test]
    fn rows_are_sorted_by_rank_and_then_by_place_in_either_width() {
        for rows in [1, 2, 31, 32, 33, 64, 65, 1_000] {
            for distinct in [1, 2, 7, 200, 257, 65_536] {
                let rank = |row: u32| row.wrapping_mul(2_654_435_761) % distinct;
                let ranks: Vec<u32> = (0..rows).map(rank).collect();
                order_is_that_of_a_stable_sort::<u16>(&ranks, distinct as usize);
                order_is_that_of_a_stable_sort::<u32>(&ranks, distinct as usize);
            }
            let many: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 1_000_000).collect();
            order_is_that_of_a_stable_sort::<u32>(&many, 1_000_000);
            let wide: Vec<u32> = many.iter().map(|rank| rank % 65_537).collect();
            order_is_that_of_a_stable_sort::<u32>(&wide, 65_537);
        }
    }
}
