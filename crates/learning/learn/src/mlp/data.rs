//! The training rows in f32, laid out as the matrix products need them.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::panels::{Line, PANEL_WIDTH, Panels, panel_count, panels_per_thread};
use super::transpose::transpose;
use super::{MlpValidParams, Solver};
use crate::{Cancel, Labelled};

/// Rows that L-BFGS passes through the network at a time.
const LBFGS_BATCH_ROWS: usize = 1024;

/// The training rows in f32.
pub(super) struct TrainingData {
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) labels: usize,
    /// The features, each row padded to whole lines. Only kept for Adam.
    lines: Vec<Line>,
    /// The labels as 1 or 0, each row padded to whole lines.
    truth: Vec<Line>,
    /// All rows in batches of [`LBFGS_BATCH_ROWS`]. Only made for L-BFGS.
    pub(super) batches: Vec<Batch>,
}

impl TrainingData {
    /// Casts the rows for the solvers of these candidates; an error if there are none.
    pub(super) fn new(from: &Labelled, candidates: &[&MlpValidParams], cancel: &Cancel) -> Result<Self, String> {
        if from.targets.is_empty() {
            return Err("there are no rows to fit on".into());
        }
        let mut data = Self {
            rows: from.records.nrows(),
            features: from.records.ncols(),
            labels: from.targets.ncols(),
            lines: cast(from.records.view(), |x| x as f32),
            truth: cast(from.targets.view(), |has| f32::from(u8::from(has))),
            batches: Vec::new(),
        };
        let uses = |solver: Solver| candidates.iter().any(|params| params.solver == solver);
        if uses(Solver::Lbfgs) {
            let all_rows: Vec<u32> = (0..data.rows as u32).collect();
            let batches =
                all_rows.chunks(LBFGS_BATCH_ROWS).map(|rows| cancel.check().map(|()| Batch::new(&data, rows)));
            data.batches = batches.collect::<Result<_, _>>()?;
        }
        if !uses(Solver::Adam) {
            data.lines = Vec::new();
        }
        Ok(data)
    }
}

/// Some rows, as they are and transposed: the forward pass needs features × rows, gradients need rows × features.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) count: usize,
    features: usize,
    labels: usize,
    by_row: Vec<Line>,
    by_feature: Vec<Line>,
    labels_by_row: Vec<Line>,
    truth: Vec<Line>,
}

impl Batch {
    fn new(data: &TrainingData, rows: &[u32]) -> Self {
        let mut batch = Self::default();
        batch.fill(data, rows);
        batch
    }

    /// Replaces the rows by these, reusing memory.
    pub(super) fn fill(&mut self, data: &TrainingData, rows: &[u32]) {
        (self.count, self.features, self.labels) = (rows.len(), data.features, data.labels);
        gather_lines(&data.lines, data.features, rows, &mut self.by_row);
        gather_lines(&data.truth, data.labels, rows, &mut self.labels_by_row);
        transpose(Panels::new(self.count, self.features, &self.by_row), &mut self.by_feature);
        transpose(Panels::new(self.count, self.labels, &self.labels_by_row), &mut self.truth);
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
    let all_rows: Vec<u32> = (0..rows.nrows() as u32).collect();
    let (mut by_row, mut by_feature) = (Vec::new(), Vec::new());
    gather_lines(&cast(rows, |x| x as f32), rows.ncols(), &all_rows, &mut by_row);
    transpose(Panels::new(rows.nrows(), rows.ncols(), &by_row), &mut by_feature);
    by_feature
}

/// The rows in f32, each padded to whole lines.
fn cast<T: Copy>(rows: ArrayView2<'_, T>, to: impl Fn(T) -> f32) -> Vec<Line> {
    let mut lines = vec![[0.0; PANEL_WIDTH]; rows.nrows() * panel_count(rows.ncols())];
    for (row, lines) in rows.rows().into_iter().zip(lines.chunks_mut(panel_count(rows.ncols()).max(1))) {
        lines.as_flattened_mut().iter_mut().zip(row).for_each(|(into, &x)| *into = to(x));
    }
    lines
}

/// Gathers some of the rows that [`cast`] made into panels of rows × columns.
fn gather_lines(from: &[Line], columns: usize, rows: &[u32], into: &mut Vec<Line>) {
    let lines_per_row = panel_count(columns);
    into.resize(rows.len() * lines_per_row, [0.0; PANEL_WIDTH]);
    let count = panels_per_thread(columns);
    into.par_chunks_mut(count * rows.len()).enumerate().for_each(|(chunk, into)| {
        for (at, &row) in rows.iter().enumerate() {
            let from = &from[row as usize * lines_per_row + chunk * count..];
            into.chunks_exact_mut(rows.len()).zip(from).for_each(|(panel, line)| panel[at] = *line);
        }
    });
}
