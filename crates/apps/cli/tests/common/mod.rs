//! The program as a person runs it: a process with arguments, an environment and a folder.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// `spotifai` in a folder of its own, untouched by the caller's settings.
pub fn spotifai(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotifai"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("SPOTIFAI_"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.env("XDG_CONFIG_HOME", folder);
    command
}

/// Runs to the end.
pub fn run(folder: &Path, args: &[&str]) -> Output {
    spotifai(folder, args).output().expect("spotifai starts")
}

/// Standard output of a run that must succeed.
pub fn ok(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The one line of a run that must fail with this exit code.
pub fn fails(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

/// Waits until `true`, or panics after a minute.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited a minute in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends a signal to a process.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}
