use super::values::{model, search, trial};
use super::{Place, handles};

pub async fn searches_come_back(place: &impl Place) {
    let store = place.open().await;
    for (id, created_at) in [("z", 10), ("b", 30), ("a", 20), ("b", 30)] {
        store.save_search(&search(id, created_at)).await.unwrap();
    }
    assert_eq!(store.search("a").await.unwrap(), Some(search("a", 20)));
    assert_eq!(store.search("other").await.unwrap(), None);
}

pub async fn the_first_result_of_a_trial_stays(place: &impl Place) {
    let store = place.open().await;
    let (first, second) = (trial("s", 1, 0, 1.0 / 3.0), trial("s", 1, 0, 0.5));
    let mut failed = trial("s", 2, 0, 0.0);
    failed.outcome = Err("more neighbours than rows".into());
    store.save_trials(&[first.clone(), second.clone()]).await.unwrap();
    store.save_trials(&[second, failed.clone()]).await.unwrap();
    assert_eq!(store.trials("s").await.unwrap(), [first, failed]);
    assert_eq!(store.trial_count("s").await.unwrap(), 2);
}

pub async fn trials_come_back_in_order(place: &impl Place) {
    let store = place.open().await;
    let trials = [(10, 0), (2, 1), (2, 0)].map(|(setting, fold)| trial("s", setting, fold, 0.5));
    store.save_trials(&trials).await.unwrap();
    store.save_trials(&[trial("other", 0, 0, 0.5)]).await.unwrap();
    let order: Vec<_> = store.trials("s").await.unwrap().iter().map(|trial| (trial.setting, trial.fold)).collect();
    assert_eq!(order, [(2, 0), (2, 1), (10, 0)]);
}

pub async fn the_first_model_of_a_search_stays(place: &impl Place) {
    let store = place.open().await;
    store.save_model(&model("s", 10), b"first").await.unwrap();
    store.save_model(&model("s", 20), b"second").await.unwrap();
    assert_eq!(store.model("s").await.unwrap(), Some(model("s", 10)));
    assert_eq!(store.model_blob("s").await.unwrap().as_deref(), Some(&b"first"[..]));
    store.save_model(&model("a", 30), b"").await.unwrap();
    assert_eq!(store.latest_model().await.unwrap(), Some(model("a", 30)));
    assert_eq!(store.model_blob("a").await.unwrap(), Some(vec![]));
    assert_eq!(store.model("other").await.unwrap(), None);
}

pub async fn two_handles_save_every_trial_once(place: &impl Place) {
    let mut writers = tokio::task::JoinSet::new();
    for (worker, store) in handles(place, 2).await.into_iter().enumerate() {
        for setting in 0..30 {
            let (store, trial) = (store.clone(), trial("s", setting, 0, worker as f64));
            writers.spawn(async move { store.save_trials(&[trial]).await });
        }
    }
    while let Some(saved) = writers.join_next().await {
        saved.unwrap().unwrap();
    }
    let store = place.open().await;
    assert_eq!(store.trial_count("s").await.unwrap(), 30);
    assert_eq!(store.trials("s").await.unwrap().len(), 30);
}
