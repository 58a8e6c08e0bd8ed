//! A worker process: some kinds of job, run until stopped.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use model::fleet::JobCounts;
use model::settings::WorkerSettings as Limits;
use queue::Queue;
use store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::backoff::Outage;
use crate::beat::Heart;
use crate::cancellation::Lost;
use crate::declines::Declines;
use crate::erased::AnyHandler;
use crate::fault::Fault;
use crate::job::{Runner, grace};
use crate::meters::KindMeters;
use crate::standing::Standing;
use crate::taker::Taker;
use crate::tally::Tally;
use crate::watch::Watch;
use crate::{Budget, Budgets, Handler, Readiness, Shutdown, WorkerError, empty, progress};

/// How long handing jobs back, and the last heartbeat, may take after the grace period.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs the jobs of the kinds that it was given handlers for.
pub struct Worker {
    queue: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    limits: Arc<Limits>,
    readiness: Readiness,
    budgets: Vec<Budget>,
    handlers: BTreeMap<&'static str, (Arc<dyn AnyHandler>, usize)>,
}

/// When a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is told to.
    Stopped,
    /// Also when no job of its kinds is left, ready, delayed or running, here or elsewhere. Somebody waits for that, so what
    /// would be waited for in vain ends it as an error: a [`Failure::Local`](crate::Failure::Local), and jobs all of which
    /// this process declines or is too old for.
    Empty,
}

impl Worker {
    /// A worker without any handler.
    pub fn new(queue: Arc<dyn Queue>, store: Arc<dyn Store>, limits: Limits) -> Self {
        let (limits, readiness) = (Arc::new(limits), Readiness::default());
        Self { queue, store, limits, readiness, budgets: Vec::new(), handlers: BTreeMap::new() }
    }

    /// Has this readiness speak for the worker.
    pub fn reporting_to(mut self, readiness: Readiness) -> Self {
        self.readiness = readiness;
        self
    }

