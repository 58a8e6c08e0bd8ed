//! The orders of a node's rows along all features, handed down from node to node: sorting once serves the whole tree.

use rayon::prelude::*;

use super::columns::{Columns, SAME};
use super::ranks::Code;
use super::split::SHARED;

/// Features that one thread works on at least.
const PART: usize = 64;

/// The orders of a node's rows, in 16 bits a place if that is enough.
pub(super) enum Presorted {
    /// Of a tree of at most 65,536 rows.
    Narrow(Orders<u16>),
    Wide(Orders<u32>),
}

/// The places of a node's rows by value, for each feature but those known to be constant there.
pub(super) struct Orders<C> {
    rows: usize,
    parts: Vec<Part<C>>,
}

/// Some of the features.
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
    pub(super) fn root(columns: &Columns, rows: &[u32]) -> Self {
        match rows.len() <= 1 << 16 {
            true => Self::Narrow(Orders::root(columns, rows)),
            false => Self::Wide(Orders::root(columns, rows)),
        }
    }

    /// The orders of both children, the left one first, whose rows are these.
    pub(super) fn children(&self, columns: &Columns, sides: &Sides, rows: [&[u32]; 2]) -> [Self; 2] {
        match self {
            Self::Narrow(orders) => orders.children(columns, sides, rows).map(Self::Narrow),
            Self::Wide(orders) => orders.children(columns, sides, rows).map(Self::Wide),
        }
    }
}

impl<C: Code> Orders<C> {
    /// The orders of these rows (ascending) along all features.
    pub(super) fn root(columns: &Columns, rows: &[u32]) -> Self {
        let mut places = vec![u32::MAX; columns.rows()];
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
        let all: Vec<u32> = (0..columns.features() as u32).collect();
        let part = |features: &[u32]| {
            let mut part = Part::with_room(features.len(), rows.len());
            for &feature in features {
                let of_node = columns.order(feature).rows.iter().map(|&row| places[row as usize]);
                part.orders.extend(of_node.filter(|&place| place != u32::MAX).map(C::of));
                let feature = Feature { index: feature, mostly_differ: columns.order(feature).mostly_differ };
                part.keep_if_it_varies(columns, feature, rows);
            }
            part
        };
        Self { rows: rows.len(), parts: all.par_chunks(PART).map(part).collect() }
    }

    /// The orders of both children, the left one first, whose rows are these.
    fn children(&self, columns: &Columns, sides: &Sides, rows: [&[u32]; 2]) -> [Self; 2] {
        let part = |of: &Part<C>| {
            let mut parts = rows.map(|rows| Part::with_room(of.features.len(), rows.len()));
            let mut orders = rows.map(|rows| vec![C::default(); rows.len() + 1]);
            for (&feature, of_node) in of.features.iter().zip(of.orders.chunks_exact(self.rows)) {
                let [left, right] = &mut orders;
                let mut found = [0, 0];
                for &place in of_node {
                    let to = sides.0[place.number() as usize];
                    // Written on both sides and kept where it counts: quicker than a branch that nobody can foresee.
                    left[found[0]] = C::of(to >> 1);
                    right[found[1]] = C::of(to >> 1);
                    let is_right = (to & 1) as usize;
                    found[0] += 1 - is_right;
                    found[1] += is_right;
                }
                for ((part, order), rows) in parts.iter_mut().zip(&orders).zip(rows) {
                    part.orders.extend_from_slice(&order[..rows.len()]);
                    part.keep_if_it_varies(columns, feature, rows);
                }
            }
            parts
        };
        let parts: Vec<[Part<C>; 2]> = match self.is_shared() {
            true => self.parts.par_iter().map(part).collect(),
            false => self.parts.iter().map(part).collect(),
        };
        let (left, right) = parts.into_iter().map(|[left, right]| (left, right)).unzip();
        [(rows[0].len(), left), (rows[1].len(), right)].map(|(rows, parts)| Self { rows, parts })
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
    fn with_room(features: usize, rows: usize) -> Self {
        Self { features: Vec::with_capacity(features), orders: Vec::with_capacity(features * rows) }
    }

    /// Each feature with its order of a node's rows.
    #[inline(always)]
    pub(super) fn iter(&self, rows: usize) -> impl Iterator<Item = (u32, &[C])> {
        self.features.iter().map(|feature| feature.index).zip(self.orders.chunks_exact(rows))
    }

    /// Adds the feature whose order was put last, unless it may well be constant and is.
    fn keep_if_it_varies(&mut self, columns: &Columns, feature: Feature, rows: &[u32]) {
        let order = &self.orders[self.orders.len() - rows.len()..];
        let value = |place: C| columns.column(feature.index)[rows[place.number() as usize] as usize];
        let varies = || value(order[rows.len() - 1]) > value(order[0]) + SAME;
        // Constant features have no cut anyway; to look for them costs two cache lines each.
        if feature.mostly_differ || varies() {
            self.features.push(feature);
        } else {
            self.orders.truncate(self.orders.len() - rows.len());
        }
    }
}
