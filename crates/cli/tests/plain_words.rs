//! What cannot be read or written is told in one line: what, where, why, what to do; in no library's words.

mod common;

use std::path::Path;

use common::{fails, ok, run, spotifai};
use tempfile::{TempDir, tempdir};

/// Words of the system, of parsers and of drivers.
const FOREIGN: [&str; 14] = [
    "os error",
    ".tmp",
    "stream did not",
    "invalid type",
    "invalid value",
    "expected value",
    "EOF while",
    "at line 1 column",
    "missing field",
    "utf-8 sequence",
    "Topology",
    "Kind:",
    "RUST_BACKTRACE",
    "Error {",
];

/// The one line of a command that must fail, which holds all `parts`.
fn said(at: &Path, args: &[&str], parts: &[&str]) {
    let output = run(at, args);
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {line}");
    // Beside what is doubtful and how far it is.
    assert_eq!(line.lines().filter(|line| line.starts_with("spotifai: ")).count(), 1, "{args:?}: {line}");
    for part in parts {
        assert!(line.contains(part), "{args:?} does not say `{part}`: {line}");
    }
    for word in FOREIGN {
        assert!(!line.contains(word), "{args:?} says `{word}`: {line}");
    }
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Files that nobody can use.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("utf16.toml", &utf16("egress = 'home'\n"));
    write("utf16.txt", &utf16("3n3Ppam7vgaVa1iaRUc9Lp\n"));
    write("utf16.json", &utf16("{\"segments\": []}"));
    write("latin1.txt", b"caf\xe9\n");
    write("zero.toml", b"e\0g\0");
    write("broken.json", b"{\"segments\": [");
    write("number.json", b"{\"segments\": 5}");
    write("empty.json", b"");
    write("ids.txt", b"{\"track_id\": 7}\n");
    write("rows.csv", b"x,y,label:a\n1,2,0\n2,1,1\n");
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    folder
}

#[test]
fn files_of_another_encoding_or_shape_are_told_in_plain_words() {
    let folder = folder();
    let at = folder.path();
    let tags = |file| ["enqueue", "file", file, "--kind", "track.tags"];
    said(at, &["--config", "utf16.toml", "status"], &["--config utf16.toml: it is UTF-16: save it as UTF-8"]);
    said(at, &["--config", "zero.toml", "status"], &["zero.toml", "zero bytes", "save it as UTF-8"]);
    said(at, &["--config", "folder", "status"], &["--config folder: it is a folder"]);
    said(at, &["--config", "nowhere.toml", "status"], &["--config nowhere.toml: there is no such file"]);
    said(at, &tags("utf16.txt"), &["utf16.txt: line 1: it is UTF-16: save it as UTF-8", "--from-line 1"]);
    said(at, &tags("latin1.txt"), &["latin1.txt: line 1: it is no UTF-8"]);
    said(at, &tags("ids.txt"), &["ids.txt: line 1: the field `track_id` is not a text"]);
    said(at, &tags("broken.json"), &["broken.json: line 1", "breaks off at line 1, column"]);
    said(at, &tags("folder"), &["folder"]);
    said(at, &tags("nowhere.txt"), &["nowhere.txt", "there is no such file"]);
    said(at, &["pitches", "utf16.json"], &["utf16.json is no audio analysis: it is UTF-16"]);
    said(at, &["pitches", "broken.json"], &["broken.json is no audio analysis", "breaks off at line 1"]);
    said(at, &["pitches", "number.json"], &["number.json is no audio analysis", "line 1"]);
    said(at, &["pitches", "empty.json"], &["empty.json is no audio analysis: it is empty"]);
    said(at, &["pitches", "folder"], &["cannot read folder: it is a folder"]);
    said(at, &["lastfm", "parse", "nowhere.html"], &["cannot read nowhere.html: there is no such file"]);
    said(at, &["search", "run", "--data", "nowhere.csv"], &["cannot read nowhere.csv: there is no such file"]);
    said(at, &["search", "plan", "--data", "folder"], &["cannot read folder: it is a folder"]);
    said(
        at,
        &["search", "plan", "--data", "rows.csv", "--grid", "utf16.toml"],
        &["utf16.toml is no grid: it is UTF-16"],
    );
    said(at, &["search", "plan", "--data", "rows.csv", "--grid", "folder"], &["cannot read folder: it is a folder"]);
    said(at, &["demo", "--catalogue", "nowhere.csv"], &["cannot read nowhere.csv: there is no such file"]);

    std::fs::rename(at.join("utf16.toml"), at.join("spotifai.toml")).unwrap();
    said(at, &["status"], &["spotifai.toml: it is UTF-16: save it as UTF-8"]);
}

