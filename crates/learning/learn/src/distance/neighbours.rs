//! The training rows near each query row: the k nearest, or all within a radius.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Distance, prepare_rows};
use crate::Cancel;
use crate::cancel::Cancelled;

/// Queries whose distances are computed together, so that a batch of training rows is read from memory once for all of
/// them. With 16 queries a pass was bound by memory; with 64 it is not.
const QUERY_BATCH_ROWS: usize = 64;
/// Training rows that stay in a second-level cache meanwhile: 32 × 1,241 × 8 bytes are 318 kB.
const TRAINING_BATCH_ROWS: usize = 32;

/// A training row near a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbour {
    pub(crate) row: u32,
    pub(crate) distance: f64,
}

/// The `k` nearest of `rows` for each of `queries`, nearest first, equally distant ones in the order of the rows;
/// `1 <= k <= rows`.
pub(crate) fn nearest(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    k: usize,
    cancel: &Cancel,
) -> Result<Vec<Vec<Neighbour>>, Cancelled> {
    let k_nearest = |reduced: &[f64]| {
        let neighbour = |(reduced, row)| Neighbour { row, distance: distance.unreduced(reduced) };
        smallest(reduced, k).into_iter().map(neighbour).collect()
    };
    for_each_query(distance, rows, queries, k_nearest, cancel)
}

/// What `summarise` returns for each of `queries`, given those of `rows` at most `radius` away, in the order of the rows.
/// The neighbours are not kept: there can be nearly as many as rows × queries.
pub(crate) fn within<T: Send>(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    radius: f64,
    summarise: impl Fn(&[Neighbour]) -> T + Sync,
    cancel: &Cancel,
) -> Result<Vec<T>, Cancelled> {
    let summarise = |reduced: &[f64]| {
        let neighbour = |(&reduced, row)| Neighbour { row, distance: distance.unreduced(reduced) };
        let neighbours = reduced.iter().zip(0..).map(neighbour);
        summarise(&neighbours.filter(|neighbour| neighbour.distance <= radius).collect::<Vec<_>>())
    };
    for_each_query(distance, rows, queries, summarise, cancel)
}

/// What `summarise` returns for each query, given its reduced distances to all rows; there is at least one row.
fn for_each_query<T: Send>(
    distance: Distance,
    rows: ArrayView2<'_, f64>,
    queries: ArrayView2<'_, f64>,
    summarise: impl Fn(&[f64]) -> T + Sync,
    cancel: &Cancel,
) -> Result<Vec<T>, Cancelled> {
    let (rows, queries) = (prepare_rows(distance, rows), prepare_rows(distance, queries));
    let rows: Vec<&[f64]> = rows.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let queries: Vec<&[f64]> = queries.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect();
    let summarise_batch = |queries: &[&[f64]]| -> Result<Vec<T>, Cancelled> {
        let mut reduced = vec![0.0; queries.len() * rows.len()];
        for (batch, training_rows) in rows.chunks(TRAINING_BATCH_ROWS).enumerate() {
            cancel.check()?;
            distance.reduced(queries, training_rows, |query, row, value| {
                reduced[query * rows.len() + batch * TRAINING_BATCH_ROWS + row] = value;
            });
        }
        let summarise_query = |reduced| cancel.check().map(|()| summarise(reduced));
        reduced.chunks(rows.len()).map(summarise_query).collect()
    };
    let batches: Vec<Vec<T>> = queries.par_chunks(QUERY_BATCH_ROWS).map(summarise_batch).collect::<Result<_, _>>()?;
    Ok(batches.into_iter().flatten().collect())
}

fn nearer(a: &(f64, u32), b: &(f64, u32)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

/// The `k` smallest in order, with their rows. One comparison sorts out most values: they are larger than the k-th
/// smallest so far.
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
