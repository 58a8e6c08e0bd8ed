//! Jobs in, trials and a model out, on embedded backends.

mod common;

use common::{backends, save_dataset};
use host::{Backends, Program};
use model::dataset::{DatasetInfo, Training};
use model::fleet::JobCounts;
use model::job::{Envelope, SearchBlockJob, SearchRefitJob};
use model::search::{ModelInfo, Search, Trial};
use runtime::{Shutdown, Until};

const GRID: &str = "[knn]\nn_neighbors = [1, 3]\n[tree]\nmax_depth = [2, 'none']\nmax_features = 'sqrt'\n";

/// A network that learns for hours.
const ENDLESS_GRID: &str = "[mlp]\nmax_iter = 100000000\nn_iter_no_change = 100000000\n";

async fn begin(backends: &Backends, info: &DatasetInfo) -> Search {
    begin_grid(backends, info, GRID).await
}

async fn begin_grid(backends: &Backends, info: &DatasetInfo, grid: &str) -> Search {
    let (search, jobs) = grid_worker::plan_search(info, learn::grid::read(grid, &[]).unwrap(), 3, 7, false);
    backends.store.save_search(&search).await.unwrap();
    backends.queue.publish(&jobs).await.unwrap();
    search
}

async fn work(backends: &Backends) {
    let worker = Program::of::<grid_worker::GridWorker>().add_to(backends.worker(), backends).unwrap();
    worker.run(Until::Empty, Shutdown::new()).await.unwrap();
}

