#![doc = include_str!("../README.md")]

mod dataset;
mod pitches;

pub use dataset::{
    BadValue, Built, DatasetError, Fault, GenreColumn, Import, Imported, ModelRows, Place, ReadOptions, Separator,
    Sources, Table, Unusable, build, describe, fills, import, model_rows, read, to_csv, to_parquet, to_spreadsheet,
};
pub use pitches::{PitchError, pitches};
