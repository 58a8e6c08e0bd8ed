//! Labels and weights of the training rows, and those of one node in whole numbers.

use std::collections::HashMap;
use std::sync::OnceLock;

use ndarray::ArrayView2;

use super::groups::Groups;
use super::kernel::sum_of_squares;
use super::members::Form;
use super::rounding::Sums;
use super::thresholds::Seen;
use crate::random::RandomKey;

/// Labels that are worked on together.
pub(super) const LANES: usize = 16;

/// What some rows with each of 16 labels weigh.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Lanes(pub(super) [i32; LANES]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0; LANES]);

    #[inline(always)]
    pub(super) fn add(&mut self, other: &Self) {
        for lane in 0..LANES {
            self.0[lane] += other.0[lane];
        }
    }
}

/// Which labels each row has.
pub(super) struct Labels {
    count: usize,
    starts: Vec<u32>,
    labels: Vec<u32>,
    /// Which of the sets of labels that there are each row has.
    sets: Vec<u32>,
    set_count: usize,
}

impl Labels {
    pub(super) fn new(of_rows: ArrayView2<'_, bool>) -> Self {
        let (mut starts, mut labels) = (vec![0], Vec::new());
        for row in of_rows.rows() {
            labels.extend(row.iter().zip(0..).filter(|(has, _)| **has).map(|(_, label)| label));
            starts.push(labels.len() as u32);
        }
        let mut numbers = HashMap::new();
        let mut set = |row: &[u32]| {
            let next = numbers.len() as u32;
            *numbers.entry(&labels[row[0] as usize..row[1] as usize]).or_insert(next)
        };
        let sets = starts.windows(2).map(&mut set).collect();
        let set_count = numbers.len();
        Self { count: of_rows.ncols(), starts, labels, sets, set_count }
    }

    /// Sets of labels there are.
    pub(super) fn sets(&self) -> usize {
        self.set_count
    }

    /// Which of them a row has.
    #[inline(always)]
    pub(super) fn set(&self, row: u32) -> usize {
        self.sets[row as usize] as usize
    }

    /// Labels there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Those of a row.
    #[inline(always)]
    pub(super) fn of(&self, row: u32) -> &[u32] {
        let row = row as usize;
        &self.labels[self.starts[row] as usize..self.starts[row + 1] as usize]
    }
}

/// What each row counts for.
pub(super) struct Weights {
    pub(super) of_rows: Vec<f64>,
    /// They are whole numbers.
    pub(super) whole: bool,
    /// Their sum.
    pub(super) total: f64,
    /// A node's weights in whole numbers add up to less than this power of two, so that the squares of q sums fit an `i64`.
    full: f64,
}

impl Weights {
    pub(super) fn new(of_rows: Vec<f64>, labels: usize) -> Self {
        let bits = (62 - labels.next_power_of_two().trailing_zeros()) / 2;
        Self {
            whole: of_rows.iter().all(|weight| weight.fract() == 0.0),
            total: of_rows.iter().sum(),
            of_rows,
            full: f64::from(1 << bits.min(29)),
        }
    }

    /// What a weight of 1 becomes in whole numbers at a node of this weight: itself, if all are whole; else the power of
    /// two that uses the room there is, so that every node's are as exact, however light its rows are.
    fn scale(&self, weight: f64) -> f64 {
        if self.whole && weight < self.full {
            return 1.0;
        }
        let (_, exponent) = libm::frexp(weight);
        libm::ldexp(self.full, -exponent)
    }
}

/// A node's rows in whole numbers; kept and filled again for the next node.
#[derive(Default)]
pub(super) struct Local {
    /// One a row, at least 1.
    pub(super) weights: Vec<i32>,
    pub(super) weight: i32,
    /// What the rows with each label weigh.
    pub(super) with: Vec<i32>,
    /// Groups of 16 labels, each with one a row.
    pub(super) lanes: Vec<Lanes>,
    /// The same in less room, if the node is so light that all sums fit; else nothing.
    pub(super) light: Vec<[i16; LANES]>,
    pub(super) light_products: Vec<i32>,
    /// One a group.
    pub(super) totals: Vec<Lanes>,
    /// Of each row, its weight times what the rows with its labels weigh.
    pub(super) products: Vec<i64>,
    differing: Differing,
    groups: Groups,
    pub(super) scale: f64,
    /// The rows' own weights, once they are asked for.
    pub(super) sums: OnceLock<Sums>,
}

/// The labels that some rows of a node have and some do not.
#[derive(Default)]
struct Differing {
    /// What the rows with each weigh.
    with: Vec<i32>,
    /// Of all labels, their numbers among these.
    numbers: Vec<u32>,
}

impl Differing {
    /// Those of a row.
    #[inline(always)]
    fn of<'a>(&'a self, row: u32, labels: &'a Labels) -> impl Iterator<Item = u32> {
        labels.of(row).iter().map(|&label| self.numbers[label as usize]).filter(|&number| number != u32::MAX)
    }
}

