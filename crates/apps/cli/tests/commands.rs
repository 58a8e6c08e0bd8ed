//! The small commands: what they print, and how they refuse bad input.

mod common;

use std::io::Write;
use std::process::Stdio;

use common::{fails, ok, run, spotifai};
use tempfile::tempdir;

#[test]
fn tags_are_normalised_a_line_each() {
    let folder = tempdir().unwrap();
    let mut child =
        spotifai(folder.path(), &["tags", "normalise"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = "Hip-Hop\nhip hop\nhiphop\nR&B\nrnb\nr'n'b\nseen live\n\n80s\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let out = ok(&child.wait_with_output().unwrap());
    let forms: Vec<&str> = out.split('\n').collect();
    assert_eq!(forms.len(), 10, "a line out for each line in: {out:?}");
    assert!(!forms[0].is_empty() && forms[..3].iter().all(|form| *form == forms[0]), "{forms:?}");
    assert!(!forms[3].is_empty() && forms[3..6].iter().all(|form| *form == forms[3]), "{forms:?}");
    assert!(forms[6..].iter().all(|form| form.is_empty()), "{forms:?}");
}

#[test]
fn tags_that_are_not_utf8_are_refused_and_not_read_without_their_letters() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    for (bytes, line) in [(&b"rock\nchanson fran\xe7aise\n"[..], 2), (b"\xff\xfer\0o\0c\0k\0", 1)] {
        std::fs::write(at.join("tags"), bytes).unwrap();
        let file = std::fs::File::open(at.join("tags")).unwrap();
        let said = fails(&spotifai(at, &["tags", "normalise"]).stdin(file).output().unwrap(), 1);
        assert!(said.contains(&format!("line {line} of standard input is not UTF-8: convert it first")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn lastfm_addresses_follow_the_site() {
    let folder = tempdir().unwrap();
    let out = ok(&run(folder.path(), &["lastfm", "url", "AC/DC", "Hells Bells"]));
    assert_eq!(out, "https://www.last.fm/music/AC%2FDC/_/Hells+Bells/+tags\n");
}

#[test]
fn lastfm_pages_are_told_apart() {
    let folder = tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, "<html><head><title>Page not available</title></head></html>").unwrap();
    let out = ok(&run(folder.path(), &["lastfm", "parse", "page.html"]));
    assert_eq!(out, "{\"outcome\":\"throttled\",\"tags\":[]}\n");
    std::fs::write(&page, "<html><head><title>Nothing</title></head></html>").unwrap();
    let out = ok(&run(folder.path(), &["lastfm", "parse", "page.html", "--status", "404"]));
    assert!(out.contains("unknown_track"), "{out}");
}

#[test]
fn pitches_are_printed_by_column() {
    let folder = tempdir().unwrap();
    let segments: Vec<String> = (0..300)
        .map(|i| format!("{{\"start\":{}, \"pitches\":[1,0,0,0,0,0,0,0,0,0,0,{}]}}", i as f64 / 2.0, i % 2))
        .collect();
    std::fs::write(folder.path().join("a.json"), format!("{{\"segments\":[{}]}}", segments.join(","))).unwrap();
    let out = ok(&run(folder.path(), &["pitches", "a.json"]));
    let columns: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(columns.len(), 1_224);
    assert_eq!(
        (columns["C_0"].as_f64(), columns["B_max"].as_f64(), columns["B_min"].as_f64()),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    let csv = ok(&run(folder.path(), &["pitches", "a.json", "--format", "csv"]));
    assert_eq!(csv.lines().map(|line| line.split(',').count()).collect::<Vec<_>>(), [1_224, 1_224]);
    assert!(csv.starts_with("C_0,C_1,"));
}

#[test]
fn bad_input_gets_one_clear_line() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("no.json"), "{}").unwrap();
    std::fs::write(at.join("no.csv"), "track_id,energy\na,1\n").unwrap();
    std::fs::write(at.join("grid.toml"), "[knn]\nn_neighbours = [5]\n").unwrap();
    std::fs::write(at.join("good.toml"), "[knn]\nn_neighbors = [5]\n").unwrap();
    std::fs::write(at.join("bad.toml"), "[lastfm]\nrat = 1\n").unwrap();
    let pitches = "\"pitches\":[1,0,0,0,0,0,0,0,0,0,0,0]";
    std::fs::write(at.join("nan.json"), "{\"segments\":[{\"start\":0.0,\"pitches\":[NaN,0,0,0,0,0,0,0,0,0,0,0]}]}")
        .unwrap();
    let back = [0.0, 90.0, 60.0, 120.0].map(|start| format!("{{\"start\":{start},{pitches}}}")).join(",");
    std::fs::write(at.join("back.json"), format!("{{\"segments\":[{back}]}}")).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["pitches", "missing.json"], 1, "missing.json"),
        (&["pitches", "no.json"], 1, "no.json"),
        (&["pitches", "nan.json"], 1, "not_finite"),
        (&["pitches", "back.json"], 1, "not_ascending"),
        (&["lastfm", "url", "", "x"], 2, ""),
        (&["lastfm", "parse", "missing.html"], 1, "missing.html"),
        (&["run", "not a playlist"], 2, "not a playlist"),
        (&["predict", "xyz"], 1, "no model"),
        (&["predict", "3n3Ppam7vgaVa1iaRUc9Lp"], 1, "no model"),
        (&["dataset", "export", "x.csv"], 1, "no dataset"),
        (&["dataset", "export", "x.txt"], 2, "x.txt"),
        (&["dataset", "export", "x.parquet", "--spreadsheet"], 2, "--spreadsheet applies only to .csv"),
        (&["dead", "show", "42"], 2, "42"),
        (&["search", "run", "--data", "missing.csv"], 1, "missing.csv"),
        (&["search", "run", "--data", "no.csv"], 1, "label:"),
        (&["search", "run", "--data", "missing.csv", "--out", "no.csv"], 1, "no.csv is a file"),
        (&["search", "run", "--grid", "grid.toml"], 1, "n_neighbours"),
        (&["search", "run", "--grid", "nosuch"], 2, "quick, study, small"),
        (&["search", "run", "--families", "oracle"], 2, "knn"),
        (
            &["search", "run", "--grid", "good.toml", "--families", "svm"],
            2,
            "--families: good.toml: the grid has no family `svm`: it has knn",
        ),
        (&["search", "plan", "--grid", "quick", "--families", "knn,svm"], 2, "no family `svm`: it has knn, tree"),
        (&["search", "run", "--folds", "0"], 2, "2..=100"),
        (&["search", "run", "--folds", "-3"], 2, "-3"),
        (&["search", "run", "--seed", "x"], 2, "--seed"),
        (&["search", "run", "--seed", "-1"], 2, "-1"),
        (&["search", "run", "--data", "x", "--impute", "x"], 2, "most_frequent"),
        (
            &["search", "plan", "--rows", "9", "--features", "9", "--labels", "0"],
            2,
            "--labels is `0`: with --rows it must be a number",
        ),
        (
            &["search", "plan", "--rows", "9", "--features", "9", "--labels", "99999999999999999999"],
            2,
            "a number from 1",
        ),
        (&["search", "show", "--top", "x"], 2, "--top"),
        (&["demo", "--tracks", "3"], 2, "50..=20000"),
        (&["worker", "grids"], 2, "grid"),
        (&["worker", "grid", "--slots", "0"], 2, "1..=1024"),
        (&["enqueue", "file", "x", "--kind", "x"], 2, "track.tags"),
        (&["pause", "x"], 2, "track.tags"),
        (&["dead", "list", "--kind", "x"], 2, "track.tags"),
        (&["budget", "open", "x"], 2, "budget list"),
        (&["--queue", "oracle:db", "status"], 2, "sqlite:FILE"),
        (&["--store", "", "status"], 2, "sqlite:FILE"),
        (&["--config", "bad.toml", "config"], 2, "rat"),
        (&["--config", "missing.toml", "config"], 2, "missing.toml"),
        (&["--store", "oracle:db", "status"], 2, "oracle:db"),
        (&["demo", "--catalogue", "missing.csv"], 1, "missing.csv"),
        (&["demo", "--catalogue", "no.csv"], 1, "no.csv"),
    ];
    for (args, code, named) in cases {
        let line = fails(&run(at, args), *code);
        let is_clap = line.contains("--help");
        assert!(is_clap || line.lines().count() == 1, "{args:?}: {line}");
        assert!(line.contains(named), "{args:?} should name {named:?}: {line}");
    }
}

#[test]
fn settings_come_from_flags_environment_and_file_in_this_order_and_secrets_stay_hidden() {
    let folder = tempdir().unwrap();
    std::fs::write(
        folder.path().join("spotifai.toml"),
        "store = \"sqlite:file.db\"\nqueue = \"sqlite:file.db\"\ncontact = \"file\"\n",
    )
    .unwrap();
    let out = spotifai(folder.path(), &["--store", "sqlite:flag.db", "config"])
        .env("SPOTIFAI_QUEUE", "sqlite:environment.db")
        .env("SPOTIFAI_LASTFM_RATE", "0.25")
        .env("SPOTIFAI_LASTFM_API_KEY", "squeamish-ossifrage")
        .output()
        .unwrap();
    let settings: toml::Table = ok(&out).parse().unwrap();
    assert_eq!(settings["store"].as_str(), Some("sqlite:flag.db"));
    assert_eq!(settings["queue"].as_str(), Some("sqlite:environment.db"));
    assert_eq!(settings["contact"].as_str(), Some("file"));
    assert_eq!(settings["lastfm"]["rate"].as_float(), Some(0.25));
    assert!(!String::from_utf8_lossy(&out.stdout).contains("squeamish"));
}

#[test]
fn passwords_of_addresses_are_neither_printed_nor_welcome_as_flags() {
    let folder = tempdir().unwrap();
    let out = spotifai(folder.path(), &["--queue", "amqp://me:squeamish@broker/v", "config"])
        .env("SPOTIFAI_STORE", "mongodb+srv://me:ossifrage@db.example.org")
        .output()
        .unwrap();
    let (printed, said) = (ok(&out), String::from_utf8_lossy(&out.stderr).into_owned());
    assert!(printed.contains("amqp://me:***@broker/v") && printed.contains("mongodb+srv://me:***@db"), "{printed}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--queue") && said.contains("SPOTIFAI_QUEUE") && !said.contains("squeamish"), "{said}");
}

