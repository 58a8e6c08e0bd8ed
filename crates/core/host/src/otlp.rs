//! Spans to an OpenTelemetry collector: OTLP over HTTP, behind one environment variable.

use std::time::Duration;

use anyhow::anyhow;
use async_trait::async_trait;
use model::settings::{url_problem, without_credentials};
use opentelemetry::trace::{SpanId, TraceId, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::runtime::Handle;

/// A batch that the collector has not accepted within this time is dropped.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// The path of a collector for spans, below its base address.
const TRACES_PATH: &str = "/v1/traces";

/// Starts to export to the collector at this base address. To be called within a tokio runtime, which sends the spans.
pub(crate) fn start(base: &str) -> anyhow::Result<SdkTracerProvider> {
    let address = format!("{}{TRACES_PATH}", base.trim_end_matches('/').trim_end_matches(TRACES_PATH));
    if let Some(advice) = url_problem(base) {
        anyhow::bail!("cannot parse {}: {advice}", without_credentials(base));
    }
    let http = reqwest::Client::builder().timeout(EXPORT_TIMEOUT).build()?;
    // The error for an invalid address quotes it, password included, and so does the log of each request.
    let invalid_address = || anyhow!("cannot export to {}", without_credentials(&address));
    let mut request = http.post(&address).build().map_err(|_| invalid_address())?;
    let authorization = request.headers_mut().remove(AUTHORIZATION);
    let client = SpanClient { http, authorization, runtime: Handle::try_current()? };
    let endpoint = request.url().as_str();
    let exporter = SpanExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint).build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter.map_err(|_| invalid_address())?)
        .with_id_generator(JobTraceIds(RandomIdGenerator::default()))
        .with_resource(Resource::builder().with_service_name(program_name()).build())
        .build();
    runtime::trace::export_spans();
    Ok(provider)
}

/// The tracer of the worker runtime.
pub(crate) fn tracer(provider: &SdkTracerProvider) -> opentelemetry_sdk::trace::SdkTracer {
    provider.tracer("spotifai")
}

fn program_name() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|path| Some(path.file_stem()?.to_str()?.to_owned())).unwrap_or_else(|| "spotifai".to_owned())
}

/// Spans have random ids; a trace has the id of its first job.
#[derive(Debug)]
struct JobTraceIds(RandomIdGenerator);

impl IdGenerator for JobTraceIds {
    fn new_trace_id(&self) -> TraceId {
        runtime::trace::new_trace().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Sends on the tokio runtime: the exporter calls it from a thread of its own, outside of any runtime.
#[derive(Debug)]
struct SpanClient {
    http: reqwest::Client,
    /// Made from the user and password in the collector's address.
    authorization: Option<HeaderValue>,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for SpanClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, mut request) = (self.http.clone(), request.map(reqwest::Body::from));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let request = request.try_into()?;
        // Even starting a request needs the runtime's clock.
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await?);
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            Ok::<_, reqwest::Error>(response)
        });
        // Keeps an address with credentials out of the message.
        Ok(sent.await?.map_err(reqwest::Error::without_url)?)
    }
}
