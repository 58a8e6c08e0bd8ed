use super::TestStore;
use super::values::dataset;

pub async fn datasets_come_back(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let (info, blob) = (dataset("d", 10), [0, 255, 7].repeat(100_000));
    for _ in 0..2 {
        store.save_dataset(&info, &blob).await.unwrap();
        assert_eq!(store.dataset("d").await.unwrap(), Some(info.clone()));
        assert!(store.dataset_blob("d").await.unwrap() == Some(blob.clone()));
    }
    assert_eq!(store.dataset("other").await.unwrap(), None);
    assert_eq!(store.dataset_blob("other").await.unwrap(), None);
}

pub async fn the_latest_dataset_is_the_one_built_last(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for (id, created_at) in [("z", 10), ("b", 30), ("a", 20)] {
        store.save_dataset(&dataset(id, created_at), b"blob").await.unwrap();
    }
    assert_eq!(store.latest_dataset().await.unwrap(), Some(dataset("b", 30)));
    store.save_dataset(&dataset("z", 40), b"blob").await.unwrap();
    assert_eq!(store.latest_dataset().await.unwrap(), Some(dataset("z", 40)));
}
