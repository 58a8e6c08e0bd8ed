//! A model that is worth nothing says so, wherever its scores are shown.

mod common;

use common::{ok, run};
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
    let said = ok(&run(at, &["search", "run", "--data", "my.csv", "--grid", "grid.toml", "--out", "out"]));
    let summary: Value = serde_json::from_slice(&std::fs::read(at.join("out/summary.json")).unwrap()).unwrap();
    let accuracy = |of: &str| summary[of]["accuracy"].as_f64().unwrap();
    assert!(accuracy("heldout") < accuracy("baseline"));
    let verdict = &summary["verdict"];
    assert_eq!(verdict["beats_baseline"], false);
    assert_eq!(verdict["never_assigned"], serde_json::json!(["once"]));
    assert_eq!((&summary["source"], &summary["invented"]), (&"file".into(), &false.into()));
    let page = std::fs::read_to_string(at.join("out/report.html")).unwrap();
    let first_screen = page.split_once("<section").unwrap().0;
    let shown = ok(&run(at, &["search", "show"]));
    for words in
        ["worse than giving every row", "1 of 4 labels is never assigned", "--thresholds", "--grid study", "more rows"]
    {
        assert!(said.contains(words), "{words}: {said}");
        assert!(shown.contains(words), "{words}: {shown}");
        assert!(first_screen.contains(words), "{words}: {first_screen}");
    }
}
