//! What the settings of one growth make of its trees: each cuts them in its own way, adds up what they say of the same rows,
//! and judges the forests that are complete.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut3, Axis, s};
use rayon::prelude::*;

use super::cut::Cut;
use super::grow::Grown;
use crate::Cancel;

/// Rows that a thread takes at a time.
const ROWS: usize = 64;

/// Most numbers that the sums of one piece of the truncations have: 64 MB.
const SUMS: usize = 8 << 20;

/// A cut, and who wants it.
pub(super) struct Wanted {
    pub(super) cut: Cut,
    /// By the number of trees: the settings that have so many.
    pub(super) settings: BTreeMap<u32, Vec<usize>>,
}

impl Wanted {
    fn most_trees(&self) -> u32 {
        self.settings.last_key_value().map_or(0, |(&trees, _)| trees)
    }

    /// Judges the forest of so many trees, whose shares add up to these, for every setting that wants it.
    fn judge<T: Clone>(
        &self,
        trees: u32,
        sums: ArrayView2<'_, f64>,
        judge: &impl Fn(ArrayView2<'_, f64>) -> T,
    ) -> Vec<(usize, T)> {
        let Some(settings) = self.settings.get(&trees) else { return Vec::new() };
        let result = judge(sums.mapv(|sum| sum / f64::from(trees)).view());
        settings.iter().map(|&index| (index, result.clone())).collect()
    }
}

/// Cuts of one variant that only cut trees off: a row passes a grown tree once for all of them.
pub(super) struct Truncations<T> {
    wanted: Vec<Wanted>,
    /// Rows × cuts × labels, while trees are missing: the shares of the trees so far.
    sums: Option<Array3<f64>>,
    /// By setting.
    pub(super) results: Vec<(usize, T)>,
}

/// A cut that makes a tree of its own.
pub(super) struct OwnTree<T> {
    wanted: Wanted,
    /// Rows × labels, while trees are missing.
    sums: Option<Array2<f64>>,
    /// By setting.
    pub(super) results: Vec<(usize, T)>,
}

/// Sorts cuts, which are to be judged on so many rows with so many labels: truncations in pieces, and the others.
pub(super) fn sort<T>(all: Vec<Wanted>, rows: usize, labels: usize) -> (Vec<Truncations<T>>, Vec<OwnTree<T>>) {
    let most = (SUMS / (rows * labels).max(1)).max(1);
    let (mut truncations, mut others): (Vec<Truncations<T>>, _) = (Vec::new(), Vec::new());
    for wanted in all {
        if !wanted.cut.only_truncates() {
            others.push(OwnTree { wanted, sums: None, results: Vec::new() });
            continue;
        }
        let variant = wanted.cut.variant;
        let has_room = |of: &&mut Truncations<T>| of.wanted.len() < most && of.wanted[0].cut.variant == variant;
        match truncations.iter_mut().find(has_room) {
            Some(of) => of.wanted.push(wanted),
            None => truncations.push(Truncations { wanted: vec![wanted], sums: None, results: Vec::new() }),
        }
    }
    (truncations, others)
}

impl<T: Clone + Send> Truncations<T> {
    /// Adds what some trees, from number `first` on, say of the rows, and judges the forests that are complete; fewer
    /// where it is cancelled.
    pub(super) fn take(
        &mut self,
        first: u32,
        grown: &[Grown],
        rows: &Array2<f32>,
        labels: usize,
        judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
        cancel: &Cancel,
    ) {
        let mut from = 0;
        while from < grown.len() && !cancel.is_cancelled() {
            let number = first + from as u32;
            let sizes = self.wanted.iter().flat_map(|of| of.settings.range(number + 1..).next());
            let Some(next) = sizes.map(|(&trees, _)| trees).min() else { break };
            let to = grown.len().min((next - first) as usize);
            let cuts = self.wanted.len();
            let mut sums = self.sums.take().unwrap_or_else(|| Array3::zeros((rows.nrows(), cuts, labels)));
            self.add(number, &grown[from..to], rows, &mut sums, cancel);
            if first + to as u32 == next {
                self.judge(next, &sums, judge);
            }
            self.sums = Some(sums);
            from = to;
        }
        if self.wanted.iter().all(|of| of.most_trees() <= first + grown.len() as u32) {
            self.sums = None;
        }
    }

    /// Adds what some trees, of which the first has this number, say of the rows.
    fn add(&self, number: u32, grown: &[Grown], rows: &Array2<f32>, sums: &mut Array3<f64>, cancel: &Cancel) {
        let growing = self.wanted.iter().enumerate().filter(|(_, of)| of.most_trees() > number);
        let growing: Vec<(usize, &Cut)> = growing.map(|(at, of)| (at, &of.cut)).collect();
        let Some(earliest) = Cut::earliest(growing.iter().map(|(_, cut)| *cut)) else { return };
        let stretch = |(rows, mut sums): (ArrayView2<'_, f32>, ArrayViewMut3<'_, f64>)| {
            let mut open = Vec::new();
            for grown in grown.iter().take_while(|_| !cancel.is_cancelled()) {
                for (row, mut sums) in rows.rows().into_iter().zip(sums.outer_iter_mut()) {
                    open.clone_from(&growing);
                    grown.pass(row.to_slice().expect("row-major"), earliest, &mut open, |cut, shares| {
                        sums.row_mut(cut).iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
                    });
                }
            }
        };
        let stretches = rows.axis_chunks_iter(Axis(0), ROWS).into_par_iter();
        stretches.zip(sums.axis_chunks_iter_mut(Axis(0), ROWS)).for_each(stretch);
    }

    /// Judges the forests of so many trees.
    fn judge(&mut self, trees: u32, sums: &Array3<f64>, judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync)) {
        let of_cut = |(at, wanted): (usize, &Wanted)| wanted.judge(trees, sums.slice(s![.., at, ..]), judge);
        let results: Vec<_> = self.wanted.par_iter().enumerate().map(of_cut).collect();
        self.results.extend(results.into_iter().flatten());
    }
}

impl<T: Clone> OwnTree<T> {
    /// Adds what some trees, from number `first` on, say of the rows, and judges the forests that are complete; fewer
    /// where it is cancelled.
    pub(super) fn take(
        &mut self,
        first: u32,
        grown: &[Grown],
        rows: &Array2<f32>,
        labels: usize,
        judge: &impl Fn(ArrayView2<'_, f64>) -> T,
        cancel: &Cancel,
    ) {
        let most = self.wanted.most_trees();
        if first >= most {
            return;
        }
        let sums = self.sums.get_or_insert_with(|| Array2::zeros((rows.nrows(), labels)));
        for (tree, grown) in (first + 1..=most).zip(grown).take_while(|_| !cancel.is_cancelled()) {
            self.wanted.cut.of(grown).add_to(rows, sums.view_mut());
            self.results.extend(self.wanted.judge(tree, sums.view(), judge));
        }
        if first + grown.len() as u32 >= most {
            self.sums = None;
        }
    }
}
