//! Running other programs from the workspace's root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).expect("xtask lies in crates/dev/xtask").to_owned()
}

/// Where cargo builds: this program lies in a profile's folder of it.
pub fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    Ok(program.ancestors().nth(2).context("this program lies in no folder of cargo's")?.to_owned())
}

/// The cargo that runs this task, as a shell would start it: what cargo told this task of its own package would make it
/// build again what looks at such variables (ring does, and all that speaks TLS comes after it).
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
        command.env_remove(name);
    }
    command.current_dir(root());
    command
}

/// Runs a command to its end; anything but success is an error that names it.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}
