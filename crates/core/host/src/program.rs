//! Worker programs: which kinds of job each runs.

use std::sync::Arc;

use model::job::Kind;
use model::settings::Settings;
use runtime::{Budget, Handler, Worker};
use store::Store;

use crate::Backends;

/// A worker program. A kind of job is added to it by one line of [`HANDLERS`](Self::HANDLERS).
pub trait WorkerProgram: 'static {
    /// Its name. The bodies of its jobs refer to it as their worker.
    const NAME: &'static str;

    /// What it does, for its `--help`.
    const DESCRIPTION: &'static str;

    /// How a cluster scales it.
    const SCALING: Scaling;

    /// What its handlers share: a client of a service, a cache.
    type Shared;

    /// Its handlers, one for each kind, in the order in which data passes through them.
    const HANDLERS: &'static [Registration<Self::Shared>];

    /// Creates what the handlers share.
    ///
    /// # Errors
    /// When that is impossible with these settings.
    fn shared(backends: &Backends) -> anyhow::Result<Self::Shared>;

    /// The rate budgets that its handlers spend.
    fn budgets(_settings: &Settings) -> Vec<Budget> {
        Vec::new()
    }
}

/// A handler as a program registers it.
pub trait Registered<S>: Handler + Sized {
    /// Creates the handler. Of the store it keeps the parts that it uses: an `Arc<dyn Store>` coerces to an `Arc<dyn Audio>`.
    fn new(shared: &S, store: Arc<dyn Store>) -> Self;

    /// How many jobs it runs at once, unless the setting `worker.slots` says otherwise.
    fn slots() -> usize;
}

/// One handler of a program whose handlers share an `S`.
pub struct Registration<S> {
    kind: Kind,
    add: fn(Worker, &S, Arc<dyn Store>) -> Worker,
}

impl<S> Registration<S> {
    /// The registration of a handler.
    pub const fn of<H: Registered<S>>() -> Self {
        Self {
            kind: Kind::of::<H::Body>(),
            add: |worker, shared, store| worker.with(H::new(shared, store), H::slots()),
        }
    }
}

/// How many pods of a worker a cluster runs.
#[derive(Debug, Clone, Copy)]
pub struct Scaling {
    /// At most so many.
    pub max_pods: u32,
    /// One for so many waiting jobs.
    pub jobs_per_pod: u32,
    /// Why not more, as lines of a comment; empty if there is no reason.
    pub limit_reason: &'static str,
}

/// Adds the handlers of the wanted kinds to a worker.
type AddHandlers = fn(Worker, &Backends, &dyn Fn(&Kind) -> bool) -> anyhow::Result<Worker>;

/// A worker program as a value, for lists of programs and of kinds of job.
#[derive(Clone, Copy)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// How a cluster scales it.
    pub scaling: Scaling,
    kinds: fn() -> Vec<Kind>,
    budgets: fn(&Settings) -> Vec<Budget>,
    add: AddHandlers,
}

impl Program {
    /// The program of this type.
    pub const fn of<P: WorkerProgram>() -> Self {
        Self {
            name: P::NAME,
            description: P::DESCRIPTION,
            scaling: P::SCALING,
            kinds: || P::HANDLERS.iter().map(|registration| registration.kind).collect(),
            budgets: P::budgets,
            add: |worker, backends, is_wanted| {
                let shared = P::shared(backends)?;
                let worker = P::budgets(&backends.settings).into_iter().fold(worker, Worker::with_budget);
                let wanted = P::HANDLERS.iter().filter(|registration| is_wanted(&registration.kind));
                Ok(wanted
                    .fold(worker, |worker, registration| (registration.add)(worker, &shared, backends.store.clone())))
            },
        }
    }

    /// The kinds of job that it runs.
    pub fn kinds(&self) -> Vec<Kind> {
        (self.kinds)()
    }

    /// The rate budgets that its handlers spend.
    pub fn budgets(&self, settings: &Settings) -> Vec<Budget> {
        (self.budgets)(settings)
    }

    /// Adds its handlers to a worker.
    ///
    /// # Errors
    /// When what they share cannot be created with these settings.
    pub fn add_to(&self, worker: Worker, backends: &Backends) -> anyhow::Result<Worker> {
        self.add_kinds_to(worker, backends, |_| true)
    }

    /// Adds the handlers of some kinds to a worker.
    ///
    /// # Errors
    /// As [`add_to`](Self::add_to).
    pub fn add_kinds_to(
        &self,
        worker: Worker,
        backends: &Backends,
        is_wanted: impl Fn(&Kind) -> bool,
    ) -> anyhow::Result<Worker> {
        (self.add)(worker, backends, &is_wanted)
    }
}
