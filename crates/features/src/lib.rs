#![doc = include_str!("../README.md")]

mod dataset;
mod pitches;

pub use dataset::{
    Built, DatasetError, Fault, GenreColumn, Import, Imported, ReadOptions, Separator, Sources, Table, Unusable, build,
    describe, import, read, to_csv, to_parquet, to_spreadsheet,
};
pub use pitches::{PitchError, pitches};
