//! Sums over the columns of pairs of rows, from which distances and scalar products are made.
//!
//! The order of every sum is fixed: eight lanes in parallel, then the lanes in pairs, then the remaining columns. Products
//! are rounded before they are added (no fused multiply-add). So every machine, vector width and number of threads gives
//! the same bits.

mod terms;

use pulp::{Arch, Scalar, Simd, WithSimd};

pub(crate) use terms::{Absolute, Cube, Fourth, Power, Product, Square, Term};

/// Columns summed in parallel: the lanes of an AVX-512 vector of f64.
const SUM_LANES: usize = 8;

/// Rows of `b` in a tile: their sums with a few rows of `a` stay in registers, so that a value is read once for several
/// pairs.
const TILE_ROWS: usize = 4;

/// Calls `emit(i, j, sum)` with the sum of `term` over the columns of row `i` of `a` and row `j` of `b`, for all pairs.
/// All rows have the same length. Runs on the widest vectors that the machine has.
pub(crate) fn sums(a: &[&[f64]], b: &[&[f64]], term: impl Term, emit: impl FnMut(usize, usize, f64)) {
    Arch::new().dispatch(PairSums { a, b, term, emit });
}

struct PairSums<'a, T, Put> {
    a: &'a [&'a [f64]],
    b: &'a [&'a [f64]],
    term: T,
    emit: Put,
}

impl<T: Term, Put: FnMut(usize, usize, f64)> WithSimd for PairSums<'_, T, Put> {
    type Output = ();

    // Inlined, here and below, so that it is compiled for the vectors of the machine that was detected.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Sixteen sums fill half of the registers of AVX-512, eight sums half of those of AVX2: of all sizes tried, these
        // were the fastest there.
        if S::F64_LANES == SUM_LANES { self.in_tiles::<S, 4>(simd) } else { self.in_tiles::<S, 2>(simd) }
    }
}

impl<T: Term, Put: FnMut(usize, usize, f64)> PairSums<'_, T, Put> {
    #[inline(always)]
    fn in_tiles<S: Simd, const A: usize>(mut self, simd: S) {
        for (at_a, a) in self.a.chunks(A).enumerate() {
            for (at_b, b) in self.b.chunks(TILE_ROWS).enumerate() {
                let sums = tile(simd, padded_tile::<A>(a), padded_tile::<TILE_ROWS>(b), self.term);
                for (i, sums) in sums.iter().take(a.len()).enumerate() {
                    for (j, &sum) in sums.iter().take(b.len()).enumerate() {
                        (self.emit)(at_a * A + i, at_b * TILE_ROWS + j, sum);
                    }
                }
            }
        }
    }
}

/// Fills up a tile that the last rows do not fill: the last one is repeated, and its sums are not used.
#[inline(always)]
fn padded_tile<'a, const N: usize>(rows: &[&'a [f64]]) -> [&'a [f64]; N] {
    std::array::from_fn(|row| rows[row.min(rows.len() - 1)])
}

/// The sums of `A` × `B` pairs, in plain loops over arrays that the compiler keeps in registers.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "two arrays are indexed alike")]
fn tile<S: Simd, T: Term, const A: usize, const B: usize>(
    simd: S,
    a: [&[f64]; A],
    b: [&[f64]; B],
    term: T,
) -> [[f64; B]; A] {
    let whole = a[0].len() / SUM_LANES * SUM_LANES;
    let in_a = a.map(|row| S::as_simd_f64s(&row[..whole]).0);
    let in_b = b.map(|row| S::as_simd_f64s(&row[..whole]).0);
    let mut lanes = [[[0.0; SUM_LANES]; B]; A];
    // Vectors with fewer than eight lanes sum one part of the lanes after another.
    let parts = SUM_LANES / S::F64_LANES;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of 5 rows with 6, so that tiles are not full, of 29 columns, so that some are left over.
    struct PairTable(Vec<Vec<f64>>, Vec<Vec<f64>>);

    impl PairTable {
        fn new() -> Self {
            let row = |seed: usize| (0..29).map(|k| 1.0 / ((seed * 7 + k * 13) % 31 + 1) as f64 - 0.2).collect();
            Self((0..5).map(row).collect(), (5..11).map(row).collect())
        }

        /// The bits of all sums, as `run` computes them.
        fn bits<T: Term>(
            &self,
            term: T,
            run: impl Fn(&[&[f64]], &[&[f64]], T, &mut dyn FnMut(usize, usize, f64)),
        ) -> Vec<u64> {
            let (a, b): (Vec<&[f64]>, Vec<&[f64]>) =
                (self.0.iter().map(Vec::as_slice).collect(), self.1.iter().map(Vec::as_slice).collect());
            let mut bits = vec![0; a.len() * b.len()];
            run(&a, &b, term, &mut |i, j, sum: f64| bits[i * b.len() + j] = sum.to_bits());
            bits
        }
    }

    /// One pair after the other, in plain loops.
    fn plain<T: Term>(a: &[&[f64]], b: &[&[f64]], term: T, emit: &mut dyn FnMut(usize, usize, f64)) {
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                let terms: Vec<f64> = a.iter().zip(*b).map(|(&a, &b)| term.of(Scalar::new(), a, b)).collect();
                let mut lanes = [0.0; 8];
                let (chunks, rest) = terms.as_chunks::<8>();
                chunks.iter().for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x));
                let [a, b, c, d, e, f, g, h] = lanes;
                emit(i, j, (((a + b) + (c + d)) + ((e + f) + (g + h))) + rest.iter().sum::<f64>());
            }
        }
    }

    fn assert_same_bits(term: impl Term) {
        let table = PairTable::new();
        let expected = table.bits(term, plain);
        assert_eq!(expected, table.bits(term, |a, b, term, emit| sums(a, b, term, emit)));
        assert_eq!(
            expected,
            table.bits(term, |a, b, term, emit| PairSums { a, b, term, emit }.with_simd(Scalar::new()))
        );
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            assert_eq!(
                expected,
                table.bits(term, |a, b, term, emit| Simd::vectorize(simd, PairSums { a, b, term, emit }))
            );
        }
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        assert_same_bits(Absolute);
        assert_same_bits(Square);
        assert_same_bits(Cube);
        assert_same_bits(Fourth);
        assert_same_bits(Product);
        assert_same_bits(Power(1.7));
    }
}
