//! Matrices in panels as wide as the widest vectors, and their products.
//!
//! Every element of a product is a chain of fused multiply-adds in a fixed order, whatever the width of the vectors, the
//! number of threads or the size of the matrices: every machine gets the same bits.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::Cancel;

/// Columns of a panel: the lanes of the widest vectors (AVX-512).
pub(super) const PANEL_WIDTH: usize = 16;

/// A row of a panel: one cache line.
pub(super) type Line = [f32; PANEL_WIDTH];

/// The number of panels that hold this many columns.
pub(super) const fn panel_count(columns: usize) -> usize {
    columns.div_ceil(PANEL_WIDTH)
}

/// A matrix of rows × columns. Line `r` of panel `p` is `lines[p · rows + r]` and holds columns 16 p to 16 p + 15 of row
/// r, padded with 0 beyond the last column.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) lines: &'a [Line],
}

impl<'a> Panels<'a> {
    pub(super) fn new(rows: usize, columns: usize, lines: &'a [Line]) -> Self {
        Self { rows, columns, lines: &lines[..rows * panel_count(columns)] }
    }

    /// Chunk number `chunk` of the panels, in chunks of `count` panels.
    pub(super) fn chunk(self, chunk: usize, count: usize) -> Self {
        let from = chunk * count * self.rows;
        let lines = &self.lines[from..(from + count * self.rows).min(self.lines.len())];
        Self { rows: self.rows, columns: (self.columns - chunk * count * PANEL_WIDTH).min(count * PANEL_WIDTH), lines }
    }

    /// All chunks of `count` panels.
    pub(super) fn chunks(self, count: usize) -> impl IndexedParallelIterator<Item = Self> {
        (0..panel_count(self.columns).div_ceil(count)).into_par_iter().map(move |chunk| self.chunk(chunk, count))
    }
}

/// The panels that each thread takes when all share the work evenly.
pub(super) fn panels_per_thread(columns: usize) -> usize {
    panel_count(columns).div_ceil(rayon::current_num_threads()).max(1)
}

/// into = a · b; unfinished if cancelled.
pub(super) fn multiply(a: Panels<'_>, b: Panels<'_>, into: &mut [Line], cancel: &Cancel) {
    into.fill([0.0; PANEL_WIDTH]);
    add_product(a, b, into, cancel);
}

/// into += a · b; unfinished if cancelled.
pub(super) fn add_product(a: Panels<'_>, b: Panels<'_>, into: &mut [Line], cancel: &Cancel) {
    assert_eq!((a.columns, into.len()), (b.rows, a.rows * panel_count(b.columns)), "sizes of a product");
    if b.rows > 0 {
        Arch::new().dispatch(AddProduct { a, b, into, cancel });
    }
}

/// Lines of a panel of `b` that are multiplied before the next panel is: 16 KB, half of a first-level cache.
const BLOCK_DEPTH: usize = 16 * PANEL_WIDTH;

struct AddProduct<'a> {
    a: Panels<'a>,
    b: Panels<'a>,
    into: &'a mut [Line],
    cancel: &'a Cancel,
}

impl WithSimd for AddProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The sums of a tile stay in registers, of which there are 32 with 16 lanes (AVX-512) or 4 (NEON) and 16 with 8
        // (AVX2).
        match S::F32_LANES {
            16 => self.add_in_tiles::<S, 1, 8>(simd),
            8 => self.add_in_tiles::<S, 2, 6>(simd),
            4 => self.add_in_tiles::<S, 4, 4>(simd),
            _ => self.add_in_tiles::<S, 16, 1>(simd),
        }
    }
}

