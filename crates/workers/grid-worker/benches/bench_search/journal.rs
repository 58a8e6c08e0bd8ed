//! Results as they come, one JSON line each: what is in the file is not measured again.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of results.
pub struct Journal(PathBuf);

impl Journal {
    /// The one of a name in a folder; it need not exist yet.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self(folder.join(name).with_extension("jsonl"))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// All results. A line that a killed run left unfinished is none.
    pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<Vec<T>> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let lines = BufReader::new(File::open(&self.0)?).lines().collect::<Result<Vec<String>, _>>()?;
        Ok(lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// One more result.
    pub fn add(&self, result: &impl Serialize) -> anyhow::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        // The line before may have been cut off: an empty one does no harm.
        writeln!(file, "\n{}", serde_json::to_string(result)?).with_context(|| format!("cannot write {:?}", self.0))
    }

    /// Forgets all results.
    pub fn clear(&self) -> anyhow::Result<()> {
        if self.0.exists() {
            std::fs::remove_file(&self.0)?;
        }
        Ok(())
    }
}
