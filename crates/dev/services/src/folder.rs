//! The folder for the files of one run's servers, and the list of their processes.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Process;

/// File with one line per process, in the order in which they were started.
const PROCESS_LIST: &str = "processes";

/// How long a server may take to start: a machine that builds something at the same time is slow.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The folder of the servers of one run. Dropping it stops nothing.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at this path, created if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created, and on systems other than Linux, where processes cannot be identified reliably.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        if !cfg!(target_os = "linux") {
            bail!("servers for tests are started on Linux only: {}", crate::install::WAY_OUT);
        }
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path: path.canonicalize()? })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether all processes that were started here are running.
    pub fn is_running(&self) -> anyhow::Result<bool> {
        let processes = self.processes()?;
        Ok(!processes.is_empty() && processes.iter().all(Process::is_alive))
    }

    /// Stops all processes that were started here and still run, the last one first; returns their names.
    pub fn stop_all(&self) -> anyhow::Result<Vec<String>> {
        let mut stopped = Vec::new();
        for process in self.processes()?.into_iter().rev().filter(Process::is_alive) {
            process.stop()?;
            stopped.push(process.name);
        }
        Ok(stopped)
    }

    /// Stops all processes and deletes the folder.
    pub fn remove(&self) -> anyhow::Result<Vec<String>> {
        let stopped = self.stop_all()?;
        fs::remove_dir_all(&self.path).with_context(|| format!("cannot delete {}", self.path.display()))?;
        Ok(stopped)
    }

    /// Starts a server and records it. It gets a process group of its own, so that Ctrl-C in the terminal does not reach it.
    pub(crate) fn start(&self, name: &str, command: &mut Command) -> anyhow::Result<Process> {
        let log = File::create(self.log(name))?;
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let process = Process::new(name, child.id())?;
        let mut list = OpenOptions::new().append(true).create(true).open(self.path.join(PROCESS_LIST))?;
        writeln!(list, "{process}")?;
        Ok(process)
    }

    /// Waits until a server answers.
    pub(crate) fn wait_for(&self, process: &Process, answers: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while !answers() {
            if !process.is_alive() {
                bail!("{} ended before it answered: {}", process.name, self.last_words(&process.name));
            }
            if Instant::now() > deadline {
                bail!("{} did not answer within {} s", process.name, START_TIMEOUT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn processes(&self) -> anyhow::Result<Vec<Process>> {
        match fs::read_to_string(self.path.join(PROCESS_LIST)) {
            Ok(list) => list.lines().map(str::parse).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.path.join(PROCESS_LIST).display())),
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.log"))
    }

    /// The end of a server's log, in one line.
    fn last_words(&self, name: &str) -> String {
        let log = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let mut lines: Vec<&str> = log.lines().rev().filter(|line| !line.trim().is_empty()).take(5).collect();
        lines.reverse();
        if lines.is_empty() { "it said nothing".to_owned() } else { lines.join(" | ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> Folder {
        let name = format!("services-{name}-{}", std::process::id());
        Folder::create(&std::env::temp_dir().join(name)).unwrap()
    }

    #[test]
    fn what_was_started_is_stopped_by_who_ever_opens_the_folder() {
        let first = folder("stop");
        assert!(!first.is_running().unwrap());
        first.start("one", Command::new("sleep").arg("600")).unwrap();
        first.start("two", Command::new("sleep").arg("600")).unwrap();
        let other = Folder::create(first.path()).unwrap();
        assert!(other.is_running().unwrap());
        assert_eq!(other.remove().unwrap(), ["two", "one"]);
        assert!(!first.path().exists());
    }

    #[test]
    fn a_server_that_ends_instead_of_answering_is_an_error_with_its_last_words() {
        let folder = folder("words");
        let process = folder.start("talker", Command::new("sh").args(["-c", "sleep 0.1; echo; echo no such host >&2"]));
        let error = folder.wait_for(&process.unwrap(), || false).unwrap_err().to_string();
        assert_eq!(error, "talker ended before it answered: no such host");
        folder.remove().unwrap();
    }
}
