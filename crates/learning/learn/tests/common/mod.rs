//! The data that `tests/sklearn/data.py` generates, and reading its numbers back.

#![allow(dead_code, reason = "no test file needs all of it")]

pub mod searches;
pub mod tables;

use learn::Labelled;
use ndarray::{Array2, s};
use serde_json::Value;

/// splitmix64, as numbers in [0, 1).
struct Uniforms(u64);

impl Uniforms {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// n × d features and n × q labels.
pub fn dataset(seed: u64, n: usize, d: usize, q: usize) -> Labelled {
    let mut uniforms = Uniforms(seed);
    let x = Array2::from_shape_simple_fn((n, d), || 2.0 * uniforms.next() - 1.0);
    let mut y = Array2::default((n, q));
    for (row, mut labels) in x.rows().into_iter().zip(y.rows_mut()) {
        for (k, label) in labels.iter_mut().enumerate() {
            *label = row[k % d] + 0.5 * row[(k + 1) % d] + (uniforms.next() - 0.5) > 0.25;
        }
    }
    Labelled::new(x, y)
}

/// The rows before `at` and those from there on.
pub fn split_at(all: &Labelled, at: usize) -> (Labelled, Labelled) {
    let part = |rows: std::ops::Range<usize>| {
        let (x, y) = (all.records.slice(s![rows.clone(), ..]), all.targets.slice(s![rows, ..]));
        Labelled::new(x.to_owned(), y.to_owned())
    };
    (part(0..at), part(at..all.records.nrows()))
}

/// A row of labels as the scripts write it: `0110`.
pub fn labels(rows: &Value) -> Array2<bool> {
    let rows: Vec<Vec<bool>> =
        rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap().chars().map(|c| c == '1').collect()).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, k)| rows[i][k])
}

pub fn numbers(values: &Value) -> Vec<f64> {
    serde_json::from_value(values.clone()).unwrap()
}

/// Mean of a sample, and the mean's standard error.
pub fn mean_and_error(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let squares = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (mean, (squares / ((n - 1.0) * n)).sqrt())
}

/// Asserts that two samples of 20 seeds have means less than four standard errors apart.
pub fn assert_same_mean(ours: &[f64], theirs: &[f64], what: &str) {
    let ((ours, error), (theirs, their_error)) = (mean_and_error(ours), mean_and_error(theirs));
    let error = error.hypot(their_error);
    assert!((ours - theirs).abs() < 4.0 * error, "{what}: {ours} and {theirs} ± {error}");
}
