//! The peers, each a program of its own that prints its rates.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Celery's rate of `verb`: `publish` or `run`.
pub fn celery(python: &Path, verb: &str, url: &str, jobs: usize) -> anyhow::Result<f64> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bench_queue/celery_side.py");
    let mut command = Command::new(python);
    command.arg(script).args([verb, url, &jobs.to_string()]).env("PYTHONDONTWRITEBYTECODE", "1");
    last_line(&mut command)?.parse().context("Celery's side printed no number")
}

/// Rates of apalis.
#[derive(serde::Deserialize)]
pub struct Apalis {
    /// Jobs enqueued a second.
    pub publish: f64,
    /// Jobs run a second.
    pub run: f64,
}

/// Enqueues and runs jobs in a new file.
pub fn apalis(program: &Path, file: &Path, jobs: usize) -> anyhow::Result<Apalis> {
    let line = last_line(Command::new(program).arg(file).arg(jobs.to_string()))?;
    serde_json::from_str(&line).context("the apalis side printed no rates")
}

fn last_line(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    Ok(text.trim_end().lines().next_back().unwrap_or_default().to_owned())
}