#[test]
fn what_config_prints_can_be_a_settings_file_and_hides_nothing_that_is_set() {
    let folder = tempdir().unwrap();
    let set = |args: &[&str]| {
        let mut command = spotifai(folder.path(), args);
        command.env("SPOTIFAI_LASTFM_API_KEY", "squeamish").env("SPOTIFAI_STORE", "mongodb://me:ossifrage@db/x");
        command.env("SPOTIFAI_CONTACT", "a \"b\" \u{e9}").env("SPOTIFAI_LASTFM_RATE", "0.25");
        command.output().unwrap()
    };
    let printed = ok(&set(&["config"]));
    assert!(printed.contains("# lastfm.api_key = is set, not shown\n"), "{printed}");
    assert!(printed.contains("# store = \"mongodb://me:***@db/x\" has a secret, not shown\n"), "{printed}");
    std::fs::write(folder.path().join("spotifai.toml"), &printed).unwrap();
    assert_eq!(ok(&set(&["config"])), printed, "the same settings, the secrets still from the environment");
    let alone = ok(&run(folder.path(), &["config"]));
    assert!(!alone.contains('*') && alone.contains("rate = 0.25"), "no secret is set to what stands for one: {alone}");
}

#[test]
fn config_writes_a_file_that_reads_back_and_replaces_none() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let set = |args: &[&str]| {
        let mut command = spotifai(folder.path(), args);
        command.env("SPOTIFAI_LASTFM_API_KEY", "squeamish").env("SPOTIFAI_QUEUE", "amqp://me:ossi'%22@mq/v");
        command.output().unwrap()
    };
    let said = ok(&set(&["config", "--write", "mine.toml"]));
    assert!(said.contains("mine.toml") && said.contains("queue, lastfm.api_key") && !said.contains("ossi"), "{said}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds secrets");
    let written: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    assert_eq!(written["lastfm"]["api_key"].as_str(), Some("squeamish"));
    assert_eq!(written["queue"].as_str(), Some("amqp://me:ossi'%22@mq/v"));
    let read_back = ok(&run(folder.path(), &["--config", "mine.toml", "config"]));
    assert_eq!(read_back, ok(&set(&["config"])), "the same settings without the environment");

    let line = fails(&run(folder.path(), &["config", "--write", "mine.toml"]), 1);
    assert!(line.contains("mine.toml already exists") && line.lines().count() == 1, "{line}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().parse::<toml::Table>().unwrap(), written);
    let line = fails(&run(folder.path(), &["config", "--write", "no/such/folder.toml"]), 1);
    assert!(line.contains("no/such/folder.toml"), "{line}");
}

