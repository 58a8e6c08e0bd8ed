#![doc = include_str!("../README.md")]

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

pub use error::LearnError;
pub use search::{Prepared, SavedModel, leaderboard, prepare, refit, run_block};

/// Version of the arithmetic: raised with every change that can alter a score, so that no search mixes two of them.
const KERNEL: u32 = 6;

/// The arithmetic that the scores of these settings have on this machine. Only that of networks depends on the machine:
/// their matrix products are computed by the widest instructions it has.
pub fn kernel(settings: &[model::search::Setting]) -> String {
    match settings.iter().any(|setting| setting.family == "mlp") {
        true => format!("{KERNEL} {}", mlp::kernel()),
        false => KERNEL.to_string(),
    }
}

/// Rows with their labels, as linfa's traits take them: records n × d, targets n × q.
pub type Labelled = linfa::Dataset<f64, bool>;
