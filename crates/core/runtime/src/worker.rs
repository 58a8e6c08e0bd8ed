//! A worker: handlers for some kinds of job, run until stopped.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use model::fleet::JobCounts;
use model::settings::WorkerSettings;
use queue::Queue;
use store::{Fleet, StoreError};
use tokio::task::JoinSet;

use crate::backoff::Outage;
use crate::cancellation::LostThreads;
use crate::consumer::Consumer;
use crate::control_poller::ControlPoller;
use crate::counters::Counters;
use crate::decline_tracker::DeclineTracker;
use crate::erased::ErasedHandler;
use crate::fault::Fault;
use crate::heartbeat::HeartbeatSender;
use crate::job::{JobRunner, grace_period};
use crate::metrics::KindMetrics;
use crate::progress;
use crate::readiness_check::ReadinessCheck;
use crate::until_empty::wait_until_empty;
use crate::{Budget, Budgets, Handler, Readiness, Shutdown, WorkerError};

/// How long it may take to hand jobs back and to send the last heartbeat, after the grace period.
const FINAL_STEPS_TIMEOUT: Duration = Duration::from_secs(3);

/// Runs the jobs of the kinds that it has handlers for.
pub struct Worker {
    queue: Arc<dyn Queue>,
    fleet: Arc<dyn Fleet>,
    settings: Arc<WorkerSettings>,
    readiness: Readiness,
    budgets: Vec<Budget>,
    handlers: BTreeMap<&'static str, (Arc<dyn ErasedHandler>, usize)>,
}

/// When a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Only when it is stopped.
    Stopped,
    /// Also when no job of its kinds is left: ready, delayed or running, here or elsewhere. A command waits for that, so
    /// what would make it wait in vain is an error: a [`Failure::Local`](crate::Failure::Local), and remaining jobs all of
    /// which this process declines or is too old for.
    Empty,
}

impl Worker {
    /// A worker without handlers.
    pub fn new(queue: Arc<dyn Queue>, fleet: Arc<dyn Fleet>, settings: WorkerSettings) -> Self {
        let (settings, readiness) = (Arc::new(settings), Readiness::default());
        Self { queue, fleet, settings, readiness, budgets: Vec::new(), handlers: BTreeMap::new() }
    }

    /// Reports its readiness here.
    pub fn with_readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// Adds a rate budget that handlers spend.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    /// Adds the handler of one kind, in place of an earlier one of that kind, with as many jobs at once as suit it. The
    /// setting `worker.slots` overrides that.
    pub fn with<H: Handler>(mut self, handler: H, slots: usize) -> Self {
        let handler: Arc<dyn ErasedHandler> = Arc::new(handler);
        self.handlers.insert(handler.kind().name, (handler, slots));
        self
    }

    /// Runs jobs as `until` says or until the shutdown. Then running jobs have `worker.grace_seconds` to finish, and those
    /// that do not are handed back. Returns how the jobs of each kind ended here.
    ///
    /// # Errors
    /// When the queue or the store can never be used. Running jobs are finished first.
    pub async fn run(self, until: Until, shutdown: Shutdown) -> Result<BTreeMap<String, JobCounts>, WorkerError> {
        // A signal of its own: an empty queue or an error stops this worker, not whatever else the caller's signal stops.
        let own_shutdown = Shutdown::new();
        tokio::select! {
            never = shutdown.forward_to(&own_shutdown) => match never {},
            result = self.work(until, &own_shutdown) => result,
        }
    }

