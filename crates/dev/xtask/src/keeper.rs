//! Stops the servers of a run, however the run ends.

use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context;
use services::Folder;

/// A process that waits for the end of this one, then stops the servers of a folder and deletes it.
///
/// It notices the end by a pipe that no other process holds: the system closes it after an interrupt and a kill -9, too. It
/// is in a process group of its own, so that an interrupt at the terminal does not end it first.
pub struct Keeper {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Keeper {
    /// Begins to keep a folder; from then on servers may be started in it.
    pub fn start(folder: &Folder) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["services", "keep"]).arg(folder.path()).stdin(Stdio::piped()).process_group(0);
        let mut child = command.spawn().context("cannot start the keeper of the servers")?;
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        match self.child.wait() {
            Ok(status) if status.success() => {}
            other => eprintln!("xtask: some server may still run: its keeper ended with {other:?}"),
        }
    }
}
