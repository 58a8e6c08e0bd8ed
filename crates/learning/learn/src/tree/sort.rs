//! The order of rows along a feature: of all by their values, of a node's by their ranks where it is not kept from node to
//! node.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::code::Code;
use super::values::key;

/// Ranks that are compared at once.
const LANES: usize = 32;

/// Up to so many rows, counting for each those before it is quicker than sorting digit by digit.
const FEW: usize = 64;

/// Most bits of a digit.
const DIGIT: usize = 8;

/// Sorts the rows of one node after another.
#[derive(Default)]
pub(super) struct Sorter<C> {
    /// The ranks of the node's rows.
    pub(super) ranks: Vec<C>,
    /// The same, ascending.
    pub(super) sorted: Vec<C>,
    /// The places of the node's rows by rank, then by place.
    pub(super) order: Vec<u32>,
    before: Vec<C>,
    /// Ranks with their places, which are below the number of rows as ranks are.
    keys: Vec<(C, C)>,
    room: Vec<(C, C)>,
}

impl<C: Code> Sorter<C> {
    /// The lowest and the highest rank.
    #[inline(always)]
    pub(super) fn range(&self) -> (C, C) {
        let mut of = (self.ranks[0], self.ranks[0]);
        for &rank in &self.ranks {
            of = (of.0.min(rank), of.1.max(rank));
        }
        of
    }

    /// Takes the ranks of the node's rows along a feature.
    #[inline(always)]
    pub(super) fn take(&mut self, ranks: impl Iterator<Item = C>) {
        self.ranks.clear();
        self.ranks.extend(ranks);
    }

    /// Sorts the node's rows, whose ranks are below `above`, by rank, then by place.
    #[inline(always)]
    pub(super) fn sort(&mut self, above: usize) {
        if self.ranks.len() <= FEW { self.count() } else { self.by_digits(above) }
    }

    /// Sorts the places of a node by value, then by place; only where ranks do not tell all.
    pub(super) fn by_value(&mut self, rows: usize, value: impl Fn(u32) -> f32) {
        self.order.clear();
        self.order.extend(0..rows as u32);
        self.order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
    }

    #[inline(always)]
    fn count(&mut self) {
        let rows = self.ranks.len();
        self.before.clear();
        // Lanes beyond the last row count as any, and are not looked at.
        self.ranks.resize(rows.next_multiple_of(LANES), C::default());
        for own in self.ranks.chunks_exact(LANES) {
            let own: &[C; LANES] = own.try_into().expect("a chunk has its length");
            let mut before = [C::default(); LANES];
            for &rank in &self.ranks[..rows] {
                for lane in 0..LANES {
                    before[lane] = before[lane].plus(rank < own[lane]);
                }
            }
            self.before.extend_from_slice(&before);
        }
        self.ranks.truncate(rows);
        self.order.resize(rows, 0);
        self.sorted.resize(rows, C::default());
        // Rows of one rank come one after another.
        self.keys.clear();
        self.keys.resize(rows, (C::default(), C::default()));
        for ((&before, &rank), place) in self.before.iter().zip(&self.ranks).zip(0..) {
            let same = &mut self.keys[before.number() as usize].0;
            let at = (before.number() + same.number()) as usize;
            *same = same.plus(true);
            self.order[at] = place;
            self.sorted[at] = rank;
        }
    }

    fn by_digits(&mut self, above: usize) {
        let Self { ranks, sorted, order, keys, room, .. } = self;
        let rows = ranks.len();
        let bits = above.next_power_of_two().trailing_zeros() as usize;
        let digits = bits.div_ceil(DIGIT).max(1);
        let width = bits.div_ceil(digits);
        let by_digit = |number: usize| Digit { shift: number * width, mask: (1 << width) - 1 };
        order.resize(rows, 0);
        sorted.resize(rows, C::default());
        let last = |at: usize, (rank, place): (C, C)| {
            order[at] = place.number();
            sorted[at] = rank;
        };
        let of_ranks = ranks.iter().zip(0..).map(|(&rank, place)| (rank, C::of(place)));
        if digits == 1 {
            return by_digit(0).spread(ranks, of_ranks, last);
        }
        keys.resize(rows, (C::default(), C::default()));
        room.resize(rows, (C::default(), C::default()));
        by_digit(0).spread(ranks, of_ranks, |at, key| keys[at] = key);
        for number in 1..digits - 1 {
            by_digit(number).spread(ranks, keys.iter().copied(), |at, key| room[at] = key);
            std::mem::swap(keys, room);
        }
        by_digit(digits - 1).spread(ranks, keys.iter().copied(), last);
    }
}