#[test]
fn a_settings_file_that_the_shell_emptied_is_not_lost_in_silence() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("spotifai.toml");
    std::fs::write(&file, "contact = \"me\"\n").unwrap();
    let out = spotifai(folder.path(), &["config"]).stdout(std::fs::File::create(&file).unwrap()).output().unwrap();
    ok(&out);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("emptied spotifai.toml") && said.contains("config --write"), "{said}");
}

#[test]
fn what_stands_for_a_secret_is_refused_as_one() {
    let folder = tempdir().unwrap();
    for (name, value, key) in [
        ("SPOTIFAI_LASTFM_API_KEY", "***", "lastfm.api_key"),
        ("SPOTIFAI_SPOTIFY_CLIENT_SECRET", " **** ", "spotify.client_secret"),
        ("SPOTIFAI_QUEUE", "amqp://me:***@host/v", "queue"),
        ("SPOTIFAI_QUEUE_MANAGEMENT_URL", "http://me:%2A%2A%2A@host", "queue_management_url"),
        ("SPOTIFAI_STORE", "mongodb://me@host/x?tlsCertificateKeyFilePassword=***", "store"),
    ] {
        for command in ["config", "status"] {
            let line = fails(&spotifai(folder.path(), &[command]).env(name, value).output().unwrap(), 2);
            assert!(line.contains(name) && line.contains(key) && line.contains("***"), "{line}");
            assert_eq!(line.lines().count(), 1, "{line}");
        }
        let checks = spotifai(folder.path(), &["doctor"]).env(name, value).output().unwrap();
        assert_eq!(checks.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&checks.stdout).contains(key), "the doctor says it too");
    }
    std::fs::write(folder.path().join("spotifai.toml"), "[lastfm]\napi_key = \"***\"\n").unwrap();
    let line = fails(&run(folder.path(), &["config"]), 2);
    assert!(line.contains("spotifai.toml:2: lastfm.api_key"), "{line}");
}
