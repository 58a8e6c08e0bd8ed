//! A secret is in nothing that is printed, whatever its characters and wherever it was put.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use common::{ok, run, signal, spotifai};
use model::settings::{ENVIRONMENT, PROCESS_ENVIRONMENT, Settings};
use proptest::prelude::*;
use tempfile::tempdir;

/// What an address of ours, or of another service, begins with.
const SCHEMES: [&str; 4] = ["amqp", "mongodb", "sqlite", "https"];

/// A part of what `spotifai config` prints where nothing is wrong.
const PRINTED: &str = "queue = ";

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
    ]
}

/// Every variable that is read, whatever it is for.
fn variables() -> impl Iterator<Item = &'static str> {
    ENVIRONMENT.iter().map(|(name, ..)| *name).chain(PROCESS_ENVIRONMENT.iter().map(|(name, _)| *name))
}

/// Every key that a settings file may have: those that have a default, and those that are variables.
fn keys() -> Vec<String> {
    fn leaves(path: &str, table: &toml::Table, keys: &mut Vec<String>) {
        for (name, value) in table {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value {
                toml::Value::Table(table) => leaves(&path, table, keys),
                _ => keys.push(path),
            }
        }
    }
    let mut keys: Vec<String> = ENVIRONMENT.iter().map(|(_, key, _)| (*key).to_owned()).collect();
    leaves("", &toml::Table::try_from(Settings::default()).unwrap(), &mut keys);
    keys.sort();
    keys.dedup();
    keys
}

/// Something was said, with one of the parts of `says`, and nothing of the password.
fn is_nowhere(password: &Password, what: &str, out: &Output, says: &[&str]) {
    let all = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    for word in &password.words {
        assert!(!all.contains(word.as_str()), "{what} shows {word} of {:?}:\n{all}", password.text);
    }
    assert!(!all.contains("panicked"), "{what}: {all}");
    assert!(says.iter().any(|part| all.contains(part)), "{what} says nothing of {says:?}:\n{all}");
}

