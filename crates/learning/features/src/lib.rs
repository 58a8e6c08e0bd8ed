#![doc = include_str!("../README.md")]

mod dataset;
mod groups;
mod pitches;
mod track;

pub use dataset::{
    BadValue, BuiltDataset, DatasetError, Fault, GenreColumn, ImportOptions, ImportedDataset, ModelRows, Place,
    ReadOptions, Separator, StoredTracks, Table, Unusable, build, describe, fills, import, model_rows, read, to_csv,
    to_parquet, to_spreadsheet,
};
pub use groups::column_groups;
pub use pitches::{PitchError, pitches};
pub use track::{MissingData, MissingReason, TrackColumns, TrackParts};
