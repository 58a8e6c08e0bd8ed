//! The rows as the products want them.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::panels::{Line, Panels, WIDTH, panels, share};
use super::turn::turn;
use super::{MlpValidParams, Solver};
use crate::{Cancel, Labelled};

/// Rows of a block.
const BLOCK: usize = 1024;

/// Rows in f32, as the solvers want them.
pub(super) struct Data {
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) labels: usize,
    /// For Adam: whole lines for each row's features.
    lines: Vec<Line>,
    /// Whole lines for each row's labels, 1 or 0.
    truth: Vec<Line>,
    /// For L-BFGS: all rows, [`BLOCK`] at a time.
    pub(super) blocks: Vec<Rows>,
}

impl Data {
    /// Casts; refuses what leaves nothing to learn.
    pub(super) fn new(from: &Labelled, settings: &[&MlpValidParams], cancel: &Cancel) -> Result<Self, String> {
        if from.targets.is_empty() {
            return Err("there are no rows to fit on".into());
        }
        let mut data = Self {
            rows: from.records.nrows(),
            features: from.records.ncols(),
            labels: from.targets.ncols(),
            lines: cast(from.records.view(), |x| x as f32),
            truth: cast(from.targets.view(), |has| f32::from(u8::from(has))),
            blocks: Vec::new(),
        };
        let has = |solver: Solver| settings.iter().any(|of| of.solver == solver);
        if has(Solver::Lbfgs) {
            let all: Vec<u32> = (0..data.rows as u32).collect();
            let blocks = all.chunks(BLOCK).map(|rows| cancel.check().map(|()| Rows::of(&data, rows)));
            data.blocks = blocks.collect::<Result<_, _>>()?;
        }
        if !has(Solver::Adam) {
            data.lines = Vec::new();
        }
        Ok(data)
    }
}

/// Some rows, both ways: as the products need them to pass forward, and to find gradients.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) count: usize,
    features: usize,
    labels: usize,
    by_row: Vec<Line>,
    by_feature: Vec<Line>,
    labels_by_row: Vec<Line>,
    truth: Vec<Line>,
}

impl Rows {
    fn of(data: &Data, rows: &[u32]) -> Self {
        let mut of = Self::default();
        of.bring(data, rows);
        of
    }

    /// Brings these rows together.
    pub(super) fn bring(&mut self, data: &Data, rows: &[u32]) {
        (self.count, self.features, self.labels) = (rows.len(), data.features, data.labels);
        gather(&data.lines, data.features, rows, &mut self.by_row);
        gather(&data.truth, data.labels, rows, &mut self.labels_by_row);
        turn(Panels::new(self.count, self.features, &self.by_row), &mut self.by_feature);
        turn(Panels::new(self.count, self.labels, &self.labels_by_row), &mut self.truth);
    }

    /// m × d.
    pub(super) fn by_row(&self) -> Panels<'_> {
        Panels::new(self.count, self.features, &self.by_row)
    }

    /// d × m.
    pub(super) fn by_feature(&self) -> Panels<'_> {
        Panels::new(self.features, self.count, &self.by_feature)
    }

    /// q × m, 1 or 0.
    pub(super) fn truth(&self) -> Panels<'_> {
        Panels::new(self.labels, self.count, &self.truth)
    }
}

/// The features of m × d rows as d × m.
pub(super) fn by_feature(rows: ArrayView2<'_, f64>) -> Vec<Line> {
    let all: Vec<u32> = (0..rows.nrows() as u32).collect();
    let (mut by_row, mut by_feature) = (Vec::new(), Vec::new());
    gather(&cast(rows, |x| x as f32), rows.ncols(), &all, &mut by_row);
    turn(Panels::new(rows.nrows(), rows.ncols(), &by_row), &mut by_feature);
    by_feature
}

/// Whole lines for each row, in f32.
fn cast<T: Copy>(rows: ArrayView2<'_, T>, to: impl Fn(T) -> f32) -> Vec<Line> {
    let mut lines = vec![[0.0; WIDTH]; rows.nrows() * panels(rows.ncols())];
    for (row, lines) in rows.rows().into_iter().zip(lines.chunks_mut(panels(rows.ncols()).max(1))) {
        lines.as_flattened_mut().iter_mut().zip(row).for_each(|(into, &x)| *into = to(x));
    }
    lines
}

/// Some of the rows that [`cast`] made, rows × columns.
fn gather(from: &[Line], columns: usize, rows: &[u32], into: &mut Vec<Line>) {
    let of_row = panels(columns);
    into.resize(rows.len() * of_row, [0.0; WIDTH]);
    let count = share(columns);
    into.par_chunks_mut(count * rows.len()).enumerate().for_each(|(part, into)| {
        for (at, &row) in rows.iter().enumerate() {
            let from = &from[row as usize * of_row + part * count..];
            into.chunks_exact_mut(rows.len()).zip(from).for_each(|(panel, line)| panel[at] = *line);
        }
    });
}
