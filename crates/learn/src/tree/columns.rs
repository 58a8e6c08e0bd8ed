//! Training rows as trees read them: f32 columns, and the order of the rows along each.

use std::sync::OnceLock;

use ndarray::ArrayView2;

/// Values that differ by no more than this are one value (scikit-learn's `FEATURE_THRESHOLD`).
pub(super) const SAME: f32 = 1e-7;

/// n × d values in f32, column by column.
pub(crate) struct Columns {
    rows: usize,
    values: Vec<f32>,
    /// Rows by value, then by row; made when a column is first asked for.
    orders: Vec<OnceLock<Vec<u32>>>,
}

impl Columns {
    pub(crate) fn new(records: ArrayView2<'_, f64>) -> Self {
        // Adding zero makes 0.0 of -0.0, so that the order of bits is that of values.
        let values = records.columns().into_iter().flat_map(|column| column.into_iter().map(|&x| x as f32 + 0.0));
        Self {
            rows: records.nrows(),
            values: values.collect(),
            orders: (0..records.ncols()).map(|_| OnceLock::new()).collect(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn column(&self, feature: u32) -> &[f32] {
        &self.values[feature as usize * self.rows..][..self.rows]
    }

    /// Writes `rows` by their value, then by row, into `sorted`. `member` says of each row whether it is one of them.
    pub(super) fn sort(&self, feature: u32, rows: &[u32], member: &[bool], sorted: &mut Vec<(f32, u32)>) {
        let column = self.column(feature);
        sorted.clear();
        // Picking from all rows in order is a quick pass; only far below the root is sorting the few quicker.
        if rows.len() * 16 > self.rows {
            let order = self.orders[feature as usize].get_or_init(|| ordered(column));
            sorted.extend(order.iter().filter(|&&row| member[row as usize]).map(|&row| (column[row as usize], row)));
        } else {
            sorted.extend(rows.iter().map(|&row| (column[row as usize], row)));
            sorted.sort_unstable_by_key(|&(value, row)| key(value, row));
        }
    }
}

fn ordered(column: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..column.len() as u32).collect();
    order.sort_unstable_by_key(|&row| key(column[row as usize], row));
    order
}

/// Orders as (value, row) do: the bits of a float, with the sign turned around, ascend with its value.
fn key(value: f32, row: u32) -> u64 {
    let bits = value.to_bits();
    let ascending = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ascending) << 32 | u64::from(row)
}
