//! `cargo xtask deny`: which crates may be built in, as deny.toml says.

use std::process::Command;

use crate::command::{root, run};
use crate::tools::{output, tool};

/// Checks bans, licences and sources; advisories too, where their database can be reached.
pub fn deny() -> anyhow::Result<()> {
    let program = tool("cargo-deny")?;
    let deny = || {
        let mut command = Command::new(&program);
        command.current_dir(root()).arg("--locked");
        command
    };
    run(deny().args(["check", "bans", "licenses", "sources"]))?;
    let fetched = output(deny().args(["fetch", "db"]))?;
    if fetched.status.success() {
        return run(deny().args(["check", "--disable-fetch", "advisories"]));
    }
    let said = String::from_utf8_lossy(&fetched.stderr);
    let why = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
    println!("skipped advisories: the database cannot be fetched: {}", why.trim());
    Ok(())
}
