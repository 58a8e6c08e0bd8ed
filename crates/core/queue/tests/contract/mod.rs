//! What every backend of the queue promises. A backend's test file implements [`TestBackend`] and names it in
//! [`contract!`], which runs the whole suite against it.

pub mod dead_letters;
pub mod delivery;
pub mod outcomes;
pub mod sharing;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, TrackTagsJob};
use queue::{Delivery, KindStats, Queue, Subscription};

/// A queue for one test, with access to it from outside.
#[async_trait]
pub trait TestBackend: Send + Sync + Sized {
    /// An empty queue for a test; `None` if the test is skipped, which has been printed then.
    async fn fresh(test: &str) -> Option<Self>;

    /// Another handle to the queue, as another process would have.
    async fn open(&self) -> Arc<dyn Queue>;

    /// Puts a message into the queue of `kind` that `publish` would not.
    async fn put_raw(&self, kind: &str, payload: &[u8]);

    /// Ends all leases, as if every worker had lost its connection.
    async fn end_leases(&self);

    /// Waits until the subscription notices that its leases were ended, if the backend notices that.
    async fn wait_until_noticed(&self, _subscription: &mut Box<dyn Subscription>) {}

    /// How long the job of a lost worker takes to come back at most.
    fn max_lease(&self) -> Duration;
}

/// One test for each promise, all against `$backend`.
macro_rules! contract {
    ($backend:ty) => {
        contract!($backend =>
            delivery::a_published_job_is_delivered_as_it_was_published,
            delivery::a_subscription_takes_its_kinds_only,
            delivery::high_priority_goes_first_and_equals_keep_their_order,
            delivery::no_more_deliveries_than_slots_are_unfinished,
            delivery::a_cancelled_next_loses_nothing,
            delivery::a_dropped_subscription_hands_back_what_it_did_not_yield,
            delivery::what_was_lost_is_marked_though_it_was_handed_back_since,
            delivery::a_waiting_subscription_sees_what_another_process_publishes,
            delivery::stats_count_every_state,
            outcomes::done_publishes_the_follow_ups_and_removes_the_job,
            outcomes::a_retry_waits_its_time_and_counts_the_attempt,
            outcomes::a_delayed_job_blocks_nobody,
            outcomes::a_released_job_is_ready_at_once_and_as_it_was,
            outcomes::a_released_job_goes_behind_those_that_wait,
            outcomes::a_postponed_message_comes_back_after_its_wait_as_it_was,
            outcomes::a_job_of_the_version_before_is_delivered_upgraded,
            outcomes::an_outcome_whose_worker_drops_it_leaves_one_job_and_not_two,
            outcomes::a_stale_outcome_is_refused_and_the_new_owner_goes_on,
            dead_letters::a_dead_job_is_listed_with_its_reason_and_history,
            dead_letters::a_requeued_job_starts_a_new_life,
            dead_letters::only_the_chosen_dead_are_requeued_or_purged,
            dead_letters::dead_jobs_of_two_kinds_with_one_id_are_kept_apart,
            dead_letters::a_message_that_is_no_job_can_be_retried_buried_and_requeued_as_it_is,
            dead_letters::an_envelope_of_another_version_keeps_its_text,
            sharing::a_delivery_dropped_without_an_end_comes_back,
            sharing::the_lease_of_a_long_job_is_renewed,
            sharing::two_processes_share_the_work_without_loss,
        );
    };
    ($backend:ty => $($part:ident::$name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(backend) = <$backend as contract::TestBackend>::fresh(stringify!($name)).await {
                    contract::$part::$name(&backend).await
                }
            }
        )*
    };
}
pub(crate) use contract;

/// A job of any kind; its body is only carried around.
pub fn job(kind: &str, key: &str) -> Envelope {
    let body = TrackTagsJob { track_id: key.to_owned() };
    Envelope { kind: kind.to_owned(), key: key.to_owned(), ..Envelope::new(&body) }
}

/// Jobs of one kind with the keys 0, 1, 2 …
pub fn jobs(kind: &str, count: usize) -> Vec<Envelope> {
    (0..count).map(|n| job(kind, &n.to_string())).collect()
}

/// Fails if the future does not complete within a minute.
pub async fn within_a_minute<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it should have happened by now")
}

/// Yields to other tasks `count` times.
pub async fn yield_times(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The next delivery; fails if there is none.
pub async fn next(subscription: &mut Box<dyn Subscription>) -> Delivery {
    within_a_minute(subscription.next()).await.unwrap()
}

/// The key of a delivery that is a job.
pub fn key_of(delivery: &Delivery) -> String {
    delivery.envelope.as_ref().unwrap().key.clone()
}

/// Waits until the counts of a kind are these: (ready, running, delayed, dead). A broker may take a moment to count.
pub async fn wait_for_counts(queue: &Arc<dyn Queue>, kind: &str, expected: (u64, u64, u64, u64)) {
    let (ready, running, delayed, dead) = expected;
    let expected = KindStats { kind: kind.to_owned(), ready, running: Some(running), delayed, dead };
    let mut found = None;
    for _ in 0..600 {
        let stats = within_a_minute(queue.stats()).await.unwrap();
        assert!(stats.is_sorted_by(|a, b| a.kind < b.kind), "{stats:?}");
        found = stats.into_iter().find(|stats| stats.kind == kind);
        if found.as_ref() == Some(&expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("counted {found:?}, expected {expected:?}");
}
