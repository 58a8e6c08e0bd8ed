#![doc = include_str!("../README.md")]

mod cancel;
mod distance;
mod error;
mod linalg;
mod pairwise;
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

/// Version of the arithmetic. Raise it with every change that can alter a score: trials of two versions never mix in one
/// search.
const KERNEL_VERSION: u32 = 9;

/// The kernel (version of the arithmetic) that a search's scores are computed with; the same on every machine. Training
/// rows with `copies` of a track have a kernel of their own: older programs split them into different folds.
pub fn kernel(copies: bool) -> String {
    if copies { format!("{KERNEL_VERSION} copies") } else { KERNEL_VERSION.to_string() }
}

/// Rows with their labels, in the form linfa's traits take: records n × d, targets n × q.
pub type Labelled = linfa::Dataset<f64, bool>;
