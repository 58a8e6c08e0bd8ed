//! Traces and logs of a worker process, as a collector and a reader of logs get them.

#[path = "../../runtime/tests/common/mod.rs"]
mod common;

use std::process::{Command, Output};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use common::*;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use runtime::{Failure, Shutdown, Until};
use tokio::sync::mpsc;

/// Set for the process that [`child`] is to be a worker in: the folder of its home.
const CHILD: &str = "SPOTIFAI_TEST_WORKER_FOLDER";

/// A worker process that runs until its queue is empty.
async fn worker_process(place: &Place, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(CHILD, place.folder.path());
    command.envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// No test by itself: the worker process of the tests below.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let logging = host::init_logging();
    let backends = open(folder.as_ref(), |_| {}).await;
    let worker = backends
        .worker()
        .with(
            on(|Apple { n }, _| async move {
                tracing::info!("an apple");
                Ok(vec![job(Pear { n })])
            }),
            1,
        )
        .with(
            on(|_: Pear, _| async {
                tracing::info!("a pear\nof two lines");
                Err(Failure::dead("no pears today"))
            }),
            1,
        );
    worker.run(Until::Empty, Shutdown::new()).await.unwrap();
    tokio::task::spawn_blocking(|| logging.finish()).await.unwrap();
}

/// A stand-in of a collector: its base address, and the spans it is sent.
async fn collector() -> (String, mpsc::UnboundedReceiver<Span>) {
    let (spans, received) = mpsc::unbounded_channel();
    let take = move |body: Bytes| {
        let spans = spans.clone();
        async move {
            let request = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            scopes.flat_map(|scope| scope.spans).for_each(|span| spans.send(span).expect("the test listens"));
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let pages = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, pages).await });
    (address, received)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_a_job_and_of_what_follows_from_it_are_one_trace() {
    let place = Place::new().await;
    let (address, mut received) = collector().await;
    let apple = job(Apple { n: 1 });
    place.publish(std::slice::from_ref(&apple)).await;
    let output = worker_process(&place, &[("SPOTIFAI_OTLP_URL", &address)]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut spans = Vec::new();
    while let Ok(span) = received.try_recv() {
        spans.push(span);
    }
    let span_named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:?}"));
    let (first, second) = (span_named("test.apple"), span_named("test.pear"));
    assert_eq!(first.trace_id, uuid::Uuid::parse_str(&apple.id).unwrap().as_bytes());
    assert!(first.parent_span_id.is_empty(), "{first:?}");
    assert_eq!((&second.trace_id, &second.parent_span_id), (&first.trace_id, &first.span_id));
    assert_eq!(second.status.as_ref().map(|status| &*status.message), Some("no pears today"));
    assert_eq!(spans.len(), 2, "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_log_has_one_object_a_line_with_the_trace_of_its_job() {
    let place = Place::new().await;
    let apple = job(Apple { n: 1 }).in_run("r1");
    place.publish(std::slice::from_ref(&apple)).await;
    let output = worker_process(&place, &[("SPOTIFAI_LOG_FORMAT", "json")]).await;
    let lines = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let line_of = |message: &str| {
        let line = lines.iter().find(|line| line["message"].as_str().is_some_and(|said| said.starts_with(message)));
        line.unwrap_or_else(|| panic!("{message}: {lines:?}"))["span"].clone()
    };
    let trace = apple.id.replace('-', "");
    for (message, kind) in
        [("an apple", "test.apple"), ("a pear", "test.pear"), ("failed permanently: no pears", "test.pear")]
    {
        let span = line_of(message);
        assert_eq!(span["trace"], *trace, "{message}");
        assert_eq!(
            (&span["kind"], &span["key"], &span["attempt"], &span["run"]),
            (&kind.into(), &"1".into(), &1.into(), &"r1".into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_log_can_be_searched_for_a_trace_too() {
    let place = Place::new().await;
    let apple = job(Apple { n: 1 });
    place.publish(std::slice::from_ref(&apple)).await;
    let output = worker_process(&place, &[("SPOTIFAI_OTLP_URL", "http://127.0.0.1:9")]).await;
    assert!(output.status.success(), "a collector that is not there ends nothing");
    let log = String::from_utf8(output.stderr).unwrap();
    let trace = apple.id.replace('-', "");
    let line = log.lines().find(|line| line.contains("a pear")).expect("a line");
    assert!(line.contains(&trace) && line.contains("test.pear"), "{line}");
}
