//! Processes, identified by id and start time, so that a reused id is never signalled.

use std::fmt;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a server may take to shut down.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A process that was started here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pid: u32,
    /// Clock ticks from the machine's start to the process's.
    started: u64,
}

impl Process {
    pub(crate) fn new(name: &str, pid: u32) -> anyhow::Result<Self> {
        let started = start_of(pid).with_context(|| format!("{name} ended at once"))?;
        Ok(Self { name: name.to_owned(), pid, started })
    }

    pub(crate) fn is_alive(&self) -> bool {
        start_of(self.pid) == Some(self.started)
    }

    /// Asks it to terminate, and kills it if that takes too long.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        if !self.ends_within(STOP_TIMEOUT) {
            self.kill()?;
        }
        Ok(())
    }

    /// Kills it, like a crash.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        self.signal("KILL")?;
        if !self.ends_within(STOP_TIMEOUT) {
            bail!("{} (process {}) does not end", self.name, self.pid);
        }
        Ok(())
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        if self.is_alive() {
            // The shell's own kill: the program of that name is not on every machine.
            let command = format!("kill -{signal} {}", self.pid);
            Command::new("sh").args(["-c", &command]).output().context("cannot start sh")?;
        }
        Ok(())
    }

    fn ends_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        !self.is_alive()
    }
}

/// A line of the folder's list.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.pid, self.started, self.name)
    }
}

impl FromStr for Process {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(pid), Some(started), Some(name)) => {
                Ok(Self { name: name.to_owned(), pid: pid.parse()?, started: started.parse()? })
            }
            _ => bail!("`{line}` is not a process"),
        }
    }
}

/// When a process started; `None` if it does not exist, or is a zombie.
fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses, and may itself contain spaces and parentheses.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let is_over = matches!(*fields.first()?, "Z" | "X");
    // Field 22 of the line, counted from 1; the two fields before the state were cut off.
    fields.get(19).filter(|_| !is_over)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn sleeper() -> (std::process::Child, Process) {
        let child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let process = Process::new("a sleeper", child.id()).unwrap();
        (child, process)
    }

    #[test]
    fn a_line_names_the_process() {
        let (mut child, process) = sleeper();
        assert_eq!(process.to_string().parse::<Process>().unwrap(), process);
        assert!(process.is_alive());
        process.stop().unwrap();
        assert!(!process.is_alive(), "one that nobody waited for yet has ended all the same");
        child.wait().unwrap();
    }

    #[test]
    fn a_number_that_is_somebody_elses_now_is_left_alone() {
        let (mut child, process) = sleeper();
        let former = Process { started: process.started - 1, ..process.clone() };
        former.kill().unwrap();
        assert!(process.is_alive());
        process.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn lines_that_are_none_are_refused() {
        assert!("".parse::<Process>().is_err());
        assert!("12 x rabbitmq".parse::<Process>().is_err());
    }
}
