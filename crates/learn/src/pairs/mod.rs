//! Sums over the columns of pairs of rows: what distances and scalar products are made of.
//!
//! The order of every sum is fixed: eight lanes side by side, then the lanes in pairs, then the columns left over.
//! Products are rounded before they are added. So any machine, any vector width and any number of threads gets the same
//! bits.

mod terms;

use pulp::{Arch, Scalar, Simd, WithSimd};

pub(crate) use terms::{Absolute, Cube, Fourth, Power, Product, Square, Term};

/// Columns summed side by side.
const LANES: usize = 8;

/// Rows of `b` whose sums with a few rows of `a` are kept in registers together, so that a value that is read serves
/// several pairs.
const TILE: usize = 4;

/// Calls `put(i, j, sum)` with the sum of `term` over the columns of row `i` of `a` and row `j` of `b`, for all pairs.
/// All rows have the same length. Runs on the widest vectors that the machine has.
pub(crate) fn sums(a: &[&[f64]], b: &[&[f64]], term: impl Term, put: impl FnMut(usize, usize, f64)) {
    Arch::new().dispatch(Sums { a, b, term, put });
}

struct Sums<'a, T, Put> {
    a: &'a [&'a [f64]],
    b: &'a [&'a [f64]],
    term: T,
    put: Put,
}

impl<T: Term, Put: FnMut(usize, usize, f64)> WithSimd for Sums<'_, T, Put> {
    type Output = ();

    // Inlined, here and below, so that it is compiled for the vectors of the machine that was detected.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Sixteen sums fill half of the registers of AVX-512; eight sums fill half of those of AVX2. Both were measured
        // to be the fastest there.
        if S::F64_LANES == LANES { self.in_tiles::<S, 4>(simd) } else { self.in_tiles::<S, 2>(simd) }
    }
}

impl<T: Term, Put: FnMut(usize, usize, f64)> Sums<'_, T, Put> {
    #[inline(always)]
    fn in_tiles<S: Simd, const A: usize>(mut self, simd: S) {
        for (at_a, a) in self.a.chunks(A).enumerate() {
            for (at_b, b) in self.b.chunks(TILE).enumerate() {
                let sums = tile(simd, filled::<A>(a), filled::<TILE>(b), self.term);
                for (i, sums) in sums.iter().take(a.len()).enumerate() {
                    for (j, &sum) in sums.iter().take(b.len()).enumerate() {
                        (self.put)(at_a * A + i, at_b * TILE + j, sum);
                    }
                }
            }
        }
    }
}

/// The last rows may be fewer than a tile: one is repeated, and its sums are left unread.
#[inline(always)]
fn filled<'a, const N: usize>(rows: &[&'a [f64]]) -> [&'a [f64]; N] {
    std::array::from_fn(|row| rows[row.min(rows.len() - 1)])
}

/// The sums of `A` × `B` pairs. Plain loops over arrays, which the compiler keeps in registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "two arrays are indexed alike")]
fn tile<S: Simd, T: Term, const A: usize, const B: usize>(
    simd: S,
    a: [&[f64]; A],
    b: [&[f64]; B],
    term: T,
) -> [[f64; B]; A] {
    let whole = a[0].len() / LANES * LANES;
    let in_a = a.map(|row| S::as_simd_f64s(&row[..whole]).0);
    let in_b = b.map(|row| S::as_simd_f64s(&row[..whole]).0);
    let mut lanes = [[[0.0; LANES]; B]; A];
    // Where a vector has fewer lanes than eight, one part of the lanes after another.
    let parts = LANES / S::F64_LANES;
    for part in 0..parts {
        let mut sums = [[simd.splat_f64s(0.0); B]; A];
        for at in (part..in_a[0].len()).step_by(parts) {
            for i in 0..A {
                for j in 0..B {
                    sums[i][j] = simd.add_f64s(sums[i][j], term.of(simd, in_a[i][at], in_b[j][at]));
                }
            }
        }
        for i in 0..A {
            for j in 0..B {
                S::as_mut_simd_f64s(&mut lanes[i][j]).0[part] = sums[i][j];
            }
        }
    }
    let mut total = [[0.0; B]; A];
    for i in 0..A {
        for j in 0..B {
            let rest = a[i][whole..].iter().zip(&b[j][whole..]);
            let rest: f64 = rest.map(|(&a, &b)| term.of(Scalar::new(), a, b)).sum();
            let [a, b, c, d, e, f, g, h] = lanes[i][j];
            total[i][j] = (((a + b) + (c + d)) + ((e + f) + (g + h))) + rest;
        }
    }
    total
}
