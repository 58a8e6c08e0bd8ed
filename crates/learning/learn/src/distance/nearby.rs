//! The training rows near each query: the k nearest, or all within a radius.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Distance, comparable};
use crate::Cancel;
use crate::cancel::Cancelled;

/// Queries whose distances are computed together, so that a block of training rows is read from memory once for all:
/// with 16 of them memory is what a pass waits for.
const QUERIES: usize = 64;
/// Training rows that stay in the cache meanwhile: 32 × 1,241 × 8 bytes are 318 kB.
const ROWS: usize = 32;

/// A training row near a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbour {
    pub(crate) row: u32,
    pub(crate) distance: f64,
}

/// The `k` nearest of `rows` for each of `queries`, nearest first, equally distant ones by row; `1 <= k <= rows`.
pub(crate) fn nearest(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    k: usize,
    cancel: &Cancel,
) -> Result<Vec<Vec<Neighbour>>, Cancelled> {
    let each = |reduced: &[f64]| {
        let neighbour = |(reduced, row)| Neighbour { row, distance: distance.full(reduced) };
        smallest(reduced, k).into_iter().map(neighbour).collect()
    };
    pass(distance, rows, queries, each, cancel)
}

/// What `each` makes of those of `rows`, in their order, that are at most `radius` away from each of `queries`. They can
/// be nearly all rows of all queries, so that keeping them is nobody's wish.
pub(crate) fn within<T: Send>(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    radius: f64,
    each: impl Fn(&[Neighbour]) -> T + Sync,
    cancel: &Cancel,
) -> Result<Vec<T>, Cancelled> {
    let each = |reduced: &[f64]| {
        let neighbours = reduced.iter().zip(0..).map(|(&of, row)| Neighbour { row, distance: distance.full(of) });
        each(&neighbours.filter(|neighbour| neighbour.distance <= radius).collect::<Vec<_>>())
    };
    pass(distance, rows, queries, each, cancel)
}

/// What `each` makes of the distances, in reduced form, from each query to all rows; there is at least one row.
fn pass<T: Send>(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    each: impl Fn(&[f64]) -> T + Sync,
    cancel: &Cancel,
) -> Result<Vec<T>, Cancelled> {
    let (rows, queries) = (comparable(distance, rows), comparable(distance, queries));
    let rows: Vec<&[f64]> = rows.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let queries: Vec<&[f64]> = queries.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let of_queries = |queries: &[&[f64]]| -> Result<Vec<T>, Cancelled> {
        let mut reduced = vec![0.0; queries.len() * rows.len()];
        for (block, some) in rows.chunks(ROWS).enumerate() {
            cancel.check()?;
            distance.reduced(queries, some, |query, row, value| {
                reduced[query * rows.len() + block * ROWS + row] = value;
            });
        }
        let of_query = |reduced| cancel.check().map(|()| each(reduced));
        reduced.chunks(rows.len()).map(of_query).collect()
    };
    let found: Vec<Vec<T>> = queries.par_chunks(QUERIES).map(of_queries).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn nearer(a: &(f64, u32), b: &(f64, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The `k` smallest in order. Most values are larger than the k-th smallest of those before them, which one comparison
/// tells.
fn smallest(reduced: &[f64], k: usize) -> Vec<(f64, u32)> {
    let mut smallest: Vec<(f64, u32)> = Vec::with_capacity(2 * k);
    let mut limit = f64::INFINITY;
    for (&value, row) in reduced.iter().zip(0..) {
        if value < limit || smallest.len() < k {
            smallest.push((value, row));
            if smallest.len() == 2 * k {
                smallest.select_nth_unstable_by(k - 1, nearer);
                smallest.truncate(k);
                limit = smallest[k - 1].0;
            }
        }
    }
    smallest.sort_unstable_by(nearer);
    smallest.truncate(k);
    smallest
}
