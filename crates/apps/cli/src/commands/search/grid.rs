//! What to search: the settings of a grid.

use std::io;
use std::path::Path;

use anyhow::anyhow;
use learn::grid::GridError;
use model::explain;
use model::search::Candidate;

use crate::args;
use crate::error::usage;
use crate::shell;

/// What to search.
pub struct Plan {
    /// Settings of the grid, in order.
    pub settings: Vec<Candidate>,
    /// Folds of the cross-validation.
    pub folds: u32,
    /// Seed of the models.
    pub seed: u64,
    /// Whether the winner gets thresholds.
    pub thresholds: bool,
    /// The command line of this search, which advice repeats.
    pub command: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        let settings = learn::grid::read(learn::grid::QUICK, &[]).expect("the built-in grid is right");
        Self { settings, folds: 5, seed: 0, thresholds: false, command: None }
    }
}

impl Plan {
    /// The built-in quick grid on the newest dataset of the store that these flags name, or else the settings.
    pub fn quick(flags: Vec<String>, seed: u64) -> Self {
        let mut words = flags;
        words.extend(["search", "run", "--grid", "quick"].map(str::to_owned));
        if seed != 0 {
            words.extend(["--seed".to_owned(), seed.to_string()]);
        }
        Self { seed, command: Some(shell::command(words)), ..Self::default() }
    }

    /// The settings of a grid.
    ///
    /// # Errors
    /// It cannot be read, or has none of the families.
    pub fn of(grid: &args::GridArgs, seed: u64) -> anyhow::Result<Self> {
        let settings = match learn::grid::built_in(&grid.grid.to_string_lossy()) {
            Some(text) => {
                learn::grid::read(text, &grid.families).map_err(|error| usage(format!("--families: {error}")))?
            }
            None => {
                let file = &grid.grid;
                let bytes = std::fs::read(file).map_err(|error| unread(file, error))?;
                let text = explain::utf8_text(&bytes).map_err(|why| anyhow!("{} is no grid: {why}", file.display()))?;
                learn::grid::read(text, &grid.families).map_err(|error| match error {
                    GridError::NoFamily { .. } => usage(format!("--families: {}: {error}", file.display())),
                    error => anyhow::Error::new(error).context(file.display().to_string()),
                })?
            }
        };
        Ok(Self { settings, folds: grid.folds, seed, thresholds: false, command: None })
    }

    /// What the arguments of a search ask for.
    ///
    /// # Errors
    /// As of [`Plan::of`].
    pub fn wanted(what: &args::SearchArgs) -> anyhow::Result<Self> {
        Ok(Self { thresholds: what.thresholds, ..Self::of(&what.grid, what.seed)? })
    }
}

/// Why a grid cannot be read; a name that is no file is a slip of the pen.
fn unread(file: &Path, error: io::Error) -> anyhow::Error {
    let file = file.display();
    if error.kind() == io::ErrorKind::NotFound {
        let names = learn::grid::BUILT_IN.map(|(name, _)| name).join(", ");
        return usage(format!("no grid {file}: it is no file, and built in are {names}"));
    }
    anyhow::Error::new(error).context(format!("cannot read {file}"))
}
