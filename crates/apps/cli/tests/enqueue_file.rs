//! Jobs from a file: all of them, in bounded memory, or a line that says where to go on.

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use common::{fails, ok, run, signal, spotifai, wait_until};
use serde_json::Value;
use tempfile::tempdir;

/// So many track ids, a line each.
fn ids(range: std::ops::Range<usize>) -> String {
    range.fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "{n:022}");
        text
    })
}

fn ready(folder: &Path) -> u64 {
    let queues: Value = serde_json::from_str(&ok(&run(folder, &["queues", "--json"]))).unwrap();
    queues.as_array().unwrap().iter().map(|kind| kind["ready"].as_u64().unwrap()).sum()
}

fn enqueue<'a>(file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["enqueue", "file", file, "--kind", "track.tags"], more].concat()
}

#[test]
fn every_line_becomes_a_job() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("ids.txt"), format!("\u{feff}{}\r\n\n{{\"track_id\":\"{:022}\"}}", ids(0..2_500), 9_999))
        .unwrap();
    assert_eq!(ok(&run(at, &enqueue("ids.txt", &[]))), "enqueued 2,501 jobs\n");
    assert_eq!(ready(at), 2_501);
    std::fs::write(at.join("pages"), "{\"run\":\"r\",\"playlist\":\"37i9dQZF1DXcBWIGoYBM5M\",\"offset\":50}\n")
        .unwrap();
    ok(&run(at, &["enqueue", "file", "pages", "--kind", "playlist.page"]));
    assert_eq!(ready(at), 2_502);
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = tempdir().unwrap();
    let mut child =
        spotifai(folder.path(), &enqueue("-", &[])).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ids(0..1_500).as_bytes()).unwrap();
    assert_eq!(ok(&child.wait_with_output().unwrap()), "enqueued 1,500 jobs\n");
}

#[test]
fn a_bad_line_is_named_and_nothing_of_it_is_published() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("ids"), format!("{}half-pasted\n{}", ids(0..1_200), ids(1_200..2_000))).unwrap();
    let line = fails(&run(at, &enqueue("ids", &[])), 1);
    for said in ["ids: line 1201", "half-pasted", "enqueued 1,200 jobs", "--from-line 1201"] {
        assert!(line.contains(said), "{said}: {line}");
    }
    assert_eq!(ready(at), 1_200);
    assert_eq!(ok(&run(at, &enqueue("ids", &["--from-line", "1202"]))), "enqueued 800 jobs\n");
    assert_eq!(ready(at), 2_000);
    let kept_going = fails(&run(at, &enqueue("ids", &["--keep-going"])), 1);
    assert!(
        kept_going.contains("line 1201") && kept_going.contains("enqueued 2,000 jobs, skipped 1 line"),
        "{kept_going}"
    );
}

#[test]
fn a_line_beyond_the_end_is_no_place_to_begin() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("ids"), ids(0..3)).unwrap();
    for line in ["5", "1000"] {
        let said = fails(&run(at, &enqueue("ids", &["--from-line", line])), 2);
        assert!(said.contains(&format!("ids has only 3 lines; cannot start at line {line}")), "{said}");
    }
    assert_eq!(ok(&run(at, &enqueue("ids", &["--from-line", "3"]))), "enqueued 1 job\n");
    // What an interrupted command names whose lines were all safe.
    assert_eq!(ok(&run(at, &enqueue("ids", &["--from-line", "4"]))), "enqueued 0 jobs\n");
    std::fs::write(at.join("empty"), "").unwrap();
    assert_eq!(ok(&run(at, &enqueue("empty", &[]))), "enqueued 0 jobs\n");
}

#[test]
fn what_is_no_file_of_jobs_is_refused() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let long = format!("{}\n", "x".repeat(3 << 20));
    std::fs::write(at.join("long"), long).unwrap();
    std::fs::write(at.join("bytes"), b"\xff\xfe\n").unwrap();
    for (file, said) in [("missing", "missing"), (".", "folder"), ("long", "too long"), ("bytes", "UTF-8")] {
        let line = fails(&run(at, &enqueue(file, &[])), 1);
        assert!(
            line.contains(said) && line.lines().filter(|line| line.starts_with("spotifai: ")).count() == 1,
            "{file}: {line}"
        );
    }
    let error = fails(&run(at, &["enqueue", "file", "long", "--kind", "track.tgas"]), 2);
    assert!(error.contains("playlist.page"), "it lists the kinds: {error}");
}

#[test]
fn stopped_it_says_where_to_go_on() {
    let folder = tempdir().unwrap();
    let mut command = spotifai(folder.path(), &enqueue("-", &[]));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = child.stdin.take().unwrap();
    lines.write_all(ids(0..3_000).as_bytes()).unwrap();
    // The input stays open: what was read waits in the queue, and more could come.
    wait_until("three thousand jobs", || ready(folder.path()) == 3_000);
    signal(&child, "INT");
    let line = fails(&child.wait_with_output().unwrap(), 130);
    assert!(line.contains("stopped") && line.contains("resume with --from-line 3001"), "{line}");
    drop(lines);
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let mut peaks = Vec::new();
    for (file, jobs) in [("small", 5_000), ("large", 100_000)] {
        std::fs::write(at.join(file), ids(0..jobs)).unwrap();
        peaks.push(peak_kilobytes(at, file));
    }
    assert!(peaks[1] < peaks[0] + 16_000, "twenty times the file took {peaks:?} kB");
}

/// The most memory that enqueuing the file took, by the kernel's own account.
fn peak_kilobytes(folder: &Path, file: &str) -> u64 {
    let mut child = spotifai(folder, &enqueue(file, &[])).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    wait_until("the end", || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(peak);
        child.try_wait().unwrap().is_some_and(|status| status.success())
    });
    peak
}