/// Some bits of a rank.
struct Digit {
    shift: usize,
    mask: usize,
}

impl Digit {
    #[inline(always)]
    fn of<C: Code>(&self, rank: C) -> usize {
        rank.number() as usize >> self.shift & self.mask
    }

    /// Puts ranks with their places in the order of a digit; those of the same digit stay in order. `ranks` are the same, in
    /// any order, to be counted.
    #[inline(always)]
    fn spread<C: Code>(&self, ranks: &[C], keys: impl Iterator<Item = (C, C)>, mut put: impl FnMut(usize, (C, C))) {
        let mut next = [0_u32; 1 << DIGIT];
        ranks.iter().for_each(|&rank| next[self.of(rank)] += 1);
        starts(&mut next[..=self.mask]);
        for key in keys {
            let at = &mut next[self.of(key.0)];
            put(*at as usize, key);
            *at += 1;
        }
    }
}

/// Makes of how many there are of each digit, where those begin in the order of digits.
#[inline(always)]
pub(super) fn starts(counts: &mut [u32]) {
    let mut before = 0;
    for count in counts {
        before += *count;
        *count = before - *count;
    }
}

/// All rows by value, then by row: a radix sort by three digits of the values.
pub(super) fn by_value(column: &[f32]) -> Vec<u32> {
    const DIGIT: u32 = 11;
    let digit = |key: u32, place: usize| (key >> (DIGIT * place as u32)) as usize % (1 << DIGIT);
    let mut keys: Vec<(u32, u32)> = column.iter().map(|&value| key(value) as u32 ^ 1 << 31).zip(0..).collect();
    let mut nexts = [[0_u32; 1 << DIGIT]; 3];
    for &(key, _) in &keys {
        nexts.iter_mut().enumerate().for_each(|(place, next)| next[digit(key, place)] += 1);
    }
    let mut sorted = keys.clone();
    for (place, next) in nexts.iter_mut().enumerate() {
        starts(next);
        for &of in &keys {
            let next = &mut next[digit(of.0, place)];
            sorted[*next as usize] = of;
            *next += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_is_that_of_a_stable_sort<C: Code>(ranks: &[u32], above: usize) {
        let mut sorter = Sorter::<C>::default();
        let mut expected: Vec<u32> = (0..ranks.len() as u32).collect();
        expected.sort_by_key(|&place| ranks[place as usize]);
        for way in 0..3 {
            sorter.take(ranks.iter().map(|&rank| C::of(rank)));
            match way {
                0 => sorter.count(),
                1 => sorter.by_digits(above),
                _ => sorter.sort(above),
            }
            assert_eq!(sorter.order, expected);
            assert!(sorter.sorted.iter().map(|rank| rank.number()).eq(expected.iter().map(|&at| ranks[at as usize])));
        }
    }

    #[test]
    fn rows_are_sorted_by_rank_and_then_by_place_in_either_width_and_way() {
        for rows in [1, 2, 31, 32, 33, 64, 65, 1_000] {
            for distinct in [1, 2, 7, 200, 257, 65_536] {
                let rank = |row: u32| row.wrapping_mul(2_654_435_761) % distinct;
                let ranks: Vec<u32> = (0..rows).map(rank).collect();
                order_is_that_of_a_stable_sort::<u16>(&ranks, distinct as usize);
                order_is_that_of_a_stable_sort::<u32>(&ranks, distinct as usize);
            }
            let far: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 1_000_000).collect();
            order_is_that_of_a_stable_sort::<u32>(&far, 1_000_000);
            let wide: Vec<u32> = far.iter().map(|rank| rank % 65_537).collect();
            order_is_that_of_a_stable_sort::<u32>(&wide, 65_537);
        }
    }
}
