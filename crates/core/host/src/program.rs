//! Worker programs: which kinds of job each runs.

use model::job::Kind;
use model::settings::Settings;
use runtime::{Budget, Handler, Worker};

use crate::Backends;

/// A worker program. A kind of job is added to it by one line of [`HANDLERS`](Self::HANDLERS).
pub trait WorkerProgram: 'static {
    /// Its name, which the bodies of its jobs name as their worker.
    const NAME: &'static str;

    /// What it does, for its `--help`.
    const ABOUT: &'static str;

    /// How a cluster scales it.
    const PODS: Pods;

    /// What its handlers share: a client of a service, a cache.
    type Shared;

    /// Its handlers, one a kind, in the order of the way of the data.
    const HANDLERS: &'static [Registration<Self::Shared>];

    /// Makes what the handlers share.
    ///
    /// # Errors
    /// When it cannot be made with these settings.
    fn open(backends: &Backends) -> anyhow::Result<Self::Shared>;

    /// The rate budgets that its handlers spend.
    fn budgets(_settings: &Settings) -> Vec<Budget> {
        Vec::new()
    }
}

/// A handler as a program registers it.
pub trait Registered<S>: Handler + Sized {
    /// A handler with what all of its program share.
    fn new(shared: &S) -> Self;

    /// Jobs at once, unless the setting `worker.slots` says otherwise.
    fn slots() -> usize;
}

/// One handler of a program whose handlers share an `S`.
pub struct Registration<S> {
    kind: Kind,
    add: fn(Worker, &S) -> Worker,
}

impl<S> Registration<S> {
    /// The registration of a handler.
    pub const fn of<H: Registered<S>>() -> Self {
        Self { kind: Kind::of::<H::Body>(), add: |worker, shared| worker.with(H::new(shared), H::slots()) }
    }
}

/// How many pods of a worker a cluster runs.
#[derive(Debug, Clone, Copy)]
pub struct Pods {
    /// At most.
    pub most: u32,
    /// Jobs that wait for each of them.
    pub jobs_each: u32,
    /// Why not more, as lines of a comment; empty where there is no reason.
    pub why: &'static str,
}

/// Adds the handlers of the kinds that are wanted.
type Add = fn(Worker, &Backends, &dyn Fn(&Kind) -> bool) -> anyhow::Result<Worker>;

/// A worker program as a value: what lists programs, or kinds of job, has a list of these.
#[derive(Clone, Copy)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// How a cluster scales it.
    pub pods: Pods,
    kinds: fn() -> Vec<Kind>,
    budgets: fn(&Settings) -> Vec<Budget>,
    add: Add,
}

impl Program {
    /// The program of this type.
    pub const fn of<P: WorkerProgram>() -> Self {
        Self {
            name: P::NAME,
            about: P::ABOUT,
            pods: P::PODS,
            kinds: || P::HANDLERS.iter().map(|registration| registration.kind).collect(),
            budgets: P::budgets,
            add: |worker, backends, is_wanted| {
                let shared = P::open(backends)?;
                let worker = P::budgets(&backends.settings).into_iter().fold(worker, Worker::paying_from);
                let wanted = P::HANDLERS.iter().filter(|registration| is_wanted(&registration.kind));
                Ok(wanted.fold(worker, |worker, registration| (registration.add)(worker, &shared)))
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
    /// When what they share cannot be made with the settings of this home.
    pub fn add_to(&self, worker: Worker, backends: &Backends) -> anyhow::Result<Worker> {
        self.add_some_to(worker, backends, |_| true)
    }

    /// Adds the handlers of some kinds to a worker.
    ///
    /// # Errors
    /// As [`add_to`](Self::add_to).
    pub fn add_some_to(
        &self,
        worker: Worker,
        backends: &Backends,
        is_wanted: impl Fn(&Kind) -> bool,
    ) -> anyhow::Result<Worker> {
        (self.add)(worker, backends, &is_wanted)
    }
}
