//! `cargo xtask chaos`.

use crate::command::{cargo, run, target};
use crate::keeper::Keeper;
use crate::servers::run_folder;

/// Builds the workers and the harness, and runs it on servers of its own.
pub fn chaos(short: bool, seed: Option<u64>) -> anyhow::Result<()> {
    services::install_broker()?;
    let store = services::install_store(&target()?)?;
    let folder = run_folder("chaos")?;
    // Before the build, which may replace this program: the keeper is the same one.
    let _keeper = Keeper::start(&folder)?;
    run(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    let mut harness = std::process::Command::new(target()?.join("release/chaos"));
    harness.arg("--services").arg(folder.path()).arg("--store-program").arg(store);
    harness.arg("--logs").arg(target()?.join("chaos"));
    harness.args(short.then_some("--short"));
    harness.args(seed.map(|seed| format!("--seed={seed}")));
    run(&mut harness)
}