impl AddProduct<'_> {
    /// Works in tiles of HEIGHT × 16, each line in VECTORS vectors.
    #[inline(always)]
    fn add_in_tiles<S: Simd, const VECTORS: usize, const HEIGHT: usize>(self, simd: S) {
        let Self { a, b, into, cancel } = self;
        let (b_lines, _) = pulp::as_arrays::<VECTORS, _>(S::as_simd_f32s(b.lines.as_flattened()).0);
        let (into, _) = pulp::as_arrays_mut::<VECTORS, _>(S::as_mut_simd_f32s(into.as_flattened_mut()).0);
        for chunk in 0..b.rows.div_ceil(BLOCK_DEPTH) {
            let a = a.chunk(chunk, BLOCK_DEPTH / PANEL_WIDTH);
            for (b, into) in b_lines.chunks_exact(b.rows).zip(into.chunks_exact_mut(a.rows)) {
                if cancel.is_cancelled() {
                    return;
                }
                let b = &b[chunk * BLOCK_DEPTH..((chunk + 1) * BLOCK_DEPTH).min(b.len())];
                // The last rows go into the largest tiles that fit: with few sums each has to wait for the one before.
                let rest = add_tiles::<S, VECTORS, HEIGHT>(simd, a, b, into);
                let rest = add_tiles::<S, VECTORS, 4>(simd, a, b, rest);
                let rest = add_tiles::<S, VECTORS, 2>(simd, a, b, rest);
                add_tiles::<S, VECTORS, 1>(simd, a, b, rest);
            }
        }
    }
}

/// Multiplies the last rows of `a`, as many as `into` has, with a panel, as far as they fill tiles of HEIGHT rows. Returns
/// the rows that remain.
#[inline(always)]
fn add_tiles<'a, S: Simd, const VECTORS: usize, const HEIGHT: usize>(
    simd: S,
    a: Panels<'_>,
    b: &[[S::f32s; VECTORS]],
    into: &'a mut [[S::f32s; VECTORS]],
) -> &'a mut [[S::f32s; VECTORS]] {
    let first = a.rows - into.len();
    let (tiles, rest) = into.as_chunks_mut::<HEIGHT>();
    for (tile, into) in tiles.iter_mut().enumerate() {
        let panels = a.lines.chunks_exact(a.rows).map(|panel| &panel[first + tile * HEIGHT..]);
        *into = panel_products(simd, panels, b, *into);
    }
    rest
}

/// Adds to the sums of a tile: the product of HEIGHT rows, the first of each panel of `a`, with a panel of `b`.
#[inline(always)]
fn panel_products<'a, S: Simd, const VECTORS: usize, const HEIGHT: usize>(
    simd: S,
    a: impl Iterator<Item = &'a [Line]>,
    b: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; HEIGHT],
) -> [[S::f32s; VECTORS]; HEIGHT] {
    let (whole, rest) = b.as_chunks::<PANEL_WIDTH>();
    // On the right of `zip`, which would otherwise consume the panel that the rest needs.
    let mut a = a.map(|panel| panel.first_chunk::<HEIGHT>().expect("as many rows"));
    for (b, a) in whole.iter().zip(&mut a) {
        for (at, b) in b.iter().enumerate() {
            add_outer_product(simd, a, at, *b, &mut sums);
        }
    }
    if let Some(a) = a.next() {
        for (at, b) in rest.iter().enumerate() {
            add_outer_product(simd, a, at, *b, &mut sums);
        }
    }
    sums
}