    async fn work(self, until: Until, shutdown: &Shutdown) -> Result<BTreeMap<String, JobCounts>, WorkerError> {
        let kinds: Vec<String> = self.handlers.keys().map(|kind| (*kind).to_owned()).collect();
        // A kind that is paused from the start is never subscribed to, so the queue has to be told of it here.
        self.queue.register_kinds(&self.handlers.keys().copied().collect::<Vec<_>>());
        let (queue, fleet, settings) = (self.queue.clone(), self.fleet.clone(), self.settings.clone());
        let (counters, lost) = (Counters::of(&kinds), Arc::<LostThreads>::default());
        let fault = Arc::new(Fault::new(counters.clone()));
        let heartbeats = Arc::new(HeartbeatSender::new(fleet.clone(), counters.clone(), fault.clone(), kinds.clone()));
        let budgets = Budgets::new(fleet.clone(), self.budgets.iter().cloned());
        let poller = ControlPoller::new(budgets, queue.clone(), fleet.clone(), counters.clone(), shutdown.clone());
        // Before the first job is taken: a budget may have been closed, or a kind paused, before this worker started.
        if let Err(error @ StoreError::Unusable(_)) = poller.poll_store().await {
            return Err(error.into());
        }
        let tracker =
            |kind: &&'static str| Arc::new(DeclineTracker::new(kind, queue.clone(), fleet.clone(), counters.clone()));
        let declines: Vec<_> = self.handlers.keys().map(tracker).collect();
        let mut consumers = self.start_consumers(&poller, &declines, &counters, &fault, &lost);
        let is_over = async {
            let is_empty = async {
                match until {
                    Until::Empty => tokio::select! {
                        ended = wait_until_empty(&*queue, &*fleet, heartbeats.worker_id(), &declines, &counters) => ended,
                        reason = fault.until_reported() => Err(WorkerError::Local(reason)),
                    },
                    Until::Stopped => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = is_empty => ended,
                threads = lost.until_too_many() => Err(WorkerError::LostThreads { threads }),
            }
        };
        let result = tokio::select! {
            result = supervise(&mut consumers, is_over, shutdown, grace_period(&settings)) => result,
            never = heartbeats.run() => match never {},
            never = progress::log(&*queue, &kinds, &counters) => match never {},
            never = poller.run() => match never {},
        };
        consumers.abort_all();
        // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
        let final_steps = tokio::spawn(async move { tokio::join!(heartbeats.send_last(), queue.flush()) });
        let _ = tokio::time::timeout(FINAL_STEPS_TIMEOUT, final_steps).await;
        let snapshot = counters.snapshot();
        tracing::info!("stopped: {}", progress::totals(&snapshot));
        result.map(|()| snapshot.counts)
    }

    /// Starts the consumer of each kind; the trackers are in the order of the kinds.
    fn start_consumers(
        self,
        poller: &ControlPoller,
        declines: &[Arc<DeclineTracker>],
        counters: &Arc<Counters>,
        fault: &Arc<Fault>,
        lost: &Arc<LostThreads>,
    ) -> JoinSet<Result<(), WorkerError>> {
        let mut consumers = JoinSet::new();
        let mut checks = vec![poller.store_check.clone(), poller.queue_check.clone()];
        for ((handler, slots), declines) in self.handlers.into_values().zip(declines) {
            let kind = handler.kind();
            let check = Arc::new(ReadinessCheck::new(kind.name));
            checks.push(check.clone());
            let runner = JobRunner {
                metrics: KindMetrics::of(kind.name),
                handler,
                kind,
                fleet: self.fleet.clone(),
                budgets: poller.budgets.clone(),
                control: poller.control.clone(),
                settings: self.settings.clone(),
                declines: declines.clone(),
                counters: counters.clone(),
                outage: Outage::seen_by("jobs"),
                fault: fault.clone(),
                lost: lost.clone(),
                shutdown: poller.shutdown.clone(),
            };
            let slots = if self.settings.slots > 0 { self.settings.slots } else { slots.max(1) };
            let (queue, outage) = (self.queue.clone(), Outage::seen_by("consumers"));
            consumers.spawn(Consumer { queue, runner: Arc::new(runner), slots, outage, check }.run());
        }
        self.readiness.attach(checks, fault.clone(), poller.shutdown.clone());
        consumers
    }
}

/// Waits until every consumer has ended. The first error, or `is_over`, stops the others. A consumer that has not ended after
/// the grace period and the time for handing back is left behind.
async fn supervise(
    consumers: &mut JoinSet<Result<(), WorkerError>>,
    is_over: impl Future<Output = Result<(), WorkerError>>,
    shutdown: &Shutdown,
    grace: Duration,
) -> Result<(), WorkerError> {
    let mut is_over = pin!(is_over);
    let mut too_late = pin!(async {
        shutdown.out_of_time(grace).await;
        tokio::time::sleep(FINAL_STEPS_TIMEOUT).await;
    });
    let mut result = Ok(());
    loop {
        let ended = tokio::select! {
            consumer = consumers.join_next() => match consumer {
                // A panic goes on; a task that was aborted at the end of the process has not failed.
                Some(Err(error)) => error.try_into_panic().map_or(Ok(()), |panic| std::panic::resume_unwind(panic)),
                Some(Ok(ended)) => ended,
                None => return result,
            },
            ended = &mut is_over, if !shutdown.is_stopping() => ended,
            () = &mut too_late => return result,
        };
        // The results of running jobs could not be saved anyway.
        if matches!(ended, Err(WorkerError::Local(_))) {
            shutdown.hand_back();
        }
        result = result.and(ended);
        // Whatever ends first ends the rest.
        shutdown.stop_once();
    }
}
