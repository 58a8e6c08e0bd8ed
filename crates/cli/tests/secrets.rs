//! A secret is in nothing that is printed, whatever its characters and wherever it was put.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use common::{run, signal, spotifai};
use proptest::prelude::*;
use tempfile::tempdir;

/// A port where nobody listens.
const NOWHERE: &str = "127.0.0.1:1";

/// A password of words, which are recognised in any text, with any characters between them.
#[derive(Debug, Clone)]
struct Password {
    words: Vec<String>,
    text: String,
}

fn password() -> impl Strategy<Value = Password> {
    let special = prop::sample::select(vec![
        "/", "#", "?", "@", ":", "%", "%2", "%2F", "[", "]", "\\", " ", "&", "=", "+", "'", "\"", "`", "{", "$", "*",
        "\n", "\t", "\u{1b}", "\u{202e}", "é", "://", "@x:1/", "/@", ",", "\r\n", "^", "|", "<",
    ]);
    // Words that are in no message: without vowels, and no port either.
    let word = "[qxzjkvw]{5,7}|6[0-9]{4}[qxz]{2}";
    prop::collection::vec((word, special), 2..4).prop_map(|parts| {
        let words = parts.iter().map(|(word, _)| word.clone()).collect();
        let text: String = parts.iter().map(|(word, special)| format!("{word}{special}")).collect();
        // The last word stands before the `@`.
        Password { words, text: format!("{text}{}", parts[0].0) }
    })
}

/// What stands around a setting that was pasted.
fn blanks() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "", " ", "\n", "\r\n\t "])
}

/// The settings that hold a URL, each with URLs around a password.
fn urls(password: &str) -> Vec<(&'static str, String)> {
    // Without a host, what follows an `@` is one.
    let without_host = password.split('@').next().unwrap_or_default();
    vec![
        ("SPOTIFAI_QUEUE", format!("amqp://me:{without_host}")),
        ("SPOTIFAI_QUEUE", format!("amqp://me:{password}@{NOWHERE}/v")),
        ("SPOTIFAI_QUEUE", format!("amqps://me:61234/{password}@{NOWHERE}/v")),
        ("SPOTIFAI_QUEUE", format!("ampq://me:{password}@{NOWHERE}")),
        ("SPOTIFAI_QUEUE", format!("me:{password}@{NOWHERE}")),
        ("SPOTIFAI_QUEUE", format!("sqlite://me:{password}@{NOWHERE}/x")),
        ("SPOTIFAI_STORE", format!("sqlite:me:{password}@{NOWHERE}/x")),
        ("SPOTIFAI_STORE", format!("sqlite:{NOWHERE}/x?key={password}")),
        ("SPOTIFAI_STORE", format!("mongodb://me:{password}@{NOWHERE}/x?serverSelectionTimeoutMS=20")),
        (
            "SPOTIFAI_STORE",
            format!("mongodb://{NOWHERE}/x?serverSelectionTimeoutMS=20&tlsCertificateKeyFilePassword={password}"),
        ),
        ("SPOTIFAI_STORE", format!("mongodb+srv://me:{password}@{NOWHERE}/x")),
        ("SPOTIFAI_QUEUE_MANAGEMENT_URL", format!("http://me:{password}@{NOWHERE}")),
        ("SPOTIFAI_LASTFM_URL", format!("https://{password}@{NOWHERE}")),
        ("SPOTIFAI_LASTFM_API_URL", format!("http://{NOWHERE}/2.0/?api_key={password}")),
        ("SPOTIFAI_SPOTIFY_API_URL", format!("http://me:{password}@{NOWHERE}/v1")),
        ("SPOTIFAI_LASTFM_API_KEY", password.to_owned()),
        ("SPOTIFAI_SPOTIFY_CLIENT_SECRET", password.to_owned()),
        // In the wrong place.
        ("SPOTIFAI_LASTFM_RATE", format!("amqp://me:{password}@{NOWHERE}/v")),
        ("SPOTIFAI_LISTEN", format!("amqp://me:{password}@{NOWHERE}/v")),
    ]
}

fn is_nowhere(password: &Password, what: &str, out: &Output) {
    let all = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    for word in &password.words {
        assert!(!all.contains(word.as_str()), "{what} shows {word} of {:?}:\n{all}", password.text);
    }
    assert!(!all.contains("panicked"), "{what}: {all}");
}

