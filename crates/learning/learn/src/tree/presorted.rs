//! The orders of a node's rows along all features, handed down from node to node: sorting once serves the whole tree.

use rayon::prelude::*;

use super::code::Code;
use super::columns::Columns;
use super::split::SHARED;
use super::values::SAME;
use crate::Cancel;

/// Features that one thread works on at least.
const PART: usize = 64;

/// The orders of a node's rows, in 16 bits a place if that is enough.
#[derive(Clone)]
pub(super) enum Presorted {
    /// Of a tree of at most 65,536 rows.
    Narrow(Orders<u16>),
    Wide(Orders<u32>),
}

/// The places of a node's rows by value, for each feature but those known to be constant there.
#[derive(Clone)]
pub(super) struct Orders<C> {
    rows: usize,
    parts: Vec<Part<C>>,
}

/// Some of the features.
#[derive(Clone)]
pub(super) struct Part<C> {
    features: Vec<Feature>,
    /// One after another.
    orders: Vec<C>,
}

#[derive(Debug, Clone, Copy)]
struct Feature {
    index: u32,
    mostly_differ: bool,
}

/// Where the rows of a node go: twice the place in the child, and one more if that is the right one.
pub(super) struct Sides(Vec<u32>);

impl Sides {
    /// Of the rows at each place, whether they go left.
    pub(super) fn new(is_left: impl Iterator<Item = bool>) -> Self {
        let mut found = [0, 0];
        let place = |is_left: bool| {
            let side = usize::from(!is_left);
            found[side] += 1;
            (found[side] - 1) << 1 | side as u32
        };
        Self(is_left.map(place).collect())
    }
}

impl Presorted {
    /// The orders of these rows (ascending) along all features.
    pub(super) fn root(columns: &Columns, rows: &[u32], cancel: &Cancel) -> Self {
        match rows.len() <= 1 << 16 {
            true => Self::Narrow(Orders::root(columns, rows, cancel)),
            false => Self::Wide(Orders::root(columns, rows, cancel)),
        }
    }

    /// The orders of both children, the left one first, whose rows are these; of those that are wanted.
    pub(super) fn children(
        self,
        columns: &Columns,
        sides: &Sides,
        rows: [&[u32]; 2],
        wanted: [bool; 2],
        cancel: &Cancel,
    ) -> [Self; 2] {
        match self {
            Self::Narrow(orders) => orders.children(columns, sides, rows, wanted, cancel).map(Self::Narrow),
            Self::Wide(orders) => orders.children(columns, sides, rows, wanted, cancel).map(Self::Wide),
        }
    }
}

impl<C: Code> Orders<C> {
    /// The orders of these rows (ascending) along all features, or fewer where it is cancelled.
    pub(super) fn root(columns: &Columns, rows: &[u32], cancel: &Cancel) -> Self {
        let mut places = vec![u32::MAX; columns.rows()];
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
        let all: Vec<u32> = (0..columns.features() as u32).collect();
        let part = |features: &[u32]| {
            let mut part = Part { features: Vec::new(), orders: Vec::with_capacity(features.len() * rows.len()) };
            for &index in features.iter().take_while(|_| !cancel.is_cancelled()) {
                let first = part.orders.len();
                let of_node = columns.order(index).rows.iter().map(|&row| places[row as usize]);
                part.orders.extend(of_node.filter(|&place| place != u32::MAX).map(C::of));
                let feature = Feature { index, mostly_differ: columns.order(index).mostly_differ };
                match feature.may_vary(columns, &part.orders[first..], rows) {
                    true => part.features.push(feature),
                    false => part.orders.truncate(first),
                }
            }
            part
        };
        Self { rows: rows.len(), parts: all.par_chunks(PART).map(part).collect() }
    }

