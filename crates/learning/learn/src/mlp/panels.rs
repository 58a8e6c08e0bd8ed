//! Matrices cut into panels as wide as the processor's vectors, and their products.
//!
//! A product adds up `a · b` with fused steps, one after the other, whatever the vectors' width, the number of threads or
//! the size of the matrices: every machine gets the same bits.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::Cancel;

/// Columns of a panel.
pub(super) const WIDTH: usize = 16;

/// A row of a panel.
pub(super) type Line = [f32; WIDTH];

/// Panels that hold so many columns.
pub(super) const fn panels(columns: usize) -> usize {
    columns.div_ceil(WIDTH)
}

/// A matrix of rows × columns. Line `r` of panel `p` is `lines[p · rows + r]` and has columns 16 p to 16 p + 15 of row r; what
/// lies beyond the last column is 0.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) lines: &'a [Line],
}

impl<'a> Panels<'a> {
    pub(super) fn new(rows: usize, columns: usize, lines: &'a [Line]) -> Self {
        Self { rows, columns, lines: &lines[..rows * panels(columns)] }
    }

    /// Part number `part` of the panels, if they are cut into parts of `count`.
    pub(super) fn part(self, part: usize, count: usize) -> Self {
        let from = part * count * self.rows;
        let lines = &self.lines[from..(from + count * self.rows).min(self.lines.len())];
        Self { rows: self.rows, columns: (self.columns - part * count * WIDTH).min(count * WIDTH), lines }
    }

    /// All parts of `count` panels.
    pub(super) fn parts(self, count: usize) -> impl IndexedParallelIterator<Item = Self> {
        (0..panels(self.columns).div_ceil(count)).into_par_iter().map(move |part| self.part(part, count))
    }
}

/// How many panels a thread should take.
pub(super) fn share(columns: usize) -> usize {
    panels(columns).div_ceil(rayon::current_num_threads()).max(1)
}

/// a · b; unfinished where it is cancelled.
pub(super) fn multiply(a: Panels<'_>, b: Panels<'_>, into: &mut [Line], cancel: &Cancel) {
    into.fill([0.0; WIDTH]);
    add_product(a, b, into, cancel);
}

/// Adds a · b to what is there; unfinished where it is cancelled.
pub(super) fn add_product(a: Panels<'_>, b: Panels<'_>, into: &mut [Line], cancel: &Cancel) {
    assert_eq!((a.columns, into.len()), (b.rows, a.rows * panels(b.columns)), "sizes of a product");
    if b.rows > 0 {
        Arch::new().dispatch(AddProduct { a, b, into, cancel });
    }
}

/// Lines of a panel of `b` that are multiplied before the next panel is: 16 KB, half of a nearest cache.
const DEPTH: usize = 16 * WIDTH;

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
        // The sums of a tile stay in registers: there are 32 of 16 or of 4 numbers, 16 of 8.
        match S::F32_LANES {
            16 => self.tiles::<S, 1, 8>(simd),
            8 => self.tiles::<S, 2, 6>(simd),
            4 => self.tiles::<S, 4, 4>(simd),
            _ => self.tiles::<S, 16, 1>(simd),
        }
    }
}

impl AddProduct<'_> {
    /// Tiles of HEIGHT × 16, a line in VECTORS vectors.
    #[inline(always)]
    fn tiles<S: Simd, const VECTORS: usize, const HEIGHT: usize>(self, simd: S) {
        let Self { a, b, into, cancel } = self;
        let (b_lines, _) = pulp::as_arrays::<VECTORS, _>(S::as_simd_f32s(b.lines.as_flattened()).0);
        let (into, _) = pulp::as_arrays_mut::<VECTORS, _>(S::as_mut_simd_f32s(into.as_flattened_mut()).0);
        for chunk in 0..b.rows.div_ceil(DEPTH) {
            let a = a.part(chunk, DEPTH / WIDTH);
            for (b, into) in b_lines.chunks_exact(b.rows).zip(into.chunks_exact_mut(a.rows)) {
                if cancel.is_cancelled() {
                    return;
                }
                let b = &b[chunk * DEPTH..((chunk + 1) * DEPTH).min(b.len())];
                // What is left of the rows is cut into the largest tiles: sums of few rows wait for each other.
                let rest = rows::<S, VECTORS, HEIGHT>(simd, a, b, into);
                let rest = rows::<S, VECTORS, 4>(simd, a, b, rest);
                let rest = rows::<S, VECTORS, 2>(simd, a, b, rest);
                rows::<S, VECTORS, 1>(simd, a, b, rest);
            }
        }
    }
}

