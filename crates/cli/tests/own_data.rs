//! A person's own table: a clear line, or the right answer.

mod common;

use std::path::Path;

use common::{fails, ok, run};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const GRID: &str = "[knn]\nn_neighbors = 1\n[tree]\nmax_depth = [1, 3]\nclass_weight = ['none', 'balanced']\n";

/// A folder with a grid and this table, of a header and rows.
fn folder(head: &str, row: impl Fn(usize) -> String, rows: usize) -> TempDir {
    let folder = tempdir().unwrap();
    let rows: String = (0..rows).map(|i| row(i) + "\n").collect();
    std::fs::write(folder.path().join("my.csv"), format!("{head}\n{rows}")).unwrap();
    std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
    folder
}

fn search(folder: &Path, verb: &str, more: &[&str]) -> std::process::Output {
    let args = ["search", verb, "--data", "my.csv", "--grid", "grid.toml", "--folds", "3"];
    run(folder, &[&args[..], more].concat())
}

/// `summary.json` of a run.
fn summary(folder: &Path, more: &[&str]) -> Value {
    ok(&search(folder, "run", &[more, &["--out", "out"]].concat()));
    serde_json::from_str(&std::fs::read_to_string(folder.join("out/summary.json")).unwrap()).unwrap()
}

#[test]
fn what_is_wrong_with_a_table_is_said_in_one_line_with_the_way_out() {
    let many = |row: &str| format!("x,label:a\n{}{row}\n", "1,0\n2,1\n".repeat(10));
    let cases: &[(String, &[&str], i32, &[&str])] = &[
        (many(",1"), &[], 1, &["column `x` lacks 1 of 21 values", "row 21", "--impute mean"]),
        (many("NaN,1"), &[], 1, &["column `x` lacks 1 of 21 values", "row 21", "--impute mean"]),
        (many("inf,1"), &[], 1, &["column `x`, row 21 is infinite", "leave the row out"]),
        (many("inf,1"), &["--impute", "mean"], 1, &["column `x`, row 21 is infinite"]),
        (many("much,1"), &["--impute", "mean"], 1, &["column `x`, row 21 has no number but a text", "--ignore"]),
        (many("1,"), &["--impute", "mean"], 1, &["column `label:a`, row 21 is neither 0 nor 1"]),
        (many("1,2"), &[], 1, &["column `label:a`, row 21 is neither 0 nor 1"]),
        (many("1,0"), &["--impute", "average"], 2, &["average", "most_frequent"]),
        (many("1,0"), &["--labels", "b"], 2, &["`--labels` names `b`", "my.csv", "label:a"]),
        (many("1,0"), &["--ignore", "y"], 2, &["`--ignore` names `y`", "it has x, label:a"]),
        ("x,y\n1,0\n2,1\n3,0\n".into(), &[], 1, &["my.csv", "no label columns", "--labels a,b,c"]),
        ("x,y,z\n1,0,5\n2,1,6\n3,0,7\n".into(), &["--labels", "x,y"], 1, &["`x`, row 2 is neither 0 nor 1"]),
        ("y,z\n1,0\n0,1\n1,0\n".into(), &["--labels", "y,z"], 1, &["no feature columns"]),
        ("x,label:a\n".into(), &[], 1, &["my.csv", "no rows"]),
        ("".into(), &[], 1, &["my.csv", "cannot be read"]),
        ("x,label:a\n1,0\n".into(), &[], 1, &["all 1 rows are on the test side", "add rows"]),
        (
            "x,label:a\n1,0\n2,1\n3,1\n".into(),
            &[],
            2,
            &["2 training rows (of 3 rows)", "3 folds", "--folds 2 or fewer"],
        ),
        ("title,x,label:a\nu,1,0\nv,2,1\nw,3,1\n".into(), &[], 1, &["column `title` has no numbers", "--ignore"]),
        ("x,x,label:a\n1,1,0\n2,2,1\n".into(), &[], 1, &["column `x` comes twice", "rename or remove"]),
        ("a,x,label:a\n1,1,0\n0,2,1\n".into(), &["--labels", "a"], 1, &["`a` is a label twice"]),
    ];
    for (table, more, code, named) in cases {
        let folder = tempdir().unwrap();
        std::fs::write(folder.path().join("my.csv"), table).unwrap();
        std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
        for verb in ["run", "start", "plan"] {
            let said = fails(&search(folder.path(), verb, more), *code);
            assert!(said.contains("--help") || said.lines().count() == 1, "{table:?} {more:?}: {said}");
            assert!(named.iter().all(|name| said.contains(name)), "{table:?} {more:?} {named:?}: {said}");
        }
        assert!(!folder.path().join("spotifai-out").exists());
    }
    let folder = tempdir().unwrap();
    assert!(fails(&run(folder.path(), &["search", "start", "--labels", "a"]), 2).contains("--data"));
}

