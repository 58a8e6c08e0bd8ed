//! A MongoDB-compatible server of our own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Process;
use crate::{Folder, Ports, greeting};

/// A store server with a folder for its data.
#[derive(Debug)]
pub struct StoreServer {
    folder: Folder,
    program: PathBuf,
    port: u16,
    server: Process,
}

impl StoreServer {
    /// Starts a server with nothing in it; returns when it answers.
    pub fn start(folder: &Folder, program: &Path, ports: Ports) -> anyhow::Result<Self> {
        let port = ports.choose(27_017)?;
        let server = start_server(folder, program, port)?;
        Ok(Self { folder: folder.clone(), program: program.to_owned(), port, server })
    }

    /// Where results go. The connection is a direct one because the server tells clients an address of its own, which
    /// is not that of a proxy before it.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port)
    }

    /// The port of [`StoreServer::url`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server as a crash does.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.server.kill()
    }

    /// Starts the server again on what it had; returns when it answers.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.server = start_server(&self.folder, &self.program, self.port)?;
        Ok(())
    }
}

fn start_server(folder: &Folder, program: &Path, port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(program);
    command
        .args(["--port", &port.to_string(), "--storage-path"])
        .arg(folder.path().join("store"))
        // Without the last one, a crash loses writes that were acknowledged.
        .args(["--cache-size", "256M", "--log-file-max", "16MB", "--sync-on-commit"])
        .current_dir(folder.path());
    let server = folder.start("store", &mut command)?;
    folder.wait_for(&server, || greeting::is_mongodb(port))?;
    Ok(server)
}
