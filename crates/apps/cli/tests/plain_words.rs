//! What cannot be read or written is told in one line: what, where, why, what to do; in no library's words.

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use common::{fails, ok, run, spotifai};
use rustls::{ServerConfig, ServerConnection};
use tempfile::{TempDir, tempdir};

/// Words of the system, of parsers and of drivers.
const FOREIGN: [&str; 17] = [
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
    "peer certificate",
    "InvalidContentType",
    "UnknownIssuer",
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
    said(at, &["--config", "utf16.toml", "status"], &["utf16.toml: it is UTF-16: save it as UTF-8"]);
    said(at, &["--config", "zero.toml", "status"], &["zero.toml", "zero bytes", "save it as UTF-8"]);
    said(at, &["--config", "folder", "status"], &["folder: it is a folder"]);
    said(at, &["--config", "nowhere.toml", "status"], &["nowhere.toml: there is no such file"]);
    said(at, &tags("utf16.txt"), &["utf16.txt: line 1: it is UTF-16: save it as UTF-8", "--from-line 1"]);
    said(at, &tags("latin1.txt"), &["latin1.txt: line 1: it is not UTF-8"]);
    said(at, &tags("ids.txt"), &["ids.txt: line 1: the field `track_id` is not a string"]);
    said(at, &tags("broken.json"), &["broken.json: line 1", "breaks off at line 1, column"]);
    said(at, &tags("folder"), &["folder"]);
    said(at, &tags("nowhere.txt"), &["nowhere.txt", "there is no such file"]);
    said(at, &["pitches", "utf16.json"], &["utf16.json is not an audio analysis: it is UTF-16"]);
    said(at, &["pitches", "broken.json"], &["broken.json is not an audio analysis", "breaks off at line 1"]);
    said(at, &["pitches", "number.json"], &["number.json is not an audio analysis", "line 1"]);
    said(at, &["pitches", "empty.json"], &["empty.json is not an audio analysis: it is empty"]);
    said(at, &["pitches", "folder"], &["cannot read folder: it is a folder"]);
    said(at, &["lastfm", "parse", "nowhere.html"], &["cannot read nowhere.html: there is no such file"]);
    said(at, &["search", "run", "--data", "nowhere.csv"], &["cannot read nowhere.csv: there is no such file"]);
    said(at, &["search", "plan", "--data", "folder"], &["cannot read folder: it is a folder"]);
    said(
        at,
        &["search", "plan", "--data", "rows.csv", "--grid", "utf16.toml"],
        &["utf16.toml is not a grid file: it is UTF-16"],
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
    said(
        at,
        &["dataset", "export", "nowhere/x.csv"],
        &["cannot write nowhere/x.csv: the folder nowhere does not exist"],
    );
    said(at, &["dataset", "export", "rows.csv/x.csv"], &["the folder rows.csv does not exist"]);
    std::fs::create_dir(at.join("folder.csv")).unwrap();
    said(at, &["dataset", "export", "folder.csv"], &["cannot write folder.csv: it is a folder, not a file"]);
    said(at, &["predict", "--data", "rows.csv", "--out", "nowhere/x.csv"], &["the folder nowhere does not exist"]);
    said(at, &["predict", "--data", "rows.csv", "--out", "folder.csv"], &["it is a folder, not a file"]);
    said(
        at,
        &["config", "--write", "nowhere/x.toml"],
        &["cannot write nowhere/x.toml: the folder nowhere does not exist"],
    );
    said(at, &["config", "--write", "folder"], &["cannot write folder: it is a folder"]);
    said(at, &search("rows.csv"), &["rows.csv is a file: pass a folder to --out"]);
    said(at, &search("rows.csv/out"), &["cannot create the folder rows.csv/out: a part of its path is a file"]);
    said(at, &["demo", "--out", "rows.csv/out"], &["cannot create the folder rows.csv/out"]);
    let long = "x".repeat(300);
    let too_long = "its name is too long";
    // What would be read first is not there.
    let new_long = format!("new/{long}");
    let unread = |out| ["search", "run", "--data", "nowhere.csv", "--out", out];
    for out in ["/proc/x", "/proc", "rows.csv", "rows.csv/out", &long, &new_long] {
        for args in [&unread(out)[..], &["report", "--out", out], &["run", "3cEYpjA9oz9GiPac4AsH4n", "--out", out]] {
            said(at, args, &[out]);
        }
    }
    assert!(!at.join("new").exists(), "what was made to try is gone");
    said(at, &unread(&long), &["cannot create the folder", too_long]);
    said(at, &["dataset", "export", &format!("{long}.csv")], &["cannot write", too_long]);
    said(at, &["predict", "--data", "nowhere.csv", "--out", &format!("{long}.csv")], &["cannot write", too_long]);
    said(at, &["config", "--write", &long], &["cannot write", too_long]);
    std::os::unix::fs::symlink("nowhere/at/all", at.join("link")).unwrap();
    said(at, &unread("link"), &["cannot create the folder link", "something else of that name is there"]);
    let made = ["search", "run", "--data", "nowhere.csv", "--out", "made"];
    said(at, &made, &["cannot read nowhere.csv"]);
    assert!(!at.join("made").exists(), "a search that cannot begin leaves no folder");
    assert_eq!(ok(&run(at, &["search", "list"])), "no searches yet; `spotifai search start` starts one\n");
    said(at, &["--store", "sqlite:nowhere/x.db", "status"], &["cannot open nowhere/x.db: there is no folder nowhere"]);
    said(at, &["--store", "sqlite:rows.csv", "status"], &["rows.csv", "not a SQLite file"]);
}

/// A server that lets clients come and greets each by `greet`.
fn server(greet: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(greet));
    address
}