/// Adds the last rows of `a`, as many as `into` has, times a panel: as many as there are whole tiles of. Returns the
/// others.
#[inline(always)]
fn rows<'a, S: Simd, const VECTORS: usize, const HEIGHT: usize>(
    simd: S,
    a: Panels<'_>,
    b: &[[S::f32s; VECTORS]],
    into: &'a mut [[S::f32s; VECTORS]],
) -> &'a mut [[S::f32s; VECTORS]] {
    let first = a.rows - into.len();
    let (tiles, rest) = into.as_chunks_mut::<HEIGHT>();
    for (tile, into) in tiles.iter_mut().enumerate() {
        let panels = a.lines.chunks_exact(a.rows).map(|panel| &panel[first + tile * HEIGHT..]);
        *into = products(simd, panels, b, *into);
    }
    rest
}

/// Adds to these sums the products of HEIGHT rows, the first of each panel, with a panel.
#[inline(always)]
fn products<'a, S: Simd, const VECTORS: usize, const HEIGHT: usize>(
    simd: S,
    a: impl Iterator<Item = &'a [Line]>,
    b: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; HEIGHT],
) -> [[S::f32s; VECTORS]; HEIGHT] {
    let (whole, rest) = b.as_chunks::<WIDTH>();
    // On the right of `zip`, so that it does not take the panel of the rest.
    let mut a = a.map(|panel| panel.first_chunk::<HEIGHT>().expect("as many rows"));
    for (b, a) in whole.iter().zip(&mut a) {
        for (at, b) in b.iter().enumerate() {
            add(simd, a, at, *b, &mut sums);
        }
    }
    if let Some(a) = a.next() {
        for (at, b) in rest.iter().enumerate() {
            add(simd, a, at, *b, &mut sums);
        }
    }
    sums
}

/// Adds the products of column `at` with a line, each in one step with one rounding: `mul_add_e_f32s` would make two of it
/// where a machine has no such instruction.
#[inline(always)]
fn add<S: Simd, const VECTORS: usize, const HEIGHT: usize>(
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
        let of: Vec<_> =
            (0..rows).map(|row| (0..columns).map(|column| draw(row * columns + column)).collect()).collect();
        let lines = lines(&of);
        (of, lines)
    }

    pub(crate) fn lines(of: &[Vec<f32>]) -> Vec<Line> {
        let columns = of.first().map_or(0, Vec::len);
        let line = |panel: usize, row: &[f32]| {
            std::array::from_fn(|at| row.get(panel * WIDTH + at).copied().unwrap_or_default())
        };
        (0..panels(columns)).flat_map(|panel| of.iter().map(move |row| line(panel, row))).collect()
    }

    pub(crate) const SIZES: [(usize, usize, usize); 8] =
        [(1, 1, 1), (2, 16, 17), (5, 31, 16), (8, 33, 3), (13, 15, 40), (16, 48, 16), (23, 100, 33), (31, 7, 1)];

    #[test]
    fn products_are_fused_sums_in_order_whatever_the_vectors() {
        let cancel = Cancel::new();
        // Sums that are left and gone on with, too: at each 256 products.
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
            assert_eq!(added(&|of| Arch::new().dispatch(of)), expected, "{m} × {k} × {n}");
            assert_eq!(added(&|of| of.with_simd(Scalar::new())), expected, "{m} × {k} × {n}");
            #[cfg(target_arch = "x86_64")]
            if let Some(simd) = pulp::x86::V3::try_new() {
                let added = added(&|of| {
                    simd.vectorize(
                        #[inline(always)]
                        || of.with_simd(simd),
                    );
                });
                assert_eq!(added, expected, "{m} × {k} × {n}");
            }
            let mut in_parts = start_lines.clone();
            b.parts(2).zip(in_parts.par_chunks_mut(2 * m)).for_each(|(b, into)| add_product(a, b, into, &cancel));
            assert_eq!(in_parts, expected, "{m} × {k} × {n}");
            let (mut alone, mut onto_0) = (vec![[f32::NAN; WIDTH]; expected.len()], vec![[0.0; WIDTH]; expected.len()]);
            multiply(a, b, &mut alone, &cancel);
            add_product(a, b, &mut onto_0, &cancel);
            assert_eq!(alone, onto_0, "{m} × {k} × {n}");
        }
    }

    #[test]
    fn sums_of_nothing_are_0() {
        let mut into = vec![[1.0; WIDTH]; 3];
        multiply(Panels::new(3, 0, &[]), Panels::new(0, 5, &[]), &mut into, &Cancel::new());
        assert_eq!(into, [[0.0; WIDTH]; 3]);
    }
}
