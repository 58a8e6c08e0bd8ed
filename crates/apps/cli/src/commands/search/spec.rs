//! What to search: the candidates of a grid, and how they are scored.

use std::io;
use std::path::Path;

use anyhow::anyhow;
use learn::grid::GridError;
use model::explain;
use model::search::Candidate;

use crate::args;
use crate::command_line;
use crate::error::usage;

/// What to search.
pub struct SearchSpec {
    /// The candidates of the grid, in order.
    pub settings: Vec<Candidate>,
    /// Folds of the cross-validation.
    pub folds: u32,
    /// Seed of the models' randomness.
    pub seed: u64,
    /// Whether the winner gets a tuned threshold for each label.
    pub thresholds: bool,
    /// The command line of this search, to be repeated in advice.
    pub command: Option<String>,
}

impl Default for SearchSpec {
    fn default() -> Self {
        let settings = learn::grid::read(learn::grid::QUICK, &[]).expect("the built-in grid is valid");
        Self { settings, folds: 5, seed: 0, thresholds: false, command: None }
    }
}

impl SearchSpec {
    /// The built-in quick grid. `backend_flags` select the store with the dataset in the command line shown to the user.
    pub fn quick(backend_flags: Vec<String>, seed: u64) -> Self {
        let mut args = backend_flags;
        args.extend(["search", "run", "--grid", "quick"].map(str::to_owned));
        if seed != 0 {
            args.extend(["--seed".to_owned(), seed.to_string()]);
        }
        Self { seed, command: Some(command_line::with_args(args)), ..Self::default() }
    }

    /// The candidates of a grid.
    ///
    /// # Errors
    /// The grid cannot be read, or lacks one of the families.
    pub fn from_grid(grid: &args::GridArgs, seed: u64) -> anyhow::Result<Self> {
        let settings = match learn::grid::built_in(&grid.grid.to_string_lossy()) {
            Some(text) => {
                learn::grid::read(text, &grid.families).map_err(|error| usage(format!("--families: {error}")))?
            }
            None => {
                let file = &grid.grid;
                let bytes = std::fs::read(file).map_err(|error| cannot_read(file, error))?;
                let text = explain::utf8_text(&bytes)
                    .map_err(|why| anyhow!("{} is not a grid file: {why}", file.display()))?;
                learn::grid::read(text, &grid.families).map_err(|error| match error {
                    GridError::NoFamily { .. } => usage(format!("--families: {}: {error}", file.display())),
                    error => anyhow::Error::new(error).context(file.display().to_string()),
                })?
            }
        };
        Ok(Self { settings, folds: grid.folds, seed, thresholds: false, command: None })
    }

    /// The search that the arguments ask for.
    ///
    /// # Errors
    /// Those of [`SearchSpec::from_grid`].
    pub fn from_args(args: &args::SearchArgs) -> anyhow::Result<Self> {
        Ok(Self { thresholds: args.thresholds, ..Self::from_grid(&args.grid, args.seed)? })
    }
}

/// Why a grid cannot be read. An unknown name is a usage error.
fn cannot_read(file: &Path, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        let names = learn::grid::BUILT_IN.map(|(name, _)| name).join(", ");
        return usage(format!("unknown grid {file:?}: not a file, and not one of {names}"));
    }
    anyhow::Error::new(error).context(format!("cannot read {}", file.display()))
}
