//! A broker that blocks publishers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use queue::{Outcome, Queue};

use crate::contract::{job, jobs, key_of, next, wait_for_counts, within_a_minute};

/// A broker for one test alone: an alarm would stop all other tests.
struct PrivateBroker {
    broker: services::Broker,
    services: services::Folder,
    _folder: tempfile::TempDir,
}

impl PrivateBroker {
    /// `None` if tests that need servers are skipped.
    fn start(test: &str) -> Option<Self> {
        testkit::test_server("SPOTIFAI_TEST_QUEUE", test)?;
        let folder = tempfile::tempdir().unwrap();
        let services = services::Folder::create(&folder.path().join("services")).unwrap();
        let broker = services::Broker::start(&services, services::Ports::Free).unwrap();
        Some(Self { broker, services, _folder: folder })
    }

    async fn open(&self) -> Arc<dyn Queue> {
        self.open_managed_at(&self.broker.management_url()).await
    }

    async fn open_managed_at(&self, management: &str) -> Arc<dyn Queue> {
        let url = format!("{}/%2F", self.broker.url());
        queue::open(&url, Some(management)).await.unwrap()
    }
}

impl Drop for PrivateBroker {
    fn drop(&mut self) {
        let _ = self.services.remove();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_blocks_publishers_is_named_and_waited_for() {
    let Some(own_broker) = PrivateBroker::start("a_broker_that_blocks_publishers_is_named_and_waited_for") else {
        return;
    };
    let queue = own_broker.open().await;
    queue.publish(&[job("a", "first"), job("a", "second")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 2).await.unwrap();
    let (first, second) = (next(&mut subscription).await, next(&mut subscription).await);
    own_broker.broker.set_memory_alarm(true).unwrap();
    let blocked = "RabbitMQ is blocking publishers: memory alarm on its machine";
    assert_eq!(queue.blocked(), None, "who has not published since is not told");
    assert_eq!(own_broker.open().await.probe().await.unwrap().as_deref(), Some(blocked));

    let publisher = queue.clone();
    let mut publishing = tokio::spawn(async move { publisher.publish(&jobs("b", 50)).await });
    within_a_minute(async {
        while queue.blocked().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    assert_eq!(queue.blocked().as_deref(), Some(blocked));
    // All that needs no publishing goes on beside it, on the connection that consumes.
    within_a_minute(first.finish(Outcome::Done(vec![]))).await.unwrap();
    assert!(within_a_minute(queue.stats()).await.unwrap().iter().any(|kind| kind.kind == "a"));
    // Nor does who counts wait for the alarm where the management API takes its question and does not answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let uncounted = own_broker.open_managed_at(&format!("http://{}", silent.local_addr().unwrap())).await;
    uncounted.register_kinds(&["a", "b"]);
    let counted = tokio::time::timeout(Duration::from_secs(20), uncounted.stats()).await.expect("it does not hang");
    let counted = counted.unwrap();
    assert!(counted.len() == 2 && counted.iter().all(|kind| kind.running.is_none()), "{counted:?}");
    let mut ending = tokio::spawn(second.finish(Outcome::Done(vec![job("b", "follow-up")])));
    // Longer than a confirmation may take: it is waited for, and not by connections made anew.
    let longer = Duration::from_secs(32);
    assert!(tokio::time::timeout(longer, &mut publishing).await.is_err(), "it neither failed nor succeeded");
    assert!(!ending.is_finished());
    assert_eq!(queue.blocked().as_deref(), Some(blocked));

    own_broker.broker.set_memory_alarm(false).unwrap();
    within_a_minute(&mut publishing).await.unwrap().unwrap();
    within_a_minute(&mut ending).await.unwrap().unwrap();
    assert_eq!(queue.blocked(), None);
    assert_eq!(queue.probe().await.unwrap(), None);
    wait_for_counts(&queue, "a", (0, 0, 0, 0)).await;
    let mut missing: BTreeSet<_> = (0..50).map(|n| n.to_string()).collect();
    missing.insert("follow-up".into());
    let mut subscription = queue.subscribe(&["b"], 8).await.unwrap();
    while !missing.is_empty() {
        let delivery = next(&mut subscription).await;
        missing.remove(&key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
}
