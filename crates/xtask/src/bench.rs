//! `cargo xtask bench NAME`: each benchmark runs both sides in one go and prints their ratio.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{cargo, root, run};

/// Our pitch preprocessing beside the pandas code of the original study.
pub fn pitches() -> anyhow::Result<()> {
    let python = python(&["pandas==2.3.3"])?;
    let example = ["run", "--release", "--package", "features", "--example", "bench_pitches", "--"];
    run(cargo().args(example).arg("--python").arg(python))
}

/// A Python with these packages, in a virtual environment of the benchmarks' own.
fn python(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let environment = root().join("target/bench-venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    Ok(python)
}
