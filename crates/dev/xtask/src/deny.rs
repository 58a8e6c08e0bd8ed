//! `cargo xtask deny`: which crates may be built in, as deny.toml says.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::command::{root, run};
use crate::tools::{output, tool};

/// What cargo-deny prints if it cannot download the known vulnerabilities.
const UNFETCHED: &str = "failed to fetch advisory database";

/// Checks bans, licences and sources, and advisories if their database can be reached.
pub fn deny() -> anyhow::Result<()> {
    let program = tool("cargo-deny")?;
    run(locked(&program).args(["check", "bans", "licenses", "sources"]))?;
    if let Some(why) = unchecked_advisories(&program)? {
        eprintln!("\nADVISORIES WERE NOT CHECKED: {why}");
        eprintln!("A known vulnerability would pass: run `cargo xtask deny` where that database can be reached.\n");
    }
    Ok(())
}

/// Checks advisories; returns why they could not be checked if their database is unreachable.
///
/// One call downloads and checks, so that a machine without a network notices a wrong argument, too.
fn unchecked_advisories(program: &Path) -> anyhow::Result<Option<String>> {
    let done = output(locked(program).args(["check", "advisories"]))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() && said.contains(UNFETCHED) {
        let why = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or(UNFETCHED);
        return Ok(Some(why.trim().to_owned()));
    }
    eprint!("{said}");
    if !done.status.success() {
        bail!("cargo-deny check advisories ended with {}", done.status);
    }
    Ok(None)
}

fn locked(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).arg("--locked");
    command
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The result with a cargo-deny that runs `script`.
    fn check_with(script: &str) -> anyhow::Result<Option<String>> {
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("cargo-deny");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n"))?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        unchecked_advisories(&program)
    }

    #[test]
    fn advisories_are_checked_or_it_is_said_why_they_are_not() {
        assert_eq!(check_with("[ \"$*\" = '--locked check advisories' ]").unwrap(), None);
        let unreachable =
            "echo '[ERROR] failed to fetch advisory database https://x' >&2\necho 'fatal: no host' >&2\nexit 1";
        assert_eq!(check_with(unreachable).unwrap().as_deref(), Some("fatal: no host"));
        for failed in ["echo 'error[vulnerability]: overflow' >&2\nexit 1", "echo 'unexpected argument' >&2\nexit 2"] {
            assert!(check_with(failed).is_err(), "{failed}");
        }
    }
}
