//! What a worker process says of itself over HTTP: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use runtime::{Readiness, meters};
use tokio::net::TcpListener;

/// How often what the histograms gathered is put together; only that keeps their memory small.
const UPKEEP: Duration = Duration::from_secs(1);

/// The listener of a worker process. Clones are the same one.
#[derive(Clone)]
pub struct Health {
    address: SocketAddr,
    /// What its worker says of itself.
    pub readiness: Readiness,
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
        let health = Self { address: listener.local_addr().with_context(why)?, readiness: Readiness::default() };
        let readiness = health.readiness.clone();
        let pages = Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(move || async move { page(readiness.trouble()) }))
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
}

/// 200 when nothing keeps the process from its work; else 503 with a line for each thing that does.
fn page(trouble: String) -> (StatusCode, String) {
    match trouble.is_empty() {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, trouble),
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
