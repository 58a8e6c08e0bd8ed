//! Errors, by what the caller can do about them.

use crate::grid::GridError;
use crate::params::ParamError;

/// Why something could not be learnt.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The grid has to be changed.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The candidate has to be changed.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The candidate is valid but cannot be fitted on this data: the search continues with the others.
    #[error("{0}")]
    Unfittable(String),
    /// The data has to be changed.
    #[error("{0}")]
    Data(String),
    /// The search has no such block or candidate, or its trials are not finished.
    #[error("{0}")]
    Search(String),
    /// The search was started by a version whose arithmetic differs: only workers of that version can run it.
    #[error(
        "the search computes with kernel `{wanted}`, this version of the program with `{ours}`: only versions with kernel \
         `{wanted}` can run it"
    )]
    Kernel {
        /// The search's.
        wanted: String,
        /// This program's.
        ours: String,
    },
    /// The bytes are not a model that this version can read.
    #[error("not a saved model: {0}")]
    Saved(String),
    /// The caller raised the [`Cancel`](crate::Cancel) flag: there is nothing to mend.
    #[error("cancelled before it was finished")]
    Cancelled,
    /// Never returned; linfa's traits require the conversion.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
