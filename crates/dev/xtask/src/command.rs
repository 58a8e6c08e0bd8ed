//! Running other programs from the workspace's root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).expect("xtask lies in crates/dev/xtask").to_owned()
}

/// Cargo's target folder: this program is in the folder of a profile within it.
pub fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    Ok(program.ancestors().nth(2).context("this program lies in no folder of cargo's")?.to_owned())
}

/// The cargo that runs this task, without the variables that it set for this task's package: build scripts that look at them
/// (ring's, and with it everything that speaks TLS) would run again.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
        command.env_remove(name);
    }
    command.current_dir(root());
    command
}

/// Runs a command to its end; a failure is an error that names it.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}