fn set(folder: &Path, name: &str, value: &str, args: &[&str]) -> Output {
    spotifai(folder, args).env(name, value).output().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_command_shows_a_password_of_any_characters(
        password in password(),
        around in blanks(),
    ) {
        let folder = tempdir().unwrap();
        let at = folder.path();
        let around = |text: &str| format!("{around}{text}{around}");
        std::fs::write(at.join("x.csv"), "a,label:b\n1,0\n2,1\n").unwrap();
        for (name, url) in urls(&password.text) {
            let url = around(&url);
            for args in [&["config"][..], &["dead", "list"]] {
                let what = format!("{args:?} with {name}={url}");
                is_nowhere(&password, &what, &set(at, name, &url, args), &[name, PRINTED, "queue", "store", "dead"]);
            }
        }
        let url = around(&format!("amqp://me:{}@{NOWHERE}/v", password.text));
        for name in variables() {
            let config = set(at, name, &url, &["config"]);
            is_nowhere(&password, &format!("config with {name}={url}"), &config, &[name, PRINTED]);
            // The log is begun before the settings are found wanting.
            let mut worker = spotifai(at, &["worker", "lastfm"]);
            worker.env("SPOTIFAI_LASTFM_RATE", "often").env(name, &url);
            let said = worker.output().unwrap();
            is_nowhere(&password, &format!("a worker with {name}={url}"), &said, &[name, "SPOTIFAI_LASTFM_RATE"]);
        }
        for key in keys() {
            for value in [toml::Value::from(url.as_str()), toml::Value::from(vec![url.as_str()])] {
                std::fs::write(at.join("spotifai.toml"), format!("{key} = {value}\n")).unwrap();
                let config = run(at, &["config"]);
                is_nowhere(&password, &format!("config with {key} = {value}"), &config, &["spotifai.toml", PRINTED]);
            }
            // A slip of the pen.
            std::fs::write(at.join("spotifai.toml"), format!("{key} = {url}\n")).unwrap();
            is_nowhere(&password, &format!("config with {key} unquoted"), &run(at, &["config"]), &["spotifai.toml"]);
        }
        std::fs::remove_file(at.join("spotifai.toml")).unwrap();
        for scheme in SCHEMES {
            let url = around(&format!("{scheme}://me:{}@{NOWHERE}/v", password.text));
            for (args, says) in [
                (&["--queue", &url, "dead", "list"][..], "queue"),
                (&[&format!("--queue={url}"), "dead", "nonsense"], "Usage"),
                (&[&url], "Usage"),
                (&["dead", "list", &url], "Usage"),
                (&["run", &url], "is not a playlist"),
                (&["predict", &url], "the store has no model"),
                (&["--config", &url, "status"], "no such file"),
                (&["--store", &url, "status"], "store"),
                (&["search", "run", "--data", &url], "cannot read"),
                (&["pause", &url], "[KIND]"),
                (&["demo", "--store", &url], "store"),
                (&[&format!("--{url}")], "Usage"),
                (&[&format!("--{url}={url}"), "status"], "Usage"),
                (&[&format!("-{url}")], "Usage"),
                (&["search", &url], "Usage"),
                (&["search", "plan", "--grid", &url], "unknown grid"),
                (&["search", "plan", "--grid", "quick", "--families", &format!("knn,{url}")], "--families"),
                (&["search", "plan", "--grid", "quick", &format!("--families={url}")], "--families"),
                (&["search", "run", "--data", "x.csv", "--labels", &format!("a,\"{url}\"")], "labels"),
                (&["search", "run", "--data", "x.csv", "--ignore", &format!("a,{url}")], "--ignore"),
                (&["search", "run", "--data", "x.csv", "--genre-column", &url], "--genre-column"),
                (&["search", "run", "--data", "x.csv", "--genre-column", "a", "--genre-separator", &url], "x.csv"),
                (&["search", "run", "--data", "nowhere.csv", "--out", &url], "nowhere.csv"),
                (&["search", "run", "--folds", &url], "--folds"),
                (&["search", "show", &url], "no search"),
                (&["search", "show", "--top", &url], "--top"),
                (&["config", "--write", &url], "cannot write"),
                (&["dataset", "export", &url], "the extension selects"),
                (&["dataset", "export", &format!("{url}/x.csv")], "cannot write"),
                (&["enqueue", "file", &url, "--kind", "track.tags"], "cannot read"),
                (&["enqueue", "file", "x.csv", "--kind", &url], "--kind"),
                (&["enqueue", "playlist", &format!("{url}{}", "x".repeat(200))], "is not a playlist"),
                (&["cancel", &url], "no run"),
                (&["budget", "open", &url], "no budget"),
                (&["dead", "show", &url], "no dead job"),
                (&["pitches", &url], "cannot read"),
                (&["lastfm", "parse", &url], "cannot read"),
                (&["demo", "--catalogue", &url], "cannot read"),
                (&["demo", "--tracks", &url], "--tracks"),
                (&["completions", &url], "<SHELL>"),
                (&["worker", &url], "playlist, lastfm, pitch, grid"),
                (&["predict", "--data", "x.csv", "--out", &url], "the extension selects"),
                (&["predict", "--model", &url, "x"], "no search"),
                (&["report", "--out", &url], "the store has no model"),
            ] {
                is_nowhere(&password, &format!("{args:?}"), &run(at, args), &[says]);
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
        is_nowhere(&password, "doctor", &doctor, &["unreachable", "SPOTIFAI_QUEUE"]);
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
            if lines.last().is_some_and(|line| line.contains("unreachable")) {
                signal(&worker, "TERM");
            }
        }
        worker.wait().unwrap();
        assert!(lines.iter().any(|line| line.contains("queue")), "{lines:?}");
        let out = Output { status: worker.wait().unwrap(), stdout: Vec::new(), stderr: lines.join("\n").into_bytes() };
        is_nowhere(&password, "the worker", &out, &["queue"]);
    }
}

#[test]
fn what_is_told_of_a_setting_in_the_wrong_place_has_no_password() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let password = Password { words: ["zqxjw", "vkxzq"].map(str::to_owned).to_vec(), text: "zqxjw@vkxzq".to_owned() };
    let url = format!("amqp://me:{}@{NOWHERE}/v", password.text);
    for (name, args) in [
        ("SPOTIFAI_SPOTIFY_TOKEN_FILE", &["run", "3cEYpjA9oz9GiPac4AsH4n"][..]),
        ("SPOTIFAI_SPOTIFY_TOKEN_FILE", &["doctor"]),
        ("SPOTIFAI_CONTACT", &["doctor"]),
        ("SPOTIFAI_LOG", &["worker", "pitch", "--until-empty"]),
        ("SPOTIFAI_LOG_FORMAT", &["worker", "pitch", "--until-empty"]),
        ("SPOTIFAI_OTLP_URL", &["worker", "pitch", "--until-empty"]),
    ] {
        let mut command = spotifai(at, args);
        command.env("SPOTIFAI_SPOTIFY_CLIENT_ID", "app").env("SPOTIFAI_CONTACT", "me@example.org");
        command.env("SPOTIFAI_LASTFM_URL", format!("http://{NOWHERE}"));
        command.env("SPOTIFAI_LASTFM_API_URL", format!("http://{NOWHERE}")).env(name, &url);
        let said = command.output().unwrap();
        // A log may be of nothing that there is.
        let says = if name == "SPOTIFAI_LOG" { &[""][..] } else { &[name, "spotifai", "queue", "worker", "stopped"] };
        is_nowhere(&password, &format!("{args:?} with {name}"), &said, says);
    }
    // What is no secret is shown.
    let shown = spotifai(at, &["config"]).env("SPOTIFAI_SPOTIFY_TOKEN_FILE", "/home/me@work/a.json").output().unwrap();
    assert!(ok(&shown).contains("token_file = \"/home/me@work/a.json\""));
    let shown = spotifai(at, &["config"]).env("SPOTIFAI_SPOTIFY_TOKEN_FILE", &url).output().unwrap();
    let line = format!("# spotify.token_file = \"amqp://me:***@{NOWHERE}/v\" has a secret, not shown");
    assert!(ok(&shown).contains(&line), "{}", ok(&shown));
    let file = ["config", "--write", "mine.toml"];
    let said = ok(&spotifai(at, &file).env("SPOTIFAI_SPOTIFY_TOKEN_FILE", &url).output().unwrap());
    assert!(said.contains("it contains the secrets in spotify.token_file"), "{said}");
    let written: toml::Table = std::fs::read_to_string(at.join("mine.toml")).unwrap().parse().unwrap();
    assert_eq!(written["spotify"]["token_file"].as_str(), Some(&*url));
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
