//! `search run` on a real table in the exported format gives scikit-learn's scores.

mod common;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use common::{ok, run};
use serde_json::Value;
use tempfile::tempdir;
use testkit::SCALAR_COLUMNS;

const GRID: &str =
    "[knn]\nmetric = [\"euclidean\", \"manhattan\", \"cosine\"]\nweights = [\"uniform\", \"distance\"]\n";

/// A row of the table that has all that is needed.
struct Row {
    uri: String,
    genres: BTreeSet<String>,
    scalars: Vec<String>,
}

fn rows(table: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for record in reader.deserialize::<HashMap<String, String>>() {
        let record = record.unwrap();
        let scalars: Vec<String> = SCALAR_COLUMNS.iter().map(|name| record[*name].clone()).collect();
        let whole = scalars.iter().chain([&record["Track URI"], &record["Genres"]]).all(|cell| !cell.is_empty());
        if whole && seen.insert(record["Track URI"].clone()) {
            let genres = record["Genres"].split(',').map(str::to_owned).collect();
            rows.push(Row { uri: record["Track URI"].clone(), genres, scalars });
        }
    }
    rows
}

/// The nine most frequent genres without rock, ties by name, and misc.
fn labels(rows: &[Row]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for genre in rows.iter().flat_map(|row| &row.genres).filter(|genre| *genre != "rock") {
        *counts.entry(genre).or_default() += 1;
    }
    let mut ranked: Vec<(&str, usize)> = counts.into_iter().collect();
    ranked.sort_by_key(|(genre, count)| (std::cmp::Reverse(*count), *genre));
    let mut labels: Vec<String> = ranked.into_iter().take(9).map(|(genre, _)| genre.to_owned()).collect();
    labels.push("misc".into());
    labels.sort();
    labels
}

/// The exported format; with a `split` where the training rows are named.
fn write(file: &Path, rows: &[Row], labels: &[String], train: Option<&HashSet<String>>) {
    let mut csv = csv::Writer::from_path(file).unwrap();
    let split = train.map(|_| "split".to_owned());
    let head = std::iter::once("track_id".to_owned()).chain(split).chain(labels.iter().map(|l| format!("label:{l}")));
    csv.write_record(head.chain(SCALAR_COLUMNS.map(str::to_owned))).unwrap();
    for row in rows {
        let others = labels.iter().all(|label| !row.genres.contains(label));
        let has = |label: &String| if label == "misc" { others } else { row.genres.contains(label) };
        let split = train.map(|train| if train.contains(&row.uri) { "train" } else { "test" }.to_owned());
        let cells = std::iter::once(row.uri.clone()).chain(split);
        let cells = cells.chain(labels.iter().map(|label| u8::from(has(label)).to_string()));
        csv.write_record(cells.chain(row.scalars.clone())).unwrap();
    }
    csv.flush().unwrap();
}

/// Searches a file and compares every fold of every setting.
fn assert_scores(folder: &Path, file: &str, expected: &Value) {
    ok(&run(folder, &["search", "run", "--data", file, "--grid", "grid.toml", "--out", "out"]));
    let mut board = csv::Reader::from_path(folder.join("out/leaderboard.csv")).unwrap();
    let mut compared = 0;
    for record in board.deserialize::<HashMap<String, String>>() {
        let record = record.unwrap();
        let params: Value = serde_json::from_str(&record["params"]).unwrap();
        let same = |setting: &&Value| ["n_neighbors", "weights", "metric"].iter().all(|p| setting[p] == params[p]);
        let setting = expected.as_array().unwrap().iter().find(same).unwrap();
        for (fold, accuracy) in setting["accuracy"].as_array().unwrap().iter().enumerate() {
            let ours: f64 = record[&format!("accuracy_fold_{fold}")].parse().unwrap();
            assert!(
                (ours - accuracy.as_f64().unwrap()).abs() < 1e-12,
                "{file} {params} fold {fold}: {ours} {accuracy}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 6 * 5);
}

#[test]
fn nearest_neighbours_score_as_scikit_learn_does() {
    let Some(data) = testkit::real_data("nearest_neighbours_score_as_scikit_learn_does") else { return };
    let expected: Value = serde_json::from_str(include_str!("sklearn/knn.json")).unwrap();
    let rows = rows(&data.join("tables/strusz_spotify_features_genres.csv"));
    let labels = labels(&rows);
    assert_eq!(
        (rows.len() as u64, serde_json::json!(labels)),
        (expected["rows"].as_u64().unwrap(), expected["labels"].clone())
    );

    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
    write(&folder.path().join("drawn.csv"), &rows, &labels, None);
    assert_scores(folder.path(), "drawn.csv", &expected["drawn"]);

    // What the program exports says which rows were drawn.
    ok(&run(folder.path(), &["dataset", "export", "exported.csv"]));
    let mut exported = csv::Reader::from_path(folder.path().join("exported.csv")).unwrap();
    let records = exported.deserialize::<HashMap<String, String>>().map(Result::unwrap);
    let train: HashSet<String> = records.filter(|r| r["split"] == "train").map(|r| r["track_id"].clone()).collect();
    write(&folder.path().join("in_file_order.csv"), &rows, &labels, Some(&train));
    assert_scores(folder.path(), "in_file_order.csv", &expected["in_file_order"]);
}
