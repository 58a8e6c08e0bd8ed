//! A file system of a few megabytes that one process sees.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::spotifai;

/// How a disk is made small on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A tmpfs in a mount namespace of its own, which root may have.
    Mount,
    /// The same, in a user namespace.
    UserMount,
    /// No file may become larger, where neither is allowed.
    FileSize,
}

impl Means {
    /// The best one that this machine allows; standard error says which, for `test`.
    pub fn found(test: &str) -> Self {
        let can = |means: Self| {
            let script = "mount -t tmpfs -o size=1m none \"$1\"";
            means
                .shell(&std::env::temp_dir(), script)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let means = [Self::Mount, Self::UserMount].into_iter().find(|means| can(*means)).unwrap_or(Self::FileSize);
        // Not `eprintln!`, which the test runner swallows.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("{test}: a small disk by {means:?}\n").as_bytes(),
        );
        means
    }

    /// A shell in a namespace of its own; `$1` is the folder.
    fn shell(self, folder: &Path, script: &str) -> Command {
        let unshare: &[&str] = match self {
            Self::Mount => &["unshare", "--mount"],
            Self::UserMount => &["unshare", "--user", "--map-root-user", "--mount"],
            Self::FileSize => &["env"],
        };
        let mut command = Command::new(unshare[0]);
        command.args(&unshare[1..]).args(["sh", "-c", script, "sh"]).arg(folder);
        command
    }

    /// `script` with the program as `"$@"` and `$disk`, a folder of so many kilobytes in `folder`. `room N` makes it as
    /// large as that.
    pub fn script(self, folder: &Path, kilobytes: u32, script: &str, args: &[&str]) -> Command {
        let disk = folder.join("disk");
        std::fs::create_dir_all(&disk).expect("a folder");
        let begin = match self {
            Self::FileSize => format!("room() {{ ulimit -S -f $(($1 * 2)); }}; room {kilobytes}"),
            _ => format!(
                "room() {{ mount -o remount,size=${{1}}k \"$disk\"; }}; mount -t tmpfs -o size={kilobytes}k none \"$disk\""
            ),
        };
        let mut command = self.shell(&disk, &format!("set -e; disk=$1; shift; {begin}; {script}"));
        let program = spotifai(folder, args);
        command.arg(program.get_program()).args(program.get_args());
        command.current_dir(folder).stdin(Stdio::null());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

/// The disk of a process that runs on one.
pub fn disk_of(child: &Child, folder: &Path) -> PathBuf {
    let disk = folder.join("disk");
    PathBuf::from(format!("/proc/{}/root{}", child.id(), disk.display()))
}
