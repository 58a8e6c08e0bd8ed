//! The labels of each training row, as lists and as numbered label sets.

use std::collections::HashMap;

use ndarray::ArrayView2;

/// The labels of each training row.
pub(super) struct RowLabels {
    count: usize,
    /// Where each row's labels start in `labels`, and where the last row's end.
    starts: Vec<u32>,
    labels: Vec<u32>,
    /// The number of each row's label set; equal sets have the same number.
    sets: Vec<u32>,
    set_count: usize,
}

impl RowLabels {
    pub(super) fn new(targets: ArrayView2<'_, bool>) -> Self {
        let (mut starts, mut labels) = (vec![0], Vec::new());
        for row in targets.rows() {
            labels.extend(row.iter().zip(0..).filter(|(has, _)| **has).map(|(_, label)| label));
            starts.push(labels.len() as u32);
        }
        let mut set_numbers = HashMap::new();
        let mut set_number = |row: &[u32]| {
            let next = set_numbers.len() as u32;
            *set_numbers.entry(&labels[row[0] as usize..row[1] as usize]).or_insert(next)
        };
        let sets = starts.windows(2).map(&mut set_number).collect();
        let set_count = set_numbers.len();
        Self { count: targets.ncols(), starts, labels, sets, set_count }
    }

    /// The number of distinct label sets.
    pub(super) fn set_count(&self) -> usize {
        self.set_count
    }

    /// The number of a row's label set.
    #[inline(always)]
    pub(super) fn set_of_row(&self, row: u32) -> usize {
        self.sets[row as usize] as usize
    }

    /// The number of labels.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The labels of a row, ascending.
    #[inline(always)]
    pub(super) fn of_row(&self, row: u32) -> &[u32] {
        let row = row as usize;
        &self.labels[self.starts[row] as usize..self.starts[row + 1] as usize]
    }
}
