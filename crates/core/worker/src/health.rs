//! What a worker process says of itself over HTTP: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::Shutdown;
use crate::fault::Fault;
use crate::meters;
use crate::standing::Standing;

/// How often what the histograms gathered is put together; only that keeps their memory small.
const UPKEEP: Duration = Duration::from_secs(1);

/// The listener of a worker process. Clones are the same one.
#[derive(Clone)]
pub struct Health {
    address: SocketAddr,
    worker: Arc<Mutex<Speaker>>,
}

/// What it speaks for.
#[derive(Default)]
enum Speaker {
    /// Queue and store are being opened.
    #[default]
    Opening,
    /// They could not be opened so far, for this reason.
    Kept(String),
    /// A worker.
    Running { takers: Vec<Arc<Standing>>, fault: Arc<Fault>, shutdown: Shutdown },
}

impl Health {
    /// Listens at this address, such as `0.0.0.0:9100`, for as long as the process lives. Metrics count from now on.
    ///
    /// # Errors
    /// When the address is in use or not this machine's.
    pub async fn listen(address: &str) -> anyhow::Result<Self> {
        let why = || format!("cannot listen at {address} (SPOTIFAI_LISTEN)");
        let recorder = recorder()?;
        let listener = TcpListener::bind(address).await.with_context(why)?;
        let health = Self { address: listener.local_addr().with_context(why)?, worker: Arc::default() };
        let ready = health.clone();
        let pages = Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(move || async move { ready.readiness() }))
            .route("/metrics", get(move || async move { recorder.render() }));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                recorder.run_upkeep();
            }
        });
        tracing::info!("health and metrics at http://{}", health.address);
        Ok(health)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Speaks for this worker from now on.
    pub(crate) fn speak_for(&self, takers: Vec<Arc<Standing>>, fault: Arc<Fault>, shutdown: Shutdown) {
        *self.lock() = Speaker::Running { takers, fault, shutdown };
    }

    /// Says why queue or store could not be opened so far.
    pub(crate) fn kept_out(&self, why: &str) {
        *self.lock() = Speaker::Kept(why.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Speaker> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 200 when every kind is taken from, or not on purpose; else 503 with a line for each one that is not, and for what
    /// keeps the whole process from working.
    fn readiness(&self) -> (StatusCode, String) {
        let trouble = match &*self.lock() {
            Speaker::Opening => "queue and store are not open yet\n".to_owned(),
            Speaker::Kept(why) => format!("queue and store are not open yet: {why}\n"),
            Speaker::Running { shutdown, .. } if shutdown.is_stopping() => "stopping\n".to_owned(),
            Speaker::Running { takers, fault, .. } => {
                let line = |taker: &Arc<Standing>| taker.trouble().map(|why| format!("{}: {why}\n", taker.kind));
                let fault = fault.why().map(|why| format!("this process: {why}\n"));
                fault.into_iter().chain(takers.iter().filter_map(line)).collect()
            }
        };
        match trouble.is_empty() {
            true => (StatusCode::OK, "ready\n".to_owned()),
            false => (StatusCode::SERVICE_UNAVAILABLE, trouble),
        }
    }
}

/// The recorder of the process, installed once.
fn recorder() -> Result<&'static PrometheusHandle, BuildError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _turn = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if RECORDER.get().is_none() {
        let of = |name: &str| Matcher::Full(name.to_owned());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(of(meters::JOB_SECONDS), meters::BUCKETS)?
            .set_buckets_for_metric(of(meters::WAIT_SECONDS), meters::BUCKETS)?
            .install_recorder()?;
        meters::describe();
        let _ = RECORDER.set(handle);
    }
    Ok(RECORDER.get().expect("it was just set"))
}
