//! Health and metrics of a worker process over HTTP: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use runtime::{Readiness, metrics};
use tokio::net::TcpListener;

/// How often the samples of the histograms are merged, which keeps their memory small.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The listener of a worker process. Clones share it.
#[derive(Clone)]
pub struct Health {
    address: SocketAddr,
    /// The readiness that it serves.
    pub readiness: Readiness,
}

impl Health {
    /// Listens on this address, such as `0.0.0.0:9100`, as long as the process lives. Metrics count from now on.
    ///
    /// # Errors
    /// When the address is in use or does not belong to this machine.
    pub async fn listen(address: &str) -> anyhow::Result<Self> {
        let context = || format!("cannot listen on {address} (SPOTIFAI_LISTEN)");
        let recorder = recorder()?;
        let listener = TcpListener::bind(address).await.with_context(context)?;
        let health = Self { address: listener.local_addr().with_context(context)?, readiness: Readiness::default() };
        let readiness = health.readiness.clone();
        let pages = Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(move || async move { readiness_page(readiness.problems()) }))
            .route("/metrics", get(move || async move { recorder.render() }));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP_INTERVAL).await;
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

/// 200 if there are no problems, else 503 with a line for each.
fn readiness_page(problems: String) -> (StatusCode, String) {
    match problems.is_empty() {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, problems),
    }
}

/// The recorder of metrics, installed once in a process.
fn recorder() -> Result<&'static PrometheusHandle, BuildError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if RECORDER.get().is_none() {
        let full_name = |name: &str| Matcher::Full(name.to_owned());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(full_name(metrics::JOB_SECONDS), metrics::BUCKET_SECONDS)?
            .set_buckets_for_metric(full_name(metrics::WAIT_SECONDS), metrics::BUCKET_SECONDS)?
            .install_recorder()?;
        metrics::describe();
        let _ = RECORDER.set(handle);
    }
    Ok(RECORDER.get().expect("it was just set"))
}
