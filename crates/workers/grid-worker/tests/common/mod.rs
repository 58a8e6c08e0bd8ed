//! Backends on files, and a dataset.

use host::Backends;
use model::dataset::{Dataset, DatasetInfo, Split};
use model::settings::Settings;
use tempfile::TempDir;

pub async fn backends(folder: &TempDir) -> Backends {
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let mut settings = Settings { queue: url.clone(), store: url, ..Settings::default() };
    settings.worker.max_attempts = 1;
    Backends::open(settings).await.unwrap()
}

/// `rows` rows of three features; the labels say which of the first two is the larger.
pub async fn save_dataset(backends: &Backends, rows: usize) -> DatasetInfo {
    let value = |row: usize, column: usize| ((row * 37 + column * 61 + row * column * 11) % 101) as f64;
    let larger = |row: usize| usize::from(value(row, 0) < value(row, 1));
    let dataset = Dataset {
        track_ids: (0..rows).map(|row| format!("track{row}")).collect(),
        artists: vec![String::new(); rows],
        feature_names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        features: (0..rows).flat_map(|row| (0..3).map(move |column| value(row, column))).collect(),
        label_names: ["first", "second"].map(str::to_owned).to_vec(),
        labels: (0..rows).flat_map(|row| (0..2).map(move |label| u8::from(larger(row) == label))).collect(),
        split: (0..rows).map(|row| if row * 10 < rows * 6 { Split::Train } else { Split::Test }).collect(),
    };
    let parquet = features::to_parquet(&dataset).unwrap();
    let info = features::describe(&dataset, &parquet);
    backends.store.save_dataset(&info, &parquet).await.unwrap();
    info
}
