//! `cargo xtask test`.

use std::path::PathBuf;

use crate::command::{cargo, run};

/// Where the real inputs lie that some tests read; without it those tests are skipped, each by its name.
const REAL_DATA: &str = "SPOTIFAI_REAL_DATA";

/// Runs `cargo test` over the workspace.
pub fn run_tests(arguments: &[String]) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["test", "--release"]);
    if !arguments.iter().any(|argument| argument == "-p" || argument.starts_with("--package")) {
        command.arg("--workspace");
    }
    command.args(arguments);
    // Tests run in the folders of their crates: a relative path would mean another place in each.
    if let Some(folder) = std::env::var_os(REAL_DATA) {
        command.env(REAL_DATA, PathBuf::from(folder).canonicalize()?);
    }
    run(&mut command)
}
