//! The exit code of a command that was told to stop: 130 or 143 where its work was not complete, 0 where it had no end of
//! its own.

mod common;

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{ok, run, signal, spotifai, wait_until};
use tempfile::tempdir;

/// Whether the process handles the signal of this number by now.
fn handles(child: &Child, number: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught >> (number - 1) & 1 == 1)
}

/// Exit code and standard error of a process that gets the signal when `begun`, or else as soon as it handles signals.
fn stopped(mut command: Command, name: &str, mut begun: impl FnMut() -> bool) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("its handlers", || handles(&child, 2) && handles(&child, 15));
    wait_until("its beginning", &mut begun);
    signal(&child, name);
    wait_until("its end", || child.try_wait().unwrap().is_some());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A pipe in the file system: who reads it waits.
fn pipe(folder: &Path, name: &str) -> PathBuf {
    let pipe = folder.join(name);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

#[test]
fn a_worker_that_is_told_to_stop_in_its_first_instant_exits_with_0() {
    let folder = tempdir().unwrap();
    for args in [&["worker", "all"][..], &["worker", "grid", "--until-empty"]] {
        for name in ["TERM", "INT"] {
            let (code, said) = stopped(spotifai(folder.path(), args), name, || true);
            assert_eq!(code, Some(0), "{args:?} {name}: {said}");
        }
    }
}

#[test]
fn the_handlers_stand_before_anything_that_takes_time() {
    let folder = tempdir().unwrap();
    // Reading the settings takes until the test lets it.
    let settings = pipe(folder.path(), "settings.toml");
    let mut command = spotifai(folder.path(), &["worker", "all", "--config", "settings.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("its handlers", || handles(&child, 15));
    signal(&child, "TERM");
    wait_until("its end", || {
        if let Some(mut settings) = writing_end(&settings) {
            let _ = settings.write_all(b"contact = 'me@example.org'\n");
        }
        child.try_wait().unwrap().is_some()
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The writing end of a pipe, once somebody reads it.
fn writing_end(pipe: &Path) -> Option<std::fs::File> {
    const O_NONBLOCK: i32 = 0o4000;
    OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(pipe).ok()
}

#[test]
fn a_worker_whose_store_is_out_of_reach_exits_with_0() {
    let folder = tempdir().unwrap();
    for name in ["TERM", "INT"] {
        let mut command = spotifai(folder.path(), &["worker", "pitch"]);
        command.env("SPOTIFAI_STORE", "mongodb://127.0.0.1:1/none").env("SPOTIFAI_QUEUE", "amqp://u:p@127.0.0.1:1/v");
        let (code, said) = stopped(command, name, || true);
        assert_eq!(code, Some(0), "{name}: {said}");
    }
}

#[test]
fn a_command_that_is_interrupted_before_its_work_is_done_exits_with_130_and_143_if_terminated() {
    let folder = tempdir().unwrap();
    pipe(folder.path(), "never.csv");
    pipe(folder.path(), "never.html");
    let demo = folder.path().join("out/demo.db");
    // A server that takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let (queue, store) = (format!("amqp://u:p@{address}/v"), format!("mongodb://{address}/none"));
    let at_once: &dyn Fn() -> bool = &|| true;
    let begun: &dyn Fn() -> bool = &|| demo.exists();
    let cases: &[(&[&str], &dyn Fn() -> bool)] = &[
        (&["demo", "--tracks", "3000", "--out", "out"], begun),
        (&["search", "run", "--data", "never.csv"], at_once),
        (&["search", "plan", "--data", "never.csv"], at_once),
        (&["lastfm", "parse", "never.html"], at_once),
        (&["--queue", &queue, "enqueue", "tags", "--missing"], at_once),
        (&["--store", &store, "dataset", "build"], at_once),
        (&["--store", &store, "run", "37i9dQZF1DXcBWIGoYBM5M"], at_once),
        (&["--store", &store, "predict", "3n3Ppam7vgaVa1iaRUc9Lp"], at_once),
        (&["--store", &store, "report"], at_once),
    ];
    for (args, begun) in cases {
        for (name, code) in [("INT", 130), ("TERM", 143)] {
            let (ended, said) = stopped(spotifai(folder.path(), args), name, begun);
            assert_eq!(ended, Some(code), "{args:?}: {said}");
            let last = said.lines().last().unwrap_or_default();
            assert!(last.starts_with("spotifai: stopped; "), "{args:?}: {said}");
        }
    }
}

#[test]
fn a_login_that_nobody_agrees_to_can_be_interrupted() {
    let folder = tempdir().unwrap();
    let mut command = spotifai(folder.path(), &["login"]);
    command.env("SPOTIFAI_SPOTIFY_CLIENT_ID", "app");
    let (code, said) = stopped(command, "INT", || true);
    assert_eq!(code, Some(130), "{said}");
}

#[test]
fn a_watch_has_no_end_of_its_own_and_exits_with_0() {
    let folder = tempdir().unwrap();
    ok(&run(folder.path(), &["status"]));
    for args in [["status", "--watch"], ["queues", "--watch"], ["workers", "--watch"], ["runs", "--watch"]] {
        for (name, unbegun) in [("INT", 130), ("TERM", 143)] {
            let (code, said) = stopped(spotifai(folder.path(), &args), name, || true);
            // The signal may come before the first look.
            let expected = if said.contains("nothing was started") { unbegun } else { 0 };
            assert_eq!(code, Some(expected), "{args:?}: {said}");
        }
    }
}

#[test]
fn a_page_that_is_not_understood_is_no_success() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), "<html><head><title>Weather</title></head>sunny</html>").unwrap();
    let output = run(folder.path(), &["lastfm", "parse", "page.html"]);
    let said = common::fails(&output, 1);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("spotifai: page.html is not a readable tag page: status 200, 53 bytes"), "{said}");
    assert!(said.contains("<title>Weather</title>"), "{said}");
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["outcome"], "unrecognised");
}