/// Adds the outer product of column `at` with a line, each product in one fused step with one rounding. (`mul_add_e_f32s`
/// would round twice on machines without such an instruction.)
#[inline(always)]
fn add_outer_product<S: Simd, const VECTORS: usize, const HEIGHT: usize>(
    simd: S,
    a: &[Line; HEIGHT],
    at: usize,
    b: [S::f32s; VECTORS],
    sums: &mut [[S::f32s; VECTORS]; HEIGHT],
) {
    for row in 0..HEIGHT {
        let x = simd.splat_f32s(a[row][at]);
        for vector in 0..VECTORS {
            sums[row][vector] = simd.mul_add_f32s(x, b[vector], sums[row][vector]);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::random::RandomKey;

    /// Random numbers of a matrix, and how they lie in panels.
    pub(crate) fn matrix(seed: u64, rows: usize, columns: usize) -> (Vec<Vec<f32>>, Vec<Line>) {
        let draw = |at: usize| RandomKey::root(seed, 0).draw(at as u32).uniform - 0.5;
        let values: Vec<_> =
            (0..rows).map(|row| (0..columns).map(|column| draw(row * columns + column)).collect()).collect();
        let lines = lines(&values);
        (values, lines)
    }

    pub(crate) fn lines(values: &[Vec<f32>]) -> Vec<Line> {
        let columns = values.first().map_or(0, Vec::len);
        let line = |panel: usize, row: &[f32]| {
            std::array::from_fn(|at| row.get(panel * PANEL_WIDTH + at).copied().unwrap_or_default())
        };
        (0..panel_count(columns)).flat_map(|panel| values.iter().map(move |row| line(panel, row))).collect()
    }

    pub(crate) const SIZES: [(usize, usize, usize); 8] =
        [(1, 1, 1), (2, 16, 17), (5, 31, 16), (8, 33, 3), (13, 15, 40), (16, 48, 16), (23, 100, 33), (31, 7, 1)];

    #[test]
    fn products_are_fused_sums_in_order_whatever_the_vectors() {
        let cancel = Cancel::new();
        // With sums that are put down and resumed too, as they are after every 256 products.
        for (m, k, n) in SIZES.into_iter().chain([(11, 256, 5), (3, 257, 20), (13, 530, 17)]) {
            let (a, a_lines) = matrix(1, m, k);
            let (b, b_lines) = matrix(2, k, n);
            let (start, start_lines) = matrix(3, m, n);
            let sum = |row: usize, column: usize| {
                (0..k).fold(start[row][column], |sum, at| a[row][at].mul_add(b[at][column], sum))
            };
            let expected: Vec<_> = (0..m).map(|row| (0..n).map(|column| sum(row, column)).collect()).collect();
            let expected = lines(&expected);
            let (a, b) = (Panels::new(m, k, &a_lines), Panels::new(k, n, &b_lines));
            let added = |run: &dyn Fn(AddProduct<'_>)| {
                let mut into = start_lines.clone();
                run(AddProduct { a, b, into: &mut into, cancel: &cancel });
                into
            };
            assert_eq!(added(&|product| Arch::new().dispatch(product)), expected, "{m} × {k} × {n}");
            assert_eq!(added(&|product| product.with_simd(Scalar::new())), expected, "{m} × {k} × {n}");
            #[cfg(target_arch = "x86_64")]
            if let Some(simd) = pulp::x86::V3::try_new() {
                let added = added(&|product| {
                    simd.vectorize(
                        #[inline(always)]
                        || product.with_simd(simd),
                    );
                });
                assert_eq!(added, expected, "{m} × {k} × {n}");
            }
            let mut in_parts = start_lines.clone();
            b.chunks(2).zip(in_parts.par_chunks_mut(2 * m)).for_each(|(b, into)| add_product(a, b, into, &cancel));
            assert_eq!(in_parts, expected, "{m} × {k} × {n}");
            let (mut alone, mut onto_0) =
                (vec![[f32::NAN; PANEL_WIDTH]; expected.len()], vec![[0.0; PANEL_WIDTH]; expected.len()]);
            multiply(a, b, &mut alone, &cancel);
            add_product(a, b, &mut onto_0, &cancel);
            assert_eq!(alone, onto_0, "{m} × {k} × {n}");
        }
    }

    #[test]
    fn sums_of_nothing_are_0() {
        let mut into = vec![[1.0; PANEL_WIDTH]; 3];
        multiply(Panels::new(3, 0, &[]), Panels::new(0, 5, &[]), &mut into, &Cancel::new());
        assert_eq!(into, [[0.0; PANEL_WIDTH]; 3]);
    }
}