#[test]
fn a_sign_in_of_another_encoding_is_told_in_plain_words() {
    let folder = folder();
    let mut command = spotifai(folder.path(), &["run", "3cEYpjA9oz9GiPac4AsH4n"]);
    command.env("SPOTIFAI_SPOTIFY_CLIENT_ID", "app").env("SPOTIFAI_CONTACT", "me@example.org");
    let line = fails(&command.env("SPOTIFAI_SPOTIFY_TOKEN_FILE", "utf16.json").output().unwrap(), 1);
    assert!(line.contains("utf16.json cannot be read: it is UTF-16: save it as UTF-8"), "{line}");
}

#[test]
fn where_nothing_can_be_written_is_found_out_before_the_work() {
    let folder = folder();
    let at = folder.path();
    let search = |out| ["search", "run", "--data", "rows.csv", "--folds", "2", "--out", out];
    // There is neither a dataset nor a model: what is said first is what was looked at first.
    said(at, &["dataset", "export", "nowhere/x.csv"], &["cannot write nowhere/x.csv: there is no folder nowhere"]);
    said(at, &["dataset", "export", "rows.csv/x.csv"], &["there is no folder rows.csv"]);
    std::fs::create_dir(at.join("folder.csv")).unwrap();
    said(at, &["dataset", "export", "folder.csv"], &["cannot write folder.csv: it is a folder: name a file"]);
    said(at, &["predict", "--data", "rows.csv", "--out", "nowhere/x.csv"], &["there is no folder nowhere: make it"]);
    said(at, &["predict", "--data", "rows.csv", "--out", "folder.csv"], &["it is a folder: name a file"]);
    said(at, &["config", "--write", "nowhere/x.toml"], &["cannot write nowhere/x.toml: there is no folder nowhere"]);
    said(at, &["config", "--write", "folder"], &["cannot write folder: it is a folder"]);
    said(at, &search("rows.csv"), &["rows.csv is a file: name a folder with --out"]);
    said(at, &search("rows.csv/out"), &["cannot make the folder rows.csv/out: a part of its path is a file"]);
    said(at, &["demo", "--out", "rows.csv/out"], &["cannot make the folder rows.csv/out"]);
    assert_eq!(ok(&run(at, &["search", "list"])), "no searches yet; `spotifai search start` makes one\n");
    said(at, &["--store", "sqlite:nowhere/x.db", "status"], &["cannot open nowhere/x.db: there is no folder nowhere"]);
    said(at, &["--store", "sqlite:rows.csv", "status"], &["rows.csv", "no SQLite file"]);
}

#[test]
fn servers_that_are_out_of_reach_are_told_in_plain_words() {
    let folder = folder();
    let at = folder.path();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = format!("mongodb://{free}/x?serverSelectionTimeoutMS=300");
    said(
        at,
        &["--store", &store, "status"],
        &["out of reach: no server answers: Connection refused", "SPOTIFAI_STORE"],
    );
    let queue = format!("amqp://{free}/x");
    said(at, &["--queue", &queue, "status"], &["out of reach", "Connection refused", "SPOTIFAI_QUEUE"]);
}
