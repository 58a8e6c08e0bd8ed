//! The rows as the products want them.

use ndarray::{Array2, ArrayView2};

use crate::Labelled;

/// Rows in f32.
pub(super) struct Data {
    /// n × d.
    pub(super) features: Array2<f32>,
    /// n × q, 1 or 0.
    pub(super) truth: Array2<f32>,
}

impl Data {
    /// Casts; refuses what leaves nothing to learn.
    pub(super) fn new(from: &Labelled) -> Result<Self, String> {
        if from.targets.is_empty() {
            return Err("there are no rows to fit on".into());
        }
        let truth = from.targets.mapv(|has| f32::from(u8::from(has)));
        Ok(Self { features: cast(from.records.view()), truth: truth.as_standard_layout().into_owned() })
    }

    pub(super) fn rows(&self) -> usize {
        self.features.nrows()
    }
}

/// In f32 and standard layout.
pub(super) fn cast(rows: ArrayView2<'_, f64>) -> Array2<f32> {
    rows.as_standard_layout().mapv(|x| x as f32)
}