#[test]
fn missing_values_are_imputed_where_that_is_asked_for_and_recorded() {
    let row = |i: usize| {
        let x = if i.is_multiple_of(10) { String::new() } else { (i % 20).to_string() };
        format!("{},{x},{}", u8::from(i % 20 > 9), i % 7)
    };
    let folder = folder("high,x,y", row, 90);
    let at = folder.path();
    for how in ["mean", "median", "zero", "most_frequent"] {
        let summary = summary(at, &["--labels", "high", "--impute", how]);
        assert_eq!((summary["dataset_rows"].as_u64(), summary["dataset_features"].as_u64()), (Some(90), Some(2)));
        assert!(ok(&run(at, &["search", "show"])).contains("9 missing values of 1 features imputed"));
    }
    assert_eq!(
        serde_json::from_str::<Value>(&ok(&run(at, &["search", "list", "--json"]))).unwrap().as_array().unwrap().len(),
        4
    );
}

#[test]
fn one_label_constant_columns_and_constant_labels_are_no_trouble() {
    let row = |i: usize| format!("{},1,0,{},7", u8::from(i % 30 > 14), i % 30);
    let folder = folder("high,always,never,x,constant", row, 60);
    let one = summary(folder.path(), &["--labels", "high", "--ignore", "always,never"]);
    assert_eq!((one["labels"].clone(), one["heldout"]["accuracy"].as_f64()), (serde_json::json!(["high"]), Some(1.0)));
    assert_eq!(one["dataset_features"].as_u64(), Some(2));
    let all = summary(folder.path(), &["--labels", "high,always,never"]);
    assert_eq!(all["labels"], serde_json::json!(["always", "high", "never"]));
    assert_eq!(all["heldout"]["accuracy"].as_f64(), Some(1.0));
    let constant = summary(folder.path(), &["--labels", "always,never", "--ignore", "high,x"]);
    assert_eq!(constant["heldout"]["accuracy"].as_f64(), Some(1.0), "the only answer there is");
}

#[test]
fn thresholds_and_importances_are_reported_where_they_are_known() {
    let row = |i: usize| {
        format!("{},{},{},{}", i * 37 % 100, i * 53 % 7, u8::from(i * 37 % 100 > 70), u8::from(i.is_multiple_of(3)))
    };
    let folder = folder("loudness,noise,label:a,label:b", row, 100);
    let plain = summary(folder.path(), &[]);
    assert!(plain.get("tuned").is_none());
    let groups = plain["importances"]["groups"].as_array().unwrap();
    assert_eq!((&groups[0]["group"], groups.len()), (&"loudness".into(), 2));

    let said = ok(&search(folder.path(), "run", &["--thresholds", "--out", "out"]));
    assert!(said.contains("micro F1 0.") && said.contains(" with thresholds"), "{said}");
    let tuned = summary(folder.path(), &["--thresholds"]);
    assert_eq!(tuned["heldout"], plain["heldout"], "at one half as before");
    assert_eq!(tuned["tuned"]["thresholds"].as_array().unwrap().len(), 2);
    let report = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(report.contains("with thresholds") && report.contains("What it listens to"));
    let shown = ok(&run(folder.path(), &["search", "show"]));
    assert!(shown.contains(" with thresholds"), "{shown}");
}
