//! The worker programs.

use anyhow::Context;

use crate::command::root;

/// Where they are, each in a folder of its name.
const FOLDER: &str = "crates/workers";

/// Seconds beyond `worker.grace_seconds` that a stopping worker needs to hand back what is left.
pub const HAND_BACK_SECONDS: f64 = 3.0;

/// The names of the worker programs.
pub fn names() -> anyhow::Result<Vec<String>> {
    let folders = std::fs::read_dir(root().join(FOLDER)).with_context(|| format!("cannot read {FOLDER}"))?;
    let folders = folders.collect::<std::io::Result<Vec<_>>>()?;
    let programs = folders.iter().filter(|folder| folder.path().join("Cargo.toml").is_file());
    let mut names: Vec<_> = programs.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
