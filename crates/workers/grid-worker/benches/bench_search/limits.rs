//! What the machine can do at most: bytes read from memory and floating-point operations a second, on all cores.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::growth::GrowthPoint;
use crate::journal::Journal;
use crate::{Bench, cores};

/// Bytes of the array that each core reads: far more than any cache holds.
const ARRAY_BYTES: usize = 256 << 20;

/// Independent chains of multiply-adds: more than any processor needs to be busy.
const CHAINS_PER_CORE: usize = 12;

const STEPS_PER_CHAIN: usize = 20_000_000;

/// Hidden units of each of the three layers of the network that [`crate::growth`] fits, and its epochs.
const HIDDEN_UNITS: f64 = 100.0;
const NETWORK_EPOCHS: f64 = 5.0;

/// Trees that [`crate::growth`] fits, and how many features each node draws.
fn forest(family: &str, features: f64) -> (f64, f64) {
    match family {
        "extra_trees" => (20.0, features),
        "random_forest" => (20.0, features.sqrt().floor()),
        _ => (1.0, features),
    }
}

/// Peaks of the machine.
#[derive(Serialize, Deserialize, Clone, Copy)]
pub struct MachinePeaks {
    /// 10^9 bytes read a second.
    pub gigabytes: f64,
    /// 10^9 operations on f32 a second; a multiplication with its addition are two.
    pub gigaflops: f64,
}

/// What a fit needs at least.
pub enum MinimalWork {
    /// Bytes to read.
    Bytes(f64),
    /// Operations on f32.
    Flops(f64),
}

/// What is known of the peaks.
pub fn journal(bench: &Bench) -> Journal {
    Journal::new(&bench.ours, "limits")
}

/// Measures both, the best of the rounds, where they were not measured yet.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    if !journal(bench).read::<MachinePeaks>()?.is_empty() {
        return Ok(());
    }
    let memory: Vec<Vec<u64>> = (0..cores()).map(|core| vec![core as u64 + 1; ARRAY_BYTES / 8]).collect();
    let best = |measure: &dyn Fn() -> f64| (0..bench.args.rounds).map(|_| measure()).fold(0.0, f64::max);
    let peaks = MachinePeaks { gigabytes: best(&|| gigabytes(&memory)), gigaflops: best(&gigaflops) };
    println!("limits: {:.1} GB/s, {:.0} GFLOP/s", peaks.gigabytes, peaks.gigaflops);
    journal(bench).add(&peaks)
}

/// Sums what lies in memory, on each core its part.
fn gigabytes(memory: &[Vec<u64>]) -> f64 {
    let began = Instant::now();
    let sum = |part: &Vec<u64>| part.iter().fold(0, |sum: u64, value| sum.wrapping_add(*value));
    black_box(memory.par_iter().map(sum).reduce(|| 0, u64::wrapping_add));
    (memory.len() * ARRAY_BYTES) as f64 / began.elapsed().as_secs_f64() / 1e9
}

/// Multiplies and adds in registers, on every core.
fn gigaflops() -> f64 {
    let began = Instant::now();
    let lanes: usize = (0..cores()).into_par_iter().map(|_| Arch::new().dispatch(MultiplyAdd)).sum();
    (lanes * CHAINS_PER_CORE * STEPS_PER_CHAIN * 2) as f64 / began.elapsed().as_secs_f64() / 1e9
}

struct MultiplyAdd;

impl WithSimd for MultiplyAdd {
    /// Lanes of a vector.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let factor = simd.splat_f32s(black_box(0.999));
        // Each of its own beginning: equal chains would be computed once.
        let mut chains: [S::f32s; CHAINS_PER_CORE] = std::array::from_fn(|_| simd.splat_f32s(black_box(1.0)));
        for _ in 0..STEPS_PER_CHAIN {
            for chain in &mut chains {
                *chain = simd.mul_add_f32s(*chain, factor, factor);
            }
        }
        black_box(chains.map(|chain| simd.reduce_sum_f32s(chain)));
        S::F32_LANES
    }
}

impl MachinePeaks {
    /// Seconds that something takes at least on this machine.
    pub fn seconds(&self, minimal_work: &MinimalWork) -> f64 {
        match minimal_work {
            MinimalWork::Bytes(bytes) => bytes / (self.gigabytes * 1e9),
            MinimalWork::Flops(flops) => flops / (self.gigaflops * 1e9),
        }
    }
}

/// What a fit of [`crate::growth`] needs at least.
///
/// - Neighbours: three operations on f64 for each pair of rows and feature; an f64 counts as two f32.
/// - Trees: two bytes for each row, level and feature that is read. No tree has fewer levels than the binary
///   logarithm of its leaves. A bootstrap has 1 − 1/e of the rows.
/// - Networks: two operations for each row, epoch and weight forward, four backward; the first layer hands nothing back.
pub fn minimal_work(point: &GrowthPoint, labels: usize) -> MinimalWork {
    let (rows, features) = (point.train as f64, point.features as f64);
    match point.leaves {
        Some(leaves) => {
            let (trees, drawn) = forest(&point.family, features);
            let distinct = if point.family == "random_forest" { 1.0 - (-1.0_f64).exp() } else { 1.0 };
            let levels = (leaves as f64 / trees).log2().max(1.0);
            MinimalWork::Bytes(2.0 * trees * levels * distinct * rows * drawn)
        }
        None if point.family == "knn" => MinimalWork::Flops(6.0 * rows * point.queries as f64 * features),
        None => {
            let (first, others) = (features * HIDDEN_UNITS, HIDDEN_UNITS * (2.0 * HIDDEN_UNITS + labels as f64));
            MinimalWork::Flops(NETWORK_EPOCHS * rows * (4.0 * first + 6.0 * others))
        }
    }
}