    /// Adds a rate budget that handlers pay from.
    pub fn paying_from(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    /// Adds the handler of one kind (in place of an earlier one of that kind), with as many jobs at once as fit it; the
    /// setting `worker.slots` overrides that.
    pub fn with<H: Handler>(mut self, handler: H, slots: usize) -> Self {
        let handler: Arc<dyn AnyHandler> = Arc::new(handler);
        self.handlers.insert(handler.kind().name, (handler, slots));
        self
    }

    /// Runs jobs until then, or until the shutdown: then jobs under way have the setting `worker.grace_seconds` to finish,
    /// and what is left is handed back. Returns how the jobs of each kind ended here.
    ///
    /// # Errors
    /// When the queue or the store can never be used. Jobs under way are finished first.
    pub async fn run(self, until: Until, shutdown: Shutdown) -> Result<BTreeMap<String, JobCounts>, WorkerError> {
        // A shutdown of its own: emptiness and errors stop this worker, not whatever else the caller's signal stops.
        let own = Shutdown::new();
        tokio::select! {
            never = shutdown.forward_to(&own) => match never {},
            result = self.work(until, &own) => result,
        }
    }

    async fn work(self, until: Until, shutdown: &Shutdown) -> Result<BTreeMap<String, JobCounts>, WorkerError> {
        let kinds: Vec<String> = self.handlers.keys().map(|kind| (*kind).to_owned()).collect();
        // One that is paused from the beginning is never subscribed to.
        self.queue.register_kinds(&self.handlers.keys().copied().collect::<Vec<_>>());
        let (queue, store, limits) = (self.queue.clone(), self.store.clone(), self.limits.clone());
        let (tally, lost) = (Tally::of(&kinds), Arc::<Lost>::default());
        let fault = Arc::new(Fault::new(tally.clone()));
        let heart = Arc::new(Heart::new(store.clone(), tally.clone(), fault.clone(), kinds.clone()));
        let budgets = Budgets::new(store.clone(), self.budgets.iter().cloned());
        let watch = Watch::new(budgets, queue.clone(), store.clone(), tally.clone(), shutdown.clone());
        // Before the first job is taken: a budget may be closed, or a kind paused, since before this worker's start.
        if let Err(error @ StoreError::Unusable(_)) = watch.look().await {
            return Err(error.into());
        }
        let declines = |kind: &&'static str| Arc::new(Declines::new(kind, queue.clone(), store.clone(), tally.clone()));
        let declines: Vec<_> = self.handlers.keys().map(declines).collect();
        let mut takers = self.start_takers(&watch, &declines, &tally, &fault, &lost);
        let is_over = async {
            let somebody_waits = async {
                match until {
                    Until::Empty => tokio::select! {
                        ended = empty::wait_until_empty(&*queue, &*store, heart.id(), &declines, &tally) => ended,
                        why = fault.is_met() => Err(WorkerError::Local(why)),
                    },
                    Until::Stopped => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = somebody_waits => ended,
                threads = lost.too_many() => Err(WorkerError::Lost { threads }),
            }
        };
        let result = tokio::select! {
            result = watch_over(&mut takers, is_over, shutdown, grace(&limits)) => result,
            never = heart.run() => match never {},
            never = progress::log(&*queue, &kinds, &tally) => match never {},
            never = watch.run() => match never {},
        };
        takers.abort_all();
        // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
        let last_words = tokio::spawn(async move { tokio::join!(heart.last_beat(), queue.flush()) });
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        let state = tally.snapshot();
        tracing::info!("stopped: {}", progress::counted(&state));
        result.map(|()| state.counts)
    }

    /// Starts the taker of each kind, with that kind's declines.
    fn start_takers(
        self,
        watch: &Watch,
        declines: &[Arc<Declines>],
        tally: &Arc<Tally>,
        fault: &Arc<Fault>,
        lost: &Arc<Lost>,
    ) -> JoinSet<Result<(), WorkerError>> {
        let mut takers = JoinSet::new();
        let mut standings = vec![watch.store.clone(), watch.accepts.clone()];
        for ((handler, slots), declines) in self.handlers.into_values().zip(declines) {
            let kind = handler.kind();
            let standing = Arc::new(Standing::new(kind.name));
            standings.push(standing.clone());
            let runner = Runner {
                meters: KindMeters::of(kind.name),
                handler,
                kind,
                store: self.store.clone(),
                budgets: watch.budgets.clone(),
                orders: watch.orders.clone(),
                limits: self.limits.clone(),
                declines: declines.clone(),
                tally: tally.clone(),
                outage: Outage::seen_by("jobs"),
                fault: fault.clone(),
                lost: lost.clone(),
                shutdown: watch.shutdown.clone(),
            };
            let slots = if self.limits.slots > 0 { self.limits.slots } else { slots.max(1) };
            let (queue, outage) = (self.queue.clone(), Outage::seen_by("takers"));
            takers.spawn(Taker { queue, runner: Arc::new(runner), slots, outage, standing }.run());
        }
        self.readiness.speak_for(standings, fault.clone(), watch.shutdown.clone());
        takers
    }
}

/// Waits until every taker has ended. The first error, or `is_over`, stops the others; what has not ended when the grace
/// period and the time for handing back are over is left behind.
async fn watch_over(
    takers: &mut JoinSet<Result<(), WorkerError>>,
    is_over: impl Future<Output = Result<(), WorkerError>>,
    shutdown: &Shutdown,
    grace: Duration,
) -> Result<(), WorkerError> {
    let mut is_over = pin!(is_over);
    let mut too_late = pin!(async {
        shutdown.out_of_time(grace).await;
        tokio::time::sleep(LAST_WORDS).await;
    });
    let mut result = Ok(());
    loop {
        let ended = tokio::select! {
            taker = takers.join_next() => match taker {
                // Its panic goes on, and one that the end of the process cut off is well.
                Some(Err(error)) => error.try_into_panic().map_or(Ok(()), |panic| std::panic::resume_unwind(panic)),
                Some(Ok(ended)) => ended,
                None => return result,
            },
            ended = &mut is_over, if !shutdown.is_stopping() => ended,
            () = &mut too_late => return result,
        };
        // What runs could not be kept.
        if matches!(ended, Err(WorkerError::Local(_))) {
            shutdown.hand_back();
        }
        result = result.and(ended);
        // Whatever ends first ends the rest.
        shutdown.begin();
    }
}
