#![doc = include_str!("../README.md")]

mod dataset;
mod pitches;

pub use dataset::{Built, DatasetError, Sources, build, describe, read, to_csv, to_parquet};
pub use pitches::{PitchError, pitches};