fn set(folder: &Path, name: &str, value: &str, args: &[&str]) -> Output {
    spotifai(folder, args).env(name, value).output().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_command_shows_a_password_of_any_characters(password in password(), around in blanks()) {
        let folder = tempdir().unwrap();
        let at = folder.path();
        let around = |text: &str| format!("{around}{text}{around}");
        for (name, url) in urls(&password.text) {
            let url = around(&url);
            for args in [&["config"][..], &["dead", "list"]] {
                is_nowhere(&password, &format!("{args:?} with {name}={url}"), &set(at, name, &url, args));
            }
        }
        for scheme in ["amqp", "mongodb", "sqlite", "https"] {
        let url = around(&format!("{scheme}://me:{}@{NOWHERE}/v", password.text));
        for args in [
            &["--queue", &url, "dead", "list"][..],
            &[&format!("--queue={url}"), "dead", "nonsense"],
            &[&url],
            &["dead", "list", &url],
            &["run", &url],
            &["predict", &url],
            &["--config", &url, "status"],
            &["--store", &url, "status"],
            &["search", "run", "--data", &url],
            &["pause", &url],
            &["demo", "--store", &url],
        ] {
            is_nowhere(&password, &format!("{args:?}"), &run(at, args));
        }
        }
    }
}

#[test]
fn neither_the_doctor_nor_a_worker_shows_a_password() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    for text in ["zqxjw/vkxzq#wqzxk", "zqxjw%2Fvkxzq%23wqzxk"] {
        let password =
            Password { words: ["zqxjw", "vkxzq", "wqzxk"].map(str::to_owned).to_vec(), text: text.to_owned() };
        let doctor = spotifai(at, &["doctor"])
            .env("SPOTIFAI_QUEUE", format!("amqp://me:{text}@{NOWHERE}/v"))
            .env("SPOTIFAI_QUEUE_MANAGEMENT_URL", format!("http://me:{text}@{NOWHERE}"))
            .env("SPOTIFAI_STORE", format!("mongodb://me:{text}@{NOWHERE}/x?serverSelectionTimeoutMS=20"))
            .env("SPOTIFAI_LASTFM_API_KEY", text)
            .env("SPOTIFAI_LASTFM_URL", format!("http://{NOWHERE}"))
            .env("SPOTIFAI_LASTFM_API_URL", format!("http://{NOWHERE}/2.0/"))
            .output()
            .unwrap();
        is_nowhere(&password, "doctor", &doctor);
        let mut worker = spotifai(at, &["worker", "lastfm", "--until-empty"])
            .env("SPOTIFAI_LOG", "trace")
            .env("SPOTIFAI_QUEUE", format!("amqp://me:{text}@{NOWHERE}/v"))
            .env("SPOTIFAI_OTLP_URL", format!("http://me:{text}@{NOWHERE}"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(worker.stderr.take().unwrap());
        // Until it has tried to connect, or has refused the address.
        let mut lines = Vec::new();
        for line in log.lines() {
            lines.push(line.unwrap());
            if lines.last().is_some_and(|line| line.contains("out of reach")) {
                signal(&worker, "TERM");
            }
        }
        worker.wait().unwrap();
        assert!(lines.iter().any(|line| line.contains("queue")), "{lines:?}");
        let out = Output { status: worker.wait().unwrap(), stdout: Vec::new(), stderr: lines.join("\n").into_bytes() };
        is_nowhere(&password, "the worker", &out);
    }
}

#[test]
fn what_must_be_percent_encoded_is_said() {
    let folder = tempdir().unwrap();
    for (name, url, codes) in [
        ("SPOTIFAI_QUEUE", "amqp://user:61234/HUSH@host/vhost", "/ as %2F"),
        ("SPOTIFAI_QUEUE", "amqps://user:a?b#HUSH@host/vhost", "? as %3F, # as %23"),
        ("SPOTIFAI_STORE", "mongodb://user:a/HUSH@host/x", "/ as %2F"),
        ("SPOTIFAI_QUEUE_MANAGEMENT_URL", "http://user:61234/HUSH@host", "/ as %2F"),
    ] {
        let out = set(folder.path(), name, url, &["status"]);
        let line = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!((out.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains(name) && line.contains("percent-encode") && line.contains(codes), "{line}");
        assert!(!line.contains("HUSH") && !line.contains("61234"), "{line}");
    }
    let out = set(folder.path(), "SPOTIFAI_STORE", "mongodb://user:a:HUSH@host/x", &["status"]);
    let line = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(line.contains(": as %3A") && !line.contains("HUSH") && out.status.code() == Some(1), "{line}");
}
