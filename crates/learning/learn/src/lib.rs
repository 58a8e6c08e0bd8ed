#![doc = include_str!("../README.md")]

mod cancel;
mod distance;
mod error;
mod linalg;
mod pairs;
mod pipeline;
mod random;
mod search;

pub mod family;
pub mod folds;
pub mod grid;
pub mod knn;
pub mod metrics;
pub mod mlp;
pub mod params;
pub mod plan;
pub mod radius;
pub mod ridge;
pub mod scaler;
pub mod select;
pub mod tree;

pub use cancel::Cancel;
pub use error::LearnError;
pub use search::{Prepared, SavedModel, check_version, leaderboard, prepare, refit, run_block};

/// Version of the arithmetic: raised with every change that can alter a score, so that no search mixes two of them.
const KERNEL: u32 = 9;

/// The arithmetic that scores have, the same on every machine. That of training rows with copies of a track is another:
/// programs before it cut such rows into other folds.
pub fn kernel(copies: bool) -> String {
    if copies { format!("{KERNEL} copies") } else { KERNEL.to_string() }
}

/// Rows with their labels, as linfa's traits take them: records n × d, targets n × q.
pub type Labelled = linfa::Dataset<f64, bool>;
