//! A disk that takes no more: a command ends with the reason, a worker waits for room.

mod common;
#[path = "common/small_disk.rs"]
mod small_disk;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use common::{fails, ok, run, signal, spotifai, wait_until};
use small_disk::{Means, disk_of};
use tempfile::tempdir;

/// Runs to the end, which must come by itself within a minute.
fn ends(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let stderr = thread::spawn(move || {
        let mut text = Vec::new();
        lines.read_to_end(&mut text).map(|_| text).unwrap()
    });
    wait_until("the end of the command", || child.try_wait().unwrap().is_some());
    let output = child.wait_with_output().unwrap();
    Output { stderr: stderr.join().unwrap(), ..output }
}

fn last_line(output: &Output) -> String {
    let said = fails(output, 1);
    assert!(!said.contains("panicked"), "{said}");
    said.lines().last().unwrap_or_default().to_owned()
}

fn says_why(line: &str, file: &str, means: Means) {
    let why = if means == Means::FileSize { "limit on file sizes" } else { "the disk is full: free some space" };
    assert!(line.starts_with("spotifai: cannot write") && line.contains(file) && line.contains(why), "{line}");
}

#[test]
fn the_demo_ends_on_a_full_disk_with_the_file_and_the_reason_whatever_its_size() {
    let means = Means::found("the_demo_ends_on_a_full_disk");
    let demo = |megabytes: u32| {
        let folder = tempdir().unwrap();
        let args = ["demo", "--tracks", "400", "--out", "disk/out"];
        let output = ends(means.script(folder.path(), megabytes * 1024, "exec \"$@\"", &args));
        if megabytes <= 8 || output.status.code() != Some(0) {
            let line = last_line(&output);
            says_why(&line, "disk/out/demo.db", means);
            assert!(line.contains("everything stored so far is safe: run the same command again to resume"), "{line}");
        }
    };
    thread::scope(|scope| {
        for megabytes in [1, 2, 4, 8, 12, 24] {
            scope.spawn(move || demo(megabytes));
        }
    });
}

