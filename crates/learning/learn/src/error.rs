//! What can go wrong, by what the caller can do about it.

use crate::grid::GridError;
use crate::params::ParamError;

/// Why something could not be learnt.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The grid has to be changed.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// The setting has to be changed.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The setting is right in itself and cannot be fitted on this data: the search goes on with the others.
    #[error("{0}")]
    Unfittable(String),
    /// The data has to be changed.
    #[error("{0}")]
    Data(String),
    /// The search holds no block, setting or finished trials of this kind.
    #[error("{0}")]
    Search(String),
    /// The search was started by a version with another arithmetic: workers of that version have to run it.
    #[error(
        "the search computes with kernel `{wanted}`, this version of the program with `{here}`: only versions with the \
         former can take part"
    )]
    Kernel {
        /// That of the search.
        wanted: String,
        /// This version's.
        here: String,
    },
    /// The bytes are no model of this program.
    #[error("not a saved model: {0}")]
    Saved(String),
    /// Nothing: the computation was asked to end by a [`Cancel`](crate::Cancel).
    #[error("cancelled before it was finished")]
    Cancelled,
    /// Required by linfa's traits.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
