//! What every home of the queue promises: at least once, and nothing more. A home's test file implements [`Backends`] and names
//! it in [`contract!`], which runs the whole suite against it.

pub mod dead;
pub mod delivery;
pub mod ends;
pub mod sharing;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, TrackTagsJob};
use queue::{Delivery, KindStats, Queue, Subscription};

/// A queue of one test, and the ways to it from outside.
#[async_trait]
pub trait Backends: Send + Sync + Sized {
    /// An empty one for a test; `None` where the test is to be skipped, which was said then.
    async fn fresh(test: &str) -> Option<Self>;

    /// Another handle to it, as another process would have it.
    async fn open(&self) -> Arc<dyn Queue>;

    /// Puts a message into the queue of `kind` that the queue itself would not publish.
    async fn put_raw(&self, kind: &str, payload: &[u8]);

    /// Ends all leases, as if every worker had been cut off.
    async fn end_leases(&self);

    /// Waits until the one who holds this subscription notices that its leases were ended, where it ever does.
    async fn noticed(&self, _subscription: &mut Box<dyn Subscription>) {}

    /// How long the job of a lost worker takes to come back, at most.
    fn lease(&self) -> Duration;
}

/// One test for each promise, all against the home `$backends`.
macro_rules! contract {
    ($backends:ty) => {
        contract!($backends =>
            delivery::a_published_job_is_delivered_as_it_was_published,
            delivery::a_subscription_takes_its_kinds_only,
            delivery::high_priority_goes_first_and_equals_keep_their_order,
            delivery::no_more_deliveries_than_slots_are_unfinished,
            delivery::a_cancelled_next_loses_nothing,
            delivery::a_dropped_subscription_hands_back_what_it_did_not_yield,
            delivery::what_was_lost_is_marked_though_it_was_handed_back_since,
            delivery::a_waiting_subscription_sees_what_another_process_publishes,
            delivery::stats_count_every_state,
            ends::done_publishes_the_follow_ups_and_removes_the_job,
            ends::a_retry_waits_its_time_and_counts_the_attempt,
            ends::a_delayed_job_blocks_nobody,
            ends::a_released_job_is_ready_at_once_and_as_it_was,
            ends::a_released_job_goes_behind_those_that_wait,
            ends::a_postponed_message_comes_back_after_its_wait_as_it_was,
            ends::a_job_of_the_version_before_is_delivered_upgraded,
            ends::an_end_that_its_worker_lets_go_of_leaves_one_job_and_not_two,
            ends::a_stale_end_is_refused_and_the_new_owner_goes_on,
            dead::a_dead_job_is_listed_with_its_reason_and_history,
            dead::a_requeued_job_starts_a_new_life,
            dead::only_the_chosen_dead_are_requeued_or_purged,
            dead::dead_jobs_of_two_kinds_with_one_id_are_kept_apart,
            dead::a_message_that_is_no_job_can_be_retried_buried_and_requeued_as_it_is,
            dead::an_envelope_of_another_version_keeps_its_text,
            sharing::a_delivery_dropped_without_an_end_comes_back,
            sharing::the_lease_of_a_long_job_is_renewed,
            sharing::two_processes_share_the_work_without_loss,
        );
    };
    ($backends:ty => $($part:ident::$name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(backends) = <$backends as contract::Backends>::fresh(stringify!($name)).await {
                    contract::$part::$name(&backends).await
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

/// Fails where nothing happens for so long that it never will.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it should have happened by now")
}

/// Lets others run, so many times.
pub async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The next delivery, which must come.
pub async fn next(subscription: &mut Box<dyn Subscription>) -> Delivery {
    soon(subscription.next()).await.unwrap()
}

/// The key of a delivery that is a job.
pub fn key(delivery: &Delivery) -> String {
    delivery.envelope.as_ref().unwrap().key.clone()
}

/// Waits until the counts of a kind are these: (ready, running, delayed, dead). A broker may take a moment to count.
pub async fn counts(queue: &Arc<dyn Queue>, kind: &str, expected: (u64, u64, u64, u64)) {
    let (ready, running, delayed, dead) = expected;
    let expected = KindStats { kind: kind.to_owned(), ready, running: Some(running), delayed, dead };
    let mut found = None;
    for _ in 0..600 {
        let stats = soon(queue.stats()).await.unwrap();
        assert!(stats.is_sorted_by(|a, b| a.kind < b.kind), "{stats:?}");
        found = stats.into_iter().find(|stats| stats.kind == kind);
        if found.as_ref() == Some(&expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("counted {found:?}, expected {expected:?}");
}
