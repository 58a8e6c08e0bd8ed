//! Jobs in, trials and a model out, on embedded homes.

use model::dataset::{Dataset, DatasetInfo, Split};
use model::job::{Envelope, SearchBlock, SearchRefit};
use model::search::{ModelInfo, Search, Trial};
use model::settings::Settings;
use tempfile::TempDir;
use worker::{Home, Shutdown, Until, Worker};

const GRID: &str = "[knn]\nn_neighbors = [1, 3]\n[tree]\nmax_depth = [2, 'none']\nmax_features = 'sqrt'\n";

async fn home(folder: &TempDir) -> Home {
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let mut settings = Settings { queue: url.clone(), store: url, ..Settings::default() };
    settings.worker.max_attempts = 1;
    Home::open(settings).await.unwrap()
}

/// `rows` rows of three features; the labels say which of the first two is the larger.
async fn save_dataset(home: &Home, rows: usize) -> DatasetInfo {
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
    home.store.save_dataset(&info, &parquet).await.unwrap();
    info
}

async fn begin(home: &Home, info: &DatasetInfo) -> Search {
    let (search, jobs) = grid_worker::start(info, learn::grid::read(GRID, &[]).unwrap(), 3, 7);
    home.store.save_search(&search).await.unwrap();
    home.queue.publish(&jobs).await.unwrap();
    search
}

async fn work(home: &Home) {
    let worker = grid_worker::add_to(Worker::new(home.clone()), home).unwrap();
    worker.run(Until::Empty, Shutdown::new()).await.unwrap();
}

/// What a search left, without wall times.
async fn results(home: &Home, search: &Search) -> (Vec<Trial>, ModelInfo, Vec<u8>) {
    let mut trials = home.store.trials(&search.id).await.unwrap();
    trials.iter_mut().for_each(|trial| trial.fit_seconds = 0.0);
    let model = home.store.model(&search.id).await.unwrap().expect("the search ends in a model");
    (trials, model, home.store.model_blob(&search.id).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_search_ends_in_all_trials_and_a_model_whoever_runs_it_and_twice_changes_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alone, shared) = (home(&one).await, home(&two).await);
    let info = save_dataset(&alone, 90).await;
    let search = begin(&alone, &info).await;
    work(&alone).await;
    let first = results(&alone, &search).await;
    assert_eq!(first.0.len(), search.trials());
    assert!(first.1.evaluation.heldout.accuracy > first.1.evaluation.baseline.accuracy);

    save_dataset(&shared, 90).await;
    assert_eq!(begin(&shared, &info).await.id, search.id, "equal searches have equal ids");
    begin(&shared, &info).await;
    tokio::join!(work(&shared), work(&shared));
    let together = results(&shared, &search).await;
    assert_eq!(together.0, first.0);
    assert_eq!((&together.1.winner, &together.1.evaluation), (&first.1.winner, &first.1.evaluation));
    assert_eq!(together.2, first.2);

    begin(&alone, &info).await;
    work(&alone).await;
    assert_eq!(results(&alone, &search).await, first, "a finished search is not computed again");
    assert!(alone.queue.dead_letters(None).await.unwrap().is_empty());
    assert!(shared.queue.dead_letters(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_block_that_was_saved_and_not_acknowledged_still_leads_to_the_refit() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(&folder).await;
    let info = save_dataset(&home, 60).await;
    let (search, jobs) = grid_worker::start(&info, learn::grid::read(GRID, &[]).unwrap(), 3, 7);
    home.store.save_search(&search).await.unwrap();
    let blob = home.store.dataset_blob(&info.id).await.unwrap().unwrap();
    let data = learn::prepare(&features::read(&blob, &home.settings.dataset.split).unwrap()).unwrap();
    for block in 0..search.blocks.len() as u32 {
        home.store.save_trials(&learn::run_block(&data, &search, block).unwrap()).await.unwrap();
    }
    home.queue.publish(&jobs[..1]).await.unwrap();
    work(&home).await;
    results(&home, &search).await;
}

#[tokio::test]
async fn what_cannot_be_computed_is_dead_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(&folder).await;
    let info = save_dataset(&home, 3).await;
    let search = begin(&home, &info).await;
    let block = |search: &str, block| Envelope::new(&SearchBlock { search: search.into(), block });
    let early = Envelope::new(&SearchRefit { search: search.id.clone() });
    home.queue.publish(&[block("nobody's", 0), block(&search.id, 99), early]).await.unwrap();
    work(&home).await;
    let dead = home.queue.dead_letters(None).await.unwrap();
    let reasons: Vec<&str> = dead.iter().map(|letter| letter.reason.as_str()).collect();
    for expected in [
        "2 training rows cannot be cut into 3 folds",
        "the store has no search nobody's",
        &format!("search {} has no block 99", search.id),
        &format!("search {} has 0 of its 12 trials", search.id),
    ] {
        assert!(reasons.iter().any(|reason| reason.contains(expected)), "{expected}: {reasons:?}");
    }
    assert_eq!(dead.len(), search.blocks.len() + 3);
    assert!(home.store.model(&search.id).await.unwrap().is_none());
}

#[test]
fn whatever_decides_a_score_decides_the_id() {
    let info = DatasetInfo {
        id: "d".into(),
        rows: 10,
        features: 2,
        labels: Vec::new(),
        dropped: Default::default(),
        tags_before: Vec::new(),
        tags_after: Vec::new(),
        cut: None,
        training: None,
        imputed: None,
        created_at: model::Timestamp(0),
    };
    let grid = |text: &str| learn::grid::read(text, &[]).unwrap();
    let id = |info: &DatasetInfo, text: &str, folds, seed| grid_worker::start(info, grid(text), folds, seed).0.id;
    let ids = [
        id(&info, "[knn]", 3, 0),
        id(&info, "[knn]\np = 3", 3, 0),
        id(&info, "[tree]", 3, 0),
        id(&info, "[knn]", 4, 0),
        id(&info, "[knn]", 3, 1),
        id(&DatasetInfo { id: "e".into(), ..info.clone() }, "[knn]", 3, 0),
    ];
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len());
    assert_eq!(ids[0], id(&info, "[knn]\nn_neighbors = 5", 3, 0), "a default that is spelled out is the same");
}
