//! A command never writes over a file that it reads, and what it does replace it replaces whole.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{fails, ok, run};
use tempfile::{TempDir, tempdir};

const TABLE: &str = "x,label:a\n1,0\n2,1\n3,0\n4,1\n";

/// A folder with a table under three names and a link to the folder itself.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("new.csv"), TABLE).unwrap();
    symlink("new.csv", at.join("link.csv")).unwrap();
    fs::hard_link(at.join("new.csv"), at.join("hard.csv")).unwrap();
    fs::create_dir(at.join("out")).unwrap();
    symlink("out", at.join("same")).unwrap();
    folder
}

/// Refused as a mistake of the command line, in one line that names the file, before a store is made.
fn refused(at: &Path, args: &[&str], named: &str) {
    let said = fails(&run(at, args), 2);
    let expected = format!("spotifai: cannot write {named}");
    assert!(
        said.starts_with(&expected) && said.ends_with("this command reads that file; choose another output\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!at.join("spotifai.db").exists(), "{args:?}: nothing was started");
}

#[test]
fn answers_are_not_written_over_the_table_that_they_are_about() {
    let folder = folder();
    let at = folder.path();
    let absolute = at.join("new.csv").display().to_string();
    let names = ["new.csv", "./new.csv", "same/../new.csv", "link.csv", "hard.csv", &absolute];
    for data in names {
        for out in names {
            refused(at, &["predict", "--data", data, "--out", out], out);
        }
    }
    let said = fails(&run(at, &["predict", "--data", "new.csv", "--out", "link.csv"]), 2);
    assert!(said.contains("cannot write link.csv (the same file as new.csv): this command reads that file"), "{said}");
    assert_eq!(fs::read_to_string(at.join("new.csv")).unwrap(), TABLE);
    assert!(at.join("link.csv").is_symlink());
    // Another file is another file, whatever it holds and is called.
    fs::copy(at.join("new.csv"), at.join("out/new.csv")).unwrap();
    let said = fails(&run(at, &["predict", "--data", "new.csv", "--out", "out/new.csv"]), 1);
    assert!(said.contains("the store has no model"), "{said}");
}

#[test]
fn nothing_is_written_over_a_store_or_settings() {
    let folder = folder();
    let at = folder.path();
    let store = ["--store", "sqlite:store.csv"];
    // As well where it would only be made.
    refused(at, &[&store[..], &["dataset", "export", "store.csv"]].concat(), "store.csv");
    assert!(!at.join("store.csv").exists());
    ok(&run(at, &["--store", "sqlite:store.csv", "--queue", "sqlite:queue.db", "status"]));
    let before = fs::read(at.join("store.csv")).unwrap();
    fs::hard_link(at.join("store.csv"), at.join("out/report.html")).unwrap();
    symlink("../store.csv", at.join("out/labels.csv")).unwrap();
    for (args, named) in [
        (&["dataset", "export", "./store.csv"][..], "./store.csv"),
        (&["predict", "--data", "new.csv", "--out", "store.csv"], "store.csv"),
        (&["report", "--out", "same"], "same/report.html"),
        (&["search", "run", "--data", "new.csv", "--out", "out"], "out/report.html"),
        (&["run", "37i9dQZF1DXcBWIGoYBM5M", "--out", "out"], "out/report.html"),
    ] {
        refused(at, &[&store[..], args].concat(), named);
    }
    fs::remove_file(at.join("out/report.html")).unwrap();
    let run_here = ["run", "37i9dQZF1DXcBWIGoYBM5M", "--labels-only", "--out", "out"];
    refused(at, &[&store[..], &run_here].concat(), "out/labels.csv");
    refused(at, &["--queue", "sqlite:queue.csv", "dataset", "export", "queue.csv"], "queue.csv");
    refused(at, &[&store[..], &["dataset", "export", "store.csv-wal"]].concat(), "store.csv-wal");
    symlink("later.db", at.join("dangling.csv")).unwrap();
    refused(at, &["--store", "sqlite:later.db", "dataset", "export", "dangling.csv"], "dangling.csv");
    refused(at, &["--store", "sqlite:out/summary.json", "demo", "--out", "out"], "out/summary.json");
    refused(at, &["--queue", "sqlite:out/demo.lock", "demo", "--out", "out"], "out/demo.lock");
    assert_eq!(fs::read(at.join("store.csv")).unwrap(), before);
    // Where a real sign-in is kept.
    fs::create_dir(at.join("spotifai")).unwrap();
    fs::write(at.join("spotifai/token.json"), "signed in").unwrap();
    refused(at, &["demo", "--out", "spotifai"], "spotifai/token.json");
    assert_eq!(fs::read_to_string(at.join("spotifai/token.json")).unwrap(), "signed in");

    let settings = "[spotify]\ntoken_file = \"token.json\"\n";
    fs::write(at.join("mine.csv"), settings).unwrap();
    refused(at, &["--config", "mine.csv", "dataset", "export", "mine.csv"], "mine.csv");
    refused(at, &["--config", "mine.csv", "predict", "t1", "--out", "token.json"], "token.json");
    let said = fails(&run(at, &["--config", "mine.csv", "config", "--write", "mine.csv"]), 1);
    assert!(said.contains("mine.csv already exists and was not changed"), "{said}");
    assert_eq!(fs::read_to_string(at.join("mine.csv")).unwrap(), settings);
}

#[test]
fn a_search_and_a_demo_leave_nothing_in_the_place_of_what_they_read() {
    let folder = folder();
    let at = folder.path();
    let grid = "[tree]\nmax_depth = 1\n";
    for name in ["leaderboard.csv", "summary.json", "report.html", "demo.db", "demo.lock", "token.json"] {
        let file = at.join("out").join(name);
        let (data, other) = (format!("out/{name}"), format!("same/{name}"));
        fs::write(&file, TABLE).unwrap();
        refused(at, &["demo", "--catalogue", &data, "--out", "same"], &other);
        if ["leaderboard.csv", "summary.json", "report.html"].contains(&name) {
            refused(at, &["search", "run", "--data", &data, "--out", "out"], &data);
            fs::write(&file, grid).unwrap();
            refused(at, &["search", "run", "--data", "new.csv", "--grid", &other, "--out", "out"], &data);
        }
        assert!([TABLE, grid].contains(&&*fs::read_to_string(&file).unwrap()));
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn files_of_an_earlier_command_are_replaced_whole_or_stay() {
    let folder = folder();
    let at = folder.path();
    fs::write(at.join("grid.toml"), "[tree]\nmax_depth = [1, 2]\n").unwrap();
    let rows: String = (0..30).map(|i| format!("{},{}\n", i % 10, u8::from(i % 10 > 4))).collect();
    fs::write(at.join("many.csv"), format!("x,label:a\n{rows}")).unwrap();
    let search = ["search", "run", "--data", "many.csv", "--grid", "grid.toml", "--folds", "2", "--out", "out"];
    ok(&run(at, &search));
    // Whoever reads the old file while it is replaced keeps it: its bytes are not touched.
    let commands: &[(&[&str], &[&str])] = &[
        (&search, &["out/leaderboard.csv", "out/summary.json", "out/report.html"]),
        (&["report", "--out", "out"], &["out/leaderboard.csv", "out/report.html"]),
        (&["dataset", "export", "d.csv"], &["d.csv"]),
        (&["dataset", "export", "d.parquet"], &["d.parquet"]),
        (&["predict", "--data", "many.csv", "--out", "a.csv"], &["a.csv"]),
        (&["predict", "--data", "many.csv", "--out", "a.json"], &["a.json"]),
    ];
    for (args, files) in commands {
        for file in *files {
            fs::write(at.join(file), "old").unwrap();
            let _ = fs::remove_file(at.join(format!("{file}.kept")));
            fs::hard_link(at.join(file), at.join(format!("{file}.kept"))).unwrap();
        }
        ok(&run(at, args));
        for file in *files {
            assert_eq!(fs::read_to_string(at.join(format!("{file}.kept"))).unwrap(), "old", "{args:?}");
            assert_ne!(fs::read(at.join(file)).unwrap(), b"old", "{args:?}");
        }
    }
    // A link stays one, and what it points to is replaced.
    symlink("d.csv", at.join("to.csv")).unwrap();
    fs::write(at.join("d.csv"), "old").unwrap();
    ok(&run(at, &["dataset", "export", "to.csv"]));
    assert!(at.join("to.csv").is_symlink() && fs::read_to_string(at.join("d.csv")).unwrap().starts_with("track_id"));

    fs::write(at.join("bad.csv"), "x\nmuch\nmore\n").unwrap();
    for args in [
        &["predict", "--data", "nowhere.csv", "--out", "a.csv"][..],
        &["predict", "--data", "bad.csv", "--out", "a.csv"],
        &["--store", "sqlite:empty.db", "predict", "--data", "many.csv", "--out", "a.csv"],
        &["--store", "sqlite:empty.db", "dataset", "export", "a.csv"],
        &["--store", "sqlite:empty.db", "report", "--out", "out"],
        &["search", "run", "--data", "bad.csv", "--out", "out"],
    ] {
        let files = ["a.csv", "out/leaderboard.csv", "out/summary.json", "out/report.html"];
        files.iter().for_each(|file| fs::write(at.join(file), "old").unwrap());
        fails(&run(at, args), 1);
        for file in files {
            assert_eq!(fs::read_to_string(at.join(file)).unwrap(), "old", "{args:?}");
        }
    }
    let left = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.starts_with(".tmp")), "no half-written file is left");
}
