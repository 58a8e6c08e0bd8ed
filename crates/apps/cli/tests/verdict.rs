//! A model that is worth nothing says so, wherever its scores are shown.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{ok, run, spotifai};
use serde_json::Value;
use tempfile::tempdir;

/// Numbers that have nothing to do with each other.
fn noise(i: usize, salt: u64) -> u64 {
    let mixed =
        (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03));
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

#[test]
fn a_model_of_noise_is_said_to_be_worse_than_the_baseline() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let row = |i: usize| {
        let label = noise(i, 3) % 100;
        let has = [label < 65, (65..80).contains(&label), label >= 80, i == 7].map(u8::from);
        format!("{},{},{},{},{},{}\n", noise(i, 1) % 997, noise(i, 2) % 997, has[0], has[1], has[2], has[3])
    };
    let rows: String = (0..200).map(row).collect();
    std::fs::write(at.join("my.csv"), format!("x,y,label:misc,label:a,label:b,label:once\n{rows}")).unwrap();
    std::fs::write(at.join("grid.toml"), "[knn]\nn_neighbors = 1\n").unwrap();
    let searched = ["search", "run", "--data", "my.csv", "--grid", "grid.toml", "--seed", "7", "--out", "out"];
    let said = ok(&run(at, &searched));
    let summary: Value = serde_json::from_slice(&std::fs::read(at.join("out/summary.json")).unwrap()).unwrap();
    let accuracy = |rows: &str| summary[rows]["accuracy"].as_f64().unwrap();
    assert!(accuracy("heldout") < accuracy("baseline"));
    let verdict = &summary["verdict"];
    assert_eq!(verdict["beats_baseline"], false);
    assert_eq!(verdict["never_assigned"], serde_json::json!(["once"]));
    assert_eq!((&summary["source"], &summary["invented"]), (&"file".into(), &false.into()));
    let page = std::fs::read_to_string(at.join("out/report.html")).unwrap();
    let first_screen = page.split_once("<section").unwrap().0;
    let shown = ok(&run(at, &["search", "show"]));
    for words in [
        "worse than assigning the most frequent set of labels to every row",
        "1 of 4 labels is never assigned",
        "--thresholds",
        "--grid study",
        "more rows",
    ] {
        assert!(said.contains(words), "{words}: {said}");
        assert!(shown.contains(words), "{words}: {shown}");
        assert!(first_screen.contains(words), "{words}: {first_screen}");
    }

    // What it advises is the command that was given, and can be pasted.
    assert!(said.contains(&format!("{} --thresholds`", searched.join(" "))), "{said}");
    ok(&pasted(at, &said));
    let tuned: Value = serde_json::from_slice(&std::fs::read(at.join("out/summary.json")).unwrap()).unwrap();
    assert_eq!((&tuned["seed"], &tuned["settings"]), (&7.into(), &1.into()));
    assert!(tuned["tuned"]["thresholds"].is_array(), "{tuned}");
    assert!(!std::fs::read_to_string(at.join("out/report.html")).unwrap().contains("--thresholds"), "it has them");
}

/// Runs the command line with `--thresholds` that advice shows, in a shell.
fn pasted(folder: &Path, said: &str) -> Output {
    let line = said.split('`').find(|words| words.ends_with(" --thresholds")).unwrap();
    let mut shell = Command::new("sh");
    // Settings that the first command did not have either.
    for (name, value) in spotifai(folder, &[]).get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(folder).args(["-c", line]).output().unwrap()
}

#[test]
fn what_a_demo_advises_can_be_pasted_too() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let said = ok(&run(at, &["demo", "--tracks", "60", "--seed", "5", "--out", "my demo"]));
    let own = "--queue 'sqlite:my demo/demo.db' --store 'sqlite:my demo/demo.db'";
    assert!(said.contains(&format!("{own} search run --grid quick --seed 5 --thresholds`")), "{said}");
    let again = ok(&pasted(at, &said));
    assert!(again.contains("best of 60 candidates") && again.contains("with thresholds"), "{again}");
    assert!(!at.join("spotifai.db").exists(), "it is the demo's own store");
}