    /// The orders of both children. Those of the left one take the place of the node's own.
    fn children(
        self,
        columns: &Columns,
        sides: &Sides,
        rows: [&[u32]; 2],
        wanted: [bool; 2],
        cancel: &Cancel,
    ) -> [Self; 2] {
        let (is_shared, of_node) = (self.is_shared(), self.rows);
        let lengths = rows.map(<[u32]>::len);
        let part = |part: Part<C>| {
            let Part { features, mut orders } = part;
            let mut left = Vec::with_capacity(features.len());
            let room_right = if wanted[1] { features.len() * lengths[1] } else { 0 };
            let mut right = Part { features: left.clone(), orders: Vec::with_capacity(room_right) };
            let mut room = vec![C::default(); lengths[1] + 1];
            let wanted_still = |_: &(Feature, usize)| !cancel.is_cancelled();
            for (feature, first) in features.into_iter().zip((0..).step_by(of_node)).take_while(wanted_still) {
                let begin = left.len() * lengths[0];
                let mut found = [0, 0];
                for at in first..first + of_node {
                    let to = sides.0[orders[at].number() as usize];
                    // Written on both sides and kept where it counts: quicker than a branch that nobody can foresee.
                    orders[begin + found[0]] = C::of(to >> 1);
                    room[found[1]] = C::of(to >> 1);
                    let is_right = (to & 1) as usize;
                    found[0] += 1 - is_right;
                    found[1] += is_right;
                }
                if wanted[0] && feature.may_vary(columns, &orders[begin..][..lengths[0]], rows[0]) {
                    left.push(feature);
                }
                let order = &room[..lengths[1]];
                if wanted[1] && feature.may_vary(columns, order, rows[1]) {
                    right.features.push(feature);
                    right.orders.extend_from_slice(order);
                }
            }
            orders.truncate(left.len() * lengths[0]);
            [Part { features: left, orders }, right]
        };
        let parts: Vec<[Part<C>; 2]> = match is_shared {
            true => self.parts.into_par_iter().map(part).collect(),
            false => self.parts.into_iter().map(part).collect(),
        };
        let (left, right) = parts.into_iter().map(|[left, right]| (left, right)).unzip();
        [(lengths[0], left), (lengths[1], right)].map(|(rows, parts)| Self { rows, parts })
    }

    /// Whether the node is worth several threads.
    pub(super) fn is_shared(&self) -> bool {
        self.parts.iter().map(|part| part.orders.len()).sum::<usize>() > SHARED
    }

    pub(super) fn parts(&self) -> &[Part<C>] {
        &self.parts
    }
}

impl<C: Code> Part<C> {
    /// Each feature with its order of a node's rows.
    #[inline(always)]
    pub(super) fn iter(&self, rows: usize) -> impl Iterator<Item = (u32, &[C])> {
        self.features.iter().map(|feature| feature.index).zip(self.orders.chunks_exact(rows))
    }
}

impl Feature {
    /// Whether it may differ between these rows, which are in its order.
    fn may_vary<C: Code>(&self, columns: &Columns, order: &[C], rows: &[u32]) -> bool {
        let value = |place: C| columns.column(self.index)[rows[place.number() as usize] as usize];
        // Constant features have no cut anyway; to look for them costs two cache lines each.
        self.mostly_differ || value(order[order.len() - 1]) > value(order[0]) + SAME
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

    fn numbers<C: Code>(orders: &Orders<C>) -> Vec<u32> {
        orders.parts.iter().flat_map(|part| part.orders.iter().map(|place| place.number())).collect()
    }

    #[test]
    fn sixteen_bits_are_enough_for_65_536_rows_and_no_more() {
        for rows in [3, 1 << 16, (1 << 16) + 1] {
            // The largest value first.
            let columns = columns(rows, 1, |row, _| rows - row);
            let all: Vec<u32> = (0..rows as u32).collect();
            let (order, is_narrow) = match Presorted::root(&columns, &all, &Cancel::new()) {
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
        let all: Vec<u32> = (0..9).collect();
        let (left, right): (Vec<u32>, Vec<u32>) = all.iter().partition(|&&row| row % 3 == 1);
        for wanted in [[true, true], [true, false], [false, true]] {
            let sides = Sides::new(all.iter().map(|row| row % 3 == 1));
            let root = |rows: &[u32]| Orders::<u16>::root(&columns, rows, &Cancel::new());
            let children = root(&all).children(&columns, &sides, [&left, &right], wanted, &Cancel::new());
            for ((child, rows), wanted) in children.iter().zip([&left, &right]).zip(wanted) {
                let expected = if wanted { numbers(&root(rows)) } else { Vec::new() };
                assert_eq!(numbers(child), expected, "{wanted}");
            }
        }
    }
}
