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

/// A collector that does not take a batch within this time is not waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where spans go below the base of a collector.
const PATH: &str = "/v1/traces";

/// Begins to export to the collector at this base address; to be called within a tokio runtime, which sends.
pub(crate) fn start(base: &str) -> anyhow::Result<SdkTracerProvider> {
    let address = format!("{}{PATH}", base.trim_end_matches('/').trim_end_matches(PATH));
    if let Some(advice) = url_problem(base) {
        anyhow::bail!("{} cannot be read: {advice}", without_credentials(base));
    }
    let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    // What is said of an address that is none quotes it, and so does the log of each request.
    let no_address = || anyhow!("cannot export to {}", without_credentials(&address));
    let mut example = http.post(&address).build().map_err(|_| no_address())?;
    let authorization = example.headers_mut().remove(AUTHORIZATION);
    let client = Client { http, authorization, runtime: Handle::try_current()? };
    let endpoint = example.url().as_str();
    let exporter = SpanExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint).build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter.map_err(|_| no_address())?)
        .with_id_generator(Ids(RandomIdGenerator::default()))
        .with_resource(Resource::builder().with_service_name(program()).build())
        .build();
    runtime::trace::export_spans();
    Ok(provider)
}

/// The tracer of the worker runtime.
pub(crate) fn tracer(provider: &SdkTracerProvider) -> opentelemetry_sdk::trace::SdkTracer {
    provider.tracer("spotifai")
}

fn program() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|path| Some(path.file_stem()?.to_str()?.to_owned())).unwrap_or_else(|| "spotifai".to_owned())
}

/// Ids of spans are random; a trace has the id of its first job.
#[derive(Debug)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        runtime::trace::new_trace().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Sends on the runtime, since the exporter has a thread of its own that is in none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    /// For the user and password of the collector's address.
    authorization: Option<HeaderValue>,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, mut request) = (self.http.clone(), request.map(reqwest::Body::from));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let request = request.try_into()?;
        // Even the beginning of a request needs the runtime's clock.
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await?);
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            Ok::<_, reqwest::Error>(response)
        });
        // An address that holds credentials is in no message.
        Ok(sent.await?.map_err(reqwest::Error::without_url)?)
    }
}
