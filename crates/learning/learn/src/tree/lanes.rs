//! Vectors of sixteen 32-bit numbers: the unit in which labels are summed and costs compared.
//!
//! The loops here are plain, and the compiler turns them into vector instructions.

/// 32-bit numbers in the widest vector register in use (AVX-512); narrower machines take several registers.
pub(super) const VECTOR_LANES: usize = 16;

/// The summed weight of some rows for each of [`VECTOR_LANES`] labels.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct LabelLanes(pub(super) [i32; VECTOR_LANES]);

impl LabelLanes {
    pub(super) const ZERO: Self = Self([0; VECTOR_LANES]);

    #[inline(always)]
    pub(super) fn add(&mut self, other: &Self) {
        for lane in 0..VECTOR_LANES {
            self.0[lane] += other.0[lane];
        }
    }

    #[inline(always)]
    pub(super) fn sum_of_squares(&self) -> i64 {
        self.0.iter().map(|&sum| i64::from(sum) * i64::from(sum)).sum()
    }
}

/// The lowest cost; `none`, which must be above every cost, if the slice is empty.
#[inline(always)]
pub(super) fn lowest<T: Copy + PartialOrd>(costs: &[T], none: T) -> T {
    let mut low = [none; VECTOR_LANES];
    let chunks = costs.chunks_exact(VECTOR_LANES);
    low.iter_mut().zip(chunks.remainder()).for_each(|(low, cost)| *low = *cost);
    for chunk in chunks {
        for lane in 0..VECTOR_LANES {
            low[lane] = if chunk[lane] < low[lane] { chunk[lane] } else { low[lane] };
        }
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            low[lane] = if low[lane + half] < low[lane] { low[lane + half] } else { low[lane] };
        }
    }
    low[0]
}

/// The positions from `start` on whose costs are at most `bound`.
#[inline(always)]
pub(super) fn at_most(costs: &[f64], start: usize, bound: f64) -> impl Iterator<Item = usize> {
    let chunks = costs[start..].chunks(VECTOR_LANES).zip((start..).step_by(VECTOR_LANES));
    // Hardly any chunk has such a cost, and a whole chunk is compared at once.
    let chunks = chunks.filter(move |(chunk, _)| chunk.iter().any(|&cost| cost <= bound));
    chunks.flat_map(move |(chunk, first)| {
        chunk.iter().zip(first..).filter(move |(cost, _)| **cost <= bound).map(|(_, position)| position)
    })
}
