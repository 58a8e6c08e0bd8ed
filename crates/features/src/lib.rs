#![doc = include_str!("../README.md")]

mod dataset;
mod pitches;

pub use dataset::{Built, DatasetError, Import, Imported, Sources, build, describe, import, read, to_csv, to_parquet};
pub use pitches::{PitchError, pitches};
