//! `cargo xtask bench NAME`: each benchmark runs both sides in one go and prints their ratio.

use std::path::{Path, PathBuf};
use std::process::Command;

use services::Ports;

use crate::command::{cargo, root, run, target};
use crate::keeper::Keeper;
use crate::servers::{run_folder, start};

/// Our pitch preprocessing beside the pandas code of the original study.
pub fn pitches() -> anyhow::Result<()> {
    let python = python(&["pandas==2.3.3"])?;
    run(bench("bench_pitches").arg("--python").arg(python))
}

/// The queue's backends beside Celery, a bare lapin loop and apalis-sqlite, and the memory of worker processes; on servers of
/// its own unless the environment names running ones.
pub fn queue(arguments: &[String]) -> anyhow::Result<()> {
    // Before anything is built: that may replace the program that the keeper runs.
    let folder = run_folder("bench")?;
    let _keeper = Keeper::start(&folder)?;
    let python = python(&["celery==5.7.0"])?;
    let apalis = peer("apalis")?;
    let programs = build(&["--bins", "--bench", "bench_queue"])?;
    let mut command = bench("bench_queue");
    command.arg("--python").arg(python).arg("--apalis").arg(apalis).arg("--programs").arg(programs).args(arguments);
    run(command.envs(start(&folder, Ports::Free)?))
}

/// A search by one `grid-worker` process on one core beside two on one core each.
pub fn grid(arguments: &[String]) -> anyhow::Result<()> {
    let programs = build(&["--bins", "--bench", "bench_grid"])?;
    run(bench("bench_grid").arg("--programs").arg(programs).args(arguments))
}

/// Full searches of the study's five tables beside scikit-learn's time for them; single fits, growth, and the machine's
/// limits. Writes `docs/performance.md`.
pub fn search(arguments: &[String]) -> anyhow::Result<()> {
    let python = python(&["scikit-learn==1.9.1"])?;
    run(bench("bench_search").arg("--python").arg(python).args(arguments))
}

/// The command of a benchmark, without its arguments.
fn bench(name: &str) -> Command {
    let mut command = cargo();
    command.args(["bench", "--workspace", "--bench", name, "--"]);
    command
}

/// Builds programs and benchmarks with the features of the whole workspace; returns their folder.
fn build(what: &[&str]) -> anyhow::Result<PathBuf> {
    run(cargo().args(["build", "--release", "--workspace"]).args(what))?;
    Ok(target()?.join("release"))
}

/// Builds a peer and returns its program. It is a workspace of its own, so that its dependencies stay out of ours.
fn peer(name: &str) -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name).join("Cargo.toml");
    let target = target()?.join("bench-peers");
    let mut build = cargo();
    run(build
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target))?;
    Ok(target.join("release").join(format!("{name}-peer")))
}

/// A Python with these packages, in a virtual environment for benchmarks.
fn python(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let environment = root().join("target/bench-venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    Ok(python)
}