#[test]
fn the_same_demo_goes_on_when_there_is_room() {
    let means = Means::found("the_same_demo_goes_on_when_there_is_room");
    let folder = tempdir().unwrap();
    let script = "\"$@\" && exit 9; room 200000; exec \"$@\"";
    let output = ends(means.script(folder.path(), 6 * 1024, script, &["demo", "--tracks", "100", "--out", "disk/out"]));
    let said = ok(&output);
    assert!(said.contains("collected  "), "{said}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let (before, after) = stderr.split_once("spotifai: cannot write").expect("it failed first");
    let tags = |line: Option<&str>| -> u32 {
        let line = line.and_then(|line| line.split("tags ").nth(1)?.split('/').next()).unwrap_or("0");
        line.replace(',', "").parse().unwrap()
    };
    assert!(tags(after.lines().find(|line| line.contains("tags "))) >= tags(before.lines().last()), "{stderr}");
}

#[test]
fn other_commands_end_on_a_full_disk_too() {
    let means = Means::found("other_commands_end_on_a_full_disk_too");
    let folder = tempdir().unwrap();
    let ids: String = (0..200_000).map(|n| format!("{n:022}\n")).collect();
    std::fs::write(folder.path().join("ids.txt"), ids).unwrap();
    let args = ["--store", "sqlite:disk/a.db", "--queue", "sqlite:disk/a.db"];
    let enqueue = [&args[..], &["enqueue", "file", "ids.txt", "--kind", "track.pitches"]].concat();
    let output = ends(means.script(folder.path(), 2048, "exec \"$@\"", &enqueue));
    let line = last_line(&output);
    assert!(line.contains("cannot write to disk/a.db: ") && line.contains("resume with --from-line "), "{line}");
    if means == Means::FileSize {
        return;
    }
    let script = "\"$1\" --store sqlite:disk/a.db status > /dev/null; mount -o remount,ro \"$disk\"; exec \"$@\"";
    let output = ends(means.script(folder.path(), 2048, script, &enqueue));
    let line = last_line(&output);
    assert!(line.contains("disk/a.db") && line.contains("its file system is read-only"), "{line}");
}

#[test]
fn a_file_that_cannot_be_written_stays_what_it_was() {
    let means = Means::found("a_file_that_cannot_be_written_stays_what_it_was");
    let folder = tempdir().unwrap();
    let rows: String = (0..400).map(|i| format!("{},{},{}\n", i % 7, i % 5, i % 2)).collect();
    std::fs::write(folder.path().join("d.csv"), format!("x,y,label:a\n{rows}")).unwrap();
    let search = ["search", "run", "--data", "d.csv", "--families", "tree", "--grid", "quick", "--folds", "3"];
    ok(&run(folder.path(), &search));
    for (args, file) in
        [(&["report", "--out", "disk"][..], "report.html"), (&["dataset", "export", "disk/d.csv"], "d.csv")]
    {
        let script = "echo good > \"$disk/report.html\"; echo good > \"$disk/d.csv\"; \
                      head -c 4096 /dev/zero > \"$disk/filler\" 2> /dev/null || :; \
                      \"$@\" && exit 9; cat \"$disk/report.html\" \"$disk/d.csv\"; ls \"$disk\"; exit 1";
        // Of four pages of memory one is left: enough to begin with.
        let kilobytes = if means == Means::FileSize { 1 } else { 16 };
        let output = ends(means.script(folder.path(), kilobytes, script, args));
        let line = last_line(&output);
        assert!(line.starts_with("spotifai: cannot write disk/") && !line.contains("os error"), "{line}");
        assert!(file == "report.html" || line.contains(file), "{line}");
        let left = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(left.starts_with("good\ngood\n"), "{left}");
        assert!(!left.contains(".tmp"), "{left}");
    }
}

/// What a listener says: its status, and the text.
fn page(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_standing_worker_on_a_full_disk_is_unready_until_there_is_room() {
    let means = Means::found("a_standing_worker_on_a_full_disk");
    if means == Means::FileSize {
        return;
    }
    let folder = tempdir().unwrap();
    let mut command = means.script(folder.path(), 2048, "exec \"$@\"", &["worker", "pitch", "lastfm"]);
    command.env("SPOTIFAI_LISTEN", "127.0.0.1:0").env("SPOTIFAI_CONTACT", "me@example.org");
    command.env("SPOTIFAI_QUEUE", "sqlite:disk/a.db").env("SPOTIFAI_STORE", "sqlite:disk/a.db");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listening = log.find(|line| line.contains("http://")).expect("it says where it listens");
    let address = listening.split("http://").nth(1).unwrap().trim().to_owned();
    wait_until("ready", || page(&address, "/readyz").starts_with("HTTP/1.1 200"));

    let filler = disk_of(&child, folder.path()).join("filler");
    let filled = std::fs::write(&filler, vec![0; 4 << 20]);
    assert!(filled.is_err(), "two megabytes have no room for four");
    wait_until("unready, with the reason", || {
        let said = page(&address, "/readyz");
        said.starts_with("HTTP/1.1 503")
            && said.contains("cannot write to disk/a.db: the disk is full: free some space")
    });
    let said = log.find(|line| line.contains("the disk is full")).expect("its log says so");
    assert!(said.contains("ERROR"), "{said}");
    assert!(child.try_wait().unwrap().is_none(), "it stays");

    std::fs::remove_file(&filler).unwrap();
    wait_until("ready again", || page(&address, "/readyz").starts_with("HTTP/1.1 200"));
    terminated(child);
}

#[test]
fn a_worker_that_starts_on_a_full_disk_waits_and_says_why() {
    let means = Means::found("a_worker_that_starts_on_a_full_disk");
    if means == Means::FileSize {
        return;
    }
    let folder = tempdir().unwrap();
    let script = "head -c 100000 /dev/zero > \"$disk/filler\" 2> /dev/null || :; exec \"$@\"";
    let worker = |more: &[&str]| {
        let mut command = means.script(folder.path(), 64, script, &[&["worker", "pitch"], more].concat());
        command.env("SPOTIFAI_QUEUE", "sqlite:disk/a.db").env("SPOTIFAI_STORE", "sqlite:disk/a.db");
        command.env("SPOTIFAI_LISTEN", "127.0.0.1:0");
        command
    };
    let mut child = worker(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listening = log.find(|line| line.contains("http://")).expect("it says where it listens");
    let address = listening.split("http://").nth(1).unwrap().trim().to_owned();
    wait_until("unready, with the reason", || page(&address, "/readyz").contains("the disk is full: free some space"));
    terminated(child);
    let waited_for = ends(worker(&["--until-empty"]));
    assert!(last_line(&waited_for).contains("the disk is full"), "somebody waits for its end");
}

/// A worker that is told to stop ends well.
fn terminated(mut child: Child) {
    signal(&child, "TERM");
    wait_until("the end of the worker", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The program with its streams as a shell sets them.
fn with_streams(folder: &Path, streams: &str, args: &[&str]) -> Output {
    let program = spotifai(folder, args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec \"$@\" {streams}"), "sh"]).arg(program.get_program()).args(args);
    command.current_dir(folder).stdin(Stdio::null());
    ends(command)
}

#[test]
fn a_standard_error_that_takes_nothing_is_no_reason_to_fail() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("bad.txt"), "half-pasted\n").unwrap();
    let demo = ["demo", "--tracks", "60", "--out", "out"];
    let cases: &[(&[&str], i32)] = &[
        (&["config"], 0),
        (&["worker", "all", "--until-empty"], 0),
        (&["search", "run"], 1),
        (&["search", "run", "--grid", "none.toml"], 2),
        (&["enqueue", "file", "bad.txt", "--kind", "track.tags", "--keep-going"], 1),
        (&["--queue", "amqp://u:p@127.0.0.1:1/v", "status"], 1),
        (&["nonsense"], 2),
        (&demo, 0),
    ];
    for (args, code) in cases {
        for streams in ["2> /dev/full", "2>&-"] {
            let output = with_streams(at, streams, args);
            assert_eq!(
                output.status.code(),
                Some(*code),
                "{args:?} {streams}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

#[test]
fn a_standard_output_that_takes_nothing_is_a_failure_of_one_line_and_a_closed_pipe_is_none() {
    let folder = tempdir().unwrap();
    let cases: &[&[&str]] = &[
        &["config"],
        &["completions", "bash"],
        &["status"],
        &["status", "--json"],
        &["queues", "--watch", "--json"],
        &["search", "plan", "--rows", "9", "--features", "9", "--labels", "2"],
        &["lastfm", "url", "a", "b"],
        &["doctor"],
        &["--help"],
        &["-h"],
        &["help"],
        &["--version"],
        &["search", "run", "--help"],
        &["help", "dead", "list"],
        &["config", "--write", "mine.toml"],
        &["search", "list"],
        &["dead", "list"],
        &["workers"],
        &["runs", "--json"],
        &["budget", "list"],
        &["pause", "track.tags"],
    ];
    for args in cases {
        let line = fails(&with_streams(folder.path(), "> /dev/full", args), 1);
        let _ = std::fs::remove_file(folder.path().join("mine.toml"));
        assert_eq!(line, "spotifai: cannot write to standard output: the disk is full\n", "{args:?}");
        let (unread, pipe) = std::io::pipe().unwrap();
        drop(unread);
        let piped = spotifai(folder.path(), args).stdout(pipe).output().unwrap();
        let said = String::from_utf8_lossy(&piped.stderr).into_owned();
        assert_eq!((piped.status.code(), &*said), (Some(0), ""), "{args:?}");
        let _ = std::fs::remove_file(folder.path().join("mine.toml"));
    }
    let mut command = spotifai(folder.path(), &["tags", "normalise"]);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(b"Hip Hop\n");
    let line = fails(&child.wait_with_output().unwrap(), 1);
    assert!(line.contains("cannot write to standard output: the disk is full"), "{line}");
}
