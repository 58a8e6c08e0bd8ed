use model::Timestamp;
use model::search::{Search, SearchInfo};

use super::values::{model, search, setting, trial};
use super::{TestStore, handles};

pub async fn searches_come_back(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for (id, created_at) in [("z", 10), ("b", 30), ("a", 20), ("b", 30)] {
        store.save_search(&search(id, created_at)).await.unwrap();
    }
    assert_eq!(store.search("a").await.unwrap(), Some(search("a", 20)));
    assert_eq!(store.search("other").await.unwrap(), None);
    store.save_search(&search("a", 50)).await.unwrap();
    assert_eq!(store.search("a").await.unwrap(), Some(search("a", 20)), "what is saved stays");
}

fn info(id: &str, created_at: i64) -> SearchInfo {
    SearchInfo {
        id: id.to_owned(),
        dataset: "d".into(),
        settings: 1,
        blocks: 1,
        folds: 2,
        created_at: Timestamp(created_at),
        cancelled_at: None,
    }
}

pub async fn searches_are_listed_without_their_settings(test_store: &impl TestStore) {
    let store = test_store.open().await;
    assert_eq!(store.searches().await.unwrap(), []);
    for (id, created_at) in [("z", 10), ("b", 30), ("a", 20)] {
        store.save_search(&search(id, created_at)).await.unwrap();
    }
    let large = Search { settings: vec![setting(); 3], blocks: Vec::new(), ..search("c", 15) };
    store.save_search(&large).await.unwrap();
    let of_large = SearchInfo { settings: 3, blocks: 0, ..info("c", 15) };
    let listed = store.searches().await.unwrap();
    assert_eq!(listed, [info("b", 30), info("a", 20), of_large.clone(), info("z", 10)], "newest first");
    assert_eq!(store.search_info("c").await.unwrap(), Some(of_large.clone()));
    assert_eq!((of_large.trials(), store.search_info("other").await.unwrap()), (6, None));
}

pub async fn a_search_is_cancelled_and_resumed(test_store: &impl TestStore) {
    let store = test_store.open().await;
    assert_eq!(store.cancel_search("a", Timestamp(5)).await.unwrap(), None);
    assert!(!store.resume_search("a").await.unwrap());
    for id in ["a", "b"] {
        store.save_search(&search(id, 1)).await.unwrap();
    }
    let cancelled = Some(SearchInfo { cancelled_at: Some(Timestamp(5)), ..info("a", 1) });
    for at in [5, 6] {
        assert_eq!(store.cancel_search("a", Timestamp(at)).await.unwrap(), cancelled, "the first mark stays");
    }
    store.save_search(&search("a", 1)).await.unwrap();
    assert_eq!(store.search_info("a").await.unwrap(), cancelled);
    assert_eq!(store.search("a").await.unwrap(), Some(search("a", 1)));
    assert_eq!(store.search_info("b").await.unwrap(), Some(info("b", 1)));
    assert!(store.resume_search("a").await.unwrap());
    assert!(!store.resume_search("a").await.unwrap());
    assert_eq!(store.search_info("a").await.unwrap(), Some(info("a", 1)));
}

pub async fn finished_trials_are_told_apart_by_setting(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let trials = [(10, 0), (2, 1), (2, 0), (3, 4)].map(|(setting, fold)| trial("s", setting, fold, 0.5));
    store.save_trials(&trials).await.unwrap();
    store.save_trials(&[trial("other", 2, 2, 0.5)]).await.unwrap();
    assert_eq!(store.finished_trials("s", None).await.unwrap(), [(2, 0), (2, 1), (3, 4), (10, 0)]);
    assert_eq!(store.finished_trials("s", Some(&[10, 2, 7])).await.unwrap(), [(2, 0), (2, 1), (10, 0)]);
    assert_eq!(store.finished_trials("s", Some(&[])).await.unwrap(), []);
    assert_eq!(store.finished_trials("nobody's", None).await.unwrap(), []);
    assert_eq!(store.trials_of("s", &[10, 2, 7]).await.unwrap(), [2, 1, 0].map(|i| trials[i].clone()));
    assert_eq!(store.trials_of("s", &[]).await.unwrap(), []);
}

pub async fn a_large_block_is_saved_and_asked_for(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let block: Vec<_> = (0..2_500).map(|setting| trial("s", setting, 3, f64::from(setting))).collect();
    for _ in 0..2 {
        store.save_trials(&block).await.unwrap();
    }
    let settings: Vec<u32> = (0..2_500).collect();
    let finished = store.finished_trials("s", Some(&settings)).await.unwrap();
    assert!(finished.into_iter().eq(settings.iter().map(|&setting| (setting, 3))));
    assert!(store.trials("s").await.unwrap() == block);
}

pub async fn the_first_result_of_a_trial_stays(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let (first, second) = (trial("s", 1, 0, 1.0 / 3.0), trial("s", 1, 0, 0.5));
    let mut failed = trial("s", 2, 0, 0.0);
    failed.outcome = Err("more neighbours than rows".into());
    store.save_trials(&[first.clone(), second.clone()]).await.unwrap();
    store.save_trials(&[second, failed.clone()]).await.unwrap();
    assert_eq!(store.trials("s").await.unwrap(), [first, failed]);
    assert_eq!(store.trial_count("s").await.unwrap(), 2);
}

pub async fn trials_come_back_in_order(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let trials = [(10, 0), (2, 1), (2, 0)].map(|(setting, fold)| trial("s", setting, fold, 0.5));
    store.save_trials(&trials).await.unwrap();
    store.save_trials(&[trial("other", 0, 0, 0.5)]).await.unwrap();
    let order: Vec<_> = store.trials("s").await.unwrap().iter().map(|trial| (trial.setting, trial.fold)).collect();
    assert_eq!(order, [(2, 0), (2, 1), (10, 0)]);
}

pub async fn the_first_model_of_a_search_stays(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.save_model(&model("s", 10), b"first").await.unwrap();
    store.save_model(&model("s", 20), b"second").await.unwrap();
    assert_eq!(store.model("s").await.unwrap(), Some(model("s", 10)));
    assert_eq!(store.model_blob("s").await.unwrap().as_deref(), Some(&b"first"[..]));
    store.save_model(&model("a", 30), b"").await.unwrap();
    assert_eq!(store.latest_model().await.unwrap(), Some(model("a", 30)));
    assert_eq!(store.model_blob("a").await.unwrap(), Some(vec![]));
    assert_eq!(store.model("other").await.unwrap(), None);
}

pub async fn two_handles_save_every_trial_once(test_store: &impl TestStore) {
    let mut writers = tokio::task::JoinSet::new();
    for (worker, store) in handles(test_store, 2).await.into_iter().enumerate() {
        for setting in 0..30 {
            let (store, trial) = (store.clone(), trial("s", setting, 0, worker as f64));
            writers.spawn(async move { store.save_trials(&[trial]).await });
        }
    }
    while let Some(saved) = writers.join_next().await {
        saved.unwrap().unwrap();
    }
    let store = test_store.open().await;
    assert_eq!(store.trial_count("s").await.unwrap(), 30);
    assert_eq!(store.trials("s").await.unwrap().len(), 30);
}