/// What a search left, without wall times.
async fn results(backends: &Backends, search: &Search) -> (Vec<Trial>, ModelInfo, Vec<u8>) {
    let mut trials = backends.store.trials(&search.id).await.unwrap();
    trials.iter_mut().for_each(|trial| trial.fit_seconds = 0.0);
    let model = backends.store.model(&search.id).await.unwrap().expect("the search ends in a model");
    (trials, model, backends.store.model_blob(&search.id).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_search_ends_in_all_trials_and_a_model_whoever_runs_it_and_twice_changes_nothing() {
    let (first_folder, second_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alone, shared) = (backends(&first_folder).await, backends(&second_folder).await);
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
    let backends = backends(&folder).await;
    let info = save_dataset(&backends, 60).await;
    let (search, jobs) = grid_worker::plan_search(&info, learn::grid::read(GRID, &[]).unwrap(), 3, 7, false);
    backends.store.save_search(&search).await.unwrap();
    let blob = backends.store.dataset_blob(&info.id).await.unwrap().unwrap();
    let data = learn::prepare(&features::read(&blob, &backends.settings.dataset.split).unwrap()).unwrap();
    for block in 0..search.blocks.len() as u32 {
        backends
            .store
            .save_trials(&learn::run_block(&data, &search, block, &learn::Cancel::new()).unwrap())
            .await
            .unwrap();
    }
    backends.queue.publish(&jobs[..1]).await.unwrap();
    work(&backends).await;
    results(&backends, &search).await;
}

#[tokio::test]
async fn a_cancelled_search_does_nothing_until_it_goes_on_with_what_is_left() {
    let (first_folder, second_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alone, backends) = (backends(&first_folder).await, backends(&second_folder).await);
    let info = save_dataset(&alone, 90).await;
    let search = begin(&alone, &info).await;
    work(&alone).await;

    save_dataset(&backends, 90).await;
    let (store, id) = (&backends.store, search.id.as_str());
    let (_, jobs) = grid_worker::plan_search(&info, search.settings.clone(), search.folds, search.seed, false);
    store.save_search(&search).await.unwrap();
    backends.queue.publish(&jobs[..1]).await.unwrap();
    work(&backends).await;
    let of_one_block = search.blocks[0].settings.len() * search.blocks[0].folds.len();
    assert_eq!(store.trial_count(id).await.unwrap(), of_one_block);

    store.cancel_search(id, model::Timestamp(1)).await.unwrap();
    backends.queue.publish(&jobs).await.unwrap();
    work(&backends).await;
    assert_eq!(store.trial_count(id).await.unwrap(), of_one_block, "finished trials stay, and none is added");
    assert!(backends.queue.dead_letters(None).await.unwrap().is_empty());

    store.resume_search(id).await.unwrap();
    let left = grid_worker::remaining_jobs(&search, &store.finished_trials(id, None).await.unwrap());
    assert_eq!(left.len(), jobs.len() - 1, "what is finished is not published again");
    backends.queue.publish(&left).await.unwrap();
    work(&backends).await;
    let (resumed, never_stopped) = (results(&backends, &search).await, results(&alone, &search).await);
    assert_eq!(resumed.0, never_stopped.0);
    assert_eq!((resumed.1.winner, resumed.2), (never_stopped.1.winner, never_stopped.2));
}

#[tokio::test]
async fn a_search_that_was_cancelled_before_its_refit_goes_on_with_the_refit() {
    let folder = tempfile::tempdir().unwrap();
    let backends = backends(&folder).await;
    let info = save_dataset(&backends, 60).await;
    let search = begin(&backends, &info).await;
    backends
        .store
        .pause_kind(&model::fleet::Pause { kind: "search.refit".into(), since: model::Timestamp(1) })
        .await
        .unwrap();
    let worker = Program::of::<grid_worker::GridWorker>().add_to(backends.worker(), &backends).unwrap();
    let shutdown = Shutdown::new();
    let all_trials = async {
        while backends.store.trial_count(&search.id).await.unwrap() < search.trials() {
            tokio::task::yield_now().await;
        }
        backends.store.cancel_search(&search.id, model::Timestamp(1)).await.unwrap();
        backends.store.resume_kind("search.refit").await.unwrap();
    };
    tokio::join!(async { worker.run(Until::Empty, shutdown).await.unwrap() }, all_trials);
    assert!(backends.store.model(&search.id).await.unwrap().is_none(), "a cancelled search makes no model");

    backends.store.resume_search(&search.id).await.unwrap();
    let left = grid_worker::remaining_jobs(&search, &backends.store.finished_trials(&search.id, None).await.unwrap());
    assert_eq!(left.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["search.refit"]);
    backends.queue.publish(&left).await.unwrap();
    work(&backends).await;
    results(&backends, &search).await;
}

#[tokio::test]
async fn a_block_that_takes_for_ever_ends_soon_after_its_worker_was_told_to_stop_and_is_handed_back() {
    let folder = tempfile::tempdir().unwrap();
    let backends = backends(&folder).await;
    let info = save_dataset(&backends, 60).await;
    begin_grid(&backends, &info, ENDLESS_GRID).await;
    let worker = Program::of::<grid_worker::GridWorker>().add_to(backends.worker(), &backends).unwrap();
    let shutdown = Shutdown::new();
    let told = shutdown.clone();
    let stop = async {
        let is_running = |beat: &model::fleet::Heartbeat| !beat.running.is_empty();
        while !backends.store.workers().await.unwrap().iter().any(is_running) {
            tokio::task::yield_now().await;
        }
        told.stop();
        std::time::Instant::now()
    };
    let (ended, stopped_at) = tokio::join!(worker.run(Until::Stopped, shutdown), stop);
    let took = stopped_at.elapsed();
    println!("drained in {} ms", took.as_millis());
    // Two seconds, and as much for a busy machine; the grace period, after which it would be handed back anyway, is longer.
    assert!(took.as_secs_f64() < 4.0, "{took:?}");
    assert_eq!(ended.unwrap()["search.block"], JobCounts::default(), "no attempt was counted");
    let stats = backends.queue.stats().await.unwrap();
    let blocks = stats.iter().find(|stats| stats.kind == "search.block").unwrap();
    assert_eq!((blocks.ready, blocks.running), (3, Some(0)));
}

#[tokio::test]
async fn what_cannot_be_computed_is_dead_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let backends = backends(&folder).await;
    let info = save_dataset(&backends, 3).await;
    let search = begin(&backends, &info).await;
    let block = |search: &str, block| Envelope::new(&SearchBlockJob { search: search.into(), block });
    let early = Envelope::new(&SearchRefitJob { search: search.id.clone() });
    backends.queue.publish(&[block("nobody's", 0), block(&search.id, 99), early]).await.unwrap();
    work(&backends).await;
    let dead = backends.queue.dead_letters(None).await.unwrap();
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
    assert!(backends.store.model(&search.id).await.unwrap().is_none());
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
        label_selection: None,
        training: None,
        imputed: None,
        stand_in: None,
        created_at: model::Timestamp(0),
    };
    let grid = |text: &str| learn::grid::read(text, &[]).unwrap();
    let id = |info: &DatasetInfo, text: &str, folds, seed| {
        grid_worker::plan_search(info, grid(text), folds, seed, false).0.id
    };
    let ids = [
        id(&info, "[knn]", 3, 0),
        id(&info, "[knn]\np = 3", 3, 0),
        id(&info, "[tree]", 3, 0),
        id(&info, "[knn]", 4, 0),
        id(&info, "[knn]", 3, 1),
        id(&DatasetInfo { id: "e".into(), ..info.clone() }, "[knn]", 3, 0),
    ];
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len());
    let tuned = grid_worker::plan_search(&info, grid("[knn]"), 3, 0, true).0;
    assert!(tuned.thresholds && !ids.contains(&tuned.id));
    assert_eq!(ids[0], id(&info, "[knn]\nselect = 'none'", 3, 0), "no selection is none");
    let training = |tracks| Some(Training { rows: 7, tracks, baseline: 0.5 });
    let with_copies = id(&DatasetInfo { training: training(Some(6)), ..info.clone() }, "[knn]", 3, 0);
    assert_eq!(ids[0], id(&DatasetInfo { training: training(None), ..info.clone() }, "[knn]", 3, 0));
    assert_ne!(ids[0], with_copies, "programs before this one cut other folds of them");
    assert_ne!(ids[0], id(&info, "[knn]\nselect = { method = 'anova', k = 2 }", 3, 0));
    assert_eq!(ids[0], id(&info, "[knn]\nn_neighbors = 5", 3, 0), "a default that is spelled out is the same");
}