/// A server of TLS whose certificate nobody has signed but itself. It holds from 2000 to 2199:
/// `faketime 2000-01-01 openssl req -x509 -key KEY -days 73000 -subj /CN=localhost -addext subjectAltName=… -outform DER`.
fn self_signed() -> SocketAddr {
    let certificate = include_bytes!("tls/self_signed.crt.der").as_slice().into();
    let key = include_bytes!("tls/self_signed.key.der").as_slice().try_into().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    server(move |mut client| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        // The client goes as soon as it has seen the certificate.
        while tls.is_handshaking() && tls.complete_io(&mut client).is_ok() {}
    })
}

/// A server of HTTP without TLS.
fn plain_http() -> SocketAddr {
    server(|mut client| {
        let _ = client.read(&mut [0; 512]);
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    })
}

#[test]
fn a_server_whose_tls_fails_is_named_with_what_is_wrong() {
    let folder = folder();
    let at = folder.path();
    for (server, why) in
        [(plain_http(), "it answers in plain text, not in TLS"), (self_signed(), "its TLS certificate is self-signed")]
    {
        let named = server.to_string();
        let store = format!("mongodb://{server}/x?tls=true&serverSelectionTimeoutMS=1500");
        said(at, &["--store", &store, "status"], &["unreachable", &named, why, "SPOTIFAI_STORE"]);
        said(
            at,
            &["--queue", &format!("amqps://{server}/x"), "status"],
            &["unreachable", &named, why, "SPOTIFAI_QUEUE"],
        );
        let url = format!("https://{server}/");
        let mut run = spotifai(at, &["run", "3cEYpjA9oz9GiPac4AsH4n"]);
        run.env("SPOTIFAI_SPOTIFY_CLIENT_ID", "app").env("SPOTIFAI_SPOTIFY_CLIENT_SECRET", "hush");
        let line = fails(&run.env("SPOTIFAI_SPOTIFY_AUTH_URL", &url).output().unwrap(), 1);
        assert!(line.contains("Spotify is unreachable") && line.contains(&named) && line.contains(why), "{line}");
        let mut doctor = spotifai(at, &["doctor"]);
        doctor.env("SPOTIFAI_LASTFM_URL", &url).env("SPOTIFAI_LASTFM_API_URL", &url);
        let doctor = doctor.env("SPOTIFAI_LASTFM_API_KEY", "hush").output().unwrap();
        let checks = String::from_utf8_lossy(&doctor.stdout).into_owned();
        for name in ["lastfm-pages", "lastfm-api"] {
            let check = checks.lines().find(|line| line.contains(name)).unwrap();
            assert!(check.starts_with("failed") && check.contains(&named) && check.contains(why), "{check}");
        }
        for word in FOREIGN {
            assert!(!checks.contains(word) && !line.contains(word), "{word}: {checks}{line}");
        }
    }
}

#[test]
fn settings_from_a_pipe_are_read_and_told_like_those_of_a_file() {
    let folder = folder();
    let config = |text: &[u8], args: &[&str]| {
        let mut command = spotifai(folder.path(), args);
        let (read, mut write) = std::io::pipe().unwrap();
        write.write_all(text).unwrap();
        drop(write);
        command.stdin(read).output().unwrap()
    };
    let piped = ["--config", "/dev/stdin", "config"];
    let printed = ok(&config(b"\xef\xbb\xbfegress = 'home'\n[lastfm]\nrate = 0.25\n", &piped));
    assert!(printed.contains("egress = \"home\"") && printed.contains("rate = 0.25"), "{printed}");
    assert_eq!(ok(&config(printed.as_bytes(), &piped)), printed, "what is printed reads back through a pipe");
    for (text, line) in [
        (&b"egress = none\n"[..], "spotifai: /dev/stdin:1: none needs quotes: \"none\"\n"),
        (b"\negress = 5\n", "spotifai: /dev/stdin:2: egress is 5, expected a text in quotes\n"),
        (b"\xff\xfee\0", "spotifai: /dev/stdin: it is UTF-16: save it as UTF-8\n"),
        (b"egress = 'caf\xe9'", "spotifai: /dev/stdin: it is not UTF-8: save it as UTF-8\n"),
    ] {
        assert_eq!(fails(&config(text, &["--config", "/dev/stdin", "status"]), 2), line);
    }
    let endless = run(folder.path(), &["--config", "/dev/zero", "config"]);
    assert!(fails(&endless, 2).contains("not a settings file"), "no more is read than settings may be");
    let script = "exec \"$0\" --config <(echo \"egress = 'office'\") config";
    let substituted = std::process::Command::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_spotifai")]).output();
    assert!(ok(&substituted.unwrap()).contains("egress = \"office\""));
}

#[test]
fn servers_that_are_out_of_reach_are_told_in_plain_words() {
    let folder = folder();
    let at = folder.path();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = format!("mongodb://{free}/x?serverSelectionTimeoutMS=300");
    said(at, &["--store", &store, "status"], &["unreachable: no server answers: Connection refused", "SPOTIFAI_STORE"]);
    let queue = format!("amqp://{free}/x");
    said(at, &["--queue", &queue, "status"], &["unreachable", "Connection refused", "SPOTIFAI_QUEUE"]);
}
