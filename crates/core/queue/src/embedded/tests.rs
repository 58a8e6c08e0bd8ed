//! A worker whose disk is full is not lost.

use std::time::Duration;

use serde_json::json;
use tempfile::tempdir;
use tokio::time::timeout;

use super::*;
use crate::{Delivery, Outcome};

const LEASE_DURATION: Duration = Duration::from_millis(800);

fn job(kind: &str, size: usize) -> Envelope {
    let body = json!("x".repeat(size));
    let job = Envelope::new(&model::job::SearchRefitJob { search: "s".into() });
    Envelope { kind: kind.into(), body, ..job }
}

/// Simulates a full disk: only what fits into the file's present size can be written.
async fn fill(queue: &Embedded) {
    let limit = |c: &Connection| c.query_row("PRAGMA max_page_count = 1", [], |_| Ok(()));
    queue.file.db.write(limit).await.unwrap();
}

async fn next(queue: &Embedded) -> Delivery {
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    timeout(Duration::from_secs(30), subscription.next()).await.expect("it comes back").unwrap()
}

/// Fails to finish a delivery, whose follow-up is too large for the disk.
async fn fails_to_finish(delivery: Delivery) {
    let finished = delivery.finish(Outcome::Done(vec![job("b", 100_000)])).await;
    assert!(matches!(finished, Err(QueueError::Unwritable { .. })), "{finished:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_outcome_cannot_be_written_is_delivered_again_as_not_lost() {
    let folder = tempdir().unwrap();
    let queue = Embedded::open_with_lease(folder.path().join("q.db"), LEASE_DURATION).await.unwrap();
    queue.publish(&[job("a", 1)]).await.unwrap();
    let delivery = next(&queue).await;
    fill(&queue).await;
    fails_to_finish(delivery).await;
    assert!(!next(&queue).await.redelivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_for_longer_than_a_lease_loses_no_worker() {
    let folder = tempdir().unwrap();
    let queue = Embedded::open_with_lease(folder.path().join("q.db"), LEASE_DURATION).await.unwrap();
    queue.publish(&[job("a", 1)]).await.unwrap();
    let delivery = next(&queue).await;
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'refused'); END";
    queue.file.db.write(move |c| c.execute_batch(refuse)).await.unwrap();
    fill(&queue).await;
    fails_to_finish(delivery).await;
    let lease_expired = async {
        while queue.stats().await.unwrap()[0].ready == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(30), lease_expired).await.expect("nothing renews it");
    queue.file.db.write(|c| c.execute_batch("DROP TRIGGER refuse")).await.unwrap();
    assert!(!next(&queue).await.redelivered);
}
