//! The order of a node's rows along a feature, where it is not kept from node to node.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::ranks::Code;

/// Ranks that are compared at once.
const LANES: usize = 32;

/// Up to so many rows, counting for each those before it is quicker than sorting digit by digit.
const FEW: usize = 96;

/// Bits of a digit.
const DIGIT: usize = 7;

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
        self.keys.clear();
        self.keys.extend(self.ranks.iter().zip(0..).map(|(&rank, place)| (rank, C::of(place))));
        self.room.resize(self.keys.len(), (C::default(), C::default()));
        let bits = above.next_power_of_two().trailing_zeros() as usize;
        for shift in (0..bits).step_by(DIGIT) {
            let digit = |rank: C| (rank.number() >> shift) as usize % (1 << DIGIT);
            let mut next = [0_u32; 1 << DIGIT];
            self.keys.iter().for_each(|&(rank, _)| next[digit(rank)] += 1);
            let mut before = 0;
            for next in &mut next {
                before += *next;
                *next = before - *next;
            }
            for &of in &self.keys {
                let place = &mut next[digit(of.0)];
                self.room[*place as usize] = of;
                *place += 1;
            }
            std::mem::swap(&mut self.keys, &mut self.room);
        }
        self.order.clear();
        self.order.extend(self.keys.iter().map(|(_, place)| place.number()));
        self.sorted.clear();
        self.sorted.extend(self.keys.iter().map(|(rank, _)| *rank));
    }
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
        for rows in [1, 2, 31, 32, 33, 96, 97, 1_000] {
            for distinct in [1, 2, 7, 200, 65_536] {
                let rank = |row: u32| row.wrapping_mul(2_654_435_761) % distinct;
                let ranks: Vec<u32> = (0..rows).map(rank).collect();
                order_is_that_of_a_stable_sort::<u16>(&ranks, distinct as usize);
                order_is_that_of_a_stable_sort::<u32>(&ranks, distinct as usize);
            }
            let far: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 1_000_000).collect();
            order_is_that_of_a_stable_sort::<u32>(&far, 1_000_000);
        }
    }
}
