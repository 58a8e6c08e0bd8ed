//! A worker whose disk takes no end of a job is not lost.

use std::time::Duration;

use serde_json::json;
use tempfile::tempdir;
use tokio::time::timeout;

use super::*;
use crate::{Delivery, Outcome};

const LEASE: Duration = Duration::from_millis(800);

fn job(kind: &str, size: usize) -> Envelope {
    let body = json!("x".repeat(size));
    let job = Envelope::new(&model::job::SearchRefitJob { search: "s".into() });
    Envelope { kind: kind.into(), body, ..job }
}

/// As if the disk were full: what fits into the file as it is can be written.
async fn fill(queue: &Embedded) {
    let limit = |c: &Connection| c.query_row("PRAGMA max_page_count = 1", [], |_| Ok(()));
    queue.shared.db.write(limit).await.unwrap();
}

async fn next(queue: &Embedded) -> Delivery {
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    timeout(Duration::from_secs(30), subscription.next()).await.expect("it comes back").unwrap()
}

/// The end of this delivery is too large for the disk.
async fn fails_to_end(delivery: Delivery) {
    let ended = delivery.end(Outcome::Done(vec![job("b", 100_000)])).await;
    assert!(matches!(ended, Err(QueueError::Unwritable { .. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_end_the_disk_does_not_take_comes_back_without_a_lost_worker() {
    let folder = tempdir().unwrap();
    let queue = Embedded::open_with_lease(folder.path().join("q.db"), LEASE).await.unwrap();
    queue.publish(&[job("a", 1)]).await.unwrap();
    let delivery = next(&queue).await;
    fill(&queue).await;
    fails_to_end(delivery).await;
    assert!(!next(&queue).await.redelivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_for_longer_than_a_lease_is_no_lost_worker() {
    let folder = tempdir().unwrap();
    let queue = Embedded::open_with_lease(folder.path().join("q.db"), LEASE).await.unwrap();
    queue.publish(&[job("a", 1)]).await.unwrap();
    let delivery = next(&queue).await;
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'refused'); END";
    queue.shared.db.write(move |c| c.execute_batch(refuse)).await.unwrap();
    fill(&queue).await;
    fails_to_end(delivery).await;
    let lease_is_over = async {
        while queue.stats().await.unwrap()[0].ready == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), lease_is_over).await.expect("nothing renews it");
    queue.shared.db.write(|c| c.execute_batch("DROP TRIGGER refuse")).await.unwrap();
    assert!(!next(&queue).await.redelivered);
}
