//! A worker process: some kinds of job, run until stopped.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use model::fleet::JobCounts;
use queue::QueueError;
use store::StoreError;
use tokio::task::{JoinError, JoinSet};

use crate::backoff::Outage;
use crate::beat::Heart;
use crate::erased::AnyHandler;
use crate::job::{Runner, grace};
use crate::kind::Taker;
use crate::tally::Tally;
use crate::{Context, Handler, Home, Shutdown, empty, progress};

/// How long handing jobs back, and the last heartbeat, may take after the grace period.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs the jobs of the kinds that it was given handlers for.
pub struct Worker {
    home: Home,
    handlers: BTreeMap<&'static str, (Arc<dyn AnyHandler>, usize)>,
}

/// When a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// When it is told to.
    Stopped,
    /// Also when no job of its kinds is left, ready, delayed or running, here or elsewhere.
    Empty,
}

/// Why a worker cannot go on. Being out of reach for a while is no reason.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Worker {
    /// A worker without any handler.
    pub fn new(home: Home) -> Self {
        Self { home, handlers: BTreeMap::new() }
    }

    /// Adds the handler of one kind (in place of an earlier one of that kind), with as many jobs at once as fit it; the
    /// setting `worker.slots` overrides that.
    pub fn with<H: Handler>(mut self, handler: H, slots: usize) -> Self {
        let handler: Arc<dyn AnyHandler> = Arc::new(handler);
        self.handlers.insert(handler.kind(), (handler, slots));
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
        let Home { queue, store, settings } = self.home.clone();
        let tally = Tally::of(&kinds);
        let heart = Arc::new(Heart::new(store, tally.clone(), kinds.clone()));
        let context = self.home.context();
        // Before the first job is taken: a budget may be closed since before this worker's start.
        if let Err(error @ StoreError::Unusable(_)) = context.budgets.refresh().await {
            return Err(error.into());
        }
        let mut takers = self.start_takers(&context, &tally, shutdown);
        let is_over = async {
            match until {
                Until::Empty => empty::wait_until_empty(&*queue, &kinds, &tally).await,
                Until::Stopped => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            result = watch_over(&mut takers, is_over, shutdown, grace(&settings)) => result,
            never = heart.run() => match never {},
            never = progress::log(&*queue, &kinds, &tally) => match never {},
            never = context.budgets.watch() => match never {},
        };
        takers.abort_all();
        // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
        let _ = tokio::time::timeout(LAST_WORDS, tokio::spawn(async move { heart.beat().await })).await;
        let state = tally.snapshot();
        tracing::info!("stopped: {}", progress::counted(&state));
        result.map(|()| state.counts)
    }

    fn start_takers(
        self,
        context: &Context,
        tally: &Arc<Tally>,
        shutdown: &Shutdown,
    ) -> JoinSet<Result<(), WorkerError>> {
        let settings = Arc::new(self.home.settings);
        let mut takers = JoinSet::new();
        for (handler, slots) in self.handlers.into_values() {
            let runner = Runner {
                handler,
                context: context.clone(),
                settings: settings.clone(),
                tally: tally.clone(),
                outage: Outage::default(),
                shutdown: shutdown.clone(),
            };
            let slots = if settings.worker.slots > 0 { settings.worker.slots } else { slots.max(1) };
            let (queue, runner) = (self.home.queue.clone(), Arc::new(runner));
            takers.spawn(Taker { queue, runner, slots, outage: Outage::default() }.run());
        }
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
                Some(taker) => finished(taker),
                None => return result,
            },
            ended = &mut is_over, if !shutdown.is_stopping() => ended,
            () = &mut too_late => return result,
        };
        result = result.and(ended);
        // Whatever ends first ends the rest.
        shutdown.begin();
    }
}

/// What a task of the runtime itself returned; its panic goes on, and one that the end of the process cut off is well.
pub(crate) fn finished(task: Result<Result<(), WorkerError>, JoinError>) -> Result<(), WorkerError> {
    task.unwrap_or_else(|error| error.try_into_panic().map_or(Ok(()), |panic| std::panic::resume_unwind(panic)))
}
