//! Backends in a folder of their own, and handlers made of closures.
#![allow(dead_code)] // each test program uses a part of it

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use host::Backends;
use model::fleet::JobCounts;
use model::job::{Envelope, JobBody};
use model::settings::Settings;
use queue::{DeadLetter, KindStats};
use runtime::{Context, Failure, Handler, Shutdown, Until, Worker, WorkerError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Nothing in these tests takes this long, unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Kinds of job about a number.
#[macro_export]
macro_rules! bodies {
    ($($name:ident => $kind:literal $(within $timeout:expr)? $(, pays $budgets:expr)?;)*) => {$(
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[allow(missing_docs)]
        pub struct $name { pub n: u32 }
        impl model::job::JobBody for $name {
            const KIND: &'static str = $kind;
            const WORKER: &'static str = "test-worker";
            const TIMEOUT: std::time::Duration = bodies!(@timeout $($timeout)?);
            $(const BUDGETS: &'static [&'static str] = $budgets;)?
            const EXAMPLE: &'static str = r#"{"n":0}"#;
            fn key(&self) -> String { self.n.to_string() }
            fn from_key(key: &str) -> Option<Self> { Some(Self { n: key.parse().ok()? }) }
        }
    )*};
    (@timeout) => { std::time::Duration::from_secs(3_600) };
    (@timeout $timeout:expr) => { $timeout };
}

bodies! {Apple => "test.apple"; Pear => "test.pear"; Plum => "test.plum"; Quince => "test.quince"; }

/// A job of this body.
pub fn job(body: impl JobBody) -> Envelope {
    Envelope::new(&body)
}

/// A handler made of a closure.
pub struct On<B, F> {
    run: F,
    body: PhantomData<fn() -> B>,
}

/// Runs `run` for every job with body `B`.
pub fn on<B, F, R>(run: F) -> On<B, F>
where
    B: JobBody,
    F: Fn(B, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Envelope>, Failure>> + Send,
{
    On { run, body: PhantomData }
}

#[async_trait]
impl<B, F, R> Handler for On<B, F>
where
    B: JobBody,
    F: Fn(B, Context) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Envelope>, Failure>> + Send,
{
    type Body = B;

    async fn run(&self, job: B, context: &Context) -> Result<Vec<Envelope>, Failure> {
        (self.run)(job, context.clone()).await
    }
}

/// A handler whose jobs notify the first that they have begun, and end when the second is notified.
pub fn held(began: &Arc<Notify>, may_end: &Arc<Notify>) -> impl Handler<Body = Apple> + use<> {
    let (began, may_end) = (began.clone(), may_end.clone());
    on(move |_: Apple, _| {
        let (began, may_end) = (began.clone(), may_end.clone());
        async move {
            began.notify_one();
            may_end.notified().await;
            Ok(vec![])
        }
    })
}

/// Backends in a temporary folder.
pub struct Place {
    pub backends: Backends,
    pub folder: tempfile::TempDir,
}

impl Place {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let backends = open(folder.path(), |_| {}).await;
        Self { backends, folder }
    }

    /// Another process's view of the same files, with settings of its own.
    pub async fn again(&self, set: impl FnOnce(&mut Settings)) -> Backends {
        open(self.folder.path(), set).await
    }

    pub fn worker(&self) -> Worker {
        self.backends.worker()
    }

    pub async fn publish(&self, jobs: &[Envelope]) {
        self.backends.queue.publish(jobs).await.unwrap();
    }

    pub async fn dead(&self) -> Vec<DeadLetter> {
        self.backends.queue.dead_letters(None).await.unwrap()
    }

    pub async fn stats(&self, kind: &str) -> KindStats {
        let stats = self.backends.queue.stats().await.unwrap();
        let of_kind = stats.into_iter().find(|stats| stats.kind == kind);
        of_kind.unwrap_or_else(|| KindStats { kind: kind.into(), ..KindStats::default() })
    }

    /// Waits until the store or the queue says so.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut(&Backends) -> Option<T>) -> T {
        let looks = async {
            loop {
                match look(&self.backends).await {
                    Some(found) => return found,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(DEADLINE, looks).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }
}

pub async fn open(folder: &Path, set: impl FnOnce(&mut Settings)) -> Backends {
    let url = format!("sqlite:{}", folder.join("spotifai.db").display());
    let mut settings = Settings { queue: url.clone(), store: url, ..Settings::default() };
    // Longer than the deadline: a worker that waits for it without need fails its test.
    settings.worker.grace_seconds = 3_600.0;
    set(&mut settings);
    Backends::open(settings).await.unwrap()
}

type Counts = Result<BTreeMap<String, JobCounts>, WorkerError>;

/// Runs until the queue is empty.
pub async fn run_until_empty(worker: Worker) -> BTreeMap<String, JobCounts> {
    let run = worker.run(Until::Empty, Shutdown::new());
    tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap()
}

/// Runs until told to stop.
pub fn start(worker: Worker) -> (Shutdown, JoinHandle<Counts>) {
    let shutdown = Shutdown::new();
    (shutdown.clone(), tokio::spawn(worker.run(Until::Stopped, shutdown)))
}

/// Waits for the end of a started worker.
pub async fn ended(run: JoinHandle<Counts>) -> BTreeMap<String, JobCounts> {
    tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap().unwrap()
}

/// Counts of one kind.
pub fn counts(done: u64, retried: u64, dead: u64) -> JobCounts {
    JobCounts { done, retried, dead }
}