impl Local {
    /// Takes the rows of a node.
    pub(super) fn fill(&mut self, rows: &[u32], weight: f64, weights: &Weights, labels: &Labels) {
        self.scale = weights.scale(weight);
        self.groups.forget();
        self.sums.take();
        self.with.clear();
        self.with.resize(labels.count(), 0);
        self.weights.clear();
        for &row in rows {
            // A row that would vanish beside the others still keeps a side from being empty.
            let weight = ((weights.of_rows[row as usize] * self.scale + 0.5) as i32).max(1);
            self.weights.push(weight);
            labels.of(row).iter().for_each(|&label| self.with[label as usize] += weight);
        }
        self.weight = self.weights.iter().sum();
    }

    /// Lays the rows out in lanes; after [`Local::fill`].
    pub(super) fn lay_out(&mut self, rows: &[u32], labels: &Labels) {
        let groups = labels.count().div_ceil(LANES);
        self.lanes.clear();
        self.lanes.resize(groups * rows.len(), Lanes::ZERO);
        self.products.clear();
        for (at, (&row, &weight)) in rows.iter().zip(&self.weights).enumerate() {
            let mut product = 0;
            for &label in labels.of(row) {
                let (group, lane) = (label as usize / LANES, label as usize % LANES);
                self.lanes[group * rows.len() + at].0[lane] = weight;
                product += i64::from(weight) * i64::from(self.with[label as usize]);
            }
            self.products.push(product);
        }
        self.totals.clear();
        self.totals.extend(self.with.chunks(LANES).map(|with| {
            let mut total = Lanes::ZERO;
            total.0[..with.len()].copy_from_slice(with);
            total
        }));
        self.light.clear();
        if self.is_light() {
            self.light.extend(self.lanes.iter().map(|lanes| lanes.0.map(|weight| weight as i16)));
            self.light_products.clear();
            self.light_products.extend(self.products.iter().map(|&product| product as i32));
        }
    }

    /// Whether 16 bits hold the sums of each label on either side of any split, and 31 those of their squares and of products:
    /// none is above that of all rows.
    fn is_light(&self) -> bool {
        let fit = self.with.iter().all(|&with| with <= i32::from(i16::MAX));
        fit && self.sum_of_squares() <= i64::from(i32::MAX)
    }
}

impl Local {
    /// Finds the labels that some of the rows have and some do not; after [`Local::fill`].
    pub(super) fn tell_apart(&mut self) {
        let Differing { with, numbers } = &mut self.differing;
        with.clear();
        numbers.clear();
        for &total in &self.with {
            let differs = total != 0 && total != self.weight;
            numbers.push(if differs { with.len() as u32 } else { u32::MAX });
            with.extend(differs.then_some(total));
        }
    }

    /// The node as random thresholds are drawn for it; after [`Local::tell_apart`].
    #[inline(always)]
    pub(super) fn seen(&self, path: RandomKey) -> Seen<'_> {
        Seen { path, weight: self.weight, scale: self.scale, with: &self.differing.with }
    }

    /// The weight of each row, and the labels it has of those that were told apart.
    #[inline(always)]
    pub(super) fn told_apart<'a>(
        &'a self,
        rows: &'a [u32],
        labels: &'a Labels,
    ) -> impl Iterator<Item = (i32, impl Iterator<Item = u32>)> {
        self.weights.iter().zip(rows).map(|(&weight, &row)| (weight, self.differing.of(row, labels)))
    }

    /// Tells the labels apart, and writes the rows as sums are made of them, in the form that is returned and in the order
    /// of [`Local::in_order`].
    pub(super) fn write(&mut self, rows: &[u32], labels: &Labels, into: &mut Vec<u32>) -> Form {
        self.tell_apart();
        self.groups.sort(rows, &self.weights, labels);
        if let Some(groups) = self.groups.iter() {
            for (rows, weight) in groups {
                Form::write_group(rows.len() as u32, weight, self.differing.of(rows[0], labels), into);
            }
            return Form::Groups;
        }
        let heaviest = self.weights.iter().fold(1, |heaviest, &weight| heaviest.max(weight));
        let form = Form::of(self.differing.with.len(), heaviest);
        self.told_apart(rows, labels).for_each(|(weight, labels)| form.write(weight, labels, into));
        form
    }

    /// The node's rows in the order that they were written in.
    pub(super) fn in_order<'a>(&'a self, rows: &'a [u32]) -> &'a [u32] {
        self.groups.rows().unwrap_or(rows)
    }

    /// Sum of the squares of what the rows with each label weigh.
    #[inline(always)]
    pub(super) fn sum_of_squares(&self) -> i64 {
        self.totals.iter().map(sum_of_squares).sum()
    }

    /// Whether both sides of a split, the left one of this weight, weigh at least `least` of the rows' own weights.
    #[inline(always)]
    pub(super) fn weighs_enough(&self, left: i32, least: f64) -> bool {
        weigh_enough([left, self.weight - left], self.scale, least)
    }
}

/// Whether both sides of a split weigh at least `least` of the rows' own weights, where a weight of 1 is `scale` in whole
/// numbers.
#[inline(always)]
pub(super) fn weigh_enough(sides: [i32; 2], scale: f64, least: f64) -> bool {
    sides.into_iter().all(|side| f64::from(side) >= least * scale)
}
