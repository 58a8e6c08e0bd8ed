#![doc = include_str!("../README.md")]

mod error;
mod random;
mod search;

pub mod family;
pub mod folds;
pub mod grid;
pub mod knn;
pub mod metrics;
pub mod params;
pub mod plan;
pub mod scaler;
pub mod tree;

pub use error::LearnError;
pub use search::{Prepared, SavedModel, leaderboard, prepare, refit, run_block};

/// Rows with their labels, as linfa's traits take them: records n × d, targets n × q.
pub type Labelled = linfa::Dataset<f64, bool>;
