//! The nearest training rows of each query.

use ndarray::{Array2, ArrayView2, Axis, CowArray, Ix2};
use rayon::prelude::*;

use super::Distance;

/// Queries whose distances are computed together, so that a block of training rows is read from memory once for all.
const QUERIES: usize = 16;
/// Training rows that stay in the cache meanwhile: 32 × 1,241 × 8 bytes are 318 kB.
const ROWS: usize = 32;

/// A training row near a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour {
    pub(super) row: u32,
    pub(super) distance: f64,
}

/// For every query the same number of neighbours, nearest first; equal distances by row.
pub(super) struct Neighbours {
    k: usize,
    all: Vec<Neighbour>,
}

impl Neighbours {
    pub(super) fn len(&self) -> usize {
        self.all.len() / self.k
    }

    pub(super) fn of(&self, query: usize) -> &[Neighbour] {
        &self.all[query * self.k..(query + 1) * self.k]
    }
}

/// The `k` nearest of `rows` for each of `queries`; `1 <= k <= rows`.
pub(super) fn nearest(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    k: usize,
) -> Neighbours {
    let rows = comparable(distance, rows);
    let queries = comparable(distance, queries);
    let rows: Vec<&[f64]> = rows.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let queries: Vec<&[f64]> = queries.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let of_queries = |queries: &[&[f64]]| {
        let mut reduced = vec![0.0; queries.len() * rows.len()];
        for (block, some) in rows.chunks(ROWS).enumerate() {
            for (query, reduced) in queries.iter().zip(reduced.chunks_mut(rows.len())) {
                for (row, reduced) in some.iter().zip(&mut reduced[block * ROWS..]) {
                    *reduced = distance.reduced(query, row);
                }
            }
        }
        reduced.chunks(rows.len()).flat_map(|reduced| smallest(distance, reduced, k)).collect::<Vec<_>>()
    };
    Neighbours { k, all: queries.par_chunks(QUERIES).flat_map_iter(of_queries).collect() }
}

fn smallest(distance: Distance, reduced: &[f64], k: usize) -> impl Iterator<Item = Neighbour> {
    let mut order: Vec<(f64, u32)> = reduced.iter().copied().zip(0..).collect();
    let nearer = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k < order.len() {
        order.select_nth_unstable_by(k, nearer);
        order.truncate(k);
    }
    order.sort_unstable_by(nearer);
    order.into_iter().map(move |(reduced, row)| Neighbour { row, distance: distance.full(reduced) })
}

/// Rows in standard layout; for the cosine also of length 1 (rows of zeros stay so, and are at distance 1 from all).
fn comparable(distance: Distance, rows: ArrayView2<'_, f64>) -> CowArray<'_, f64, Ix2> {
    if distance != Distance::Cosine {
        return if rows.is_standard_layout() { rows.into() } else { rows.as_standard_layout().into_owned().into() };
    }
    let mut unit: Array2<f64> = rows.as_standard_layout().into_owned();
    for mut row in unit.axis_iter_mut(Axis(0)) {
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            row.mapv_inplace(|x| x / length);
        }
    }
    unit.into()
}
